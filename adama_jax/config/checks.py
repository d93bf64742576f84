"""Checking a configuration before anything is compiled or written. Importable without JAX."""

import dataclasses

from adama_jax.algorithms.activations import SMOOTH
from adama_jax.algorithms.settings import ALGORITHMS, CRITICS
from adama_jax.config.methods import METHODS
from adama_jax.config.names import setting
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import OPTIMISERS, Config
from adama_jax.envs.robots.joints import partition
from adama_jax.envs.worlds import JaxMARLWorld, LocomotionWorld, PredatorPreyWorld, VelocityWorld
from adama_jax.errors import SettingError

INFINITY = float("inf")


def validate(config: Config) -> None:
    """Check every setting, before anything is compiled or written.

    Raises:
        SettingError: one line with the field, its value and what is allowed.

    >>> from adama_jax.config.schema import scenario_config
    >>> validate(dataclasses.replace(scenario_config("clustering"), seeds=0))
    Traceback (most recent call last):
    adama_jax.config.schema.SettingError: seeds=0: must be at least 1
    """
    _check(
        config.scenario in SCENARIOS, "scenario", config.scenario, f"one of {', '.join(SCENARIOS)}"
    )
    _check(config.method in METHODS, "method", config.method, f"one of {', '.join(METHODS)}")
    _check(
        config.algorithm in ALGORITHMS,
        "algorithm",
        config.algorithm,
        f"one of {', '.join(ALGORITHMS)}",
    )
    if config.direction is not None:
        _check(
            config.direction in OPTIMISERS,
            "direction",
            config.direction,
            f"one of {', '.join(OPTIMISERS)}",
        )
        own = METHODS[config.method].direction
        allowed = f"left out (or None): method={config.method} is {own}"
        _check(own in ("sgd", config.direction), "direction", config.direction, allowed)
    for name in ("seeds", "episodes", "horizon"):
        _at_least(config, name, 1)
    _check(0 <= config.seed < 2**31, "seed", config.seed, "from 0 to 2^31 - 1")
    _validate_networks(config)
    _validate_learning(config)
    _validate_rates(config)
    _validate_exploration(config)
    _validate_world(config)


def _validate_networks(config: Config) -> None:
    networks = config.networks
    _check(
        bool(networks.hidden) and min(networks.hidden) >= 1,
        "networks.hidden",
        networks.hidden,
        "widths of at least 1",
    )
    _check(
        networks.critic in CRITICS,
        "networks.critic",
        networks.critic,
        f"one of {', '.join(CRITICS)}",
    )
    critic = CRITICS[networks.critic]
    _check(
        networks.hidden[0] % critic.first_width_of == 0,
        "networks.hidden",
        networks.hidden,
        f"led by a multiple of {critic.first_width_of}, {critic.reason}",
    )
    exact = METHODS[config.method].second_order and config.rates.curvature == "exact"
    _check(
        not exact or networks.critic_activation in SMOOTH,
        "rates.curvature",
        "exact",
        f"'secant' or 'lookahead' with networks.critic_activation={networks.critic_activation}, whose second "
        f"derivative is zero almost everywhere; 'exact' needs one of {', '.join(SMOOTH)}",
    )


