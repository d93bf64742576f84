"""Sweeps as data: products of settings."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.reads import why_unread
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

    A setting that the method or the other settings leave unread stays as in `base`.

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
        reads = METHODS[chosen.get("method", base.method)].reads
        read = {name: value for name, value in chosen.items() if _is_read(name, reads)}
        config = with_settings(base, read)
        # A target_step is nothing to targets=hard.
        left_out = [name for name in read if why_unread(config, name)]
        for name in left_out:
            del read[name]
        if left_out:
            config = with_settings(base, read)
        configs[config] = None
    return list(configs)


def _is_read(name: str, reads: Collection[str]) -> bool:
    """Whether a method that reads these rates' settings reads a setting."""
    return not name.startswith("rates.") or name.removeprefix("rates.") in reads
