"""Adaptive learning rates for cooperative multi-agent actor-critic reinforcement learning, in JAX.

AdaMa, after Jiang & Lu, Adaptive Learning Rates for Multi-Agent Reinforcement Learning (AAMAS
2023). The public names are loaded when first used, so that `adama --help` need not wait for JAX:

>>> import adama_jax
>>> config = adama_jax.scenario_config("predator_prey")
>>> adama_jax.make_env(config).spec.num_agents
4
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from adama_jax.errors import needed_by

if TYPE_CHECKING:
    from adama_jax.algorithms.maddpg import maddpg
    from adama_jax.config.checks import validate
    from adama_jax.config.exhibits import Length, load_exhibits
    from adama_jax.config.names import with_settings
    from adama_jax.config.schema import Config, scenario_config
    from adama_jax.errors import AdamaError, SettingError
    from adama_jax.execution.build import (
        make_algorithm,
        make_env,
        make_hyper,
        make_train,
    )
    from adama_jax.execution.jax_setup import set_up_jax
    from adama_jax.execution.runner import run
    from adama_jax.rates.rules import (
        RateHyper,
        RateRule,
        RateState,
        adama,
        balance,
        fixed,
        steer,
    )
    from adama_jax.reporting.frames import to_dataframe, to_dataset
    from adama_jax.reporting.marl_eval import to_marl_eval
    from adama_jax.storage.folder import run_folder
    from adama_jax.storage.many import load_runs
    from adama_jax.storage.policy import Policy, load_policy
    from adama_jax.storage.reader import find_run, load_run
    from adama_jax.studies.exhibits import shown
    from adama_jax.training.batches import stack_agents
    from adama_jax.training.learner import Learner, learner
    from adama_jax.training.optimizers import Optimizer, from_optax
    from adama_jax.training.population import Population, population
    from adama_jax.training.states import LearnerHyper, LearnerState
    from adama_jax.training.trainer import Trainer, TrainHyper, trainer
    from adama_jax.types import Batch, Params, Rates, Signals

__version__ = "0.2.0"

# The same names as above, for the loader below; tests/test_public.py compares the two.
_HOMES = {
    "algorithms.maddpg": ("maddpg",),
    "config.checks": ("validate",),
    "config.exhibits": ("Length", "load_exhibits"),
    "config.names": ("with_settings",),
    "config.schema": ("Config", "scenario_config"),
    "errors": ("AdamaError", "SettingError"),
    "execution.build": ("make_algorithm", "make_env", "make_hyper", "make_train"),
    "execution.jax_setup": ("set_up_jax",),
    "execution.runner": ("run",),
    "rates.rules": (
        "RateHyper", "RateRule", "RateState", "adama", "balance", "fixed", "steer",
    ),
    "reporting.frames": ("to_dataframe", "to_dataset"),
    "reporting.marl_eval": ("to_marl_eval",),
    "storage.folder": ("run_folder",),
    "storage.many": ("load_runs",),
    "storage.policy": ("Policy", "load_policy"),
    "storage.reader": ("find_run", "load_run"),
    "studies.exhibits": ("shown",),
    "training.batches": ("stack_agents",),
    "training.learner": ("Learner", "learner"),
    "training.optimizers": ("Optimizer", "from_optax"),
    "training.population": ("Population", "population"),
    "training.states": ("LearnerHyper", "LearnerState"),
    "training.trainer": ("TrainHyper", "Trainer", "trainer"),
    "types": ("Batch", "Params", "Rates", "Signals"),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AdamaError",
    "Batch",
    "Config",
    "Learner",
    "LearnerHyper",
    "LearnerState",
    "Length",
    "Optimizer",
    "Params",
    "Policy",
    "Population",
    "RateHyper",
    "RateRule",
    "RateState",
    "Rates",
    "SettingError",
    "Signals",
    "TrainHyper",
    "Trainer",
    "adama",
    "balance",
    "find_run",
    "fixed",
    "from_optax",
    "learner",
    "load_exhibits",
    "load_policy",
    "load_run",
    "load_runs",
    "maddpg",
    "make_algorithm",
    "make_env",
    "make_hyper",
    "make_train",
    "population",
    "run",
    "run_folder",
    "scenario_config",
    "set_up_jax",
    "shown",
    "stack_agents",
    "steer",
    "to_dataframe",
    "to_dataset",
    "to_marl_eval",
    "trainer",
    "validate",
    "with_settings",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needed_by(f"{__name__}.{name}"):
        home = import_module(f"{__name__}.{_HOME_OF[name]}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return __all__
