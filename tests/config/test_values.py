"""One value, from a word or from TOML, by the type of its field."""

from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adama_jax.bounds import Above, AtLeast, Each
from adama_jax.config.values import read_value, type_in_words
from adama_jax.errors import SettingError
from adama_jax.fields import Declared

HIDDEN = tuple[int, ...]


def read(kind: Any, given: object, *bounds):
    return read_value("x", Declared("x", kind, None, bounds), given)


READ = [
    (int, "3", 3),
    (int, 3, 3),
    (int, "-3", -3),
    (float, "1e-3", 0.001),
    (float, 40, 40.0),
    (bool, "true", True),
    (bool, "False", False),
    (bool, True, True),
    (str, "soft", "soft"),
    (Path, "results", Path("results")),
    (Path, Path("results"), Path("results")),
    (int | None, "None", None),
    (int | None, "none", None),
    (str | None, "none", None),
    (int, "1e3", 1000),
    (int, "1_000", 1000),
    (int, "3.0", 3),
    (int, 3.0, 3),
    (bool, "yes", True),
    (bool, "On", True),
    (bool, "1", True),
    (bool, "no", False),
    (bool, "off", False),
    (bool, "0", False),
    (int | None, None, None),
    (int | None, "5", 5),
    (str | None, "None", None),
    (str | None, "adam", "adam"),
    (Path | None, "None", None),
    (float | Literal["auto"], "auto", "auto"),
    (float | Literal["auto"], "2", 2.0),
    (Literal["hard", "soft"], "soft", "soft"),
    (HIDDEN, "64,32", (64, 32)),
    (HIDDEN, "(64, 32)", (64, 32)),
    (HIDDEN, "[64 32]", (64, 32)),
    (HIDDEN, "64", (64,)),
    (HIDDEN, "64,", (64,)),
    (HIDDEN, [64, 32], (64, 32)),
    (HIDDEN, (64,), (64,)),
]


@pytest.mark.parametrize(("kind", "given", "expected"), READ)
def test_a_value_has_the_type_of_its_field(kind, given, expected):
    value = read(kind, given)
    assert value == expected
    assert type(value) is type(expected)


REFUSED = [
    (int, "3.5"),
    (int, 3.5),
    (int, float("inf")),
    (int, float("nan")),
    (int, "inf"),
    (int, "nan"),
    (int, "1e-3"),
    (int, "1e31"),
    # Its digits would fill the memory.
    (int, "1e999999999"),
    (int, True),
    (int, None),
    (int, [3]),
    (int, ""),
    (float, "fast"),
    (float, True),
    (float, None),
    (bool, "maybe"),
    (bool, ""),
    (bool, 1),
    (str, ""),
    (str | None, ""),
    (Path, ""),
    (Path | None, ""),
    (Path, "a\0b"),
    (Path, "~nobody_has_this_name/results"),
    (Path, "a" * 256),
    (Path, "a" * 240),
    (Path, "ä" * 120),
    (Path, "a/" * 3000),
    (str, 3),
    (Path, 3),
    (float | Literal["auto"], "automatic"),
    (Literal["hard", "soft"], "Soft"),
    (HIDDEN, "64,x"),
    (HIDDEN, 64),
    (HIDDEN, [64, "32.5"]),
    (HIDDEN, [True]),
]


@pytest.mark.parametrize(("kind", "given"), REFUSED)
def test_what_is_of_another_type_is_refused_with_the_name(kind, given):
    with pytest.raises(SettingError, match=r"^x=.*: must be ") as error:
        read(kind, given)
    assert "\n" not in str(error.value)


def test_a_bound_is_checked_after_the_type():
    with pytest.raises(SettingError, match=r"^x=0: must be at least 1$"):
        read(int, "0", AtLeast(1))
    with pytest.raises(
        SettingError, match=r"^x=64,0: must be one or more, each at least 1$"
    ):
        read(HIDDEN, "64,0", Each(AtLeast(1)))
    with pytest.raises(SettingError, match=r"^x=nan: must be above 0 and finite$"):
        read(float, "nan", Above(0))


def test_a_word_beside_a_bound_is_not_checked_against_it():
    assert read(float | Literal["auto"], "auto", Above(0)) == "auto"
    assert read(int | None, "None", AtLeast(1)) is None


WORDS = [
    (int, "a whole number"),
    (float | None, "a number, or None"),
    (bool, "true or false"),
    (Path, "a path, neither empty nor too long for this system"),
    (Literal["auto"], "'auto'"),
    (Literal["hard", "soft"], "one of 'hard', 'soft'"),
    (tuple[str, ...], "words, separated by commas"),
    (tuple[float, ...], "numbers, separated by commas"),
]


@pytest.mark.parametrize(("kind", "words"), WORDS)
def test_types_in_words(kind, words):
    assert type_in_words(kind) == words


def test_a_home_folder_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read(Path, "~/results") == tmp_path / "results"
    assert read(Path | None, "~") == tmp_path
    # Only at the beginning, as in a shell.
    assert read(Path, "./~/a~") == Path("~/a~")


# What a program computes with, and so what a report has.
SINGLE = st.floats(width=32, allow_nan=False, allow_subnormal=False)


@settings(max_examples=50, deadline=None)
@given(SINGLE, st.lists(st.integers(), min_size=1, max_size=4))
def test_what_is_printed_is_read_again(number, numbers):
    """A report's values can be given to a command line."""
    assert read(float, str(number)) == number
    assert read(HIDDEN, ",".join(map(str, numbers))) == tuple(numbers)
    assert read(HIDDEN, str(tuple(numbers))) == tuple(numbers)
