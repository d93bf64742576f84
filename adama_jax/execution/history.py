"""What a cohort has measured so far: its curves, and what became of it since their last point."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from adama_jax.execution.events import Point, Values
from adama_jax.storage.provenance import Stretches
from adama_jax.training.trainer import AT_THE_LAST_UPDATE, Metrics

Arrays = dict[str, np.ndarray]
Chunk = tuple[int, Values]  # a chunk's episodes, and its metrics
Entries = Sequence[tuple[int, Values]]  # points or chunks


class History(NamedTuple):
    """How far a cohort has come, beside its state. Values lead with the members.

    seconds: each member's share of the time spent training. [members]
    stretches: of each member, on which machines it was trained, one after another. [members]
    points: of the curves.
    chunks: since the last point.
    """

    episode: int
    seconds: np.ndarray
    stretches: Sequence[Stretches]
    points: Sequence[Point] = ()
    chunks: Sequence[Chunk] = ()

    def of(self, rows: slice) -> "History":
        """The history of some of the members."""
        return History(
            episode=self.episode,
            seconds=self.seconds[rows],
            stretches=self.stretches[rows],
            points=_rows(self.points, rows),
            chunks=_rows(self.chunks, rows),
        )


def no_history(members: int) -> History:
    """That of members which have not been trained."""
    return History(0, np.zeros(members), [()] * members)


def continued(history: History, machine: Mapping[str, Any]) -> History:
    """The history of members that are trained on a machine from here on.

    Args:
        history: so far.
        machine: as `storage.provenance.machine` has it.

    >>> first = continued(no_history(1), {"git_commit": "a"})
    >>> again = continued(first._replace(episode=5), {"git_commit": "a"})
    >>> continued(again._replace(episode=9), {"git_commit": "b"}).stretches
    [[{'from_episode': 0, 'git_commit': 'a'}, {'from_episode': 9, 'git_commit': 'b'}]]
    """
    here = {"from_episode": history.episode, **machine}
    stretches = []
    for before in history.stretches:
        last = {**before[-1], "from_episode": history.episode} if before else None
        # An interruption alone begins no new stretch.
        stretches.append(before if last == here else [*before, here])
    return history._replace(stretches=stretches)


def beside(histories: Sequence[History]) -> History:
    """The history of members that train together from here on.

    Raises:
        ValueError: they are not equally far.

    >>> one = History(5, np.array([1.0]), [[]], [(4, {"value": np.array([1.0])})])
    >>> other = History(5, np.array([2.0]), [[]], [(4, {"value": np.array([2.0])})])
    >>> both = beside([one, other])
    >>> both.seconds.tolist(), both.points[0][1]["value"].tolist()
    ([1.0, 2.0], [1.0, 2.0])
    """
    seconds = [history.seconds for history in histories]
    points = [history.points for history in histories]
    chunks = [history.chunks for history in histories]
    return History(
        episode=histories[0].episode,
        seconds=np.concatenate(seconds),
        stretches=[own for history in histories for own in history.stretches],
        points=_concatenated(points),
        chunks=_concatenated(chunks),
    )


def by_name(metrics: Metrics) -> dict[str, Any]:
    """The metrics of a chunk by the names of their curves in `metrics.npz`.

    The parts of J are curves like the others, there where an algorithm has them.

    >>> metrics = Metrics(*[0.0] * 8, parts={"entropy": 2.0})
    >>> by_name(metrics)["part_entropy"], "parts" in by_name(metrics)
    (2.0, False)
    """
    curves = metrics._asdict()
    for name, part in curves.pop("parts").items():
        curves[f"part_{name}"] = part
    return curves


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
        mean = np.average(each, axis=0, weights=lengths)
        # NumPy averages in double precision; a point has the precision of its chunks.
        whole[name] = mean.astype(value.dtype)
    return whole


def history_about(history: History) -> dict[str, Any]:
    """What a checkpoint says of a history, beside its arrays, as plain data."""
    return {
        "seconds": history.seconds.tolist(),
        "stretches": list(history.stretches),
    }


def history_arrays(history: History) -> Arrays:
    """Points and chunks as arrays for a checkpoint: episodes [P], values [P, members, ...]."""
    return _arrays_of("points", history.points) | _arrays_of("chunks", history.chunks)


def history_of(episode: int, about: Mapping[str, Any], arrays: Arrays) -> History:
    """The history of which `history_about` and `history_arrays` made these.

    Other arrays among them are left alone.
    """
    seconds = about["seconds"]
    return History(
        episode=episode,
        seconds=np.array(seconds),
        # Earlier versions did not write it down.
        stretches=about.get("stretches", [()] * len(seconds)),
        points=_entries("points", arrays),
        chunks=_entries("chunks", arrays),
    )


def _arrays_of(kind: str, entries: Entries) -> Arrays:
    """Entries as arrays, whose names begin with their kind."""
    if not entries:
        return {}
    episodes = [episode for episode, _ in entries]
    arrays = {f"{kind}.episode": np.array(episodes)}
    _, first = entries[0]
    for name in first:
        each = [values[name] for _, values in entries]
        arrays[f"{kind}.{name}"] = np.stack(each)
    return arrays


def _entries(kind: str, arrays: Arrays) -> Entries:
    """The entries of which `_arrays_of` made these arrays; none where there were none."""
    prefix = f"{kind}."
    own = {}
    for name, value in arrays.items():
        if name.startswith(prefix):
            own[name.removeprefix(prefix)] = value
    if not own:
        return []
    episodes = own.pop("episode").tolist()
    entries = []
    for index, episode in enumerate(episodes):
        values = {name: value[index] for name, value in own.items()}
        entries.append((episode, values))
    return entries


def _rows(entries: Entries, rows: slice) -> Entries:
    """Entries with some of their members only."""
    cut = []
    for episode, values in entries:
        own = {name: value[rows] for name, value in values.items()}
        cut.append((episode, own))
    return cut


def _concatenated(several: Sequence[Entries]) -> Entries:
    """Entries of several histories as one's, entry by entry."""
    entries = []
    for group in zip(*several, strict=True):
        episodes = {episode for episode, _ in group}
        # They were saved at the same episode by the same schedule, unless versions differ.
        if len(episodes) != 1:
            raise ValueError(f"histories that differ: entries at {sorted(episodes)}")
        _, first = group[0]
        values = {}
        for name in first:
            each = [own[name] for _, own in group]
            values[name] = np.concatenate(each)
        entries.append((episodes.pop(), values))
    return entries
