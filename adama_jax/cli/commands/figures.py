"""`adama figures`: draw the paper's figures and tables from what is on disk."""

from adama_jax.cli.checks import check_folder
from adama_jax.cli.options import FiguresCommand
from adama_jax.config.command_line import parse
from adama_jax.config.exhibits import Length, check_only, load_exhibits
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import finish_renamings


def figures(words: list[str]) -> int:
    """Draw every exhibit of which any run is on disk; name what is missing."""
    command = parse(FiguresCommand, FiguresCommand(), words, "adama figures")
    check_folders(command)
    return draw_exhibits(command, Screen())


def draw_exhibits(command: FiguresCommand, console: Screen) -> int:
    """Draw what the runs on disk allow.

    Returns:
        The exit code: 1 if nothing could be drawn.
    """
    exhibits = load_exhibits(command.experiments)
    check_only(command.only, exhibits)
    # Matplotlib takes a second to import: a wrong description is refused before.
    console.say(f"drawing {len(exhibits)} figures and tables ...")
    from adama_jax.reporting.exhibits import show
    from adama_jax.studies.exhibits import chosen_from, finished, missing, shown

    out = command.out
    finish_renamings(out)
    length = length_of(command)
    folder = command.figures or out / "figures"
    drawn = 0
    for exhibit in exhibits.values():
        rows = shown(exhibit, exhibits, length, out, command.only)
        runs = finished(rows, out)
        choices = chosen_from(rows, exhibits, length, out)
        drawn += show(exhibit, runs, missing(rows, out), folder, choices, console)
    return 0 if drawn else 1


def check_folders(command: FiguresCommand) -> None:
    """Check the folder to write the pictures to.

    Raises:
        SettingError: it cannot be written.
    """
    if command.figures is not None:
        check_folder("figures", command.figures)
    else:
        check_folder("out", command.out)


def length_of(command: FiguresCommand) -> Length:
    """How long the runs of this pass are."""
    return Length(command.scale, command.episodes)
