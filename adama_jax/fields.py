"""What the declaration of a setting says beside its type and its default. Importable without JAX.

A setting is one annotated field of a frozen dataclass:

    clip: Annotated[float, TRACED, Symbol("eps"), Between(0, 0.5, open_top=True)] = 0.1

All that is known about it follows from this line: what a command line takes for it, what it is
checked for, whether it is an array in the compiled program, what it does to the name of a run.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from operator import attrgetter
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from adama_jax.bounds import Bound


@dataclass(frozen=True)
class Traced:
    """The setting is an array in the compiled program: runs that differ in it share the program."""


TRACED = Traced()


@dataclass(frozen=True)
class Symbol:
    """The paper's symbol of a setting, which the command line takes too."""

    name: str


@dataclass(frozen=True)
class Alias:
    """Other names of a setting: read on a command line, in TOML and in a stored config.json."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Elsewhere:
    """What other programs call the setting: not read, but who writes it is told the name here."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class HashedAs:
    """The name under which the setting is in a run's hash: that of its first version."""

    name: str


@dataclass(frozen=True)
class HashedUnlikeScenario:
    """The setting is in a run's hash only where it is not the scenario's own value."""


@dataclass(frozen=True)
class AnyCase:
    """The setting's words are read in capitals too, as another program writes them."""


@dataclass(frozen=True)
class ReadWith:
    """The setting is read only while another one of its dataclass has this value."""

    name: str
    value: Any


@dataclass(frozen=True)
class ReadUnless:
    """The setting is read only while another one of its dataclass has any value but this."""

    name: str
    value: Any


# Compared and hashed by identity: there is one of each field. A large sweep asks each for the same
# things again and again, so that they are worked out once.
@dataclass(frozen=True, eq=False)
class Declared:
    """A field of a dataclass of settings."""

    name: str
    type: Any  # without `Annotated`
    default: Any  # `dataclasses.MISSING` where there is none
    marks: tuple[Any, ...]  # what stands in `Annotated` beside the type

    @cached_property
    def bounds(self) -> tuple[Bound, ...]:
        """The limits of its value."""
        return tuple(mark for mark in self.marks if isinstance(mark, Bound))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words that its type takes literally."""
        return words_allowed(self.type)

    @cached_property
    def traced(self) -> bool:
        """Whether it is an array in the compiled program."""
        return self.mark(Traced) is not None

    @property
    def symbol(self) -> str | None:
        """The paper's symbol of it."""
        mark = self.mark(Symbol)
        return None if mark is None else mark.name

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its other names."""
        mark = self.mark(Alias)
        return () if mark is None else mark.names

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """What other programs call it."""
        mark = self.mark(Elsewhere)
        return () if mark is None else mark.names

    def mark(self, kind: "type[Mark]") -> "Mark | None":
        """The mark of a kind, if the field has one."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)

    def unread_in(self, options: Any) -> str:
        """Why its value is not read, in words, given the others of its dataclass; "" if it is."""
        needed = self.mark(ReadWith)
        if needed is not None and getattr(options, needed.name) != needed.value:
            return f"it is read with {needed.name}={needed.value} alone"
        excluded = self.mark(ReadUnless)
        if excluded is not None and getattr(options, excluded.name) == excluded.value:
            return f"it is not read with {excluded.name}={excluded.value}"
        return ""


Mark = TypeVar("Mark")
Options = TypeVar("Options")


class Setting(NamedTuple):
    """A field somewhere in nested dataclasses, by its full name: "rates.clip"."""

    name: str
    declared: Declared
    value: Any
    options: Any  # the dataclass that has the field


@cache
def declared(kind: type) -> tuple[Declared, ...]:
    """The fields of a dataclass, in order.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Options:
    ...     clip: Annotated[float, TRACED, Symbol("eps")] = 0.1
    >>> (field,) = declared(Options)
    >>> field.name, field.type, field.default, field.symbol, field.traced
    ('clip', <class 'float'>, 0.1, 'eps', True)
    """
    hints = get_type_hints(kind, include_extras=True)
    result = []
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        annotated = get_origin(hint) is Annotated
        plain, *marks = get_args(hint) if annotated else (hint,)
        result.append(Declared(field.name, plain, field.default, tuple(marks)))
    return tuple(result)


