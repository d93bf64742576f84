"""`adama list [FOLDER]`: the runs in a folder, finished or not, and what to do next."""

import os
import shlex
from pathlib import Path

from adama_jax.cli.words import runs_at, take_nothing, take_run
from adama_jax.config.identity import to_dict, unlike_preset
from adama_jax.config.names import in_words
from adama_jax.config.schema import Config
from adama_jax.errors import AdamaError
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.groups import saved_episodes
from adama_jax.storage.reader import read_config

RESULTS = "results"  # where commands write unless told otherwise


def list_runs(words: list[str]) -> int:
    """A line for each run; no file is read but its settings."""
    folder, rest = take_run(words or [RESULTS])
    take_nothing(rest)
    console = Screen()
    runs = runs_at(folder)
    for run in runs:
        console.say(_line(run))
    finished = [run for run in runs if run.is_finished()]
    console.say(f"{folder}: {_count(len(runs), 'run')}, {len(finished)} finished")
    if finished:
        first = finished[0].path
        results = shlex.quote(_shown(first.parents[1]))
        console.say(f"one page about all: adama report {results}")
    # Published runs have kept their curves alone.
    played = [run.path for run in finished if run.final.actors.is_file()]
    if played:
        console.say(f"a film: adama play {shlex.quote(_shown(played[0]))}")
    return 0


def _line(run: RunFolder) -> str:
    """What a run is, how far it is, and how it goes on."""
    path = _shown(run.path)
    try:
        config = read_config(run.current.path)
    except AdamaError as error:
        return str(error)
    about = _settings(config)
    holder = run.holder()
    if holder is not None:
        return (
            f"{path}: {_progress(run, config)}, is being trained by {holder}; {about}"
        )
    if run.is_finished():
        return f"{path}: finished; {about}"
    again = f"adama resume {shlex.quote(path)}"
    return f"{path}: {_progress(run, config)}; {about}; to go on: {again}"


def _settings(config: Config) -> str:
    unlike = unlike_preset(to_dict(config))
    seeds = _count(config.seeds, "seed")
    lengths = f"{seeds}, {_count(config.episodes, 'episode')}"
    return f"{lengths}, {in_words(unlike)}" if unlike else lengths


def _progress(run: RunFolder, config: Config) -> str:
    """How far a run is that is not finished."""
    kept = len(run.partial.kept_seeds())
    saved = saved_episodes(run.partial.path)
    at = f"at episode {max(saved):,}" if saved else "at the beginning"
    return f"begun, {at}, {kept} of {config.seeds} seeds finished"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _shown(path: Path) -> str:
    """A path as it is typed from here, where that is shorter."""
    return min(os.path.relpath(path), str(path), key=len)
