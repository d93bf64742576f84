"""Bounds of settings, as they stand in the declaration of a field. Importable without JAX."""

import math
import struct
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from adama_jax.plugins.registry import Registry

INFINITY = float("inf")
# Of the numbers that a compiled program has; what is closer to 0 is 0 there.
SMALLEST_NUMBER = 2.0**-126


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
class Whole:
    """A whole number from `low` to `high`.

    Every count has an upper end: one that no machine can hold is refused before it is tried.
    """

    low: int
    high: int

    def allows(self, value: Any) -> bool:
        """Whether a value is within the bound."""
        return self.low <= value <= self.high

    @property
    def words(self) -> str:
        """What is allowed."""
        return f"at least {self.low} and at most {self.high:,}"


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
        names = f"one of {', '.join(self.choices)}"
        if isinstance(self.choices, Registry):
            return f"{names}, or an import path (mypackage.module:name)"
        return names


@dataclass(frozen=True, eq=False)
class Each:
    """One or more values (with `or_none`, or no value; at most `most`), each within a bound."""

    bound: "Whole | OneOf"
    or_none: bool = False
    most: int | None = None

    def allows(self, value: Any) -> bool:
        """Whether all of the values are within the bound."""
        enough = self.or_none or bool(value)
        few = self.most is None or len(value) <= self.most
        return enough and few and all(map(self.bound.allows, value))

    @property
    def words(self) -> str:
        """What is allowed."""
        most = "" if self.most is None else f" (up to {self.most})"
        return f"one or more{most}, each {self.bound.words}"


POSITIVE = Above(0)
UP_TO_THOUSAND = Whole(1, 1_000)
UP_TO_MILLION = Whole(1, 1_000_000)
UP_TO_BILLION = Whole(1, 1_000_000_000)
SHARE = Between(0, 1)
SHARE_BELOW_1 = Between(0, 1, open_top=True)
SEED = Seed()

Bound = AtLeast | Whole | Above | Between | Seed | OneOf | Each


def registered(bound: Bound) -> Collection[str]:
    """The names of the registry that a bound is about; none of a bound of numbers."""
    if isinstance(bound, Each):
        return registered(bound.bound)
    return bound.choices if isinstance(bound, OneOf) else ()


# A sweep asks for the same few numbers again and again.
@lru_cache(maxsize=1024)
def in_single_precision(value: float) -> float:
    """A number as a compiled program has it.

    >>> in_single_precision(0.5), in_single_precision(1e39), in_single_precision(1e-50)
    (0.5, inf, 0.0)
    """
    try:
        (rounded,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        return math.copysign(INFINITY, value)
    return rounded if abs(rounded) >= SMALLEST_NUMBER else 0.0


def unlike_in_program(value: float, bounds: Iterable[Bound]) -> str:
    """What must be of a number that a compiled program would have as another one; "" if none would.

    >>> unlike_in_program(0.99999999999, [SHARE_BELOW_1])
    'at least 0 and below 1 in single precision, where it is 1'
    >>> unlike_in_program(1e-50, [SHARE]), unlike_in_program(0.1, [SHARE])
    ('0 or at least 1.18e-38: it would be 0 in single precision', '')
    """
    rounded = in_single_precision(value)
    for bound in bounds:
        if not bound.allows(rounded):
            return f"{bound.words} in single precision, where it is {rounded:g}"
    if rounded == 0 != value:
        return f"0 or at least {SMALLEST_NUMBER:.3g}: it would be 0 in single precision"
    return ""
