"""Words of a command line to a dataclass: `key=value` and short names become tyro's flags, its errors one line."""

import contextlib
import difflib
import io
import itertools
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import tyro

from adama_jax.config.names import SYMBOLS, all_settings, setting
from adama_jax.errors import SettingError

Command = TypeVar("Command")
FLATTENED = ("config", "output", "training", "launch", "exhibits")


def parse(kind: type[Command], default: Command, words: Sequence[str], program: str) -> Command:
    """Read settings over a default.

    Args:
        kind: the dataclass of the command; fields that are dataclasses and named "" by tyro are flattened.
        default: values of the settings that are not given.
        words: `key=value`, `--key value` or `--key=value`; keys as in `--help`, or their last part, or a symbol.
        program: for `--help`.

    Raises:
        SettingError: an unknown key, or a value of the wrong type, in one line.
        SystemExit: `--help`, with code 0.
    """
    names = _names(default)
    lists = {name for name, value in _settings(default) if isinstance(value, tuple)}
    flags = [flag for word in words for flag in _flags(word, names, lists)]
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            return tyro.cli(kind, default=default, args=flags, prog=program)
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise SettingError(_one_line(errors.getvalue(), flags)) from None


def split_axes(words: Sequence[str], default: Any) -> tuple[list[str], dict[str, list[str]]]:
    """Take the axes of a sweep out of a command line: settings with several values.

    Args:
        words: as for `parse`; several values are `key=a,b,c`, or `key=start:stop:step` with the stop included.
        default: the command's dataclass.

    Returns:
        The other words, and each axis's values as words, by the setting's full name.

    Raises:
        SettingError: a range that is none, or a value that appears twice.

    >>> from adama_jax.cli.options import SweepCommand
    >>> from adama_jax.config.schema import scenario_config
    >>> default = SweepCommand(scenario_config("clustering"))
    >>> split_axes(["l_c=0.001:0.003:0.001", "seeds=2", "methods=adama,fixed"], default)
    (['seeds=2'], {'rates.critic_rate': ['0.001', '0.002', '0.003'], 'method': ['adama', 'fixed']})
    """
    names, values = _names(default), dict(_settings(default))
    swept = {name for name, _ in all_settings(default.config)}
    rest: list[str] = []
    axes: dict[str, list[str]] = {}
    for word in _joined(words):
        key, given, text = word.lstrip("-").partition("=")
        name = names.get(key.replace("-", "_"), "")
        if (
            not given
            or name not in swept
            or isinstance(values[name], tuple)
            or not re.search("[,:]", text)
        ):
            rest.append(word)
            continue
        axes[name] = (
            _range(word, text)
            if ":" in text
            else [part for part in text.strip("()[]").split(",") if part]
        )
        if not axes[name] or len(set(axes[name])) < len(axes[name]) or name in ("seeds", "seed"):
            allowed = "one number" if name in ("seeds", "seed") else "one or more different values"
            raise SettingError(f"{word}: must be {allowed}")
    return rest, axes


def read_axes(
    axes: Mapping[str, Sequence[Any]], default: Any, program: str
) -> dict[str, list[Any]]:
    """Each axis's words as values, read one by one as `parse` reads them, by the setting's full name.

    Args:
        axes: words (or numbers) by a setting's name, short or full.
        default: a command's dataclass with a `config`.
        program: for `parse`.

    Raises:
        SettingError: as `parse`.

    >>> from adama_jax.cli.options import TrainCommand
    >>> from adama_jax.config.schema import scenario_config
    >>> read_axes({"l_c": ["0.001", 1]}, TrainCommand(scenario_config("clustering")), "adama")
    {'rates.critic_rate': [0.001, 1.0]}
    """
    names = _names(default)
    parsed = {
        key: [parse(type(default), default, [f"{key}={word}"], program) for word in axes[key]]
        for key in axes
    }
    full = {key: names.get(key, key) for key in axes}
    return {
        full[key]: [setting(each.config, full[key]) for each in commands]
        for key, commands in parsed.items()
    }


def given_settings(words: Sequence[str], default: Any) -> set[str]:
    """The full names of the settings that a command line gives."""
    names = _names(default)
    keys = (word.lstrip("-").partition("=")[0].replace("-", "_") for word in _joined(words))
    return {names[key] for key in keys if key in names}