def _validate_learning(config: Config) -> None:
    learning = config.learning
    for name in ("batch_size", "updates_per_episode", "envs_per_run", "target_period"):
        _at_least(config, f"learning.{name}", 1)
    together = learning.envs_per_run
    for name in ("episodes", "evaluation.every"):
        value = setting(config, name)
        near = -(-(value or 0) // together) * together
        allowed = f"a multiple of learning.envs_per_run={together}, such as {near}"
        _check(value is None or value == near, name, value, allowed)
    _between(config, "learning.discount", 0, 1, open_top=True)
    _check(
        0 < learning.target_step <= 1,
        "learning.target_step",
        learning.target_step,
        "above 0 and at most 1",
    )
    _check(
        learning.capacity >= config.horizon, "learning.capacity", learning.capacity,
        f"at least one episode, horizon={config.horizon} transitions",
    )  # fmt: skip
    least = together * config.horizon
    _check(
        learning.capacity >= least, "learning.capacity", learning.capacity,
        f"at least {least}, an episode of each of learning.envs_per_run={together} worlds",
    )  # fmt: skip
    held = learning.capacity // config.horizon * config.horizon
    _check(
        learning.batch_size <= held, "learning.batch_size", learning.batch_size,
        f"at most {held}, the whole episodes that learning.capacity={learning.capacity} holds",
    )  # fmt: skip


def _validate_rates(config: Config) -> None:
    rates = config.rates
    for name in ("total_rate", "critic_rate", "actor_budget", "secant_step"):
        value = getattr(rates, name)
        _check(0 < value < INFINITY, f"rates.{name}", value, "above 0 and finite")
    if rates.critic_scale != "auto":
        _check(
            0 < rates.critic_scale < INFINITY,
            "rates.critic_scale",
            rates.critic_scale,
            "above 0, or 'auto'",
        )
    _between(config, "rates.smoothing", 0, 1, open_top=True)
    _between(config, "rates.clip", 0, 0.5, open_top=True)
    _between(config, "rates.direction_floor", 0, 1)
    _at_least(config, "rates.trial_updates", 1)


def _validate_exploration(config: Config) -> None:
    _between(config, "exploration.start", 0, 1)
    _between(config, "exploration.end", 0, 1)
    _at_least(config, "exploration.episodes", 1)
    _at_least(config, "evaluation.episodes", 1)
    _check(
        0 <= config.evaluation.seed < 2**31,
        "evaluation.seed",
        config.evaluation.seed,
        "from 0 to 2^31 - 1",
    )
    if config.evaluation.every is not None:
        _at_least(config, "evaluation.every", 1)


def _validate_world(config: Config) -> None:
    world, preset = config.world, SCENARIOS[config.scenario]
    if isinstance(world, JaxMARLWorld):
        _validate_jaxmarl(config.scenario, world)
    if isinstance(world, LocomotionWorld):
        _validate_locomotion(config, world)
    if not isinstance(world, VelocityWorld):
        return
    at_most = preset.max_agents or INFINITY
    allowed = (
        f"exactly {at_most}" if at_most == preset.min_agents else f"at least {preset.min_agents}"
    )
    _check(
        preset.min_agents <= world.num_agents <= at_most,
        "world.num_agents",
        world.num_agents,
        allowed,
    )
    _validate_floor(config, world.num_agents)
    for name in ("side", "step"):
        _check(
            0 < getattr(world, name) < INFINITY,
            f"world.{name}",
            getattr(world, name),
            "above 0 and finite",
        )
    _check(
        0 <= world.start_seed < 2**31, "world.start_seed", world.start_seed, "from 0 to 2^31 - 1"
    )
    if isinstance(world, PredatorPreyWorld):
        _check(
            0 < world.touch_radius < INFINITY,
            "world.touch_radius",
            world.touch_radius,
            "above 0 and finite",
        )
        _check(
            0 <= world.prey_step < INFINITY,
            "world.prey_step",
            world.prey_step,
            "at least 0 and finite",
        )


def _validate_floor(config: Config, num_agents: int) -> None:
    equal = num_agents**-0.5
    _check(
        config.rates.direction_floor < equal or num_agents == 1,
        "rates.direction_floor",
        config.rates.direction_floor,
        f"below 1/sqrt(N)={equal:.3f} with N={num_agents} agents, where all rates are equal",
    )


def _validate_locomotion(config: Config, world: LocomotionWorld) -> None:
    try:
        teams = partition(world.robot, world.partition)
    except ValueError as error:
        raise SettingError(f"world.{error}") from None
    _validate_floor(config, len(teams))
    for name in ("solver_iterations", "line_search_iterations"):
        _at_least(config, f"world.{name}", 1)


JAXMARL_OPTIONS = {
    "MPE_simple_v3": ("num_agents", "num_landmarks"),
    "MPE_simple_spread_v3": ("num_agents", "num_landmarks", "local_ratio"),
    "MPE_simple_tag_v3": ("num_adversaries", "num_good_agents", "num_obs"),
    "MPE_simple_facmac_v1": ("num_adversaries", "num_good_agents", "num_landmarks"),
}


def _validate_jaxmarl(scenario: str, world: JaxMARLWorld) -> None:
    taken = JAXMARL_OPTIONS.get(scenario, ())
    for option in dataclasses.fields(world):
        value = getattr(world, option.name)
        if option.name == "prey" or value is None:
            continue
        allowed = f"left out: {scenario} takes {', '.join(taken) or 'no options'}"
        _check(option.name in taken, f"world.{option.name}", value, allowed)
        if option.name == "local_ratio":
            _check(0 <= value <= 1, "world.local_ratio", value, "from 0 to 1")
        else:
            _check(value >= 1, f"world.{option.name}", value, "at least 1")


def _check(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        raise SettingError(f"{name}={value}: must be {allowed}")


def _at_least(config: Config, name: str, least: int) -> None:
    _check(setting(config, name) >= least, name, setting(config, name), f"at least {least}")


def _between(config: Config, name: str, low: float, high: float, open_top: bool = False) -> None:
    value = setting(config, name)
    inside = low <= value < high if open_top else low <= value <= high
    _check(inside, name, value, f"at least {low} and {'below' if open_top else 'at most'} {high}")
