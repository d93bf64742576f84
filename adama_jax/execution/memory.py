"""Whether a plan fits in memory: asked before anything compiles or is written.

What is counted is one member on one device, for cohorts are made as narrow as they must be
(`devices`): the least that training can do with. Where checkpoints are written, the copy of its
state that becomes one is counted too, even of a run that would end before its first. A program may
need more beside it, so what passes here may yet not fit.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import jax

from adama_jax.config.names import all_settings
from adama_jax.config.schema import Config, scenario_config
from adama_jax.envs.env import EnvSpec
from adama_jax.errors import SettingError
from adama_jax.execution.build import make_env, make_hyper, make_train
from adama_jax.execution.devices import bytes_of, free_memory, free_on_host
from adama_jax.execution.jax_setup import local_devices
from adama_jax.fields import as_given
from adama_jax.keys import key_of
from adama_jax.rates.settings import RateOptions
from adama_jax.training.settings import Evaluation, ExplorationOptions
from adama_jax.training.trainer import TrainState

NUMBER = 4  # bytes of a number, all of which have single precision
# A point of the curves has some ten numbers beside two for each agent, each in an array of its own.
NUMBERS_OF_A_POINT = 10
BYTES_OF_AN_ARRAY = 120
GB = 1e9


class Need(NamedTuple):
    """What something takes at the least, in bytes, and the settings that make it large."""

    what: str
    settings: tuple[str, ...]
    on_device: int
    on_host: int


class Room(NamedTuple):
    """Bytes that are free; `device` is None where the devices are cores, which share the host's."""

    device: int | None
    host: int


def room_here() -> Room:
    """What is free on this machine."""
    device = local_devices()[0]
    on_device = None if device.platform == "cpu" else free_memory(device)
    return Room(on_device, free_on_host())


def check_memory(
    jobs: Sequence[Sequence[Config]],
    beside: int,
    room: Room,
    saved: bool,
    at_once: int | None = None,
) -> int:
    """Check that programs can be trained in the memory that there is.

    Args:
        jobs: each one's configurations, which share its program.
        beside: how many of them would run at the same time.
        room: what is free.
        saved: whether checkpoints are written, of which the host holds a copy.
        at_once: the number of programs at a time that was asked for, if any was.

    Returns:
        How many can run at the same time, at most `beside`.

    Raises:
        SettingError: one line with the settings that make it large, the bytes that are needed and
            those that are free. Too many programs at a time are refused only if asked for.
    """
    on_host = []
    for configs in jobs:
        found = needs(configs[0], saved=saved)
        check_needs(configs[0], found, room)
        on_host.append(_bytes_on_host(found, room))
    on_host.sort(reverse=True)
    fit = beside
    while fit > 1 and sum(on_host[:fit]) > room.host:
        fit -= 1
    if at_once is not None and fit < beside:
        largest = sum(on_host[:beside])
        raise SettingError(
            f"at_once={at_once}: must be at most {fit}: programs side by side need "
            f"{_gb(largest)} of memory at the least, and {_gb(room.host)} are free"
        )
    return fit


def check_needs(config: Config, found: Sequence[Need], room: Room) -> None:
    """Check that what is needed is there.

    Raises:
        SettingError: as `check_memory`.
    """
    on_device = sum(need.on_device for need in found)
    if room.device is not None and on_device > room.device:
        largest = max(found, key=lambda need: need.on_device)
        share = largest.on_device
        raise _too_large(config, largest, share, on_device, room.device, "a device's")
    on_host = _bytes_on_host(found, room)
    if on_host > room.host:
        largest = max(found, key=lambda need: _bytes_on_host([need], room))
        share = _bytes_on_host([largest], room)
        raise _too_large(config, largest, share, on_host, room.host, "the machine's")