def _joined(words: Sequence[str]) -> list[str]:
    """`--key value` as one word, `--key=value`."""
    result: list[str] = []
    for word in words:
        follows = result and result[-1].startswith("--") and "=" not in result[-1]
        if follows and not word.startswith("--") and not re.match(r"[A-Za-z_][\w.\-]*=", word):
            result[-1] += "=" + word
        else:
            result.append(word)
    return result


def _range(word: str, text: str) -> list[str]:
    try:
        start, stop, step = map(Decimal, text.split(":"))
        count = int((stop - start) / step) + 1
        if not 1 <= count <= 10_000:
            raise ValueError
    except (ValueError, ArithmeticError):
        raise SettingError(
            f"{word}: must be start:stop:step, at most 10,000 numbers, the stop included"
        ) from None
    return [str(start + place * step) for place in range(count)]


def _names(default: Any) -> dict[str, str]:
    """Every accepted key, with underscores, and the full name of its setting."""
    full = dict(_settings(default))
    last: dict[str, list[str]] = {}
    for name in full:
        last.setdefault(name.rpartition(".")[2], []).append(name)
    unique = {key: names[0] for key, names in last.items() if len(names) == 1}
    symbols = {
        symbol: name for symbol, name in (SYMBOLS | {"methods": "method"}).items() if name in full
    }
    return unique | symbols | {name: name for name in full}


def _settings(command: Any) -> Iterator[tuple[str, Any]]:
    """A command's settings; its parts named `FLATTENED` have no prefix on the command line."""
    for name, value in all_settings(command):
        while name.partition(".")[0] in FLATTENED and "." in name:
            name = name.partition(".")[2]
        yield name, value


def _flags(word: str, names: Mapping[str, str], lists: Container[str]) -> list[str]:
    """One word as tyro's flags; the value of a setting in `lists` becomes several.

    A word that is neither `key=value` nor a flag is a flag's value, and stays.
    """
    if word in ("-h", "--help"):
        return ["--help"]
    match = re.fullmatch(r"(--)?(no-)?([A-Za-z_][\w.\-]*?)(=(.*))?", word, flags=re.DOTALL)
    if match is None or not (match[1] or match[4]):
        return [word]
    key = match[3].replace("-", "_")
    if key not in names:
        close = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]}?" if close else "; see --help"
        raise SettingError(f"{match[3]}{match[4] or ''}: must be the name of a setting{hint}")
    flag = "--" + names[key]
    if match[4] is None:
        return ["--no-" + names[key] if match[2] else flag]
    if key == "force" and match[5].lower() in ("true", "false"):
        return [flag if match[5].lower() == "true" else "--no-" + names[key]]
    parts = re.split(r"[,\s]+", match[5].strip("()[] ")) if names[key] in lists else [match[5]]
    return [flag, *filter(None, parts)]


def _one_line(text: str, flags: Sequence[str]) -> str:
    """Tyro's boxed message without its box: the setting, what was given, and what kind of value is expected."""
    lines = [line.strip(" │|") for line in text.splitlines()]
    body = [
        line
        for line in lines
        if re.search(r"\w", line.replace("_", "")) and not re.match(r"[╭_+]", line)
    ]
    ends = ("Argument helptext", "For full", "Got errors")
    message = " ".join(itertools.takewhile(lambda line: not line.startswith(ends), body))
    flag = re.search(r"--([A-Za-z][\w.\-]*)", message)
    if flag is None:
        return f"{message} (in: {' '.join(flags)})"
    name = flag[1].replace("-", "_")
    kinds = (re.match(rf"--{re.escape(flag[1])} (\S.*)", line) for line in body)
    expected = next((kind[1] for kind in kinds if kind), None)
    if expected is None and (choices := re.search(r"Expected one of \((.*?)\)", message)):
        expected = "one of " + choices[1]
    return f"{name}={_value_of(name, flags)}: must be {expected or message}"


def _value_of(name: str, flags: Sequence[str]) -> str:
    """What was given for a setting."""
    start = next(
        (
            i
            for i, flag in enumerate(flags)
            if flag.replace("-", "_") == "__" + name.replace("-", "_")
        ),
        None,
    )
    if start is None:
        return ""
    values = []
    for word in flags[start + 1 :]:
        if word.startswith("--"):
            break
        values.append(word)
    return ",".join(values)