class _Place(NamedTuple):
    """Where a setting is in nested dataclasses."""

    name: str  # in full
    declared: Declared
    value_in: Callable[[Any], Any]
    options_in: Callable[[Any], Any]  # the dataclass that has the field


def settings(values: Any, flat: object = None) -> Iterator[Setting]:
    """Every setting of nested dataclasses, in the order of their fields.

    The types of the values count, not those of the fields: a field may hold a subclass that
    declares more.

    Args:
        values: a dataclass.
        flat: a mark; the fields of a dataclass whose field has it are named without its prefix.
    """
    for name, field, value_in, options_in in _places(_kinds(values), flat):
        yield Setting(name, field, value_in(values), options_in(values))


def values_by_name(values: Any) -> dict[str, Any]:
    """The values of `settings` by their full names."""
    return {
        place.name: place.value_in(values) for place in _places(_kinds(values), None)
    }


def unlike_default(values: Any) -> Iterator[Setting]:
    """Those of the `settings` that are not at their field's default."""
    for name, field, value_in, options_in in _places(_kinds(values), None):
        value = value_in(values)
        if value != field.default:
            yield Setting(name, field, value, options_in(values))


def _kinds(values: Any) -> tuple[Any, ...]:
    """The type of a dataclass, and the same of each that it holds."""
    kind = type(values)
    return (kind, *[_kinds(getattr(values, name)) for name in _groups(kind)])


@cache
def _groups(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that hold dataclasses."""
    fields = declared(kind)
    return tuple(field.name for field in fields if dataclasses.is_dataclass(field.type))


# Once for each combination of types: a sweep asks for the settings of thousands of dataclasses.
@cache
def _places(
    kinds: tuple[Any, ...], flat: object, prefix: str = "", path: str = ""
) -> tuple[_Place, ...]:
    """Where the settings of nested dataclasses of these types are, in order."""
    kind, *of_groups = kinds
    inner = dict(zip(_groups(kind), of_groups, strict=True))
    options_in = attrgetter(path.removesuffix(".")) if path else _itself
    found: list[_Place] = []
    for field in declared(kind):
        here = path + field.name
        if field.name in inner:
            within = _prefix(prefix, field, flat)
            found += _places(inner[field.name], flat, within, f"{here}.")
        else:
            name = prefix + field.name
            found.append(_Place(name, field, attrgetter(here), options_in))
    return tuple(found)


def _itself(values: Any) -> Any:
    return values


def with_values(
    values: Options, changes: Mapping[str, Any], prefix: str = "", flat: object = None
) -> Options:
    """Nested dataclasses with settings changed, by the names that `settings` gives them.

    `with_values(config, {"seeds": 3, "rates.clip": 0.2})` is a configuration with both.
    """
    kind = type(values)
    groups = _groups(kind)
    changed = {}
    for field in declared(kind):
        name = prefix + field.name
        if field.name in groups:
            within = _prefix(prefix, field, flat)
            if any(changing.startswith(within) for changing in changes):
                group = getattr(values, field.name)
                changed[field.name] = with_values(group, changes, within, flat)
        elif name in changes:
            changed[field.name] = changes[name]
    return dataclasses.replace(cast(Any, values), **changed) if changed else values


def _prefix(outer: str, field: Declared, flat: object) -> str:
    is_flat = flat is not None and any(mark is flat for mark in field.marks)
    return outer if is_flat else f"{outer}{field.name}."


def bounded(values: Any) -> Iterator[tuple[str, Declared, Any]]:
    """Name, declaration and value of each setting that has bounds, of nested dataclasses."""
    for place in _places(_kinds(values), None):
        if place.declared.bounds:
            yield place.name, place.declared, place.value_in(values)


def words_allowed(kind: Any) -> tuple[str, ...]:
    """The words that a type takes literally.

    >>> words_allowed(float | Literal["auto"]), words_allowed(int | None)
    (('auto',), ())
    """
    literals = [part for part in alternatives(kind) if get_origin(part) is Literal]
    return tuple(word for part in literals for word in get_args(part))


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The types that a union is made of; of any other type, itself."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def or_none(kind: Any) -> bool:
    """Whether a type takes None."""
    return NoneType in alternatives(kind)


def as_given(value: Any) -> str:
    """A value as a command line has it: several are joined by commas."""
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
