"""The words of a command line as settings. Importable without JAX.

tyro only draws `--help`: a value is read by the field of its setting, as everywhere else.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from adama_jax.algorithms.settings import ALGORITHMS
from adama_jax.config.flags import HELP
from adama_jax.config.methods import METHODS
from adama_jax.config.names import DECIDING
from adama_jax.config.options import Flat
from adama_jax.config.reading import (
    DECIDING_WORD,
    Known,
    deciding_among,
    given_twice,
)
from adama_jax.config.reads import (
    check_options_read,
    check_read,
    own_numbers,
    own_settings,
)
from adama_jax.config.values import read_value
from adama_jax.errors import SettingError
from adama_jax.fields import Declared, alternatives, settings, with_values

Command = TypeVar("Command")
MOST_VALUES = 10_000  # of a range
# Seeds are members of one run, not settings to compare.
ONE_NUMBER = ("seeds", "seed")
# A flag may have its value in the next word; without the dashes it must be in the same one.
NAME = r"[A-Za-z_][\w.\-]*"
SETTING_WORD = re.compile(
    rf"(?:--(?P<flag>{NAME}?)|(?P<key>{NAME}?)(?==))(?:=(?P<text>.*))?", flags=re.DOTALL
)


def parse(
    kind: type[Command], default: Command, words: Sequence[str], program: str
) -> Command:
    """Read a command line over a default.

    Args:
        kind: the dataclass of the command.
        default: values of the settings that are not given.
        words: `key=value`, `--key value` or `--key=value`.
        program: for `--help`.

    Raises:
        SettingError: an unknown key, one that is given twice, a value that is not allowed, or a
            setting that is not read beside the others, in one line.
        SystemExit: `--help`, with code 0.
    """
    values = read_words(default, words, program)
    command = with_given(default, values)
    config = getattr(command, "config", None)
    if config is not None:
        check_read(values, [config])
    return command


def read_words(default: Any, words: Sequence[str], program: str) -> dict[str, Any]:
    """The values that a command line gives, by the full names of their settings.

    Numbers of a rate rule's own are taken if the words name a method that reads them, and so are
    settings of an algorithm's own. Whether all settings are read by what is trained in the end is
    for `check_read` to say.

    Raises:
        SettingError, SystemExit: as `parse`.
    """
    if any(word in HELP for word in words):
        # What is a method's or an algorithm's own is shown to who asks with it: with the first.
        first = dict(reversed(_deciding(words)))
        show_help(with_given(default, first), program)
    known = Known.of(default, _deciding(words))
    config = getattr(default, "config", None)
    of_a_run = {each.name for each in settings(config)} if config is not None else ()
    values = {}
    for each in _given(words, known):
        field = known.fields[each.name]
        try:
            values[each.name] = read_value(each.key, field, each.text)
        except SettingError:
            if each.name in of_a_run:
                _check_one_value(each, field)
            raise
    check_options_read(values, with_given(default, values))
    return values


def with_given(default: Command, values: Mapping[str, Any]) -> Command:
    """A command with settings changed, by the names of the command line."""
    # They decide which others there are to be changed.
    deciding = {name: values[name] for name in DECIDING if name in values}
    default = with_values(default, deciding, flat=Flat)
    return with_values(default, values, flat=Flat)


def split_axes(
    words: Sequence[str], default: Any
) -> tuple[list[str], dict[str, list[str]]]:
    """Take the axes of a sweep out of a command line: settings with several values.

    Args:
        words: as for `parse`; several values are `key=a,b,c`, or `key=start:stop:step` with the
            stop included.
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
    deciding = _deciding(words)
    known = Known.of(default, deciding)
    swept = Known.of(default.config, deciding).fields
    of_some = {*own_numbers(METHODS), *own_settings(ALGORITHMS)}
    rest = [word for word in words if word in HELP]
    axes: dict[str, list[str]] = {}
    settings_only = [word for word in words if word not in HELP]
    for name, _, text, word in _given(settings_only, known):
        may_vary = name in swept and not _takes_several(swept[name])
        # A colon is a range's of numbers, and an import path's of words.
        several = "[,:]" if may_vary and _is_number(swept[name]) else ","
        if may_vary and re.search(several, text):
            axes[name] = _axis(
                name, text, word, is_range=several != "," and ":" in text
            )
        elif name in of_some:
            # Others of the sweep cannot take it: an axis is for those that can.
            axes[name] = [text]
        else:
            rest.append(word)
    return rest, axes


