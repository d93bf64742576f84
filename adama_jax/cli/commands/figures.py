"""`adama figures`: draw the paper's figures and tables from what is on disk."""

from pathlib import Path

from adama_jax.cli.checks import check_folder
from adama_jax.cli.options import FiguresCommand
from adama_jax.config.command_line import parse
from adama_jax.config.exhibits import (
    Length,
    check_only,
    load_exhibits,
    paper_experiments,
)
from adama_jax.screen.console import Screen
from adama_jax.screen.words import counted
from adama_jax.storage.folder import finish_renamings


def figures(words: list[str]) -> int:
    """Draw every exhibit of which any run is on disk; name what is missing."""
    command = parse(FiguresCommand, FiguresCommand(), words, "adama figures")
    check_folders(command)
    return draw_exhibits(command, Screen())


def draw_exhibits(command: FiguresCommand, console: Screen) -> int:
    """Draw what the runs on disk allow; one that cannot be read is named, and costs itself alone.

    Returns:
        The exit code: 1 if nothing could be drawn, or a run that is there could not be read.
    """
    exhibits = load_exhibits(experiments_of(command))
    check_only(command.only, exhibits)
    # Matplotlib takes a second to import: a wrong description is refused before.
    drawing = counted(len(exhibits), "figure or table", several="figures and tables")
    console.say(f"drawing {drawing} ...")
    from adama_jax.reporting.exhibits import show
    from adama_jax.studies.exhibits import chosen_from, on_disk, shown

    out = command.out
    finish_renamings(out)
    length = length_of(command)
    folder = command.figures or out / "figures"
    drawn = 0
    damaged: dict[str, None] = {}
    for exhibit in exhibits.values():
        rows = shown(exhibit, exhibits, length, out, command.only)
        found = on_disk(rows, out)
        choices = chosen_from(rows, exhibits, length, out)
        drawn += show(exhibit, found.runs, found.missing, folder, choices, console)
        # A run may be in several exhibits: it is named once.
        damaged |= dict.fromkeys(found.damaged)
    for line in damaged:
        console.say(f"left out: {line}", style="red")
    if not drawn:
        default = FiguresCommand().out
        said = f"{out} (the default)" if out == default else str(out)
        console.say(
            f"nothing drawn: out={said}: must be a folder with runs of these figures"
        )
    return 0 if drawn and not damaged else 1


def check_folders(command: FiguresCommand) -> None:
    """Check the folder to write the pictures to.

    Raises:
        SettingError: it cannot be written.
    """
    if command.figures is not None:
        check_folder("figures", command.figures)
    else:
        check_folder("out", command.out)


def experiments_of(command: FiguresCommand) -> Path:
    """The folder of the exhibits, or one of them; the paper's unless others are named."""
    return command.experiments or paper_experiments()


def length_of(command: FiguresCommand) -> Length:
    """How long the runs of this pass are."""
    return Length(command.scale, command.episodes)
