"""The log of a run as an observer: `metrics.jsonl`, one JSON object per line and point."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adama_jax.execution.events import (
    Evaluated,
    Event,
    Finished,
    Member,
    Resumed,
    Started,
    Values,
)
from adama_jax.storage.files import finite_json
from adama_jax.storage.folder import RunFiles


def log_observer(job: object) -> Any:
    """The observer `jsonl`. It knows nothing but the events: one serves every job."""
    return write_log


def write_log(event: Event) -> None:
    """Append points to the logs of their runs; at a run's end write its log whole.

    Until then the log holds a line for each cohort that the run's members are in, and may lack
    lines: the disk may be full for a while. At the end each point is one line, with all seeds.

    Raises:
        OSError: the log cannot be written now.
    """
    match event:
        case Started(members):
            for folder in {member.folder for member in members}:
                # What an earlier process logged after its last checkpoint happens once more.
                RunFiles(folder).log.write_text("", encoding="utf-8")
        case Resumed(members, points):
            for episode, values in points:
                _append(members, episode, values)
        case Evaluated(members, where, _, _, values):
            _append(members, where.episode, values)
        case Finished():
            _write_whole(event)
        case _:
            pass


def _append(members: Sequence[Member], episode: int, values: Values) -> None:
    """A line in the log of each run that the members are of."""
    rows_of_runs: dict[Path, list[int]] = {}
    for row, member in enumerate(members):
        rows_of_runs.setdefault(member.folder, []).append(row)
    for folder, rows in rows_of_runs.items():
        seeds = [members[row].seed for row in rows]
        own = {name: value[rows] for name, value in values.items()}
        # Opened for each line: between two points lie seconds, and whoever reads it sees it whole.
        with RunFiles(folder).log.open("a", encoding="utf-8") as file:
            file.write(_line(episode, seeds, own))


def _write_whole(run: Finished) -> None:
    seeds = [member.seed for member in run.members]
    episodes = run.episode.tolist()
    lines = []
    for index, episode in enumerate(episodes):
        values = {}
        for name, curve in run.curves.items():
            values[name] = curve[:, index]
        lines.append(_line(episode, seeds, values))
    log = RunFiles(run.folder).log
    log.write_text("".join(lines), encoding="utf-8")


def _line(episode: int, seeds: list[int], values: Values) -> str:
    line: dict[str, Any] = {"episode": episode, "seed": seeds}
    for name in sorted(values):
        line[name] = values[name].tolist()
    return json.dumps(finite_json(line)) + "\n"
