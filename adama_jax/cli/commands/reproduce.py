"""`adama reproduce`: train what the paper's figures lack, then draw them."""

from collections.abc import Sequence
from dataclasses import replace

from adama_jax.cli.checks import check_launch
from adama_jax.cli.commands.figures import (
    check_folders,
    draw_exhibits,
    experiments_of,
    length_of,
)
from adama_jax.cli.options import ReproduceCommand
from adama_jax.cli.training import prepare
from adama_jax.config.command_line import parse
from adama_jax.config.options import Output
from adama_jax.screen.console import Screen
from adama_jax.studies.exhibits import CORE, Shown, first_look, plan

FIRST_LOOK_EPISODES = 300  # unless a length is given


def reproduce(words: list[str]) -> int:
    """Train what is not on disk; draw what there is then.

    Returns:
        The exit code: 1 if a job failed.
    """
    command = parse(ReproduceCommand, ReproduceCommand(), words, "adama reproduce")
    asked = command.exhibits
    if command.first_look and asked.scale == 1 and asked.episodes is None:
        asked = replace(asked, episodes=FIRST_LOOK_EPISODES)
    check_folders(asked)
    check_launch(command.launch, command.training)
    length = length_of(asked)
    experiments = experiments_of(asked)
    # Planned once before JAX is imported, so that a wrong setting is named at once.
    rows = plan(experiments, length, asked.only, asked.out)
    console = Screen()
    if command.first_look:
        console.say(_first_look_in_words(rows))
    prepare([], Output(asked.out, command.training), command.launch)
    from adama_jax.studies.reproduce import train_exhibits

    failures = train_exhibits(
        experiments,
        length,
        asked.only,
        asked.out,
        command.training,
        command.launch,
        console,
        keep=first_look if command.first_look else list,
    )
    draw_exhibits(asked, console)
    return 1 if failures else 0


def _first_look_in_words(rows: Sequence[Shown]) -> str:
    """What a first look leaves out, which nobody should take for the whole."""
    kept = first_look(rows)
    most = max((row.config.episodes for row in kept if row.config), default=0)
    others = [row for row in rows if row not in kept]
    # By the method, for a label may say more; what is chosen from a grid has its label alone.
    left_out = dict.fromkeys(
        row.config.method if row.config and not row.chosen_from else row.label
        for row in others
        if not row.of_grid
    )
    if any(row.of_grid for row in others):
        left_out["the grid"] = None
    return (
        f"A first look: {' and '.join(CORE)} alone, at most {most:,} episodes. Left out: "
        f"{', '.join(left_out)}. Without first_look everything is trained, at full length."
    )
