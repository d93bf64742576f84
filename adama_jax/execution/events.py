"""What can happen to members while they train. Every event says whose values it holds.

Values are NumPy arrays by name, and lead with the members in the order in which the event names
them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adama_jax.config.schema import Config

Values = Mapping[str, np.ndarray]
Point = tuple[int, Values]  # of a curve: the episode, and the values there


class Member(NamedTuple):
    """One seed of a run."""

    config: Config
    label: str  # the run's, among those that are trained with it
    seed: int
    folder: Path  # of the run's files until it is whole


class Divergence(NamedTuple):
    """Where a member first was not finite."""

    episode: int
    update: int  # from 0
    leaf: str


class Where(NamedTuple):
    """How far a cohort has come."""

    cohort: int  # from 1
    cohorts: int  # that train one after another in this program
    episode: int
    episodes: int  # in all


class Started(NamedTuple):
    """A process has taken up runs, new or begun earlier; told once, with all their members."""

    members: Sequence[Member]


class Resumed(NamedTuple):
    """What an earlier process left of these members is used: their curves so far."""

    members: Sequence[Member]
    points: Sequence[Point]


class Advanced(NamedTuple):
    """A chunk of episodes is over."""

    members: Sequence[Member]
    where: Where
    chunk: int  # its episodes
    seconds: float  # that they took


class Evaluated(NamedTuple):
    """A point of the curves: measured since the last one, and an evaluation. Finite or not."""

    members: Sequence[Member]
    where: Where
    since: int  # episodes trained since the last point; none where a run resumes with a point due
    seconds: float  # that training and evaluation took since then, compilation apart
    values: Values


class Diverged(NamedTuple):
    """Members are no longer finite; told once for each, at the end of the chunk."""

    members: Sequence[Member]
    divergences: Sequence[Divergence]


class Finished(NamedTuple):
    """All members of a run are at their end.

    The files in the run's folder are sealed next, and the folder gets its final name: what an
    observer still has to write there, it writes now. The one event whose failure fails the job.
    """

    members: Sequence[Member]  # of this run
    folder: Path  # of its files, for the last time
    episode: np.ndarray  # [P]
    curves: Values  # [S, P, ...]


class Ended(NamedTuple):
    """No more events come: everything is finished, or training was stopped, or failed."""


Event = Started | Resumed | Advanced | Evaluated | Diverged | Finished | Ended
