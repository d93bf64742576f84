"""Settings by name: read and changed. Importable without JAX."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from adama_jax.config.methods import METHODS
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError
from adama_jax.fields import settings, values_by_name, with_values

# Of any scenario: no world has symbols or aliases.
_SETTINGS = list(settings(Config("predator_prey")))
SYMBOLS = {
    each.declared.symbol: each.name
    for each in _SETTINGS
    if each.declared.symbol is not None
}
"""The paper's symbols, and the settings that they stand for."""


ALIASES = {alias: each.name for each in _SETTINGS for alias in each.declared.aliases}
"""Names under which earlier versions had settings, or which are easily taken for theirs."""

DECIDING = ("method", "algorithm")
"""The settings that decide which others there are: numbers of a rate rule's own, and settings of an
algorithm's own."""

OF_A_RUN = {each.name for each in _SETTINGS if "." not in each.name}
"""The settings that no group has: their full names are short."""

_LAST_PARTS = Counter(each.name.rpartition(".")[2] for each in _SETTINGS)
OF_SEVERAL = {last for last, count in _LAST_PARTS.items() if count > 1}
"""Last parts of several settings' names."""


def current_name(name: str) -> str:
    """The name that a setting has now; a name that is of no use any more stays as it is.

    >>> current_name("direction"), current_name("rates.clip")
    ('optimizer', 'rates.clip')
    """
    return ALIASES.get(name, name)


def is_name_of(key: str, name: str) -> bool:
    """Whether a key of a command line is a name of the setting with a full name.

    >>> is_name_of("alpha", "rates.smoothing"), is_name_of("clip", "rates.clip")
    (True, True)

    The run's, not the evaluation's:

    >>> is_name_of("seed", "evaluation.seed")
    False
    """
    plain = key.replace("-", "_")
    if plain in OF_A_RUN:
        return plain == name
    others = (name.rpartition(".")[2], short(name))
    return plain in (name, *others) or ALIASES.get(plain) == name


def traced_settings(config: Config) -> tuple[str, ...]:
    """Settings that are arrays in the compiled program: runs that differ in these alone share it.

    >>> from adama_jax.config.schema import scenario_config
    >>> "rates.clip" in traced_settings(scenario_config("clustering"))
    True
    """
    return tuple(each.name for each in settings(config) if each.declared.traced)


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
    yield from values_by_name(config).items()


def with_settings(config: Config, changes: Mapping[str, Any]) -> Config:
    """The configuration with settings changed, by their full names.

    Raises:
        SettingError: there is no such setting.

    >>> from adama_jax.config.schema import scenario_config
    >>> with_settings(scenario_config("clustering"), {"rates.clip": 0.2, "seeds": 3}).rates.clip
    0.2
    """
    current = {current_name(name): value for name, value in changes.items()}
    # These first: they decide which others there are to be changed.
    deciding = {name: current[name] for name in DECIDING if name in current}
    config = dataclasses.replace(config, **deciding)
    unknown = current.keys() - values_by_name(config).keys()
    if unknown:
        name = min(unknown)
        raise SettingError(f"{name}={current[name]}: must be the name of a setting")
    return with_values(config, current)


def in_words(values: Mapping[str, Any], separator: str = " ") -> str:
    """Settings in words, by their short names.

    >>> in_words({"rates.critic_scale": 40.0, "world.side": 1.2})
    'm=40.0 side=1.2'
    """
    return separator.join(f"{short(name)}={value}" for name, value in values.items())


def short(name: str) -> str:
    """The shortest name by which a command line takes a setting.

    >>> short("rates.critic_scale"), short("world.side"), short("exploration.episodes")
    ('m', 'side', 'exploration.episodes')
    """
    group, _, last = name.rpartition(".")
    if last in OF_SEVERAL or (group == "own" and last in _LAST_PARTS):
        return name
    for symbol, full in SYMBOLS.items():
        if full == name:
            return symbol
    # A number of a rate rule's own is known by its method alone.
    for method in METHODS.values():
        for own in method.own:
            if name == f"rates.{own.name}":
                return own.symbol or last
    return last


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
