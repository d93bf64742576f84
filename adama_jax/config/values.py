"""One value of a setting, read by the type and the bounds of its field. Importable without JAX."""

import contextlib
import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from adama_jax.bounds import OneOf
from adama_jax.config.limits import check_value, refused
from adama_jax.errors import SettingError
from adama_jax.fields import AnyCase, Declared, alternatives, as_given

IN_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a word",
    Path: "a path, neither empty nor too long for this system",
    NoneType: "None",
}
YES_OR_NO = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
# Bytes of a path that are left for what is made below a folder that somebody names.
ROOM_BELOW = 300
# Bytes of a name that are left for `.partial` and the like.
ROOM_FOR_SUFFIX = 32
# 10^30 and more is no number of anything; its digits would be made one by one.
MOST_DIGITS = 30


def read_value(name: str, field: Declared, given: object) -> Any:
    """A value as its field wants it.

    Args:
        name: the setting's full name, for errors.
        field: its declaration.
        given: a word of a command line, or a value of TOML (a number, a word, true, a list).

    Raises:
        SettingError: one line with the name, what was given and what is allowed.

    >>> from typing import Literal
    >>> from adama_jax.bounds import Above
    >>> scale = Declared("m", float | Literal["auto"], 50.0, (Above(0),))
    >>> read_value("m", scale, "40"), read_value("m", scale, 40), read_value("m", scale, "auto")
    (40.0, 40.0, 'auto')
    >>> read_value("m", scale, "large")
    Traceback (most recent call last):
    adama_jax.errors.SettingError: m=large: must be a number, or 'auto'
    """
    word = given
    if field.mark(AnyCase) and isinstance(given, str):
        word = given.lower()
    try:
        value = _converted(field.type, word)
    except ValueError:
        raise SettingError(
            f"{name}={as_given(given)}: {_refused_type(field, given)}"
        ) from None
    check_value(name, field, value, given)
    return value


def stored_value(name: str, field: Declared, stored: object) -> Any:
    """A value of a stored configuration: of the field's type, within its bounds or not.

    Args:
        name: the setting's full name, for errors.
        field: its declaration.
        stored: as JSON gives it back, with a list where the setting is a tuple.

    Raises:
        SettingError: it is of another type.

    >>> stored_value("hidden", Declared("hidden", tuple[int, ...], (64,), ()), [32, 32])
    (32, 32)
    >>> stored_value("seeds", Declared("seeds", int, 5, ()), "5")
    Traceback (most recent call last):
    adama_jax.errors.SettingError: seeds=5: must be a whole number
    """
    value = tuple(stored) if isinstance(stored, list) else stored
    try:
        # A word that stands for a number is read on a command line, and is no number here.
        same = _converted(field.type, value) == value
    except (ValueError, OverflowError):
        same = False
    if not same:
        allowed = type_in_words(field.type)
        raise SettingError(f"{name}={as_given(stored)}: must be {allowed}")
    return value


def _refused_type(field: Declared, given: object) -> str:
    """Why a field's type does not take what was given, in words."""
    for bound in field.bounds:
        # Of a name all that are known say more than that it is a word.
        if isinstance(bound, OneOf):
            return refused(field, bound, as_given(given))
    return f"must be {type_in_words(field.type)}"


def type_in_words(kind: Any) -> str:
    """What a type takes.

    >>> type_in_words(int | None), type_in_words(tuple[int, ...])
    ('a whole number, or None', 'whole numbers, separated by commas')
    >>> type_in_words(Literal["hard", "soft"])
    "one of 'hard', 'soft'"
    """
    parts = alternatives(kind)
    if len(parts) > 1:
        return ", or ".join(map(type_in_words, parts))
    if get_origin(kind) is Literal:
        words = ", ".join(map(repr, get_args(kind)))
        return words if len(get_args(kind)) == 1 else f"one of {words}"
    if get_origin(kind) is tuple:
        return f"{type_in_words(get_args(kind)[0]).removeprefix('a ')}s, separated by commas"
    return IN_WORDS[kind]


def _converted(kind: Any, given: object) -> Any:
    """The first alternative of a union that takes what is given."""
    # None goes first: the word is a path or a text as well.
    parts = sorted(alternatives(kind), key=lambda part: part is not NoneType)
    for part in parts:
        try:
            return _as(part, given)
        except ValueError:
            continue
    raise ValueError(given)


def _as(kind: Any, given: object) -> Any:
    """What is given as one type that is no union.

    Raises:
        ValueError: it is not of this type.
    """
    if get_origin(kind) is tuple:
        return tuple(_converted(get_args(kind)[0], item) for item in _items(given))
    if get_origin(kind) is Literal:
        return _if(given in get_args(kind), given)
    if kind is NoneType:
        is_none = isinstance(given, str) and given.lower() == "none"
        return _if(given is None or is_none, None)
    if isinstance(given, str):
        return _word_as(kind, given)
    if kind is Path:
        return _if(isinstance(given, Path), given)
    if kind is float:
        # True is a number to Python, and 40 is as good as 40.0.
        return float(
            _if(isinstance(given, int | float) and not isinstance(given, bool), given)
        )
    if kind is int and isinstance(given, float):
        # 1e3 is a float to TOML.
        return int(_if(given.is_integer(), given))
    if kind is int:
        return _if(isinstance(given, int) and not isinstance(given, bool), given)
    return _if(isinstance(given, kind), given)


def _word_as(kind: Any, word: str) -> Any:
    if kind is bool:
        return _if(word.lower() in YES_OR_NO, YES_OR_NO.get(word.lower()))
    if kind is int:
        return _whole_number(word)
    if kind is Path:
        return read_path(word)
    # An empty word is what is left where a value was forgotten.
    return kind(_if(word != "", word))


def _whole_number(word: str) -> int:
    """A number such as 1000, 1_000 or 1e3."""
    with contextlib.suppress(ValueError):
        return int(word)
    try:
        number = Decimal(word)
    except InvalidOperation:
        raise ValueError(word) from None
    small = number.is_finite() and number.adjusted() < MOST_DIGITS
    return int(_if(small and number == number.to_integral_value(), number))


def read_path(word: str) -> Path:
    """A path, with `~` for a home folder.

    Raises:
        ValueError: no system has such a path: it is empty or too long, or names nobody's home.
    """
    path = Path(os.path.expanduser(_if(word != "" and "\0" not in word, word)))
    # Nobody has that home; a folder of such a name is `./~name`.
    _if(not (word.startswith("~") and path == Path(word)), word)
    longest = (
        max(len(os.fsencode(part)) for part in (*path.parts, "")) + ROOM_FOR_SUFFIX
    )
    in_all = len(os.fsencode(path.absolute())) + ROOM_BELOW
    name_is_short = longest <= os.pathconf("/", "PC_NAME_MAX")
    return _if(name_is_short and in_all <= os.pathconf("/", "PC_PATH_MAX"), path)


def _items(given: object) -> list[Any]:
    """The items of several values: a list, or a word such as "64,64", "(64, 64)" or "64 64"."""
    if isinstance(given, str):
        return given.strip("()[] ").replace(",", " ").split()
    return list(_if(isinstance(given, list | tuple), given))


def _if(condition: bool, value: Any) -> Any:
    if not condition:
        raise ValueError(value)
    return value
