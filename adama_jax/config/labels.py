"""What configurations are called beside one another. Importable without JAX."""

from collections.abc import Sequence
from typing import Any

from adama_jax.config.names import all_settings, in_words
from adama_jax.config.schema import Config

# What a configuration's own label says already.
IN_A_LABEL = {"algorithm", "optimizer"}


def labels(configs: Sequence[Config]) -> list[str]:
    """A name for each configuration: its method, and the settings in which it differs.

    Compared are configurations of the same scenario and method.

    >>> from adama_jax.config.names import with_settings
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
        first = firsts.setdefault(group, dict(own))
        unlike = differing.setdefault(group, set())
        for name, value in own.items():
            # Another algorithm's first configuration lacks what only this one has.
            if value != first.setdefault(name, value):
                unlike.add(name)
    names = []
    for config, own in zip(configs, values, strict=True):
        unlike = differing[config.scenario, config.method]
        # The order is that of the settings.
        told = {name: own[name] for name in own if name in unlike - IN_A_LABEL}
        names.append(f"{config.label} {in_words(told)}".strip())
    return names
