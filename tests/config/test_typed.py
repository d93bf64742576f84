"""Errors in the words that somebody typed: the names, and the numbers as they stood."""

import pytest

from adama_jax.cli.commands.sweep import read_sweep
from adama_jax.cli.options import TrainCommand
from adama_jax.config.checks import validate
from adama_jax.config.command_line import parse
from adama_jax.config.schema import scenario_config
from adama_jax.config.typed import as_typed
from adama_jax.errors import SettingError

BASE = scenario_config("clustering")


def said_of(words: str) -> str:
    """What `adama train clustering` says of wrong words."""
    given = words.split()
    with pytest.raises(SettingError) as error:
        validate(parse(TrainCommand, TrainCommand(BASE), given, "adama").config)
    return as_typed(str(error.value), given)


AS_TYPED = [
    ("alpha=2", "alpha=2: must be at least 0 and below 1"),
    ("smoothing=2", "smoothing=2: must be"),
    ("rates.smoothing=2", "rates.smoothing=2: must be"),
    ("--rates.smoothing 2", "rates.smoothing=2: must be"),
    ("seeds=1e9", "seeds=1e9: must be"),
    ("critic-scale=-1e0", "critic-scale=-1e0: must be above 0"),
    # What is found later, with the values as they were read.
    (
        "batch_size=2_000 capacity=1e3",
        "batch_size=2_000: must be at most 1000, the whole episodes that capacity=1e3",
    ),
    ("--batch-size 2e3 --capacity 1e3", "batch-size=2e3: must be at most 1000"),
    ("target_step=2e-1", "target_step=2e-1: must be left out"),
    ("hidden=(3,4) critic=attention", "hidden=(3,4): must be led by a multiple of 4"),
]


@pytest.mark.parametrize(("words", "message"), AS_TYPED)
def test_an_error_has_names_and_numbers_as_they_were_typed(words, message):
    assert said_of(words).startswith(message)


TWICE = [
    ("alpha=0.9 rates.smoothing=0.8", "alpha=0.9, rates.smoothing=0.8: must be given"),
    ("rates.smoothing=0.8 alpha=0.9", "rates.smoothing=0.8, alpha=0.9: must be given"),
    ("alpha=0.9 --smoothing 0.9", "alpha=0.9, --smoothing=0.9: must be given once"),
    ("seeds=3 seeds=4", "seeds=3, seeds=4: must be given once"),
]


@pytest.mark.parametrize(("words", "message"), TWICE)
def test_a_setting_given_twice_is_named_in_the_order_typed(words, message):
    assert said_of(words).startswith(message)
    with pytest.raises(SettingError) as error:
        read_sweep(["clustering", "gamma=0.9,0.8", *words.split()])
    assert as_typed(str(error.value), words.split()).startswith(message)


def test_of_an_axis_the_wrong_value_is_named_as_typed():
    words = ["clustering", "--rates.critic-scale", "40,-2e0"]
    with pytest.raises(SettingError) as error:
        read_sweep(words)
    line = as_typed(str(error.value), words)
    assert line.startswith("rates.critic-scale=-2e0: must be above 0")


def test_a_value_that_nobody_typed_stays_as_it_is():
    line = "learning.batch_size=1024: must be at most 1020"
    assert as_typed(line, ["capacity=1039"]) == line
    # Of a range only the ends were typed.
    words = ["l=0.1:0.5:0.2"]
    assert as_typed("rates.total_rate=0.3: must be", words) == "l=0.3: must be"
    # A line that is not about a setting.
    assert as_typed("nothing to draw", words) == "nothing to draw"


def test_a_default_folder_is_said_to_be_one():
    line = "out=results: must be writable"
    assert as_typed(line, ["out=results"]) == line
    assert as_typed("results=x: must be", ["report", "x"]) == "results=x: must be"
    said = "out=results (the default; another is given by out=...): must be writable"
    assert as_typed(line, ["train", "clustering"]) == said


SEVERAL = [
    ("methods=adama,fixed", "methods=adama,fixed: must be one method; several are for"),
    ("method=adama,nope", "method=adama,nope: must be one method; several are for"),
    ("m=40,50", "m=40,50: must be one value; several are for `adama sweep`"),
    ("l=0.1:0.3:0.1", "l=0.1:0.3:0.1: must be one value; several are for `adama swe"),
    # That is for a sweep no more than for a run.
    ("seeds=1,2", "seeds=1,2: must be a whole number"),
    ("m=40,x", "m=40,x: must be a number, or 'auto'"),
]


@pytest.mark.parametrize(("words", "message"), SEVERAL)
def test_several_values_are_for_the_commands_that_take_several(words, message):
    assert said_of(words).startswith(message)


def test_a_sweep_says_what_is_no_axis():
    with pytest.raises(SettingError, match=r"m=40,50 \(hidden=1,2 is one value: a li"):
        read_sweep(["clustering", "hidden=1,2"])


HINTS = [
    ("learning_rate=0.1", "did you mean l, l_c or l_a?"),
    ("buffer_size=9", "did you mean capacity?"),
    ("direction=", "direction=: must be one of sgd, adabelief"),
    ("direction=adm", "direction=adm: did you mean adam? It must be one of sgd, ada"),
    ("method=", "method=: must be one of adama, adama_2nd"),
    ("observers=progres", "observers=progres: did you mean progress? It must be one"),
]


@pytest.mark.parametrize(("words", "message"), HINTS)
def test_what_was_meant_comes_before_a_long_list(words, message):
    assert message in said_of(words)
