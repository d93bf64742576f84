"""Settings of an algorithm's own: settings like any others, of its configurations alone."""

import pickle
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.algorithms.settings import (
    ALGORITHMS,
    AlgorithmEntry,
    OwnSettings,
    check_own,
)
from adama_jax.bounds import UP_TO_THOUSAND, AtLeast
from adama_jax.cli.commands.sweep import read_sweep
from adama_jax.cli.options import TrainCommand
from adama_jax.config.checks import validate
from adama_jax.config.command_line import parse
from adama_jax.config.identity import (
    config_hash,
    from_dict,
    program_key,
    to_dict,
    unlike_preset,
)
from adama_jax.config.labels import labels
from adama_jax.config.names import short, with_settings
from adama_jax.config.reading import read_settings
from adama_jax.config.schema import scenario_config
from adama_jax.config.table import settings_page
from adama_jax.errors import SettingError
from adama_jax.execution.build import make_algorithm, make_env
from adama_jax.fields import TRACED, ReadWith

BASE = scenario_config("clustering")
GIVEN = {}


@dataclass(frozen=True)
class OfToy(OwnSettings):
    lag: Annotated[int, UP_TO_THOUSAND] = 2
    """Updates between two looks."""
    spread: Annotated[float, AtLeast(0), ReadWith("kind", "wide")] = 0.5
    """How wide."""
    kind: Literal["wide", "narrow"] = "wide"
    """Which of the two."""
    horizon_of_own: Annotated[int, UP_TO_THOUSAND] = 3
    """A word with a word of another setting in it."""


def toy(lag, spread, kind, horizon_of_own, **team):
    GIVEN.update(lag=lag, spread=spread, kind=kind)
    return maddpg(**team)


@pytest.fixture
def toys(monkeypatch):
    """An algorithm with settings of its own."""
    entry = AlgorithmEntry("tests.config.test_own:toy", own=OfToy)
    monkeypatch.setitem(ALGORITHMS, "toy", entry)
    return with_settings(BASE, {"algorithm": "toy"})


def test_they_are_settings_of_its_configurations(toys):
    read = read_settings(BASE, {"lag": 7, "algorithm": "toy"})
    assert read == with_settings(toys, {"own.lag": 7}) != toys
    assert short("own.lag") == "lag"
    validate(read)
    with pytest.raises(SettingError, match=r"^own\.lag=0: must be at least 1"):
        validate(with_settings(toys, {"own.lag": 0}))
    # A name and a program of its own; read back from a run's folder, or by a process.
    assert config_hash(read) != config_hash(toys)
    assert program_key(read) != program_key(toys)
    assert to_dict(read)["own"]["lag"] == 7
    assert from_dict(to_dict(read)) == read
    assert pickle.loads(pickle.dumps(read)) == read


def test_its_factory_is_called_with_them(toys):
    config = with_settings(toys, {"own.lag": 7, "own.kind": "narrow"})
    make_algorithm(config, make_env(config))
    assert GIVEN == {"lag": 7, "spread": 0.5, "kind": "narrow"}


def test_other_algorithms_do_not_know_of_them(toys):
    changed = with_settings(toys, {"own.lag": 7})
    assert with_settings(changed, {"algorithm": "maddpg"}) == BASE
    # Back again they are at their defaults.
    assert with_settings(BASE, {"algorithm": "toy"}) == toys
    assert "own" not in to_dict(BASE)
    assert config_hash(BASE) == config_hash(scenario_config("clustering"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"lag": 7},
            "lag=7: must be the name of a setting: it is one of algorithm=toy",
        ),
        ({"lag": 0, "algorithm": "toy"}, "lag=0: must be at least 1"),
        (
            {"kind": "high", "algorithm": "toy"},
            "kind=high: must be one of .wide., .narrow",
        ),
        (
            {"spread": 1, "kind": "narrow", "algorithm": "toy"},
            r"own\.spread=1\.0: must be left out: it is read with kind=wide alone",
        ),
    ],
)
def test_what_is_not_allowed_is_refused(toys, values, message):
    with pytest.raises(SettingError, match=message):
        read_settings(BASE, values)


def test_commands_take_them(toys):
    words = ["algorithm=toy", "lag=7"]
    command = parse(TrainCommand, TrainCommand(BASE), words, "adama")
    assert command.config == with_settings(toys, {"own.lag": 7})
    assert parse(TrainCommand, TrainCommand(BASE), ["lag=7", "--algorithm", "toy"], "a")


def test_a_sweep_gives_them_to_those_that_have_them(toys):
    _, configs = read_sweep(["clustering", "algorithm=maddpg,toy", "lag=3,4"])
    assert [(each.algorithm, vars(each.own).get("lag")) for each in configs] == [
        ("maddpg", None),
        ("toy", 3),
        ("toy", 4),
    ]
    assert labels(configs) == [
        "adama",
        "adama, toy lag=3",
        "adama, toy lag=4",
    ]
    with pytest.raises(SettingError, match=r"^lag=3,4: must be the name of a setting"):
        read_sweep(["clustering", "lag=3,4"])


def test_a_list_of_runs_names_those_that_are_unlike_their_defaults(toys):
    assert unlike_preset(to_dict(toys)) == {"algorithm": "toy"}
    changed = with_settings(toys, {"own.lag": 7})
    assert unlike_preset(to_dict(changed)) == {"algorithm": "toy", "own.lag": 7}


def test_help_shows_those_of_the_algorithm_that_is_named(toys, capsys):
    for words, shown in ((["algorithm=toy", "--help"], True), (["--help"], False)):
        with pytest.raises(SystemExit) as stop:
            parse(TrainCommand, TrainCommand(BASE), words, "adama train clustering")
        assert stop.value.code == 0
        text = capsys.readouterr().out
        assert ("--own.lag" in text) == shown == ("between two looks" in text)


def test_they_are_on_the_page_of_all_settings(toys):
    cells = ["`own.lag`", "", "`2`", "at least 1 and at most 1,000", "", "toy"]
    line = "| " + " | ".join([*cells, "Updates between two looks."]) + " |"
    assert line in settings_page()
    assert "| toy with kind=wide | How wide. |" in settings_page()


def test_a_declaration_that_will_not_do_is_refused():
    @dataclass(frozen=True)
    class OutOfBounds(OwnSettings):
        lag: Annotated[int, UP_TO_THOUSAND] = 0

    @dataclass(frozen=True)
    class Traced(OwnSettings):
        lag: Annotated[float, TRACED] = 0.5

    @dataclass(frozen=True)
    class WithoutDefault(OwnSettings):
        lag: int

    for kind, message in (
        (OutOfBounds, "'lag' must have a default that is allowed"),
        (Traced, "'lag' must not be TRACED"),
        (WithoutDefault, "each of them with a default"),
        (int, "a subclass of OwnSettings"),
    ):
        with pytest.raises(AssertionError, match=message):
            check_own(kind)


def test_those_of_the_package_will_do():
    for entry in ALGORITHMS.values():
        check_own(entry.own)
