"""Settings by name: read, changed, hashed, and which of them one compiled program may vary. Importable without JAX."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adama_jax.config import Config, scenario_config

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

    >>> from adama_jax.config import scenario_config
    >>> setting(scenario_config("clustering"), "rates.critic_scale")
    80.0
    """
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return value


def all_settings(config: Any) -> Iterator[tuple[str, Any]]:
    """Every setting's full name and value.

    >>> from adama_jax.config import scenario_config
    >>> dict(all_settings(scenario_config("clustering")))["world.side"]
    1.2
    """
    return ((name, value) for name, value, _ in _with_defaults(config))


def with_settings(config: Config, changes: Mapping[str, Any]) -> Config:
    """The configuration with settings changed, by their full names.

    >>> from adama_jax.config import scenario_config
    >>> with_settings(scenario_config("clustering"), {"rates.clip": 0.2, "seeds": 3}).rates.clip
    0.2
    """
    for name, value in changes.items():
        outer, _, last = name.rpartition(".")
        if outer:
            value = dataclasses.replace(setting(config, outer), **{last: value})
        config = dataclasses.replace(config, **{outer or last: value})
    return config


def to_dict(config: Config) -> dict[str, Any]:
    """The whole configuration as plain data, for JSON."""
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, Any]) -> Config:
    """The configuration again that `to_dict` gave; settings that it lacks are the scenario's.

    Raises:
        KeyError: no scenario, or one that this version does not have.

    >>> from adama_jax.config import scenario_config
    >>> config = with_settings(scenario_config("clustering"), {"seeds": 3, "networks.hidden": (8,)})
    >>> from_dict(json.loads(json.dumps(to_dict(config)))) == config
    True
    """
    base = scenario_config(values["scenario"])
    found = {}
    for name, default in all_settings(base):
        value: Any = values
        for part in name.split("."):
            value = value.get(part, default) if isinstance(value, Mapping) else default
        found[name] = tuple(value) if isinstance(value, list) else value
    return with_settings(base, found)


def config_hash(config: Config) -> str:
    """Ten hexadecimal digits that change with any setting.

    Settings at their field's default are left out, so that a setting that is new leaves the old runs their names;
    40 and 40.0 are the same.

    >>> from adama_jax.config import scenario_config
    >>> base = scenario_config("clustering")
    >>> config_hash(base) == config_hash(scenario_config("clustering"))
    True
    >>> config_hash(base) == config_hash(dataclasses.replace(base, seeds=3))
    False
    """
    return _digest({name: value for name, value, default in _with_defaults(config) if value != default})


def _with_defaults(config: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every setting's full name, value and default (a fresh object where there is none, equal to nothing)."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from _with_defaults(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, value, object() if field.default is dataclasses.MISSING else field.default


def differences(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run's `config.json` that are not the scenario's preset; episodes, seeds and method apart.

    >>> import json
    >>> from adama_jax.config import scenario_config
    >>> config = with_settings(scenario_config("clustering"), {"rates.clip": 0.2, "seeds": 3})
    >>> differences(json.loads(json.dumps(to_dict(config))))
    {'rates.clip': 0.2}
    """
    preset = json.loads(json.dumps(to_dict(scenario_config(values["scenario"]))))
    plain = dict(flat(preset))
    aside = ("method", "seeds", "seed", "episodes", "label")
    return {name: value for name, value in flat(values) if name not in aside and value != plain.get(name)}


def differing(stored: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """Settings of a run's `config.json` that a configuration has too, with another value.

    >>> base = scenario_config("clustering")
    >>> differing(to_dict(base) | {"episodes": 7, "a setting of old": 1}, base)
    {'episodes': 7}
    """
    now = dict(flat(json.loads(json.dumps(to_dict(config)))))
    then = dict(flat(json.loads(json.dumps(stored))))
    return {name: value for name, value in then.items() if name in now and now[name] != value}


def changes(values: Mapping[str, Any], separator: str = " ") -> str:
    """Settings in words, by their short names.

    >>> changes({"rates.critic_scale": 40.0, "world.side": 1.2})
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


def sweep_hash(configs: Sequence[Config]) -> str:
    """Ten hexadecimal digits for a set of configurations, in any order."""
    return _digest(sorted(map(config_hash, configs)))


def program_key(config: Config) -> str:
    """Equal for configurations that one compiled program runs: those that differ in `TRACED` settings and seeds alone.

    >>> from adama_jax.config import scenario_config
    >>> base = scenario_config("clustering")
    >>> program_key(base) == program_key(with_settings(base, {"rates.critic_rate": 1e-3, "seed": 7}))
    True
    >>> program_key(base) == program_key(with_settings(base, {"rates.critic_scale": "auto"}))
    False
    """
    kinds = dict.fromkeys(TRACED) | {"seeds": 0, "seed": 0}
    kinds["rates.critic_scale"] = config.rates.critic_scale == "auto"
    return _digest(dict(all_settings(with_settings(config, kinds))))


def _digest(values: Any) -> str:
    values = values if isinstance(values, list) else {name: _plain(value) for name, value in values.items()}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:10]


def _plain(value: Any) -> Any:
    """A number as a float: 40 and 40.0 are the same setting."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
