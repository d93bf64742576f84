"""One value of a setting, read by the type and the bounds of its field. Importable without JAX."""

from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from adama_jax.errors import SettingError
from adama_jax.fields import Declared, alternatives, as_given, check_value

IN_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a word",
    Path: "a path",
    NoneType: "None",
}


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
    try:
        value = _converted(field.type, given)
    except ValueError:
        allowed = type_in_words(field.type)
        raise SettingError(f"{name}={as_given(given)}: must be {allowed}") from None
    check_value(name, field, value)
    return value


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
        return _if(given in (None, "None"), None)
    if isinstance(given, str):
        return _word_as(kind, given)
    if kind is Path:
        return _if(isinstance(given, Path), given)
    if kind is float:
        # True is a number to Python, and 40 is as good as 40.0.
        return float(
            _if(isinstance(given, int | float) and not isinstance(given, bool), given)
        )
    if kind is int:
        return _if(isinstance(given, int) and not isinstance(given, bool), given)
    return _if(isinstance(given, kind), given)


def _word_as(kind: Any, word: str) -> Any:
    if kind is bool:
        return _if(word.lower() in ("true", "false"), word.lower() == "true")
    return kind(word)


def _items(given: object) -> list[Any]:
    """The items of several values: a list, or a word such as "64,64", "(64, 64)" or "64 64"."""
    if isinstance(given, str):
        return given.strip("()[] ").replace(",", " ").split()
    return list(_if(isinstance(given, list | tuple), given))


def _if(condition: bool, value: Any) -> Any:
    if not condition:
        raise ValueError(value)
    return value
