"""Settings as they are written, in TOML or as words. Importable without JAX.

Both are read field by field (`values.read_value`). A setting can be written by its full name
("rates.clip"), by the last part of it where no other setting has the same ("clip"), by the paper's
symbol ("eps"), or by an alias.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.options import Flat
from adama_jax.config.schema import Config
from adama_jax.config.values import read_value
from adama_jax.errors import SettingError
from adama_jax.fields import Declared, as_given, settings

# The method decides which other settings there are: it is looked for before anything is read.
METHOD_WORD = re.compile(r"(?:--)?methods?(?:=(.*))?")


def read_settings(
    base: Config, values: Mapping[str, object], where: str = ""
) -> Config:
    """A configuration with settings changed.

    Args:
        base: all other settings.
        values: words, or values of TOML, by any name of a setting.
        where: what the values stand in, for errors.

    Raises:
        SettingError: one line: an unknown setting, or a value that is not allowed.

    >>> from adama_jax.config.schema import scenario_config
    >>> read_settings(scenario_config("clustering"), {"m": "auto", "seeds": 3}).rates.critic_scale
    'auto'
    >>> read_settings(scenario_config("clustering"), {"seeds": "many"}, "figure3")
    Traceback (most recent call last):
    adama_jax.errors.SettingError: figure3: seeds=many: must be a whole number
    """
    try:
        known = Known.of(base, _methods_among(values.items()))
        found = {}
        for key, given in values.items():
            name = known.full_name(key, f"{key}={given}")
            found[name] = read_value(name, known.fields[name], given)
        check_own(found, found.get("method", base.method))
        scenario = found.get("scenario", base.scenario)
        if scenario != base.scenario:
            # Its world and its preset would stay those of the base.
            raise SettingError(f"scenario={scenario}: must be left out here")
        return with_settings(base, found)
    except SettingError as error:
        raise SettingError(_placed(where, error)) from None


def read_axes(
    base: Config, axes: Mapping[str, Sequence[object]], where: str = ""
) -> dict[str, list[Any]]:
    """Several values of settings, each read like one, by the settings' full names.

    Args:
        base: the configuration that the axes vary.
        axes: words, or values of TOML, by any name of a setting.
        where: what they stand in, for errors.

    Raises:
        SettingError: as `read_settings`.

    >>> from adama_jax.config.schema import scenario_config
    >>> read_axes(scenario_config("clustering"), {"l_c": ["0.001", 1]})
    {'rates.critic_rate': [0.001, 1.0]}
    """
    try:
        given = [(key, value) for key, values in axes.items() for value in values]
        known = Known.of(base, _methods_among(given))
        result = {}
        for key, values in axes.items():
            name = known.full_name(key, f"{key}={as_given(values)}")
            field = known.fields[name]
            result[name] = [read_value(name, field, value) for value in values]
        return result
    except SettingError as error:
        raise SettingError(_placed(where, error)) from None


def _placed(where: str, error: SettingError) -> str:
    return f"{where}: {error}" if where else str(error)


def check_own(values: Mapping[str, object], *methods: str) -> None:
    """Check that each number of a rate rule's own is read by one of the methods.

    Raises:
        SettingError: one is not.
    """
    read = own_settings(methods)
    for name in own_settings(METHODS):
        if name in values and name not in read:
            named = ",".join(methods)
            raise SettingError(
                f"{name}={values[name]}: must be left out: {named} does not read it"
            )


def own_values(values: Mapping[str, object], method: str) -> dict[str, object]:
    """Those of the values that are numbers of the method's rate rule's own."""
    return {name: values[name] for name in own_settings([method]) if name in values}


def own_settings(methods: Iterable[str]) -> list[str]:
    """The full names of the numbers that the methods' rate rules have of their own."""
    known = [METHODS[method] for method in methods if method in METHODS]
    return [f"rates.{each.name}" for method in known for each in method.own]


class Known(NamedTuple):
    """What may be written."""

    fields: dict[str, Declared]  # by full name
    # Full names, by every name that is accepted, with underscores.
    names: dict[str, str]

    @classmethod
    def of(cls, options: Any, methods: Iterable[str]) -> "Known":
        """The settings of a command or a configuration, and those of some methods' own."""
        found = list(settings(options, flat=Flat))
        config = (
            options if isinstance(options, Config) else getattr(options, "config", None)
        )
        # `figures` and the like take no settings of a run.
        if config is not None:
            for method in methods:
                changed = with_settings(config, {"method": method})
                found += settings(changed)
        fields = {each.name: each.declared for each in found}
        return cls(fields, _accepted(fields))

    def full_name(self, key: str, written: str) -> str:
        """The full name of a setting.

        Raises:
            SettingError: there is none of that name.
        """
        plain = key.replace("-", "_")
        if plain in self.names:
            return self.names[plain]
        # One near miss is worth naming; a list of them would hide it.
        close = difflib.get_close_matches(plain, self.names, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]}?" if close else "; see --help"
        raise SettingError(f"{written}: must be the name of a setting{hint}")


def _accepted(fields: Mapping[str, Declared]) -> dict[str, str]:
    """Every accepted name, and the full name of its setting; a full name goes before all others."""
    last: dict[str, list[str]] = {}
    others: dict[str, str] = {}
    for name, field in fields.items():
        last.setdefault(name.rpartition(".")[2], []).append(name)
        others |= dict.fromkeys(field.aliases, name)
        if field.symbol is not None:
            others[field.symbol] = name
    # "seed" is the run's, not the evaluation's; "start" is refused, for two settings end so.
    unique = {key: names[0] for key, names in last.items() if len(names) == 1}
    return unique | others | {name: name for name in fields}


def _methods_among(given: Iterable[tuple[str, object]]) -> list[str]:
    """The methods among values by their keys."""
    values = [str(value) for key, value in given if METHOD_WORD.fullmatch(key)]
    return [value for value in values if value in METHODS]
