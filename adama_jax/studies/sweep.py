"""Sweeps as data: products of settings, and what their combinations are called."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from adama_jax.config.methods import METHODS
from adama_jax.config.names import all_settings, in_words, with_settings
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


def labels(configs: Sequence[Config]) -> list[str]:
    """A name for each configuration: its method, and the settings in which it differs.

    Compared are configurations of the same scenario and method.

    >>> from adama_jax.config.schema import scenario_config
    >>> base = scenario_config("clustering")
    >>> labels([with_settings(base, {"rates.critic_scale": m}) for m in (40.0, 80.0)])
    ['adama m=40.0', 'adama m=80.0']
    """
    values = [dict(all_settings(config)) for config in configs]
    firsts: dict[tuple[str, str], dict[str, Any]] = {}
    # The settings in which each group is not all like its first one.
    differing: dict[tuple[str, str], set[str]] = {}
    for config, own in zip(configs, values, strict=True):
        group = (config.scenario, config.method)
        first = firsts.setdefault(group, own)
        unlike = differing.setdefault(group, set())
        for name, value in own.items():
            if value != first[name]:
                unlike.add(name)
    names = []
    for config, own in zip(configs, values, strict=True):
        unlike = differing[config.scenario, config.method]
        # The optimizer is in the label already; the order is that of the settings.
        told = {
            name: own[name] for name in own if name in unlike and name != "optimizer"
        }
        names.append(f"{config.label} {in_words(told)}".strip())
    return names
