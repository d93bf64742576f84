"""Loggers: observers that hand each member's curves to a tool for looking at them.

A tool has one stream for each member, and hears numbers by name at an episode. `tensorboard` and
`wandb` are written on this; another tool is a file of its own and a line in `config.options`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from adama_jax.config.names import all_settings
from adama_jax.errors import AdamaError, describe
from adama_jax.execution import events
from adama_jax.execution.events import Member, Values
from adama_jax.execution.observer import JobInfo

# Open at a time: each has a file or a connection, and a process may have some hundreds of them.
MOST_STREAMS = 200


class Stream(Protocol):
    """Where a tool takes a member's numbers.

    last: the last episode that it has; -1: none.
    """

    last: int

    def write(self, episode: int, numbers: Mapping[str, float]) -> None:
        """Numbers by name, at an episode above `last`."""
        ...

    def close(self) -> None:
        """No more comes: the member is at its end, or its process."""
        ...


class Logger:
    """An observer that opens a stream for each member, and writes the points of its curves.

    A process that resumes a run first hears of all points so far. A stream takes what it does not
    have yet: each point is in it once.

    Args:
        job: whose members they are.
        name: of the tool, for a person.
        open_stream: opens the stream of a member, new or begun by an earlier process.
    """

    def __init__(
        self, job: JobInfo, name: str, open_stream: Callable[[Member], Stream]
    ):
        self._job = job
        self._name = name
        self._open_stream = open_stream
        self._streams: dict[tuple[str, int], Stream] = {}
        self._has_failed = False

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Started(members):
                self._open(members)
            case events.Resumed(members, points):
                for episode, values in points:
                    self._write(members, episode, values)
            case events.Evaluated(members, where, _, _, values):
                self._write(members, where.episode, values)
            case events.Finished(members):
                self._finish(members)
            case events.Ended():
                for key in list(self._streams):
                    self._streams.pop(key).close()
            case _:
                pass

    def _open(self, members: Sequence[Member]) -> None:
        if self._has_failed:
            return
        try:
            if len(self._streams) + len(members) > MOST_STREAMS:
                raise AdamaError(
                    f"{self._name} follows {MOST_STREAMS} members of a job at most; the others "
                    "are in metrics.jsonl"
                )
            for member in members:
                self._streams[_key(member)] = self._open_stream(member)
        except BaseException:
            # A server that does not answer is not asked again for each of a thousand members.
            self._has_failed = True
            raise

    def _write(self, members: Sequence[Member], episode: int, values: Values) -> None:
        """Write a point of each member; what one stream does not take costs it alone."""
        failed = None
        for row, member in enumerate(members):
            stream = self._streams.get(_key(member))
            if stream is None or episode <= stream.last:
                continue
            try:
                stream.write(episode, numbers_of(values, row))
                stream.last = episode
            except Exception as error:
                failed = error
        if failed is not None:
            raise failed

    def _finish(self, members: Sequence[Member]) -> None:
        """Close the streams of a run that is whole.

        What fails here is said and no more: at this event it would keep the run from being sealed,
        and what a tool shows is in the run's own files too.
        """
        for member in members:
            stream = self._streams.pop(_key(member), None)
            try:
                if stream is not None:
                    stream.close()
            except Exception as error:
                line = f"{self._job.name}: {self._name} failed: {describe(error)}"
                self._job.screen.say(line, style="yellow")


def _key(member: Member) -> tuple[str, int]:
    return str(member.folder), member.seed


def numbers_of(values: Values, row: int) -> dict[str, float]:
    """The numbers of one member; one for each agent is `<name>/agent_<i>`.

    >>> values = {"value": np.array([1.5, 2.5]), "rates": np.array([[0.5, 0.25], [1.0, 2.0]])}
    >>> numbers_of(values, 0)
    {'value': 1.5, 'rates/agent_0': 0.5, 'rates/agent_1': 0.25}
    """
    numbers = {}
    for name, value in values.items():
        own = np.asarray(value[row])
        if own.ndim == 0:
            numbers[name] = float(own)
            continue
        for agent, number in enumerate(own.ravel()):
            numbers[f"{name}/agent_{agent}"] = float(number)
    return numbers


def hyperparameters(member: Member) -> dict[str, Any]:
    """All settings of a member by their full names, in types that every tool takes.

    The seed is its own, not the run's first.
    """
    found: dict[str, Any] = {}
    for name, value in all_settings(member.config):
        simple = isinstance(value, bool | int | float | str)
        several = isinstance(value, tuple)
        text = ",".join(map(str, value)) if several else str(value)
        found[name] = value if simple else text
    return found | {"seed": member.seed, "label": member.label}
