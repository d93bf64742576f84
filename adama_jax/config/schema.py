"""Configuration of a run: frozen dataclasses and the scenarios' defaults. Importable without JAX."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from adama_jax.algorithms.settings import DEFAULT_ALGORITHM
from adama_jax.config.methods import METHODS
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.envs.worlds import World
from adama_jax.errors import SettingError

OPTIMISERS = (
    "sgd", "adabelief", "adadelta", "adafactor", "adagrad", "adam", "adamax", "adamaxw", "adamw", "adan", "amsgrad",
    "fromage", "lamb", "lars", "lion", "nadam", "nadamw", "novograd", "optimistic_adam_v2",
    "optimistic_gradient_descent", "radam", "rmsprop", "rprop", "sign_sgd", "signum", "sm3", "yogi",
)  # fmt: skip
"""The optax optimisers that need a learning rate and nothing else; a test compares this with optax."""
Activation = Literal["relu", "leaky_relu", "tanh", "silu", "gelu", "softplus", "elu"]


@dataclass(frozen=True)
class Networks:
    """Networks (Table 1: two hidden layers of 64, ReLU)."""

    hidden: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers."""
    actor_activation: Activation = "relu"
    """Activation of the actors' hidden layers."""
    critic_activation: Activation = "relu"
    """Activation of the critic's hidden layers."""
    critic: str = "joint"
    """joint: one network for all; dop: deterministic DOP's sum of one an agent; attention: MAAC's."""


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
    """Gradient updates for each episode."""
    envs_per_run: int = 1
    """Worlds that a run plays at the same time, an episode each, before the updates for all of them."""
    targets: Literal["hard", "soft"] = "hard"
    """Copy the target networks now and then, or move them a little at each update."""
    target_period: int = 20
    """Episodes between two copies (hard)."""
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
    """Least component of the actors' target direction, below 1/sqrt(N); 0: the printed formula."""
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
    """Training episodes between evaluations, also the points of the curves; None: 200 points, or as many as the
    scenario's least distance between them allows."""
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
    algorithm: str = DEFAULT_ALGORITHM
    """What is learned; one of the names in `algorithms/settings.py`."""
    seeds: int = 5
    """Number of runs, of seeds seed, seed + 1, ..."""
    seed: int = 0
    """The first seed."""
    episodes: int = 50_000
    """Training episodes."""
    horizon: int = 20
    """Steps of an episode, T."""
    direction: str | None = None
    """Any optax optimiser (adam, lion ...) in place of SGD; None: the method's own."""
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
        together = self.learning.envs_per_run
        apart = max(SCENARIOS[self.scenario].points_apart, -(-self.episodes // 200))
        return min(self.episodes, self.evaluation.every or -(-apart // together) * together)

    @property
    def seed_range(self) -> range:
        """The seeds."""
        return range(self.seed, self.seed + self.seeds)


def scenario_config(scenario: str) -> Config:
    """A scenario's preset: the paper's settings (Tables 1 and 2), where it has the scenario.

    Raises:
        SettingError: no such scenario.

    >>> scenario_config("clustering").rates.critic_scale
    80.0
    """
    if scenario not in SCENARIOS:
        raise SettingError(f"scenario={scenario}: must be one of {', '.join(SCENARIOS)}")
    preset = SCENARIOS[scenario]
    return Config(
        scenario=scenario,
        episodes=preset.episodes,
        horizon=preset.horizon,
        world=preset.world,
        networks=Networks(critic=preset.critic),
        direction=preset.direction,
        learning=Learning(
            discount=preset.discount,
            capacity=preset.capacity,
            updates_per_episode=preset.updates_per_episode,
            targets=preset.targets,  # pyright: ignore[reportArgumentType]
        ),
        rates=RateOptions(
            total_rate=preset.total_rate,
            critic_scale=preset.m,
            clip=preset.clip,
            critic_rate=preset.critic_rate,
            actor_budget=preset.actor_budget,
        ),
        exploration=ExplorationOptions(
            end=preset.exploration_end, episodes=preset.exploration_episodes
        ),
        evaluation=Evaluation(episodes=preset.evaluation_episodes),
    )
