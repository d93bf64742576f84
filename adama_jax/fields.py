"""What the declaration of a setting says beside its type and its default. Importable without JAX.

A setting is one annotated field of a frozen dataclass:

    clip: Annotated[float, Traced(), Symbol("eps"), Between(0, 0.5, open_top=True)] = 0.1

All that is known about it follows from this line: what a command line takes for it, what it is checked for, whether
it is an array in the compiled program, and what it does to the name of a run.
"""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from adama_jax.errors import SettingError

INFINITY = float("inf")


@dataclass(frozen=True)
class Traced:
    """The setting is an array in the compiled program: runs that differ in it share the program."""


@dataclass(frozen=True)
class Symbol:
    """The paper's symbol of a setting, which the command line takes too."""

    name: str


@dataclass(frozen=True)
class Alias:
    """Other names of a setting, which are read like its own: on a command line, in TOML, in a stored config.json."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class HashedAs:
    """The name under which the setting is in a run's hash: that of its first version."""

    name: str


@dataclass(frozen=True)
class HashedUnlikeScenario:
    """The setting is in a run's hash only where it is not the scenario's own value."""


@dataclass(frozen=True)
class AtLeast:
    """A number from `low` on; with `finite`, not an infinite one."""

    low: float
    finite: bool = False

    def allows(self, value: Any) -> bool:
        """Whether a value is within the bound."""
        return value >= self.low and not (self.finite and value == INFINITY)

    @property
    def words(self) -> str:
        """What is allowed."""
        return f"at least {self.low}" + (" and finite" if self.finite else "")


@dataclass(frozen=True)
class Above:
    """A finite number above `low`."""

    low: float

    def allows(self, value: Any) -> bool:
        """Whether a value is within the bound."""
        return self.low < value < INFINITY

    @property
    def words(self) -> str:
        """What is allowed."""
        return f"above {self.low} and finite"


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`; an open end is not allowed itself."""

    low: float
    high: float
    open_bottom: bool = False
    open_top: bool = False

    def allows(self, value: Any) -> bool:
        """Whether a value is within the bound."""
        above = value > self.low if self.open_bottom else value >= self.low
        below = value < self.high if self.open_top else value <= self.high
        return above and below

    @property
    def words(self) -> str:
        """What is allowed."""
        bottom = "above" if self.open_bottom else "at least"
        top = "below" if self.open_top else "at most"
        return f"{bottom} {self.low} and {top} {self.high}"


@dataclass(frozen=True)
class Seed:
    """A seed of JAX's random numbers."""

    def allows(self, value: Any) -> bool:
        """Whether a value is within the bound."""
        return 0 <= value < 2**31

    @property
    def words(self) -> str:
        """What is allowed."""
        return "from 0 to 2^31 - 1"


# Compared and hashed by identity: a registry is a dictionary, which has no hash.
@dataclass(frozen=True, eq=False)
class OneOf:
    """A name in a registry, as it is when the value is checked."""

    choices: Collection[str]

    def allows(self, value: Any) -> bool:
        """Whether a value is one of the names."""
        return value in self.choices

    @property
    def words(self) -> str:
        """What is allowed."""
        return f"one of {', '.join(self.choices)}"


@dataclass(frozen=True, eq=False)
class Each:
    """One or more values (with `or_none`, or no value), each within a bound."""

    bound: "AtLeast | OneOf"
    or_none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether all of the values are within the bound."""
        return (self.or_none or bool(value)) and all(map(self.bound.allows, value))

    @property
    def words(self) -> str:
        """What is allowed."""
        return f"one or more, each {self.bound.words}"


Bound = AtLeast | Above | Between | Seed | OneOf | Each


class Declared(NamedTuple):
    """A field of a dataclass of settings."""

    name: str
    type: Any  # without `Annotated`
    default: Any  # `dataclasses.MISSING` where there is none
    marks: tuple[Any, ...]  # what stands in `Annotated` beside the type

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """The limits of its value."""
        return tuple(mark for mark in self.marks if isinstance(mark, Bound))

    @property
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

    def mark(self, kind: "type[Mark]") -> "Mark | None":
        """The mark of a kind, if the field has one."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)


Mark = TypeVar("Mark")


class Setting(NamedTuple):
    """A field somewhere in nested dataclasses, by its full name: "rates.clip"."""

    name: str
    declared: Declared
    value: Any


@cache
def declared(kind: type) -> tuple[Declared, ...]:
    """The fields of a dataclass, in order.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Options:
    ...     clip: Annotated[float, Traced(), Symbol("eps")] = 0.1
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


def settings(values: Any, prefix: str = "") -> Iterator[Setting]:
    """Every setting of nested dataclasses, in the order of their fields.

    The types of the values count, not those of the fields: a field may hold a subclass that declares more.
    """
    for field in declared(type(values)):
        value = getattr(values, field.name)
        name = prefix + field.name
        if dataclasses.is_dataclass(value):
            yield from settings(value, f"{name}.")
        else:
            yield Setting(name, field, value)


def check_bounds(values: Any) -> None:
    """Check every setting of nested dataclasses against the bounds that its field declares.

    Raises:
        SettingError: one line with the setting's full name, its value and what is allowed.
    """
    for name, field, value in settings(values):
        check_value(name, field, value)


def check_value(name: str, field: Declared, value: Any) -> None:
    """Check one value against the bounds that its field declares.

    Raises:
        SettingError: one line with `name`, the value and what is allowed.

    >>> from typing import Literal
    >>> auto = Declared("m", float | Literal["auto"], 50.0, (Above(0),))
    >>> check_value("m", auto, "auto")
    >>> check_value("m", auto, -1.0)
    Traceback (most recent call last):
    adama_jax.errors.SettingError: m=-1.0: must be above 0 and finite, or 'auto'
    """
    words = words_allowed(field.type)
    if value is None or (isinstance(value, str) and value in words):
        return
    for bound in field.bounds:
        if not bound.allows(value):
            others = [*map(repr, words), *(["None"] if or_none(field.type) else [])]
            allowed = ", or ".join([bound.words, *others])
            raise SettingError(f"{name}={as_given(value)}: must be {allowed}")


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


@cache
def help_of(kind: type) -> dict[str, str]:
    """What the docstrings below a dataclass's fields say, on one line each, by the field's name."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        body = definition.body if isinstance(definition, ast.ClassDef) else []
        for field, text in pairwise(body):
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                found[field.target.id] = " ".join(str(text.value.value).split())
    return found
