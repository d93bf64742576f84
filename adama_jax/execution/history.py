"""How far a slice has come, beside its state, and that as arrays for a checkpoint."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Course(NamedTuple):
    """How far a slice has come, beside its state."""

    episode: int = 0
    seconds: float = 0.0  # spent training
    points: Sequence[
        tuple[int, Mapping[str, np.ndarray]]
    ] = ()  # episode, values leading with the lanes
    chunks: Sequence[
        tuple[int, Mapping[str, np.ndarray]]
    ] = ()  # since the last point: episodes, metrics


def course_arrays(course: Course) -> dict[str, np.ndarray]:
    """Points and chunks as arrays: episodes [P], values [P, lanes, ...]."""
    arrays = {}
    for kind, entries in (("points", course.points), ("chunks", course.chunks)):
        if entries:
            arrays[f"{kind}.episode"] = np.array([episode for episode, _ in entries])
            for name in entries[0][1]:
                arrays[f"{kind}.{name}"] = np.stack([values[name] for _, values in entries])
    return arrays


def course_of(episode: int, seconds: float, arrays: Mapping[str, np.ndarray]) -> Course:
    """The course again of which `course_arrays` made these; others among them are left alone."""
    entries: dict[str, list[tuple[int, dict[str, np.ndarray]]]] = {}
    for kind in ("points", "chunks"):
        own = {
            name.removeprefix(f"{kind}."): value
            for name, value in arrays.items()
            if name.startswith(f"{kind}.")
        }
        lengths = own.pop("episode", np.array([], int))
        entries[kind] = [
            (int(length), {name: value[place] for name, value in own.items()})
            for place, length in enumerate(lengths)
        ]
    return Course(episode, seconds, entries["points"], entries["chunks"])