class _Given(NamedTuple):
    """A setting that a command line gives."""

    name: str  # in full
    key: str  # its name as it was written
    text: str
    word: str  # as it was written, or `--key=value` for two words


def _check_one_value(given: _Given, field: Declared) -> None:
    """Check that a setting of one run was not given several values.

    Raises:
        SettingError: it was; the message names the command that takes several.
    """
    if given.name == "method" and "," in given.text:
        raise SettingError(
            f"{given.word}: must be one method; several are for `adama experiment` and "
            "`adama sweep`"
        )
    texts = [text for text in re.split("[,:]", given.text) if text]
    if len(texts) < 2 or _takes_several(field) or given.name in ONE_NUMBER:
        return
    try:
        for text in texts:
            read_value(given.key, field, text)
    except SettingError:
        # No list of what is allowed, but a word that has a comma in it.
        return
    raise SettingError(
        f"{given.word}: must be one value; several are for `adama sweep`"
    )


def show_help(default: object, program: str) -> None:
    """Print what may be set, with the defaults.

    Raises:
        SystemExit: always, with code 0.
    """
    import tyro

    tyro.cli(type(default), default=default, args=["--help"], prog=program)


def _given(words: Sequence[str], known: Known) -> Iterator[_Given]:
    """The settings of a command line, one after another, each of them once."""
    found: dict[str, str] = {}
    for each in _words_given(words, known):
        if each.name in found:
            raise given_twice(found[each.name], each.word)
        found[each.name] = each.word
        yield each


def _words_given(words: Sequence[str], known: Known) -> Iterator[_Given]:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        match = SETTING_WORD.fullmatch(word)
        if match is None:
            raise SettingError(
                f"argument={word}: must be a setting, key=value or --key value"
            )
        key = _key(match)
        text = match["text"]
        switch = key.removeprefix("no-")
        if text is None and _is_switch(switch, known):
            name = known.full_name(switch, switch)
            yield _Given(name, key, "true" if switch == key else "false", word)
            continue
        name = known.full_name(key, word.removeprefix("--"))
        if text is None:
            text = _following(rest, _takes_several(known.fields[name]))
            word = f"{word}={text}"
        yield _Given(name, key, text, word)


def _key(match: re.Match[str]) -> str:
    return match["flag"] or match["key"]


def _following(rest: list[str], several: bool) -> str:
    """Take the value of a flag from the words after it, all of its values with `several`."""
    values: list[str] = []
    while rest and not rest[0].startswith("--") and (several or not values):
        # A flag without its value is named as such, not with the next setting for its value.
        if re.match(f"{NAME}=", rest[0]):
            break
        values.append(rest.pop(0))
    return ",".join(values)


def _is_switch(key: str, known: Known) -> bool:
    name = known.names.get(key.replace("-", "_"))
    return name is not None and known.fields[name].type is bool


def _is_number(field: Declared) -> bool:
    return bool({int, float} & set(alternatives(field.type)))


def _takes_several(field: Declared) -> bool:
    return isinstance(field.default, tuple)


def _deciding(words: Sequence[str]) -> list[tuple[str, str]]:
    """The methods and algorithms that a command line names, before the rest of it is read."""
    given: list[tuple[str, str]] = []
    for word, after in pairwise([*words, ""]):
        if match := DECIDING_WORD.fullmatch(word):
            text = after if match[2] is None else match[2]
            given += [(match[1], name) for name in text.split(",")]
    return deciding_among(given)


def _axis(name: str, text: str, word: str, is_range: bool) -> list[str]:
    """The different values that one word gives."""
    if is_range:
        values = _range(word, text)
    else:
        values = [part for part in text.strip("()[]").split(",") if part]
    if name in ONE_NUMBER:
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
