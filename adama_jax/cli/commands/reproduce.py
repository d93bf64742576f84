"""`adama reproduce`: train what the paper's figures lack, then draw them."""

from adama_jax.cli.checks import check_launch
from adama_jax.cli.commands.figures import check_folders, draw_exhibits, length_of
from adama_jax.cli.options import ReproduceCommand
from adama_jax.cli.training import prepare
from adama_jax.config.command_line import parse
from adama_jax.config.options import Output
from adama_jax.screen.console import Screen
from adama_jax.studies.exhibits import plan


def reproduce(words: list[str]) -> int:
    """Train what is not on disk; draw what there is then.

    Returns:
        The exit code: 1 if a job failed.
    """
    command = parse(ReproduceCommand, ReproduceCommand(), words, "adama reproduce")
    asked = command.exhibits
    check_folders(asked)
    check_launch(command.launch, command.training)
    length = length_of(asked)
    # Planned once before JAX is imported, so that a wrong setting is named at once.
    plan(asked.experiments, length, asked.only, asked.out)
    prepare([], Output(asked.out, command.training), command.launch)
    from adama_jax.studies.reproduce import train_exhibits

    console = Screen()
    failures = train_exhibits(
        asked.experiments,
        length,
        asked.only,
        asked.out,
        command.training,
        command.launch,
        console,
    )
    draw_exhibits(asked, console)
    return 1 if failures else 0
