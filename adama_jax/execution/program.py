"""The compiled program that serves every slice of a job, and the lengths of its chunks."""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, NamedTuple

from adama_jax.config.schema import Config
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.devices import (
    bytes_needed,
    cohort_width,
    devices_per_pair,
    fitted,
    most_in_memory,
    most_sharing,
)
from adama_jax.training.population import Population, population
from adama_jax.training.trainer import TrainState

UPDATES, STEPS = (
    100,
    4000,
)  # of a run in a chunk, about: long enough to cost nothing, short enough to stop soon


class Later:
    """Work that is done in a thread, from `begin` on; calling it gives the result, or raises what the work raised."""

    def __init__(self, work: Callable[..., Any], *arguments: Any):
        self._work = partial(work, *arguments)
        self._future: Future[Any] | None = None

    def begin(self) -> None:
        """Begin, unless that was done."""
        if self._future is None:
            pool = ThreadPoolExecutor(1)
            self._future = pool.submit(self._work)
            pool.shutdown(wait=False)

    def __call__(self) -> Any:
        self.begin()
        assert self._future is not None
        return self._future.result()

    def wait(self) -> None:
        """Until it is done or has failed, if it has begun."""
        if self._future is not None:
            wait([self._future])


class Program(NamedTuple):
    """What the loop calls, compiled.

    width: runs in a slice; `people.width` may be more, to divide evenly over the devices.
    shapes: of the state.
    advance: a chunk, by its episodes.
    evaluate: compiled in a thread, from `begin` on; calling it gives `state -> [S]`.
    seconds: that compiling took, until training could begin.
    """

    people: Population
    width: int
    shapes: TrainState
    advance: dict[int, Callable[[TrainState], Any]]
    evaluate: Later
    seconds: float


def compiled(
    config: Config, runs: int, devices: Sequence[Any], width: int | None = None
) -> Program:
    """Compile a configuration's program, for a width that fits in memory.

    Args:
        config: any of the job's; they share the program.
        runs: how many there will be in all.
        devices: JAX devices to share them.
        width: runs at once; None: what is fast, and narrower if the compiled program says that it needs more memory.
    """
    start = time.perf_counter()
    platform, hyper = devices[0].platform, make_hyper(config)
    train = make_train(config, platform=platform)
    fixed_width = width is not None
    width = width or cohort_width(
        runs, len(devices), most_in_memory(train, hyper, devices[0]), platform
    )
    while True:
        left_over = devices_per_pair(width, len(devices))
        sharing = 1
        if train.divisible:
            sharing = most_sharing(config.learning.batch_size, left_over, platform)
        people = population(
            make_train(config, sharing=sharing, platform=platform), width, devices, sharing
        )
        state = people.shapes(hyper)
        together = config.learning.envs_per_run
        advance = {
            length: _compile(people.chunk, state, length // together)
            for length in {chunk for point in points(config) for chunk in point}
        }
        evaluate = Later(_compile, people.evaluate, state)
        # On a CPU an evaluation's worlds are nothing beside the replays.
        weighed = [] if platform == "cpu" else [evaluate()]
        needed = max(bytes_needed(program) for program in (*advance.values(), *weighed))
        narrower = width if fixed_width else fitted(width, needed, devices[0])
        if narrower == width:
            return Program(people, width, state, advance, evaluate, time.perf_counter() - start)
        width = narrower


def _compile(function: Any, *arguments: Any) -> Any:
    """A jitted function for such arguments."""
    return function.lower(*arguments).compile()


def points(config: Config) -> list[list[int]]:
    """The episodes of each chunk, for each point of the curves; only the last point's may differ.

    >>> import dataclasses
    >>> from adama_jax.config.schema import scenario_config
    >>> def chunks(scenario, episodes):
    ...     return points(dataclasses.replace(scenario_config(scenario), episodes=episodes))
    >>> chunks("predator_prey", 250), chunks("ant_4x2", 20)
    ([[50, 50], [50, 50], [50]], [[2, 2, 2, 2, 2], [2, 2, 2, 2, 2]])
    """
    whole, rest = divmod(config.episodes, config.points_every)
    lengths = [config.points_every] * whole + [rest] * (rest > 0)
    together = config.learning.envs_per_run
    updates = config.learning.updates_per_episode * together
    most = max(1, min(UPDATES // updates, STEPS // (config.horizon * together)))
    rounds = math.gcd(*(length // together for length in lengths))
    each = max(divisor for divisor in range(1, most + 1) if rounds % divisor == 0)
    if 4 * each < min(most, lengths[0] // together):
        return [
            [length] for length in lengths
        ]  # such a number of rounds that chunks would be very short
    return [[each * together] * (length // (each * together)) for length in lengths]
