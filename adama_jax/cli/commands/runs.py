"""`adama list [FOLDER]`: the runs in a folder, finished or not, and what to do next."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from adama_jax.cli.words import runs_at, take_nothing, take_run_or_results
from adama_jax.config.identity import to_dict, unlike_preset
from adama_jax.config.names import in_words
from adama_jax.config.schema import Config
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.plugins.registry import without_imports
from adama_jax.screen.console import Screen
from adama_jax.screen.words import counted
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.glance import glance_at_config, glance_at_meta
from adama_jax.storage.groups import saved_episodes
from adama_jax.storage.reader import within


class _Listed(NamedTuple):
    """What is said of a run."""

    line: str
    damaged: bool = False
    can_play: bool = False  # whether there are actors of a seed that did not diverge


def list_runs(words: list[str]) -> int:
    """A line for each run; no file is read but its settings and what it says of itself.

    Returns:
        The exit code: 1 if a run is damaged.
    """
    folder, rest = take_run_or_results(words)
    take_nothing(rest)
    console = Screen()
    runs = runs_at(folder)
    damaged = []
    played = []
    for run in runs:
        # The run may be anybody's: what it names is not imported.
        with without_imports():
            listed = _listed(run)
        console.say(listed.line, style="red" if listed.damaged else "")
        if listed.damaged:
            damaged.append(run)
        if listed.can_play:
            played.append(run)
    finished = [run for run in runs if run.is_finished() and run not in damaged]
    count = f"{counted(len(runs), 'run')}, {len(finished)} finished"
    console.say(
        f"{folder}: {count}, {len(damaged)} damaged"
        if damaged
        else f"{folder}: {count}"
    )
    _say_what_next(folder, finished, damaged, played, console)
    return 1 if damaged else 0


def _say_what_next(
    folder: Path,
    finished: Sequence[RunFolder],
    damaged: Sequence[RunFolder],
    played: Sequence[RunFolder],
    console: Screen,
) -> None:
    if damaged:
        console.say(f"what is damaged: adama verify {_quoted(folder)}")
    if finished:
        results = finished[0].path.parents[1]
        console.say(f"one page about all: adama report {_quoted(results)}")
    if played:
        console.say(f"its actors at work: adama play {_quoted(played[0].path)}")


def _listed(run: RunFolder) -> _Listed:
    """What a run is, how far it is, and how it goes on."""
    path = _shown(run.path)
    files = run.current
    finished = run.is_finished()
    try:
        config = glance_at_config(files.path)
        diverged = len(glance_at_meta(files)["diverged"]) if finished else 0
    except DamagedFile as error:
        return _Listed(f"{path}: damaged: {within(files.path, error)}", damaged=True)
    except SettingError as error:
        _, _, why = str(error).partition("must be a run's folder: ")
        return _Listed(f"{path}: damaged: {why or error}", damaged=True)
    about = _settings(config)
    holder = run.holder()
    if holder is not None:
        return _Listed(
            f"{path}: {_progress(run, config)}, is being trained by {holder}; {about}"
        )
    if finished:
        copy = ", a published copy" if files.are_published() else ""
        seeds = counted(config.seeds, "seed")
        lost = f", {diverged} of {seeds} diverged" if diverged else ""
        # Published runs have kept their curves alone.
        can_play = diverged < config.seeds and files.actors.is_file()
        line = f"{path}: finished{copy}{lost}; {about}"
        return _Listed(line, can_play=can_play)
    again = f"adama resume {shlex.quote(path)}"
    return _Listed(f"{path}: {_progress(run, config)}; {about}; to go on: {again}")


def _settings(config: Config) -> str:
    unlike = unlike_preset(to_dict(config))
    seeds = counted(config.seeds, "seed")
    lengths = f"{seeds}, {counted(config.episodes, 'episode')}"
    return f"{lengths}, {in_words(unlike)}" if unlike else lengths


def _progress(run: RunFolder, config: Config) -> str:
    """How far a run is that is not finished."""
    kept = len(run.partial.kept_seeds())
    saved = saved_episodes(run.partial.path)
    at = f"at episode {max(saved):,}" if saved else "at the beginning"
    return f"begun, {at}, {kept} of {counted(config.seeds, 'seed')} finished"


def _shown(path: Path) -> str:
    """A path as it is typed from here, where that is shorter."""
    return min(os.path.relpath(path), str(path), key=len)


def _quoted(path: Path) -> str:
    return shlex.quote(_shown(path))
