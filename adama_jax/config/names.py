"""Settings by name: read and changed. Importable without JAX."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from adama_jax.config.schema import Config

TRACED = (
    "rates.total_rate", "rates.critic_scale", "rates.smoothing", "rates.clip", "rates.critic_rate",
    "rates.actor_budget", "rates.direction_floor", "rates.secant_step", "learning.discount", "learning.target_step",
    "exploration.start", "exploration.end", "exploration.episodes",
)  # fmt: skip
"""Settings that are arrays in the compiled program (`compose.make_hyper`): runs that differ in these share it."""


SYMBOLS = {
    "l": "rates.total_rate",
    "m": "rates.critic_scale",
    "alpha": "rates.smoothing",
    "eps": "rates.clip",
    "l_c": "rates.critic_rate",
    "l_a": "rates.actor_budget",
    "gamma": "learning.discount",
}
"""The paper's symbols."""


def setting(config: Config, name: str) -> Any:
    """The value of a setting by its full name.

    >>> from adama_jax.config.schema import scenario_config
    >>> setting(scenario_config("clustering"), "rates.critic_scale")
    80.0
    """
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return value


def all_settings(config: Any) -> Iterator[tuple[str, Any]]:
    """Every setting's full name and value.

    >>> from adama_jax.config.schema import scenario_config
    >>> dict(all_settings(scenario_config("clustering")))["world.side"]
    1.2
    """
    return ((name, value) for name, value, _ in settings_with_defaults(config))


def with_settings(config: Config, changes: Mapping[str, Any]) -> Config:
    """The configuration with settings changed, by their full names.

    >>> from adama_jax.config.schema import scenario_config
    >>> with_settings(scenario_config("clustering"), {"rates.clip": 0.2, "seeds": 3}).rates.clip
    0.2
    """
    for name, value in changes.items():
        outer, _, last = name.rpartition(".")
        if outer:
            value = dataclasses.replace(setting(config, outer), **{last: value})
        config = dataclasses.replace(config, **{outer or last: value})
    return config


def settings_with_defaults(config: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every setting's full name, value and default (a fresh object where there is none, equal to nothing)."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from settings_with_defaults(value, f"{prefix}{field.name}.")
        else:
            yield (
                prefix + field.name,
                value,
                object() if field.default is dataclasses.MISSING else field.default,
            )


def in_words(values: Mapping[str, Any], separator: str = " ") -> str:
    """Settings in words, by their short names.

    >>> in_words({"rates.critic_scale": 40.0, "world.side": 1.2})
    'm=40.0 side=1.2'
    """
    return separator.join(f"{short(name)}={value}" for name, value in values.items())


def short(name: str) -> str:
    """The paper's symbol of a setting, or the last part of its name.

    >>> short("rates.critic_scale"), short("world.side")
    ('m', 'side')
    """
    symbols = {full: symbol for symbol, full in SYMBOLS.items()}
    return symbols.get(name, name.rpartition(".")[2])


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Full names and values of a run's `config.json`.

    >>> list(flat({"seeds": 5, "world": {"side": 1.2}}))
    [('seeds', 5), ('world.side', 1.2)]
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
