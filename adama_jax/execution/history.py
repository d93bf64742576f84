"""What a cohort has measured so far: its curves, and what became of it since their last point."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from adama_jax.execution.events import Point, Values
from adama_jax.training.trainer import AT_THE_LAST_UPDATE

Arrays = Mapping[str, np.ndarray]
Chunk = tuple[int, Values]  # a chunk's episodes, and its metrics


class History(NamedTuple):
    """How far a cohort has come, beside its state. Values lead with the members.

    seconds: each member's share of the time spent training. [members]
    points: of the curves.
    chunks: since the last point.
    """

    episode: int
    seconds: np.ndarray
    points: Sequence[Point] = ()
    chunks: Sequence[Chunk] = ()

    def of(self, rows: slice) -> "History":
        """The history of some of the members."""
        return History(
            self.episode,
            self.seconds[rows],
            _rows(self.points, rows),
            _rows(self.chunks, rows),
        )


def no_history(members: int) -> History:
    """That of members which have not been trained."""
    return History(0, np.zeros(members))


def beside(histories: Sequence[History]) -> History:
    """The history of members that train together from here on.

    Raises:
        ValueError: they are not equally far.

    >>> one, other = (History(5, np.array([s]), [(4, {"value": np.array([s])})]) for s in (1.0, 2.0))
    >>> both = beside([one, other])
    >>> both.seconds.tolist(), both.points[0][1]["value"].tolist()
    ([1.0, 2.0], [1.0, 2.0])
    """
    return History(
        histories[0].episode,
        np.concatenate([history.seconds for history in histories]),
        _stacked([history.points for history in histories]),
        _stacked([history.chunks for history in histories]),
    )


def joined(chunks: Sequence[Chunk]) -> dict[str, np.ndarray]:
    """The metrics of consecutive chunks as of one: means over the episodes, or the last ones.

    >>> one = {"value": np.array([1.0]), "critic_rate": np.array([0.5])}
    >>> other = {"value": np.array([4.0]), "critic_rate": np.array([0.25])}
    >>> {name: value.tolist() for name, value in joined([(2, one), (1, other)]).items()}
    {'value': [2.0], 'critic_rate': [0.25]}
    """
    _, last = chunks[-1]
    if len(chunks) == 1:
        return dict(last)
    lengths = [length for length, _ in chunks]
    whole = {}
    for name, value in last.items():
        if name in AT_THE_LAST_UPDATE:
            whole[name] = value
            continue
        each = [values[name] for _, values in chunks]
        # NumPy averages in double precision; a point has the precision of its chunks.
        whole[name] = np.average(each, axis=0, weights=lengths).astype(value.dtype)
    return whole


def history_arrays(history: History) -> dict[str, np.ndarray]:
    """Points and chunks as arrays for a checkpoint: episodes [P], values [P, members, ...]."""
    arrays = {}
    for kind, entries in (("points", history.points), ("chunks", history.chunks)):
        if not entries:
            continue
        arrays[f"{kind}.episode"] = np.array([episode for episode, _ in entries])
        for name in entries[0][1]:
            arrays[f"{kind}.{name}"] = np.stack([values[name] for _, values in entries])
    return arrays


def history_of(episode: int, seconds: Sequence[float], arrays: Arrays) -> History:
    """The history of which `history_arrays` made these arrays; others among them are left alone."""
    points, chunks = _entries("points", arrays), _entries("chunks", arrays)
    return History(episode, np.array(seconds), points, chunks)


def _entries(kind: str, arrays: Arrays) -> list[tuple[int, Values]]:
    prefix = f"{kind}."
    own = {
        name.removeprefix(prefix): value
        for name, value in arrays.items()
        if name.startswith(prefix)
    }
    episodes = own.pop("episode", np.array([], int)).tolist()
    entries = []
    for index, episode in enumerate(episodes):
        entries.append((episode, {name: value[index] for name, value in own.items()}))
    return entries


def _rows(entries: Sequence[tuple[int, Values]], rows: slice) -> list[tuple[int, Values]]:
    cut = []
    for episode, values in entries:
        cut.append((episode, {name: value[rows] for name, value in values.items()}))
    return cut


def _stacked(several: Sequence[Sequence[tuple[int, Values]]]) -> list[tuple[int, Values]]:
    """Entries of several histories as one's, entry by entry."""
    entries = []
    for group in zip(*several, strict=True):
        episodes = {episode for episode, _ in group}
        if len(episodes) != 1:
            raise ValueError(f"histories that differ: entries at {sorted(episodes)}")
        names = group[0][1]
        values = {name: np.concatenate([own[name] for _, own in group]) for name in names}
        entries.append((episodes.pop(), values))
    return entries
