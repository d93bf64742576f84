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
                RunFiles(folder).log.write_text("")
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
    rows: dict[Path, list[int]] = {}
    for row, member in enumerate(members):
        rows.setdefault(member.folder, []).append(row)
    for folder, own in rows.items():
        seeds = [members[row].seed for row in own]
        line = _line(episode, seeds, {name: value[own] for name, value in values.items()})
        with RunFiles(folder).log.open("a") as file:
            file.write(line)


def _write_whole(run: Finished) -> None:
    seeds = [member.seed for member in run.members]
    lines = []
    for index, episode in enumerate(run.episode.tolist()):
        values = {name: curve[:, index] for name, curve in run.curves.items()}
        lines.append(_line(episode, seeds, values))
    RunFiles(run.folder).log.write_text("".join(lines))


def _line(episode: int, seeds: list[int], values: Values) -> str:
    named = {name: values[name].tolist() for name in sorted(values)}
    return json.dumps(finite_json({"episode": episode, "seed": seeds} | named)) + "\n"
