"""The commands that take a run's folder: resume, verify, play."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from adama_jax.cli.options import (
    PlayCommand,
    ResumeCommand,
    check_folder,
    check_play,
    check_training,
)
from adama_jax.config.reading import parse
from adama_jax.errors import SettingError
from adama_jax.storage.folder import RunFiles, RunFolder


def resume(words: Sequence[str]) -> int:
    """`adama resume RUN`."""
    path, rest = _run_named(words)
    command = parse(ResumeCommand, ResumeCommand(), rest, "adama resume RUN")
    check_training(command.training)
    if command.training.force:
        raise SettingError("force=True: must be left out: to resume is to go on, not to begin anew")
    from adama_jax.cli import on_runs
    from adama_jax.storage.reader import config_of

    folder = RunFolder.named(path)
    config = config_of(folder)
    check_folder("run", folder.path.parent)
    from adama_jax.execution.devices import set_up_jax

    set_up_jax(command.training.devices)
    return on_runs.resume(folder.path, config, command.training, Console())


def verify(words: Sequence[str]) -> int:
    """`adama verify RUN`."""
    path, rest = _run_named(words)
    if rest:
        raise SettingError(f"argument={rest[0]}: must be left out")
    from adama_jax.cli import on_runs

    return on_runs.verify(path, Console())


def play(words: Sequence[str]) -> int:
    """`adama play RUN`."""
    path, rest = _run_named(words)
    command = parse(PlayCommand, PlayCommand(), rest, "adama play RUN")
    check_play(command)
    if not RunFiles(path).actors.is_file():
        raise SettingError(f"run={path}: must be a finished run's folder, with actors.npz in it")
    check_folder("out", command.out or path / "play")
    from adama_jax.cli import on_runs
    from adama_jax.execution.devices import set_up_jax

    set_up_jax(1)
    return on_runs.play(path, command, Console())


def _run_named(words: Sequence[str]) -> tuple[Path, list[str]]:
    """The run's folder, which comes first."""
    if words and words[0] in ("-h", "--help"):
        return Path(), list(words)
    if not words or "=" in words[0] or words[0].startswith("-"):
        raise SettingError(
            "run=: must come first, a run's folder such as results/predator_prey/adama-0123456789"
        )
    return Path(words[0]), list(words[1:])
