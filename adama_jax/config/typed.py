"""Errors in the words that somebody typed: names, and numbers as they stood. Without JAX.

An error names a setting in full, with its value as it was read: `rates.smoothing=2.0`. Who typed
`alpha=2` looks for that.
"""

import os
import re
from collections.abc import Sequence
from itertools import takewhile

from adama_jax.config.command_line import SETTING_WORD
from adama_jax.config.names import is_name_of
from adama_jax.config.values import YES_OR_NO

# A setting with its value: at the start of an error, and within one.
FIRST = re.compile(r"(?P<name>[\w.]+)=(?P<value>.*?)(?=: must be|: did you mean|$)")
WITHIN = re.compile(r"(?<![\w./-])(?P<name>[A-Za-z_][\w.]*)=(?P<value>[^\s:;,()]+)")
# Folders that commands write to or read from, unless told otherwise.
FOLDERS = ("out", "results", "experiments")

Typed = list[tuple[str, str]]  # the names and the texts of the settings that were typed


def as_typed(message: str, words: Sequence[str]) -> str:
    """An error's line with the settings as the words of the command line have them.

    >>> as_typed("rates.smoothing=2.0: must be below 1", ["clustering", "alpha=2"])
    'alpha=2: must be below 1'
    >>> as_typed("out=results: must be writable", ["clustering"])
    'out=results (the default; another is given by out=...): must be writable'
    """
    typed = _typed(words)
    first = FIRST.match(message)
    if first is None:
        return message
    rest = WITHIN.sub(lambda found: _within(found, typed), message[first.end() :])
    return f"{_first(first, typed, words)}{rest}"


def _typed(words: Sequence[str]) -> Typed:
    found = []
    for index, word in enumerate(words):
        match = SETTING_WORD.fullmatch(word)
        if match is None:
            continue
        text = match["text"]
        if text is None:
            # A flag has its values in the words after it.
            after = words[index + 1 :]
            text = ",".join(takewhile(lambda each: not each.startswith("--"), after))
        found.append((match["flag"] or match["key"], text))
    return found


def _first(found: re.Match[str], typed: Typed, words: Sequence[str]) -> str:
    """The setting that an error is about: it may have one of several values that were typed."""
    name = found["name"]
    value = found["value"]
    for key, text in _of(name, typed):
        pieces = [text, *text.strip("()[]").split(",")]
        same = [piece for piece in pieces if _same(piece, value)]
        return f"{key}={same[0] if same else value}"
    if name in FOLDERS and value not in words:
        return f"{found[0]} (the default; another is given by {name}=...)"
    return found[0]


def _within(found: re.Match[str], typed: Typed) -> str:
    """Another setting that an error names: as it was typed, if it was."""
    for key, text in _of(found["name"], typed):
        if _same(text, found["value"]):
            return f"{key}={text}"
    return found[0]


def _of(name: str, typed: Typed) -> Typed:
    """What was typed of a setting, first what was typed under just this name."""
    same = [pair for pair in typed if pair[0] == name]
    return same + [pair for pair in typed if is_name_of(pair[0], name)]


def _same(typed: str, shown: str) -> bool:
    """Whether a text stands for a value that is shown.

    >>> _same("1e3", "1000"), _same("yes", "True"), _same("(32, 16)", "32,16"), _same("2", "3")
    (True, True, True, False)
    """
    if typed == shown or os.path.expanduser(typed) == shown:
        return True
    if typed.lower() in YES_OR_NO and shown == str(YES_OR_NO[typed.lower()]):
        return True
    items = typed.strip("()[] ").replace(",", " ").split()
    if len(items) > 1:
        parts = shown.split(",")
        return len(parts) == len(items) and all(map(_same, items, parts))
    try:
        return float(typed) == float(shown)
    except ValueError:
        return typed.lower() == shown.lower()
