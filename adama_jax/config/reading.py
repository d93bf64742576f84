"""Settings as they are written: in TOML, and as words of a command line. Importable without JAX.

Both are read field by field (`values.read_value`). A setting can be written by its full name
("rates.clip"), by the last part of it where no other setting has the same ("clip"), by the paper's
symbol ("eps"), or by an alias.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.options import Flat
from adama_jax.config.schema import Config
from adama_jax.config.values import read_value
from adama_jax.errors import SettingError
from adama_jax.fields import Declared, settings, with_values

Command = TypeVar("Command")
MOST_VALUES = 10_000  # of a range
HELP = ("-h", "--help")
METHOD_WORD = re.compile(r"(?:--)?methods?(?:=(.*))?")
SETTING_WORD = re.compile(r"(--)?([A-Za-z_][\w.\-]*)(?:=(.*))?", flags=re.DOTALL)


def read_settings(base: Config, values: Mapping[str, object], where: str = "") -> Config:
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
        known = _Known.of(base, _methods_among(values.items()))
        found = {}
        for key, given in values.items():
            name = known.full_name(key, f"{key}={given}")
            found[name] = read_value(name, known.fields[name], given)
        check_own(found, found.get("method", base.method))
        return with_settings(base, found)
    except SettingError as error:
        raise SettingError(f"{where}: {error}" if where else str(error)) from None


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
        known = _Known.of(base, _methods_among(given))
        result = {}
        for key, values in axes.items():
            name = known.full_name(key, f"{key}={','.join(map(str, values))}")
            result[name] = [read_value(name, known.fields[name], value) for value in values]
        return result
    except SettingError as error:
        raise SettingError(f"{where}: {error}" if where else str(error)) from None


def parse(kind: type[Command], default: Command, words: Sequence[str], program: str) -> Command:
    """Read a command line over a default.

    Args:
        kind: the dataclass of the command.
        default: values of the settings that are not given.
        words: `key=value`, `--key value` or `--key=value`.
        program: for `--help`.

    Raises:
        SettingError: an unknown key, or a value that is not allowed, in one line.
        SystemExit: `--help`, with code 0.
    """
    values = read_words(default, words, program)
    config = getattr(default, "config", None)
    if config is not None:
        check_own(values, values.get("method", config.method))
    return with_given(default, values)


def read_words(default: Any, words: Sequence[str], program: str) -> dict[str, Any]:
    """The values that a command line gives, by the full names of their settings.

    Numbers of a rate rule's own are taken if the words name a method that reads them: `check_own`
    says whether the method that is used does.

    Raises:
        SettingError, SystemExit: as `parse`.
    """
    if any(word in HELP for word in words):
        # A method's own numbers are shown to who asks with it.
        for method in _methods_named(words)[:1]:
            default = with_given(default, {"method": method})
        show_help(default, program)
    known = _Known.of(default, _methods_named(words))
    return {
        each.name: read_value(each.name, known.fields[each.name], each.text)
        for each in _given(words, known)
    }


def with_given(default: Command, values: Mapping[str, Any]) -> Command:
    """A command with settings changed, by the names of the command line."""
    if "method" in values:
        # It decides which numbers there are for the others to change.
        default = with_values(default, {"method": values["method"]}, flat=Flat)
    return with_values(default, values, flat=Flat)


def check_own(values: Mapping[str, object], *methods: str) -> None:
    """Check that each number of a rate rule's own is read by one of the methods.

    Raises:
        SettingError: one is not.
    """
    read = _own_settings(methods)
    for name in _own_settings(METHODS):
        if name in values and name not in read:
            named = ",".join(methods)
            raise SettingError(f"{name}={values[name]}: must be left out: {named} does not read it")


def own_values(values: Mapping[str, object], method: str) -> dict[str, object]:
    """Those of the values that are numbers of the method's rate rule's own."""
    return {name: values[name] for name in _own_settings([method]) if name in values}


def _own_settings(methods: Iterable[str]) -> list[str]:
    known = [METHODS[method] for method in methods if method in METHODS]
    return [f"rates.{each.name}" for method in known for each in method.own]


def show_help(default: object, program: str) -> None:
    """Print what may be set, with the defaults.

    Raises:
        SystemExit: always, with code 0.
    """
    import tyro

    tyro.cli(type(default), default=default, args=["--help"], prog=program)


def split_axes(words: Sequence[str], default: Any) -> tuple[list[str], dict[str, list[str]]]:
    """Take the axes of a sweep out of a command line: settings with several values.

    Args:
        words: as for `parse`; several values are `key=a,b,c`, or `key=start:stop:step` with the stop
            included.
        default: the command, with a `config`.

    Returns:
        The other words, and each axis's values as words, by the setting's full name.

    Raises:
        SettingError: a range that is none, a value that appears twice, or an unknown key.

    >>> from adama_jax.cli.options import SweepCommand
    >>> from adama_jax.config.schema import scenario_config
    >>> default = SweepCommand(scenario_config("clustering"))
    >>> split_axes(["l_c=0.001:0.003:0.001", "seeds=2", "methods=adama,fixed"], default)
    (['seeds=2'], {'rates.critic_rate': ['0.001', '0.002', '0.003'], 'method': ['adama', 'fixed']})
    """
    methods = _methods_named(words)
    known = _Known.of(default, methods)
    swept = _Known.of(default.config, methods).fields
    of_one_method = _own_settings(METHODS)
    rest = [word for word in words if word in HELP]
    axes: dict[str, list[str]] = {}
    for name, text, word in _given([word for word in words if word not in HELP], known):
        may_vary = name in swept and not _takes_several(swept[name])
        if may_vary and re.search("[,:]", text):
            axes[name] = _axis(name, text, word)
        elif name in of_one_method:
            # The other methods of the sweep cannot take it: an axis is for those that can.
            axes[name] = [text]
        else:
            rest.append(word)
    return rest, axes


def given_settings(words: Sequence[str], default: Any) -> set[str]:
    """The full names of the settings that a command line gives."""
    known = _Known.of(default, _methods_named(words))
    return {each.name for each in _given([word for word in words if word not in HELP], known)}


class _Given(NamedTuple):
    """A setting that a command line gives."""

    name: str  # in full
    text: str
    word: str  # as it was written, or `--key=value` for two words


class _Known(NamedTuple):
    """What may be written."""

    fields: dict[str, Declared]  # by full name
    names: dict[str, str]  # full names, by every name that is accepted, with underscores

    @classmethod
    def of(cls, options: Any, methods: Iterable[str]) -> "_Known":
        """The settings of a command or a configuration, and those of some methods' own."""
        found = list(settings(options, flat=Flat))
        config = options if isinstance(options, Config) else getattr(options, "config", None)
        if config is not None:
            for method in methods:
                found += settings(with_settings(config, {"method": method}))
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
    unique = {key: names[0] for key, names in last.items() if len(names) == 1}
    return unique | others | {name: name for name in fields}


