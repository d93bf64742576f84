"""When two configurations are the same run, and when they share a program. No JAX."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from adama_jax.config.names import (
    DECIDING,
    current_name,
    flat,
    with_settings,
)
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config, scenario_config
from adama_jax.config.values import stored_value
from adama_jax.errors import SettingError
from adama_jax.fields import (
    HashedAs,
    HashedUnlikeScenario,
    settings,
    unlike_default,
    values_by_name,
)

# What says of itself which run it is: a report lists these in columns of their own.
NOT_UNLIKE_PRESET = ("method", "seeds", "seed", "episodes", "label")


def to_dict(config: Config) -> dict[str, Any]:
    """The whole configuration as plain data, for JSON."""
    values = dataclasses.asdict(config)
    # Most algorithms have no settings of their own.
    if not values["own"]:
        del values["own"]
    return values


def from_dict(values: Mapping[str, Any]) -> Config:
    """The configuration again that `to_dict` gave; settings that it lacks are the scenario's.

    Raises:
        KeyError: no scenario is named.
        SettingError: the scenario is none that this version has, or a value is not of its setting's
            type.

    >>> from adama_jax.config.schema import scenario_config
    >>> config = with_settings(scenario_config("clustering"), {"seeds": 3, "rates.clip": 0.2})
    >>> from_dict(json.loads(json.dumps(to_dict(config)))) == config
    True
    """
    base = scenario_config(values["scenario"])
    # These first: they decide which others there are.
    deciding = {name: values[name] for name in DECIDING if name in values}
    base = dataclasses.replace(base, **deciding)
    fields = {each.name: each.declared for each in settings(base)}
    groups = {name.partition(".")[0] for name in fields if "." in name}
    found = {}
    for stored_name, value in flat(values):
        name = current_name(stored_name)
        if name in groups:
            raise SettingError(f"{name}={value}: must be an object of settings")
        if name in fields:
            found[name] = stored_value(name, fields[name], value)
    return with_settings(base, found)


def world_name(config: Config) -> str:
    """What the world of a run is called in a results folder: as its scenario, if it is its world.

    >>> from adama_jax.config.schema import scenario_config
    >>> cheetah = scenario_config("halfcheetah_2x3")
    >>> walker = {"world.robot": "walker2d", "world.partition": "3x2"}
    >>> world_name(cheetah), world_name(with_settings(cheetah, walker))
    ('halfcheetah_2x3', 'walker2d_3x2_like_halfcheetah_2x3')
    """
    other = config.world.name_beside(_preset(config).world)
    name = f"{other}_like_{config.scenario}" if other else config.scenario
    return as_file_name(name)


def as_file_name(name: str) -> str:
    """A scenario's or a method's name as that of a folder: an import path has its colon replaced.

    >>> as_file_name("mypackage.world:make"), as_file_name("humanoid_9|8")
    ('mypackage.world.make', 'humanoid_9|8')
    """
    return name.replace(":", ".")


def config_hash(config: Config) -> str:
    """Ten hexadecimal digits that change with any setting.

    Settings at their field's default are left out, so that a new setting leaves the runs of before
    their names; 40 and 40.0 are the same.

    >>> from adama_jax.config.schema import scenario_config
    >>> base = scenario_config("clustering")
    >>> config_hash(base) == config_hash(scenario_config("clustering"))
    True
    >>> config_hash(base) == config_hash(dataclasses.replace(base, seeds=3))
    False
    """
    counted = {}
    for name, field, value, _ in unlike_default(config):
        if field.mark(HashedUnlikeScenario):
            preset = values_by_name(_preset(config))
            if value == preset.get(name):
                continue
        first = field.mark(HashedAs)
        counted[first.name if first else name] = value
    return _digest(counted)


def unlike_preset(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a run's `config.json` that are not the scenario's preset.

    Episodes, seeds and method apart, which a report names anyway.

    >>> import json
    >>> from adama_jax.config.schema import scenario_config
    >>> config = with_settings(scenario_config("clustering"), {"rates.clip": 0.2, "seeds": 3})
    >>> unlike_preset(json.loads(json.dumps(to_dict(config))))
    {'rates.clip': 0.2}
    """
    if values["scenario"] not in SCENARIOS:
        # Another version's scenario: there is no preset to compare with.
        return {}
    base = scenario_config(values["scenario"])
    preset = _as_stored(base)
    # What is an algorithm's own is compared with its defaults.
    algorithm = values.get("algorithm", base.algorithm)
    preset = _as_stored(dataclasses.replace(base, algorithm=algorithm)) | preset
    unlike = {}
    for stored_name, value in flat(_through_json(values)):
        name = current_name(stored_name)
        if name in NOT_UNLIKE_PRESET:
            continue
        if value != preset.get(name):
            unlike[name] = value
    return unlike


def unlike_stored(stored: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """Settings of a run's `config.json` that a configuration has too, with another value.

    One that the file lacks has the value with which the file is read.

    Raises:
        KeyError, SettingError: as `from_dict`.

    >>> base = scenario_config("clustering")
    >>> unlike_stored(to_dict(base) | {"episodes": 7, "a setting of old": 1}, base)
    {'episodes': 7}
    """
    now = _as_stored(config)
    # A setting that there is no more is not read: it decided nothing that could differ now.
    read = _as_stored(from_dict(stored))
    return {
        name: value
        for name, value in read.items()
        if name in now and now[name] != value
    }


def _preset(config: Config) -> Config:
    # A configuration has a name before its scenario is checked.
    return scenario_config(config.scenario) if config.scenario in SCENARIOS else config


def _as_stored(config: Config) -> dict[str, Any]:
    """Full names and values, as a `config.json` gives them back."""
    return dict(flat(_through_json(to_dict(config))))


def _through_json(values: Mapping[str, Any]) -> dict[str, Any]:
    # JSON knows no tuples: without this (64, 64) would not equal what was stored of it.
    return json.loads(json.dumps(values))


def sweep_hash(configs: Sequence[Config]) -> str:
    """Ten hexadecimal digits for a set of configurations, in any order."""
    return _digest(sorted(map(config_hash, configs)))


def program_key(config: Config) -> str:
    """Equal for configurations that one compiled program runs.

    Those are the ones that differ in traced settings and seeds alone.

    >>> from adama_jax.config.schema import scenario_config
    >>> base = scenario_config("clustering")
    >>> other = with_settings(base, {"rates.critic_rate": 1e-3, "seed": 7})
    >>> program_key(base) == program_key(other)
    True
    >>> program_key(base) == program_key(with_settings(base, {"rates.critic_scale": "auto"}))
    False
    """
    kinds: dict[str, Any] = {
        name: value
        for name, field, value, _ in unlike_default(config)
        if not field.traced and name not in ("seeds", "seed")
    }
    # A measured scale is another program than a given one, though the setting is traced.
    kinds["rates.critic_scale"] = config.rates.critic_scale == "auto"
    return _digest(kinds)


def _digest(values: Mapping[str, Any] | Sequence[str]) -> str:
    if isinstance(values, Mapping):
        values = {name: _plain(value) for name, value in values.items()}
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _plain(value: Any) -> Any:
    """A number as a float: 40 and 40.0 are the same setting."""
    return (
        float(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else value
    )
