"""When two configurations are the same run, and when they share a program. Importable without JAX."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from adama_jax.config.names import TRACED, all_settings, flat, settings_with_defaults, with_settings
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config, scenario_config


def to_dict(config: Config) -> dict[str, Any]:
    """The whole configuration as plain data, for JSON."""
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, Any]) -> Config:
    """The configuration again that `to_dict` gave; settings that it lacks are the scenario's.

    Raises:
        KeyError: no scenario, or one that this version does not have.

    >>> from adama_jax.config.schema import scenario_config
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

    >>> from adama_jax.config.schema import scenario_config
    >>> base = scenario_config("clustering")
    >>> config_hash(base) == config_hash(scenario_config("clustering"))
    True
    >>> config_hash(base) == config_hash(dataclasses.replace(base, seeds=3))
    False
    """
    return _digest(
        {name: value for name, value, default in settings_with_defaults(config) if value != default}
    )


def unlike_preset(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run's `config.json` that are not the scenario's preset; episodes, seeds and method apart.

    >>> import json
    >>> from adama_jax.config.schema import scenario_config
    >>> config = with_settings(scenario_config("clustering"), {"rates.clip": 0.2, "seeds": 3})
    >>> unlike_preset(json.loads(json.dumps(to_dict(config))))
    {'rates.clip': 0.2}
    """
    if values["scenario"] not in SCENARIOS:
        # Another version's scenario: there is no preset to compare with.
        return {}
    preset = json.loads(json.dumps(to_dict(scenario_config(values["scenario"]))))
    plain = dict(flat(preset))
    aside = ("method", "seeds", "seed", "episodes", "label")
    return {
        name: value
        for name, value in flat(values)
        if name not in aside and value != plain.get(name)
    }


def unlike_stored(stored: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """Settings of a run's `config.json` that a configuration has too, with another value.

    >>> base = scenario_config("clustering")
    >>> unlike_stored(to_dict(base) | {"episodes": 7, "a setting of old": 1}, base)
    {'episodes': 7}
    """
    now = dict(flat(json.loads(json.dumps(to_dict(config)))))
    then = dict(flat(json.loads(json.dumps(stored))))
    return {name: value for name, value in then.items() if name in now and now[name] != value}


def sweep_hash(configs: Sequence[Config]) -> str:
    """Ten hexadecimal digits for a set of configurations, in any order."""
    return _digest(sorted(map(config_hash, configs)))


def program_key(config: Config) -> str:
    """Equal for configurations that one compiled program runs: those that differ in `TRACED` settings and seeds alone.

    >>> from adama_jax.config.schema import scenario_config
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
    values = (
        values
        if isinstance(values, list)
        else {name: _plain(value) for name, value in values.items()}
    )
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:10]


def _plain(value: Any) -> Any:
    """A number as a float: 40 and 40.0 are the same setting."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
