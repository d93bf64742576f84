"""Configuration of a run: frozen dataclasses, scenario defaults, validation, and a hash. Importable without JAX."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import tyro

from adama_jax.envs.options import JaxMARLWorld, PredatorPreyWorld, VelocityWorld, World
from adama_jax.methods import METHODS
from adama_jax.scenarios import SCENARIOS

SMOOTH = ("tanh", "silu", "gelu", "softplus", "elu")
PIECEWISE_LINEAR = ("relu", "leaky_relu")
OPTIMISERS = (
    "sgd", "adabelief", "adadelta", "adafactor", "adagrad", "adam", "adamax", "adamaxw", "adamw", "adan", "amsgrad",
    "fromage", "lamb", "lars", "lion", "nadam", "nadamw", "novograd", "optimistic_adam_v2",
    "optimistic_gradient_descent", "radam", "rmsprop", "rprop", "sign_sgd", "signum", "sm3", "yogi",
)  # fmt: skip
"""The optax optimisers that need a learning rate and nothing else; a test compares this with optax."""
Activation = Literal["relu", "leaky_relu", "tanh", "silu", "gelu", "softplus", "elu"]


class ConfigError(ValueError):
    """A setting that is not allowed: the message names the field, its value and what is."""


@dataclass(frozen=True)
class Networks:
    """Networks (Table 1: two hidden layers of 64, ReLU)."""

    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers."""
    actor_activation: Activation = "relu"
    """Activation of the actors' hidden layers."""
    critic_activation: Activation = "relu"
    """Activation of the critic's hidden layers."""
    critic: Literal["joint"] = "joint"
    """The critic."""


@dataclass(frozen=True)
class Learning:
    """The base learner (section 3.1)."""

    discount: float = 0.97
    """gamma."""
    batch_size: int = 1024
    """Transitions in a minibatch."""
    capacity: int = 1_000_000
    """Transitions that the replay buffer holds."""
    updates_per_episode: int = 1
    """Gradient updates after each episode."""
    targets: Literal["hard", "soft"] = "hard"
    """Copy the target networks now and then, or move them a little at each update."""
    target_period: int = 20
    """Updates between two copies (hard)."""
    target_step: float = 0.02
    """Step towards the online networks at each update (soft)."""


@dataclass(frozen=True)
class RateOptions:
    """Learning rates (section 3). In brackets the paper's symbol, which the command line takes too."""

    total_rate: float = 1e-2
    """[l] l_c + |l_a| of the methods that balance them."""
    critic_scale: float | Literal["auto"] = 50.0
    """[m] kappa at which the critic would get the whole of l; auto: its mean over the first updates."""
    smoothing: float = 0.99
    """[alpha] Weight of the old rates in an update of theirs."""
    clip: float = 0.1
    """[eps] Least share of l that critic and actors keep."""
    critic_rate: float = 7e-3
    """[l_c] The critic's rate, in the methods that do not balance."""
    actor_budget: float = 2e-3
    """[l_a] Norm of the actors' rates, in the methods that do not balance."""
    direction_floor: float = 0.1
    """Least component of the actors' target direction; 0: the printed formula."""
    curvature: Literal["exact", "secant", "lookahead"] = "secant"
    """How a second-order method measures curvature; exact needs a smooth critic."""
    secant_step: float = 0.1
    """Root mean square step in actions of curvature=secant."""
    trial_updates: int = 100
    """[K] Updates over which critic_scale=auto takes the mean."""


@dataclass(frozen=True)
class ExplorationOptions:
    """Share of uniform noise in the actions (section 4.6)."""

    start: float = 1.0
    """Share in the first episode."""
    end: float = 0.1
    """Share from `episodes` on."""
    episodes: int = 10_000
    """Episodes of the linear fall."""


