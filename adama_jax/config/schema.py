"""The configuration of a run, and the scenarios' presets. Importable without JAX."""

from dataclasses import dataclass, field
from typing import Annotated

import tyro

from adama_jax.algorithms.settings import (
    ALGORITHMS,
    DEFAULT_ALGORITHM,
    Networks,
    OwnSettings,
    own_settings_of,
)
from adama_jax.bounds import SEED, UP_TO_BILLION, UP_TO_MILLION, OneOf, Whole
from adama_jax.config.methods import METHODS, options_for
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.envs.worlds import World
from adama_jax.errors import SettingError, must_be
from adama_jax.fields import Alias, Elsewhere, HashedAs
from adama_jax.plugins.loading import users_file
from adama_jax.plugins.registry import Registry, only_callable
from adama_jax.rates.settings import RateOptions
from adama_jax.training.settings import Evaluation, ExplorationOptions, Learning

_OF_OPTAX = (
    "sgd", "adabelief", "adadelta", "adafactor", "adagrad", "adam", "adamax", "adamaxw", "adamw",
    "adan", "amsgrad", "lamb", "lars", "lion", "nadam", "nadamw", "novograd",
    "optimistic_adam_v2", "optimistic_gradient_descent", "radam", "rmsprop", "sign_sgd", "signum",
    "sm3", "yogi",
)  # fmt: skip
# Of optax's contributed ones, and of this package's.
_OTHERS = {
    "adopt": "optax.contrib:adopt",
    "muon": "adama_jax.optax.muon:muon",
    "adam_hd": "adama_jax.optax.adam_hd:adam_hd",
    "adam_rel": "adama_jax.training.adam_rel:adam_rel",
    "schedule_free_adam": "adama_jax.training.schedule_free:schedule_free_adam",
}
# They find their rate, and what a rate rule says is a multiple of it.
_SCALE_FINDERS = (
    "prodigy", "prodigy_global", "dadapt_adamw", "dadapt_adamw_global", "dog", "dog_global",
    "dowg", "dowg_global", "cocob", "mechanic", "mechanic_global", "trac", "trac_global",
)  # fmt: skip
OPTIMIZERS = Registry(
    "optimizer",
    {
        **{name: f"optax:{name}" for name in _OF_OPTAX},
        **_OTHERS,
        **{name: f"adama_jax.training.scale_finders:{name}" for name in _SCALE_FINDERS},
    },
    adopt=only_callable("must be a function that makes an optax transformation"),
)
"""The optax optimizers that need a learning rate and nothing else, and step in proportion to it,
as a test asks optax; and what is named in `rivals`.

An import path names a function that makes one, of `learning_rate` if it has such
a parameter: at learning rate 1.
"""
# What a configuration takes from its scenario.
OF_A_PRESET = (
    "algorithm", "own", "episodes", "horizon", "optimizer",
    "world", "networks", "learning", "rates", "exploration", "evaluation",
)  # fmt: skip
MOST_POINTS = 200  # of a learning curve, with evaluation.every=None