def needs(config: Config, members: int = 1, saved: bool = True) -> list[Need]:
    """What training members of a configuration together takes at the least.

    Args:
        config: of a run.
        members: that are trained together.
        saved: as `check_memory` has it.
    """
    state, spec = _shapes(_what_counts(config))
    learning = config.learning
    _, rows, width = state.replay.rows.shape
    # All agents' observations at one step, one episode as it is stored, and the rows of it that
    # make a transition, two unless it is over several steps.
    seen = spec.num_agents * spec.obs_size * NUMBER
    episode = rows * width * NUMBER
    transition = (learning.n_step + 1) * width * NUMBER
    # Of an evaluation's episodes at least the rewards are kept, and what is seen at a step.
    watched = config.horizon * NUMBER + seen
    filled = learning.capacity // config.horizon <= config.episodes
    kept = "learning.capacity" if filled else "episodes"
    of_replay = (kept, "horizon", "world.num_agents")
    of_networks = ("networks.hidden", "world.num_agents")
    replay = bytes_of(state.replay)
    networks = bytes_of(state.learner)
    copies = 1 if saved else 0

    def need(what: str, settings: tuple[str, ...], each: int, copied: int = 0) -> Need:
        seeds = ("seeds",) if members > 1 else ()
        in_all = members * each
        return Need(what, (*settings, *seeds), in_all, in_all * copied)

    of_batch = ("learning.batch_size",)
    if learning.n_step > 1:
        of_batch += ("learning.n_step",)
    batch = learning.batch_size * transition
    plays = learning.envs_per_run * (episode + seen)
    evaluation = config.evaluation.episodes * watched
    return [
        need("the replay", of_replay, replay, copies),
        need("the networks", of_networks, networks, copies),
        need("a minibatch", of_batch, batch),
        need("a round of episodes", ("learning.envs_per_run", "horizon"), plays),
        need("an evaluation", ("evaluation.episodes", "horizon"), evaluation),
        _curves(config, spec.num_agents),
    ]


def _curves(config: Config, agents: int) -> Need:
    """The curves of all seeds of a run, which are put together at its end."""
    points = math.ceil(config.episodes / config.points_every)
    numbers = NUMBERS_OF_A_POINT + 2 * agents
    of_a_point = NUMBERS_OF_A_POINT * BYTES_OF_AN_ARRAY
    of_seeds = config.seeds * numbers * NUMBER
    in_all = points * (of_a_point + of_seeds)
    return Need("the curves", ("episodes", "evaluation.every", "seeds"), 0, in_all)


def _what_counts(config: Config) -> Config:
    """The configuration with all else as it always is: runs that differ in that need the same."""
    return Config(
        scenario=config.scenario,
        method="fixed",
        algorithm=config.algorithm,
        seeds=1,
        episodes=config.episodes,
        horizon=config.horizon,
        optimizer=config.optimizer_name,
        world=config.world,
        networks=config.networks,
        learning=config.learning,
        rates=RateOptions(),
        exploration=ExplorationOptions(),
        evaluation=Evaluation(),
    )


# A sweep has many programs, and few that differ in what they need.
@lru_cache(maxsize=128)
def _shapes(config: Config) -> tuple[TrainState, EnvSpec]:
    """A member's state, as shapes, and its world's sizes."""
    init = make_train(config).init
    state = jax.eval_shape(init, key_of(0), make_hyper(config))
    return state, make_env(config).spec


def _bytes_on_host(found: Sequence[Need], room: Room) -> int:
    on_host = sum(need.on_host for need in found)
    if room.device is None:
        on_host += sum(need.on_device for need in found)
    return on_host


def _too_large(
    config: Config, need: Need, share: int, in_all: int, free: int, whose: str
) -> SettingError:
    known = dict(all_settings(config))
    preset = dict(all_settings(scenario_config(config.scenario)))
    # Not every world says how many agents it has.
    given = [name for name in need.settings if name in known]
    # What somebody changed is to blame before what the scenario brings.
    given.sort(key=lambda name: known[name] == preset[name])
    first, *others = [f"{name}={as_given(known[name])}" for name in given]
    beside = f" with {' and '.join(others)}" if others else ""
    return SettingError(
        f"{first}{beside}: must fit in memory: training needs {_gb(in_all)} at the least, "
        f"{_gb(share)} of it for {need.what}, and {_gb(free)} of {whose} are free"
    )


def _gb(count: int) -> str:
    """
    >>> _gb(12_345_678_901)
    '12.3 GB'
    """
    return f"{count / GB:,.1f} GB"