@dataclass(frozen=True)
class Evaluation:
    """Greedy evaluation, on starts that are the same for every run."""

    every: int | None = None
    """Training episodes between evaluations, also the points of the curves; None: 200 points, 100 apart at least."""
    episodes: int = 100
    """Episodes of an evaluation."""
    seed: int = 0
    """Seed of their starts."""


@dataclass(frozen=True)
class Config:
    """Everything that decides a result."""

    scenario: Annotated[str, tyro.conf.Suppress]
    """The world; `adama scenarios` lists them."""
    method: str = "adama"
    """The learning-rate method; `adama methods` lists them."""
    seeds: int = 5
    """Number of runs, of seeds seed, seed + 1, ..."""
    seed: int = 0
    """The first seed."""
    episodes: int = 50_000
    """Training episodes."""
    horizon: int = 20
    """Steps of an episode, T."""
    direction: str | None = None
    """Any optax optimiser (adam, lion ...) in place of the method's own."""
    world: World = field(default_factory=lambda: SCENARIOS["predator_prey"].world)
    """The world's options."""
    networks: Networks = Networks()
    learning: Learning = Learning()
    rates: RateOptions = RateOptions()
    exploration: ExplorationOptions = ExplorationOptions()
    evaluation: Evaluation = Evaluation()

    @property
    def direction_name(self) -> str:
        """The optax optimiser in use."""
        return self.direction or METHODS[self.method].direction

    @property
    def label(self) -> str:
        """The method's name for legends, with the optimiser where it is not the method's own."""
        return self.method if self.direction is None else f"{self.method} ({self.direction})"

    @property
    def points_every(self) -> int:
        """Episodes between two points of the curves: a chunk of the compiled loop."""
        return min(self.episodes, self.evaluation.every or max(100, -(-self.episodes // 200)))

    @property
    def seed_range(self) -> range:
        """The seeds."""
        return range(self.seed, self.seed + self.seeds)


def scenario_config(scenario: str) -> Config:
    """The paper's settings (Table 1) for a scenario.

    Raises:
        ConfigError: no such scenario.

    >>> scenario_config("clustering").rates.critic_scale
    80.0
    """
    _check(scenario in SCENARIOS, "scenario", scenario, f"one of {', '.join(SCENARIOS)}")
    preset = SCENARIOS[scenario]
    return Config(
        scenario=scenario,
        episodes=preset.episodes,
        horizon=preset.horizon,
        world=preset.world,
        learning=Learning(discount=preset.discount, capacity=preset.capacity),
        rates=RateOptions(critic_scale=preset.m, critic_rate=preset.critic_rate, actor_budget=preset.actor_budget),
    )


def to_dict(config: Config) -> dict[str, Any]:
    """The whole configuration as plain data, for JSON."""
    return dataclasses.asdict(config)


def config_hash(config: Config) -> str:
    """Ten hexadecimal digits that change with any setting.

    >>> base = scenario_config("clustering")
    >>> config_hash(base) == config_hash(scenario_config("clustering"))
    True
    >>> config_hash(base) == config_hash(dataclasses.replace(base, seeds=3))
    False
    """
    text = json.dumps(to_dict(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def validate(config: Config) -> None:
    """Check every setting, before anything is compiled or written.

    Raises:
        ConfigError: one line with the field, its value and what is allowed.

    >>> validate(dataclasses.replace(scenario_config("clustering"), seeds=0))
    Traceback (most recent call last):
    adama_jax.config.ConfigError: seeds=0: must be at least 1
    """
    _check(config.scenario in SCENARIOS, "scenario", config.scenario, f"one of {', '.join(SCENARIOS)}")
    _check(config.method in METHODS, "method", config.method, f"one of {', '.join(METHODS)}")
    if config.direction is not None:
        _check(config.direction in OPTIMISERS, "direction", config.direction, f"one of {', '.join(OPTIMISERS)}")
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
        bool(networks.hidden) and min(networks.hidden) >= 1, "networks.hidden", networks.hidden, "widths of at least 1"
    )
    second_order = METHODS[config.method].second_order
    _check(
        not (second_order and config.rates.curvature == "exact" and networks.critic_activation in PIECEWISE_LINEAR),
        "rates.curvature",
        "exact",
        f"'secant' or 'lookahead' with networks.critic_activation={networks.critic_activation}, whose second "
        f"derivative is zero almost everywhere; 'exact' needs one of {', '.join(SMOOTH)}",
    )


def _validate_learning(config: Config) -> None:
    learning = config.learning
    for name in ("batch_size", "updates_per_episode", "target_period"):
        _at_least(config, f"learning.{name}", 1)
    _between(config, "learning.discount", 0, 1, open_top=True)
    _check(0 < learning.target_step <= 1, "learning.target_step", learning.target_step, "above 0 and at most 1")
    _check(
        learning.capacity >= config.horizon, "learning.capacity", learning.capacity,
        f"at least one episode, horizon={config.horizon} transitions",
    )  # fmt: skip
    _check(
        learning.batch_size <= learning.capacity, "learning.batch_size", learning.batch_size,
        f"at most learning.capacity={learning.capacity}",
    )  # fmt: skip


def _validate_rates(config: Config) -> None:
    rates = config.rates
    for name in ("total_rate", "critic_rate", "actor_budget", "secant_step"):
        value = getattr(rates, name)
        _check(0 < value < float("inf"), f"rates.{name}", value, "above 0 and finite")
    if rates.critic_scale != "auto":
        _check(0 < rates.critic_scale < float("inf"), "rates.critic_scale", rates.critic_scale, "above 0, or 'auto'")
    _between(config, "rates.smoothing", 0, 1, open_top=True)
    _between(config, "rates.clip", 0, 0.5, open_top=True)
    _between(config, "rates.direction_floor", 0, 1)
    _at_least(config, "rates.trial_updates", 1)


def _validate_exploration(config: Config) -> None:
    _between(config, "exploration.start", 0, 1)
    _between(config, "exploration.end", 0, 1)
    _at_least(config, "exploration.episodes", 1)
    _at_least(config, "evaluation.episodes", 1)
    _check(0 <= config.evaluation.seed < 2**31, "evaluation.seed", config.evaluation.seed, "from 0 to 2^31 - 1")
    if config.evaluation.every is not None:
        _at_least(config, "evaluation.every", 1)


def _validate_world(config: Config) -> None:
    world, preset = config.world, SCENARIOS[config.scenario]
    if isinstance(world, JaxMARLWorld):
        _validate_jaxmarl(config.scenario, world)
    if not isinstance(world, VelocityWorld):
        return
    at_most = preset.max_agents or float("inf")
    allowed = f"exactly {at_most}" if at_most == preset.min_agents else f"at least {preset.min_agents}"
    _check(preset.min_agents <= world.num_agents <= at_most, "world.num_agents", world.num_agents, allowed)
    for name in ("side", "step"):
        _check(0 < getattr(world, name) < float("inf"), f"world.{name}", getattr(world, name), "above 0 and finite")
    _check(0 <= world.start_seed < 2**31, "world.start_seed", world.start_seed, "from 0 to 2^31 - 1")
    if isinstance(world, PredatorPreyWorld):
        _check(world.touch_radius > 0, "world.touch_radius", world.touch_radius, "above 0")
        _check(world.prey_step >= 0, "world.prey_step", world.prey_step, "at least 0")


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
        raise ConfigError(f"{name}={value}: must be {allowed}")


def _get(config: Config, name: str) -> Any:
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _at_least(config: Config, name: str, least: int) -> None:
    _check(_get(config, name) >= least, name, _get(config, name), f"at least {least}")


def _between(config: Config, name: str, low: float, high: float, open_top: bool = False) -> None:
    value = _get(config, name)
    inside = low <= value < high if open_top else low <= value <= high
    _check(inside, name, value, f"at least {low} and {'below' if open_top else 'at most'} {high}")
