"""What of a configuration is not the package's own, and where it was found. No JAX of its own."""

from collections.abc import Mapping
from typing import Any

from adama_jax.algorithms.settings import ALGORITHMS, CRITICS
from adama_jax.config.methods import METHODS
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import OPTIMIZERS, Config
from adama_jax.plugins.loading import Source
from adama_jax.plugins.names import path_of


def names_outside(stored: Mapping[str, Any]) -> bool:
    """Whether a run's `config.json` names something from outside.

    >>> names_outside({"scenario": "clustering", "networks": {"critic": "mine.critics:Mine"}})
    True
    >>> names_outside({"scenario": "clustering", "networks": ["damaged"]})
    False
    """
    named = dict(stored)
    networks = stored.get("networks")
    # In a damaged file it may be anything.
    if isinstance(networks, Mapping):
        named |= networks
    kinds = ("scenario", "method", "algorithm", "critic", "optimizer")
    return any(path_of(kind, str(named.get(kind))) is not None for kind in kinds)


def sources_of(config: Config) -> dict[str, Source]:
    """The modules from outside that decide a run's numbers, by their names.

    Only what the settings name: not what these modules import, nor observers, which look on.

    >>> from adama_jax.config.schema import scenario_config
    >>> sources_of(scenario_config("clustering"))
    {}
    """
    learned = [
        *ALGORITHMS.sources(config.algorithm),
        *CRITICS.sources(config.networks.critic),
    ]
    found = [
        *SCENARIOS.sources(config.scenario),
        *METHODS.sources(config.method),
        *OPTIMIZERS.sources(config.optimizer_name),
        *learned,
    ]
    return {source.module: source for source in found}
