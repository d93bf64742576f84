"""Settings as they are written, in TOML or as words. Importable without JAX.

Both are read field by field (`values.read_value`). A setting can be written by its full name
("rates.clip"), by the last part of it where no other setting has the same ("clip"), by the paper's
symbol ("eps"), or by an alias.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from adama_jax.algorithms.settings import ALGORITHMS
from adama_jax.config.methods import METHODS
from adama_jax.config.names import current_name, short, with_settings
from adama_jax.config.options import Flat
from adama_jax.config.reads import check_read, own_numbers, own_settings
from adama_jax.config.schema import Config
from adama_jax.config.values import read_value
from adama_jax.errors import SettingError, did_you_mean
from adama_jax.fields import Declared, as_given, settings

# Method and algorithm decide which other settings there are: they are looked for before anything
# is read.
DECIDING_WORD = re.compile(r"(?:--)?(methods?|algorithm)(?:=(.*))?")


def read_settings(
    base: Config, values: Mapping[str, object], where: str = ""
) -> Config:
    """A configuration with settings changed.

    Args:
        base: all other settings.
        values: words, or values of TOML, by any name of a setting.
        where: what the values stand in, for errors.

    Raises:
        SettingError: as `read_values`, or a setting that the configuration does not read.

    >>> from adama_jax.config.schema import scenario_config
    >>> read_settings(scenario_config("clustering"), {"m": "auto", "seeds": 3}).rates.critic_scale
    'auto'
    >>> read_settings(scenario_config("clustering"), {"seeds": "many"}, "figure3")
    Traceback (most recent call last):
    adama_jax.errors.SettingError: figure3: seeds=many: must be a whole number
    """
    found = read_values(base, values, where)
    config = with_settings(base, found)
    with placed(where):
        check_read(found, [config])
    return config


def read_values(
    base: Config, values: Mapping[str, object], where: str = ""
) -> dict[str, Any]:
    """The values of settings, by the settings' full names.

    Whether a configuration with them reads them all is for `check_read` to say.

    Args:
        base, values, where: as for `read_settings`.

    Raises:
        SettingError: one line: an unknown setting, one that is given twice, or a value that is not
            allowed.
    """
    with placed(where):
        known = Known.of(base, deciding_among(values.items()))
        found = {}
        for key, name in _named_once(values, known):
            found[name] = read_value(key, known.fields[name], values[key])
        scenario = found.get("scenario", base.scenario)
        if scenario != base.scenario:
            # Its world and its preset would stay those of the base.
            raise SettingError(f"scenario={scenario}: must be left out here")
        return found


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
    with placed(where):
        given = [(key, value) for key, values in axes.items() for value in values]
        known = Known.of(base, deciding_among(given))
        result = {}
        for key, name in _named_once(axes, known):
            values = axes[key]
            field = known.fields[name]
            read = [read_value(key, field, value) for value in values]
            # 40 and 40.0 are the same.
            if not read or len(set(read)) < len(read):
                raise SettingError(
                    f"{key}={as_given(values)}: must be one or more different values"
                )
            result[name] = read
        return result


@contextmanager
def placed(where: str) -> Iterator[None]:
    """Say in what a setting stands, where one that is read in this block is not allowed."""
    try:
        yield
    except SettingError as error:
        raise SettingError(f"{where}: {error}" if where else str(error)) from None


def _named_once(
    values: Mapping[str, object], known: "Known"
) -> Iterator[tuple[str, str]]:
    """The keys of what is given and the full names of their settings, one after another."""
    written: dict[str, str] = {}
    for key, given in values.items():
        word = f"{key}={as_given(given)}"
        name = known.full_name(key, word)
        if name in written:
            raise given_twice(written[name], word)
        written[name] = word
        yield key, name


def given_twice(first: str, second: str) -> SettingError:
    """The error of a setting that is given again, as both were written, in that order.

    >>> print(given_twice("alpha=0.9", "smoothing=0.8"))
    alpha=0.9, smoothing=0.8: must be given once: both are the same setting
    """
    return SettingError(
        f"{first}, {second}: must be given once: both are the same setting"
    )


class Known(NamedTuple):
    """What may be written."""

    fields: dict[str, Declared]  # by full name
    # Full names, by every name that is accepted, with underscores.
    names: dict[str, str]

    @classmethod
    def of(cls, options: Any, deciding: Iterable[tuple[str, str]]) -> "Known":
        """The settings of a command or a configuration, and those of some methods' or algorithms'
        own, as `deciding_among` gives them.
        """
        found = list(settings(options, flat=Flat))
        config = (
            options if isinstance(options, Config) else getattr(options, "config", None)
        )
        # `figures` and the like take no settings of a run.
        if config is not None:
            for name, value in deciding:
                changed = with_settings(config, {name: value})
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
        several = _by_last_part(self.fields).get(plain)
        if several:
            raise SettingError(f"{written}: must be given as {_or(several)}")
        elsewhere = [
            name for name, field in self.fields.items() if plain in field.elsewhere
        ]
        if elsewhere:
            hint = f"; did you mean {_or([short(name) for name in elsewhere])}?"
        else:
            near = did_you_mean(plain, self.names)
            hint = _whose(plain) or near or "; see --help"
        raise SettingError(f"{written}: must be the name of a setting{hint}")


def _accepted(fields: Mapping[str, Declared]) -> dict[str, str]:
    """Every accepted name, and the full name of its setting; a full name goes before all others."""
    others: dict[str, str] = {}
    for name, field in fields.items():
        others |= dict.fromkeys(field.aliases, name)
        if field.symbol is not None:
            others[field.symbol] = name
    # "seed" is the run's, not the evaluation's; "start" is refused, for two settings end so.
    unique = {
        last: names[0]
        for last, names in _by_last_part(fields).items()
        if len(names) == 1
    }
    return unique | others | {name: name for name in fields}


def _by_last_part(names: Iterable[str]) -> dict[str, list[str]]:
    """Full names, by what stands behind their last dot."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.rpartition(".")[2], []).append(name)
    return found


def _whose(key: str) -> str:
    """Which methods or algorithms have a setting of that name of their own; "" if none."""
    last = key.rpartition(".")[2]
    methods = [name for name in METHODS if f"rates.{last}" in own_numbers([name])]
    algorithms = [name for name in ALGORITHMS if f"own.{last}" in own_settings([name])]
    having = [f"method={name}" for name in methods]
    having += [f"algorithm={name}" for name in algorithms]
    return f": it is one of {_or(having)}" if having else ""


def _or(names: Sequence[str]) -> str:
    """Names in words.

    >>> _or(["a"]), _or(["a", "b", "c"])
    ('a', 'a, b or c')
    """
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def deciding_among(given: Iterable[tuple[str, object]]) -> list[tuple[str, str]]:
    """The methods and algorithms among values by their keys: the setting's name, and the value.

    >>> deciding_among([("methods", "adama"), ("algorithm", "none"), ("seeds", 3)])
    [('method', 'adama')]
    """
    registries = {"method": METHODS, "algorithm": ALGORITHMS}
    found = []
    for key, value in given:
        name = current_name(key)
        if name in registries and str(value) in registries[name]:
            found.append((name, str(value)))
    return found
