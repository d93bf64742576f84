"""Adaptive learning rates for cooperative multi-agent actor-critic reinforcement learning (AdaMa, AAMAS 2023), in JAX.

The public names are loaded when first used, so that `adama --help` need not wait for JAX:

>>> import adama_jax
>>> config = adama_jax.scenario_config("predator_prey")
>>> adama_jax.make_env(config).spec.num_agents
4

What shares its name with a module is imported from its module: `from adama_jax.rates import adama`,
`from adama_jax.learner import learner`, `from adama_jax.population import population`.
"""

from importlib import import_module
from typing import Any

PUBLIC = {
    "rates": ("RateHyper", "RateRule", "RateState", "balance", "direction", "fixed"),
    "types": ("Batch", "Params", "Rates", "Signals"),
    "learner": ("Learner", "LearnerHyper", "LearnerState"),
    "algorithms.maddpg": ("maddpg",),
    "config": ("Config", "ConfigError", "scenario_config"),
    "validation": ("validate",),
    "compose": ("make_algorithm", "make_env", "make_hyper", "make_train"),
    "train": ("TrainHyper", "Trainer"),
    "runner": ("run",),
    "runtime": ("set_up_jax",),
    "settings": ("with_settings",),
    "store": ("find_run", "load_run", "run_folder"),
    "exhibits": ("Length", "load_exhibits", "shown"),
}
_HOME = {name: module for module, names in PUBLIC.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
