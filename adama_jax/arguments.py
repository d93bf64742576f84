"""Words of a command line to a dataclass: `key=value` and short names become tyro's flags, its errors one line."""

import contextlib
import dataclasses
import difflib
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import tyro

from adama_jax.config import ConfigError

Command = TypeVar("Command")

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


def parse(kind: type[Command], default: Command, words: Sequence[str], program: str) -> Command:
    """Read settings over a default.

    Args:
        kind: the dataclass of the command; fields that are dataclasses and named "" by tyro are flattened.
        default: values of the settings that are not given.
        words: `key=value`, `--key value` or `--key=value`; keys as in `--help`, or their last part, or a symbol.
        program: for `--help`.

    Raises:
        ConfigError: an unknown key, or a value of the wrong type, in one line.
        SystemExit: `--help`, with code 0.
    """
    names = _names(default)
    flags = [flag for word in words for flag in _flags(word, names)]
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            return tyro.cli(kind, default=default, args=flags, prog=program)
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise ConfigError(_one_line(errors.getvalue(), flags)) from None


def _names(default: Any) -> dict[str, str]:
    """Every accepted key, with underscores, and the full name of its setting."""
    full = dict(_settings(default))
    last: dict[str, list[str]] = {}
    for name in full:
        last.setdefault(name.rpartition(".")[2], []).append(name)
    unique = {key: names[0] for key, names in last.items() if len(names) == 1}
    symbols = {symbol: name for symbol, name in SYMBOLS.items() if name in full}
    return unique | symbols | {name: name for name in full}


def _settings(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        flattened = not prefix and field.name in ("config", "output")
        if dataclasses.is_dataclass(item):
            yield from _settings(item, prefix if flattened else f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", item


def _flags(word: str, names: dict[str, str]) -> list[str]:
    """One word as tyro's flags. A word that is neither `key=value` nor a flag is a flag's value, and stays."""
    if word in ("-h", "--help"):
        return ["--help"]
    match = re.fullmatch(r"(--)?(no-)?([A-Za-z_][\w.\-]*?)(=(.*))?", word, flags=re.DOTALL)
    if match is None or not (match[1] or match[4]):
        return [word]
    key = match[3].replace("-", "_")
    if key not in names:
        close = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]}?" if close else "; see --help"
        raise ConfigError(f"{match[3]}{match[4] or ''}: must be the name of a setting{hint}")
    flag = "--" + names[key]
    if match[4] is None:
        return ["--no-" + names[key] if match[2] else flag]
    if key == "force" and match[5].lower() in ("true", "false"):
        return [flag if match[5].lower() == "true" else "--no-" + names[key]]
    return [flag, *(part for part in re.split(r"[,\s]+", match[5].strip("()[] ")) if part)]


def _one_line(text: str, flags: Sequence[str]) -> str:
    """Tyro's boxed message without its box: the setting, what was given, and what kind of value is expected."""
    lines = [line.strip(" │|") for line in text.splitlines()]
    body = [line for line in lines if re.search(r"\w", line.replace("_", "")) and not re.match(r"[╭_+]", line)]
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
    start = next((i for i, flag in enumerate(flags) if flag.replace("-", "_") == "__" + name.replace("-", "_")), None)
    if start is None:
        return ""
    values = []
    for word in flags[start + 1 :]:
        if word.startswith("--"):
            break
        values.append(word)
    return ",".join(values)
