"""Declarations of settings: what is read of them, by which names, and what is checked."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest

from adama_jax.bounds import Above, AtLeast
from adama_jax.config.limits import check_bounds
from adama_jax.config.table import help_of
from adama_jax.errors import SettingError
from adama_jax.fields import (
    Alias,
    HashedAs,
    Symbol,
    Traced,
    alternatives,
    as_given,
    declared,
    or_none,
    settings,
    with_values,
    words_allowed,
)

FLAT = object()


@dataclass(frozen=True)
class Rates:
    clip: Annotated[float, Traced(), Symbol("eps"), AtLeast(0)] = 0.1
    """Least share
    that both keep."""
    scale: Annotated[float | Literal["auto"] | None, Above(0)] = 50.0


@dataclass(frozen=True)
class MoreRates(Rates):
    """Rates of a method that has a number of its own."""

    warmth: Annotated[float, AtLeast(0)] = 0.5
    """How warm."""


@dataclass(frozen=True)
class Training:
    force: bool = False


@dataclass(frozen=True)
class Options:
    name: str
    """Not documented below: `hidden`."""
    hidden: Annotated[tuple[int, ...], Alias(("widths", "layers"))] = (64, 64)
    rates: Rates = Rates()
    training: Annotated[Training, FLAT] = field(default_factory=Training)


def test_a_field_without_marks_is_declared_too():
    name, hidden, *_ = declared(Options)
    assert (name.name, name.type, name.marks) == ("name", str, ())
    assert (name.symbol, name.traced, name.bounds, name.aliases) == (
        None,
        False,
        (),
        (),
    )
    assert hidden.aliases == ("widths", "layers")
    assert not hidden.traced


def test_marks_are_told_apart_by_their_kind():
    clip, scale = declared(Rates)
    assert (clip.symbol, clip.traced, clip.bounds) == ("eps", True, (AtLeast(0),))
    assert (scale.symbol, scale.traced, scale.bounds) == (None, False, (Above(0),))
    assert clip.mark(HashedAs) is None


def test_settings_are_named_by_their_way_down():
    names = [each.name for each in settings(Options("a"))]
    assert names == ["name", "hidden", "rates.clip", "rates.scale", "training.force"]


def test_a_flat_field_gives_no_prefix_and_others_keep_theirs():
    names = [each.name for each in settings(Options("a"), flat=FLAT)]
    assert names == ["name", "hidden", "rates.clip", "rates.scale", "force"]


def test_the_value_s_type_says_what_settings_there_are():
    """A field may hold a subclass of its type that declares more."""
    found = {
        each.name: each.value for each in settings(Options("a", rates=MoreRates()))
    }
    assert found["rates.warmth"] == 0.5
    assert "rates.warmth" not in [each.name for each in settings(Options("a"))]


def test_changes_reach_every_depth_and_nothing_else():
    changed = with_values(
        Options("a"), {"name": "b", "rates.clip": 0.3, "training.force": True}
    )
    assert changed == Options("b", rates=Rates(clip=0.3), training=Training(True))


def test_a_change_by_the_flat_name_only_where_flat_is_asked_for():
    options = Options("a")
    assert with_values(options, {"force": True}, flat=FLAT).training.force
    assert with_values(options, {"force": True}) is options


def test_nothing_changed_is_the_very_same_object():
    options = Options("a")
    assert with_values(options, {}) is options
    assert with_values(options, {"name": "b"}).rates is options.rates


def test_a_change_keeps_the_subclass():
    options = Options("a", rates=MoreRates(warmth=0.9))
    assert with_values(options, {"rates.clip": 0.2}).rates == MoreRates(
        clip=0.2, warmth=0.9
    )


def test_every_setting_is_checked_and_named_in_full():
    with pytest.raises(SettingError) as error:
        check_bounds(Options("a", rates=Rates(scale=-1.0)))
    words = "rates.scale=-1.0: must be above 0 and finite, or 'auto', or None"
    assert str(error.value) == words
    with pytest.raises(SettingError, match=r"^rates\.warmth=-2: must be at least 0$"):
        check_bounds(Options("a", rates=MoreRates(warmth=-2)))


@pytest.mark.parametrize("value", ["auto", None, 1e-9])
def test_what_stands_beside_a_bound_is_allowed(value):
    check_bounds(Options("a", rates=Rates(scale=value)))


def test_words_and_none_of_a_type():
    assert words_allowed(Literal["hard", "soft"]) == ("hard", "soft")
    assert words_allowed(int) == ()
    assert or_none(int | None)
    assert not or_none(int | Literal["None"])
    assert alternatives(int | None) == (int, type(None))
    assert alternatives(tuple[int, ...]) == (tuple[int, ...],)


def test_values_as_a_command_line_has_them():
    assert as_given((64, 32)) == as_given([64, 32]) == "64,32"
    assert as_given("soft") == "soft"
    assert as_given(None) == "None"
    assert as_given(()) == ""


def test_help_is_the_docstring_below_a_field_on_one_line():
    assert help_of(MoreRates) == {
        "clip": "Least share that both keep.",
        "warmth": "How warm.",
    }
    assert set(help_of(Options)) == {"name"}
