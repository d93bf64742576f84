"""The compiled program that serves every cohort of a job, and the lengths of its chunks."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from adama_jax.config.schema import Config
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.devices import (
    bytes_needed,
    bytes_of,
    cohort_width,
    devices_per_pair,
    fitted,
    most_in_memory,
    most_sharing,
)
from adama_jax.storage.provenance import machine
from adama_jax.training.population import Population, population
from adama_jax.training.trainer import TrainState
from adama_jax.types import Device

# A member's part in a chunk, about: long enough to cost nothing, short enough to stop soon.
UPDATES_PER_CHUNK = 100
STEPS_PER_CHUNK = 4000


class InBackground:
    """Work for a thread of its own, once it is begun; `result` waits for it."""

    def __init__(self, work: Callable[..., Any], *arguments: Any):
        self._work = work
        self._arguments = arguments
        self._future: Future[Any] | None = None

    def begin(self) -> Future[Any]:
        """Begin, unless that was done."""
        if self._future is None:
            pool = ThreadPoolExecutor(1)
            self._future = pool.submit(self._work, *self._arguments)
            pool.shutdown(wait=False)
        return self._future

    def result(self) -> Any:
        """What the work gives; it is begun if it was not. Raises what the work raised."""
        return self.begin().result()

    def wait(self) -> None:
        """Until it is done or has failed, if it was begun."""
        if self._future is not None:
            wait([self._future])


class Program(NamedTuple):
    """What the loop calls, compiled.

    population: of what it runs.
    width: members of a cohort at most, evenly over the devices.
    shapes: of the state.
    advance: a chunk, by its episodes.
    evaluate: to be compiled; its result is `state -> [S]`.
    seconds: that compiling took, until training could begin.
    machine: on which it runs, as `storage.provenance.machine` has it.
    """

    population: Population
    width: int
    shapes: TrainState
    advance: dict[int, Callable[[TrainState], Any]]
    evaluate: InBackground
    seconds: float
    machine: Mapping[str, Any]


def compiled(
    config: Config, members: int, devices: Sequence[Device], width: int | None = None
) -> Program:
    """Compile a configuration's program, for a width that fits in memory.

    Args:
        config: any of the job's; they share the program.
        members: how many there will be in all.
        devices: JAX devices to share them.
        width: members at once; None: what is fast, and narrower if the compiled program says that
            it needs more memory.
    """
    start = time.perf_counter()
    if width is not None:
        return _of_width(config, width, devices)._replace(
            seconds=time.perf_counter() - start
        )
    device = devices[0]
    trainer = make_train(config, platform=device.platform)
    most = most_in_memory(trainer, make_hyper(config), device)
    width = cohort_width(members, len(devices), most, device.platform)
    while True:
        program = _of_width(config, width, devices)
        narrower = fitted(width, _most_bytes(program, device.platform), device)
        if narrower == width:
            return program._replace(seconds=time.perf_counter() - start)
        width = narrower


def _of_width(config: Config, width: int, devices: Sequence[Device]) -> Program:
    platform = devices[0].platform
    sharing = 1
    if make_train(config, platform=platform).divisible:
        left_over = devices_per_pair(width, len(devices))
        sharing = most_sharing(config.learning.batch_size, left_over, platform)
    trainer = make_train(config, sharing=sharing, platform=platform)
    padded = population(trainer, width, devices, sharing).width
    # Rows that divide it evenly over the devices are there for members too.
    members = population(trainer, padded, devices, sharing)
    state = members.shapes(make_hyper(config))
    advance = {}
    for chunks in schedule(config):
        for length in set(chunks) - advance.keys():
            rounds = length // config.learning.envs_per_run
            advance[length] = _compile(members.chunk, state, rounds)
    return Program(
        population=members,
        width=padded,
        shapes=state,
        advance=advance,
        evaluate=InBackground(_compile, members.evaluate, state),
        seconds=0.0,
        machine=machine(members.devices, config),
    )


def _most_bytes(program: Program, platform: str) -> int:
    """Bytes a device needs, for whichever of its functions needs most."""
    functions = list(program.advance.values())
    if platform == "cpu":
        # The copy that becomes a checkpoint lies in the same memory. An evaluation's worlds are
        # nothing beside the replays: it need not be waited for.
        copy = bytes_of(program.shapes) // program.population.devices
    else:
        functions.append(program.evaluate.result())
        copy = 0
    return copy + max(bytes_needed(function) for function in functions)


def _compile(function: Any, *arguments: Any) -> Any:
    """A jitted function for such arguments."""
    return function.lower(*arguments).compile()


def schedule(config: Config) -> list[list[int]]:
    """The episodes of each chunk, for each point of the curves; only the last point's may differ.

    >>> import dataclasses
    >>> from adama_jax.config.schema import scenario_config
    >>> def chunks(scenario, episodes):
    ...     return schedule(dataclasses.replace(scenario_config(scenario), episodes=episodes))
    >>> chunks("predator_prey", 250)
    [[50, 50], [50, 50], [50]]
    >>> chunks("ant_4x2", 20)
    [[2, 2, 2, 2, 2], [2, 2, 2, 2, 2]]
    """
    whole, rest = divmod(config.episodes, config.points_every)
    lengths = [config.points_every] * whole
    if rest:
        lengths.append(rest)
    per_round = config.learning.envs_per_run
    rounds = [length // per_round for length in lengths]
    most = _most_rounds(config)
    # Equal chunks for all points, for each length is a program to compile.
    common = math.gcd(*rounds)
    each = max(divisor for divisor in range(1, most + 1) if common % divisor == 0)
    if 4 * each < min(most, rounds[0]):
        # Such a number of rounds that equal chunks would be very short: a chunk per point.
        return [[length] for length in lengths]
    chunk = each * per_round
    return [[chunk] * (length // chunk) for length in lengths]


def _most_rounds(config: Config) -> int:
    """Rounds of `envs_per_run` episodes in a chunk, at most."""
    per_round = config.learning.envs_per_run
    by_updates = UPDATES_PER_CHUNK // config.updates_per_round
    by_steps = STEPS_PER_CHUNK // (config.horizon * per_round)
    return max(1, min(by_updates, by_steps))