def _given(words: Sequence[str], known: _Known) -> Iterator[_Given]:
    """The settings of a command line, one after another."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        match = SETTING_WORD.fullmatch(word)
        if match is None or not (match[1] or match[3] is not None):
            raise SettingError(f"argument={word}: must be a setting, key=value or --key value")
        key, text = match[2], match[3]
        negated = key.removeprefix("no-")
        if match[1] and text is None and _is_switch(negated, known):
            name, text = known.names[negated.replace("-", "_")], str(negated == key).lower()
        else:
            name = known.full_name(key, word.removeprefix("--"))
        if text is None:
            text = _following(rest, _takes_several(known.fields[name]))
            word = f"{word}={text}"
        yield _Given(name, text, word)


def _following(rest: list[str], several: bool) -> str:
    """Take the value of a flag from the words after it, all of its values with `several`."""
    values: list[str] = []
    while rest and not rest[0].startswith("--") and (several or not values):
        # A flag without its value is named as such, not with the next setting for its value.
        if re.match(r"[A-Za-z_][\w.\-]*=", rest[0]):
            break
        values.append(rest.pop(0))
    return ",".join(values)


def _is_switch(key: str, known: _Known) -> bool:
    name = known.names.get(key.replace("-", "_"))
    return name is not None and known.fields[name].type is bool


def _takes_several(field: Declared) -> bool:
    return isinstance(field.default, tuple)


def _methods_named(words: Sequence[str]) -> list[str]:
    """The methods that a command line names, before it is known what else it may say."""
    texts: list[str] = []
    for word, after in pairwise([*words, ""]):
        if match := METHOD_WORD.fullmatch(word):
            texts.append(after if match[1] is None else match[1])
    return [name for text in texts for name in text.split(",") if name in METHODS]


def _methods_among(given: Iterable[tuple[str, object]]) -> list[str]:
    """The methods among values by their keys."""
    values = [str(value) for key, value in given if METHOD_WORD.fullmatch(key)]
    return [value for value in values if value in METHODS]


def _axis(name: str, text: str, word: str) -> list[str]:
    """The different values that one word gives."""
    if ":" in text:
        values = _range(word, text)
    else:
        values = [part for part in text.strip("()[]").split(",") if part]
    # Seeds are members of one run, not settings to compare.
    if name in ("seeds", "seed"):
        raise SettingError(f"{word}: must be one number")
    if not values or len(set(values)) < len(values):
        raise SettingError(f"{word}: must be one or more different values")
    return values


def _range(word: str, text: str) -> list[str]:
    """The numbers of start:stop:step.

    In decimal numbers: 0.001:0.010:0.001 has ten, whatever binary fractions make of it.
    """
    try:
        start, stop, step = map(Decimal, text.split(":"))
        count = int((stop - start) / step) + 1
        if not 1 <= count <= MOST_VALUES:
            raise ValueError(count)
    except (ValueError, ArithmeticError):
        raise SettingError(
            f"{word}: must be start:stop:step, at most {MOST_VALUES:,} numbers, the stop included"
        ) from None
    return [str(start + index * step) for index in range(count)]
