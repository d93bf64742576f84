"""Sweeps as data: products of settings."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.reads import own_settings, why_unread
from adama_jax.config.schema import Config

TEN_RATES = tuple(f"{thousandths / 1000:g}" for thousandths in range(1, 11))
PRESETS: dict[str, dict[str, tuple[str, ...]]] = {
    "grid": {
        "method": ("fixed",),
        "rates.critic_rate": TEN_RATES,
        "rates.actor_budget": TEN_RATES,
    },
}
"""Named products. grid: the search behind Fixed lr (section 4.1), 100 pairs."""


def product(base: Config, axes: Mapping[str, Sequence[Any]]) -> list[Config]:
    """Every combination of the axes' values, in order.

    A setting that the method, the algorithm or the other settings leave unread stays as in `base`.

    Args:
        base: all other settings.
        axes: values by a setting's full name.

    >>> from adama_jax.config.schema import scenario_config
    >>> base = scenario_config("clustering")
    >>> axes = {"method": ["adama", "fixed"], "rates.critic_scale": [40.0, 80.0]}
    >>> axes["rates.critic_rate"] = [0.001, 0.002]
    >>> for c in product(base, axes):
    ...     print(c.method, c.rates.critic_scale, c.rates.critic_rate)
    adama 40.0 0.008
    adama 80.0 0.008
    fixed 80.0 0.001
    fixed 80.0 0.002
    """
    # Combinations that differ only in what the method does not read are one.
    configs: dict[Config, None] = {}
    for values in itertools.product(*axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        missing = _missing(chosen, base)
        read = {name: chosen[name] for name in chosen if name not in missing}
        config = with_settings(base, read)
        # A target_step is nothing to targets=hard.
        left_out = [name for name in read if why_unread(config, name)]
        for name in left_out:
            del read[name]
        if left_out:
            config = with_settings(base, read)
        configs[config] = None
    return list(configs)


def _missing(chosen: Mapping[str, Any], base: Config) -> set[str]:
    """Settings that the chosen method does not read, or that the chosen algorithm does not have."""
    reads = METHODS[chosen.get("method", base.method)].reads
    own = own_settings([chosen.get("algorithm", base.algorithm)])
    found = set()
    for name in chosen:
        group, _, last = name.rpartition(".")
        unread = group == "rates" and last not in reads
        if unread or (group == "own" and name not in own):
            found.add(name)
    return found
