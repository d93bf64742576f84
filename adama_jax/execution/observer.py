"""Observers of training: who they are, how they are told, and how they are found by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import NamedTuple, Protocol

from rich.progress import Progress

from adama_jax.config.options import OBSERVERS
from adama_jax.execution.events import Event, Finished
from adama_jax.execution.log import write_log
from adama_jax.screen.console import Screen


class Observer(Protocol):
    """Looks on: it is called with each event, in the order in which they happen.

    All calls of one job come from one thread. What an observer raises is reported, once, and stops
    nothing; it goes on being called. `Finished` is the exception, as said there.
    """

    def __call__(self, event: Event, /) -> None: ...


class JobInfo(NamedTuple):
    """What an observer may want to know before the first event; a registered one is made of it."""

    name: str
    screen: Screen
    bars: Progress  # on that screen, which has room for one display
    # Which job it is of those that are launched together, from 1, and how many these are.
    number: int = 1
    jobs: int = 1
    # Of about this size that run one after another, this one included.
    programs: int = 1


@dataclass(frozen=True)
class Hooks:
    """Everything by which training talks to the outside.

    observers: told what happens.
    report: given lines that a person should read: what went wrong, where a run resumes.
    stop: asked after each chunk; if it says so checkpoints are written and `Interrupted` is raised.

    >>> from adama_jax.execution.events import Ended
    >>> heard = []
    >>> hooks = Hooks(observers=[heard.append])
    >>> hooks.tell(Ended())
    >>> heard
    [Ended()]
    """

    observers: Sequence[Observer] = (write_log,)
    report: Callable[[str], None] = lambda line: None
    stop: Callable[[], bool] = lambda: False
    _failed: set[int] = field(default_factory=set)  # places in `observers`

    def tell(self, event: Event) -> None:
        """Tell all observers."""
        for place, observer in enumerate(self.observers):
            try:
                observer(event)
            except Exception as error:
                # What it has in the folder is sealed next: better no run than half a file.
                if isinstance(event, Finished):
                    raise
                # Once: a full disk would fill the screen, point after point.
                if place not in self._failed:
                    self._failed.add(place)
                    self.report(f"an observer failed, training continues: {error}")


def make_observers(names: Sequence[str], job: JobInfo) -> list[Observer]:
    """The observers of these names in `config.options.OBSERVERS`."""
    observers = []
    for name in names:
        make = resolve_name(OBSERVERS[name])
        observers.append(make(job))
    return observers