@dataclass(frozen=True)
class Config:
    """Everything that decides a result."""

    scenario: Annotated[str, OneOf(SCENARIOS), tyro.conf.Suppress]
    """The world; `adama scenarios` lists them."""
    method: Annotated[str, OneOf(METHODS), Alias(("methods",))] = "adama"
    """The learning-rate method; `adama methods` lists them."""
    algorithm: Annotated[str, OneOf(ALGORITHMS)] = DEFAULT_ALGORITHM
    """What is learned; one of the names in `algorithms/settings.py`."""
    seeds: Annotated[int, Whole(1, 100_000), Elsewhere(("num_seeds", "n_seeds"))] = 5
    """Number of members, of seeds seed, seed + 1, ..."""
    seed: Annotated[int, SEED] = 0
    """The first seed."""
    episodes: Annotated[
        int, UP_TO_BILLION, Elsewhere(("num_episodes", "epochs", "total_timesteps"))
    ] = 50_000
    """Training episodes."""
    horizon: Annotated[
        int, UP_TO_MILLION, Elsewhere(("max_steps", "episode_length"))
    ] = 20
    """Steps of an episode, T."""
    optimizer: Annotated[
        str | None,
        OneOf(OPTIMIZERS),
        Alias(("direction", "optimiser")),
        HashedAs("direction"),
    ] = None
    """An optax optimizer (adam, lion ...) in place of SGD; None: the method's own."""
    world: World = field(default_factory=lambda: SCENARIOS["predator_prey"].world)
    """The world's options."""
    networks: Networks = Networks()
    learning: Learning = Learning()
    rates: RateOptions = RateOptions()
    exploration: ExplorationOptions = ExplorationOptions()
    evaluation: Evaluation = Evaluation()
    own: OwnSettings = OwnSettings()

    def __post_init__(self) -> None:
        # A method may have numbers of its own: with the method changes what `rates` holds.
        object.__setattr__(self, "rates", options_for(self.method, self.rates))
        # Those of another algorithm go, and those of this one begin at their defaults.
        kind = own_settings_of(self.algorithm)
        if type(self.own) is not kind:
            object.__setattr__(self, "own", kind())
        # A preset's optimizer gives way to a method's own; any other is for `validate` to refuse.
        if self.brings_optimizer and self.optimizer == self._preset_optimizer:
            object.__setattr__(self, "optimizer", None)

    @property
    def usual_optimizer(self) -> str | None:
        """That of the methods on plain gradients beside it, with None for SGD."""
        return self._preset_optimizer if self.brings_optimizer else self.optimizer

    @property
    def _preset_optimizer(self) -> str | None:
        # That a scenario is unknown is for `validate` to say.
        preset = SCENARIOS.get(self.scenario)
        return None if preset is None else preset.optimizer

    @property
    def brings_optimizer(self) -> bool:
        """Whether the method has an optimizer of its own, and is not on plain gradients."""
        return self.method in METHODS and METHODS[self.method].optimizer != "sgd"

    @property
    def optimizer_name(self) -> str:
        """The optimizer in use: a preset's, or the method's where it has one of its own.

        >>> import dataclasses
        >>> base = scenario_config("predator_prey_modern")
        >>> base.optimizer_name, dataclasses.replace(base, method="rmsprop").optimizer_name
        ('adam', 'rmsprop')
        """
        return self.optimizer or METHODS[self.method].optimizer

    @property
    def label(self) -> str:
        """The method's name for legends, with what it runs on where that is not the method's own.

        >>> import dataclasses
        >>> base = scenario_config("predator_prey_modern")
        >>> base.label, dataclasses.replace(base, algorithm="matd3").label
        ('adama, modern', 'adama, modern, matd3')
        """
        preset = SCENARIOS.get(self.scenario)
        name = self.method
        usual = None
        if preset is not None and preset.learner is not None:
            name = f"{name}, {preset.learner}"
            usual = preset.optimizer
        usual_algorithm = DEFAULT_ALGORITHM if preset is None else preset.algorithm
        if self.algorithm != usual_algorithm:
            name = f"{name}, {self.algorithm}"
        # A world from outside has no other learner beside it.
        if preset is not None and SCENARIOS.is_outside(self.scenario):
            usual = preset.optimizer
        return name if self.optimizer in (None, usual) else f"{name} ({self.optimizer})"

    @property
    def points_every(self) -> int:
        """Episodes between two points of the curves."""
        every = self.evaluation.every
        if every is None:
            apart = max(
                self.evaluation.points_apart, _divided(self.episodes, MOST_POINTS)
            )
            # A point can only fall between two rounds, and a round plays this many episodes.
            round_length = self.learning.envs_per_run
            every = _divided(apart, round_length) * round_length
        return min(self.episodes, every)

    @property
    def updates_per_round(self) -> int:
        """Updates for each round of `learning.envs_per_run` episodes, of all its worlds.

        >>> scenario_config("clustering").updates_per_round
        1
        """
        learning = self.learning
        if learning.update_every is None:
            return learning.updates_per_episode * learning.envs_per_run
        return self.horizon // learning.update_every * learning.updates_each

    @property
    def warmup_rounds(self) -> int:
        """Rounds of random actions at first, in which nothing is updated."""
        steps = self.horizon * self.learning.envs_per_run
        return _divided(self.learning.warmup_steps, steps)

    @property
    def target_updates(self) -> int:
        """Updates between two copies of the targets, with `learning.targets` hard.

        >>> scenario_config("predator_prey").target_updates
        20
        """
        learning = self.learning
        if learning.target_unit == "updates":
            return learning.target_period
        updates = learning.target_period * self.updates_per_round
        return max(1, updates // learning.envs_per_run)

    def updates_in(self, episodes: int) -> int:
        """Updates of a member in its first so many episodes.

        >>> scenario_config("predator_prey").updates_in(100)
        100
        """
        rounds = episodes // self.learning.envs_per_run - self.warmup_rounds
        return max(0, rounds) * self.updates_per_round

    @property
    def seed_range(self) -> range:
        """The seeds."""
        return range(self.seed, self.seed + self.seeds)


def _divided(number: int, by: int) -> int:
    """Rounded up."""
    return -(-number // by)


def scenario_config(scenario: str) -> Config:
    """A scenario's preset: the paper's settings (Tables 1 and 2), where it has the scenario.

    Raises:
        SettingError: no such scenario.

    >>> scenario_config("clustering").rates.critic_scale
    80.0
    """
    if scenario not in SCENARIOS:
        file = users_file(scenario)
        if file is not None:
            raise SettingError(
                f"scenario={scenario}: must be {scenario}:make, or whatever else in {file} makes a "
                "world"
            )
        allowed = OneOf(SCENARIOS).words
        raise SettingError(
            f"scenario={scenario}: {must_be(allowed, scenario, SCENARIOS)}"
        )
    preset = SCENARIOS[scenario]
    settings = {name: getattr(preset, name) for name in OF_A_PRESET}
    return Config(scenario=scenario, **settings)
