"""Settings as they are written, field by field; and numbers of a rate rule's own."""

import pickle
import time
from pathlib import Path

import jax
import pytest
import tyro

from adama_jax.bounds import Between
from adama_jax.cli.commands.experiment import _configs
from adama_jax.cli.commands.sweep import read_sweep
from adama_jax.cli.options import ExperimentCommand, TrainCommand
from adama_jax.config.checks import validate
from adama_jax.config.command_line import parse, read_words, with_given
from adama_jax.config.exhibits import Length
from adama_jax.config.identity import config_hash, from_dict, program_key, to_dict
from adama_jax.config.methods import CONSTANT, METHODS, Method, Own
from adama_jax.config.names import short, traced_settings, with_settings
from adama_jax.config.reading import read_axes, read_settings
from adama_jax.config.schema import Config, scenario_config
from adama_jax.errors import SettingError
from adama_jax.execution.build import make_hyper
from adama_jax.studies.exhibits import plan

BASE = scenario_config("clustering")
EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def test_words_and_values_are_the_same():
    values = {"m": 40, "seeds": 3, "hidden": [32, 16], "every": None, "targets": "soft"}
    words = {
        "m": "40",
        "seeds": "3",
        "hidden": "32,16",
        "every": "None",
        "targets": "soft",
    }
    read = read_settings(BASE, values)
    assert read == read_settings(BASE, words)
    assert (read.rates.critic_scale, read.networks.hidden) == (40.0, (32, 16))
    assert isinstance(read.rates.critic_scale, float)


WRONG = [
    ("seeds", 2.5, "seeds=2.5: must be a whole number"),
    ("seeds", True, "seeds=True: must be a whole number"),
    ("clip", "half", "clip=half: must be a number"),
    ("clip", 0.7, "clip=0.7: must be at least 0 and below 0.5"),
    ("hidden", ["a"], "hidden=a: must be whole numbers, separated by commas"),
    (
        "hidden",
        [],
        "hidden=: must be one or more (up to 100), each at least 1",
    ),
    ("method", 3, "method=3: must be one of adama"),
    ("every", "often", "every=often: must be a whole number, or None"),
    ("clipp", 0.1, "clipp=0.1: must be the name of a setting; did you mean clip?"),
    ("devices", 2, "devices=2: must be the name of a setting"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_wrong_value_is_one_line_that_says_what_is_allowed(name, value, message):
    with pytest.raises(SettingError) as error:
        read_settings(BASE, {name: value}, "here")
    assert str(error.value).startswith(f"here: {message}") and "\n" not in str(
        error.value
    )


def test_values_of_a_scenario_do_not_name_another():
    with pytest.raises(
        SettingError, match="figure3: scenario=going_together: must be left out"
    ):
        read_settings(BASE, {"scenario": "going_together"}, "figure3")
    assert read_settings(BASE, {"scenario": "clustering"}) == BASE


def test_axes_are_read_like_settings():
    assert read_axes(BASE, {"m": ["auto", 40], "targets": ["soft"]}) == {
        "rates.critic_scale": ["auto", 40.0],
        "learning.targets": ["soft"],
    }
    with pytest.raises(SettingError, match="figure9: seeds=x: must be a whole number"):
        read_axes(BASE, {"seeds": [1, "x"]}, "figure9")


@pytest.mark.parametrize(
    "words",
    [
        ["optimizer=adam", "hidden=32,16", "force=true"],
        ["--optimiser", "adam", "--networks.hidden", "32", "16", "--force"],
        ["--direction=adam", "--hidden=(32, 16)", "--force"],
    ],
)
def test_a_command_line_has_several_forms(words):
    command = parse(TrainCommand, TrainCommand(BASE), words, "adama")
    assert (command.config.optimizer, command.config.networks.hidden) == (
        "adam",
        (32, 16),
    )
    assert command.output.training.force


GIVEN_TWICE = [
    (["seeds=3", "seeds=3"], "seeds=3, seeds=3: must be given once: both are the"),
    (["m=40", "critic_scale=50"], "m=40, critic_scale=50: must be given once"),
    (
        ["--optimizer", "adam", "direction=lion"],
        "--optimizer=adam, direction=lion: must be given once",
    ),
    (["force=true", "--no-force"], "force=true, --no-force: must be given once"),
    (["out=a", "--out", "b"], "out=a, --out=b: must be given once"),
    (["l=1", "rates.total-rate=1"], "l=1, rates.total-rate=1: must be given once"),
]


@pytest.mark.parametrize(("words", "message"), GIVEN_TWICE)
def test_a_setting_is_given_once_by_whichever_of_its_names(words, message):
    with pytest.raises(SettingError) as error:
        parse(TrainCommand, TrainCommand(BASE), words, "adama")
    assert str(error.value).startswith(message)
    with pytest.raises(SettingError, match="must be given once"):
        read_sweep(["clustering", "gamma=0.9,0.8", *words])


def test_a_sweep_has_an_axis_once():
    for words in (["m=1,2", "critic_scale=3,4"], ["m=1,2", "m=3"], ["m=3", "m=1,2"]):
        with pytest.raises(SettingError, match="must be given once"):
            read_sweep(["clustering", *words])


@pytest.mark.parametrize("values", [[], [40, 40], [40, "40.0"], ["auto", "auto"]])
def test_the_values_of_an_axis_differ(values):
    with pytest.raises(SettingError, match=r"must be one or more different values$"):
        read_axes(BASE, {"m": values})


def test_a_table_of_settings_has_each_once():
    with pytest.raises(SettingError, match=r"^here: m=40, critic_scale=50: must be"):
        read_settings(BASE, {"m": 40, "critic_scale": 50}, "here")
    with pytest.raises(SettingError, match=r"^here: rates.critic_scale=3, m=1,2: mu"):
        read_axes(BASE, {"rates.critic_scale": [3], "m": [1, 2]}, "here")


def test_a_switch_can_be_turned_off():
    command = parse(TrainCommand, TrainCommand(BASE), ["--no-force"], "adama")
    assert not command.output.training.force


def test_the_exhibits_are_planned_quickly_and_without_a_command_line_s_parser(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(tyro, "cli", None)
    start = time.process_time()
    rows = plan(EXPERIMENTS, Length(), (), tmp_path)
    assert len(rows) > 100
    assert time.process_time() - start < 0.5


WARM = Own("warmth", 0.5, Between(0, 1), symbol="w", help="How warm it is.")


@pytest.fixture
def warm(monkeypatch):
    """A method with a number of its own."""
    method = Method(
        "sgd", "adama_jax.rates.rules:fixed", CONSTANT, "warm", "a test", (WARM,)
    )
    monkeypatch.setitem(METHODS, "warm", method)
    return with_settings(BASE, {"method": "warm"})


def test_a_number_of_a_rule_s_own_is_a_setting_of_its_methods(warm):
    read = read_settings(BASE, {"w": 0.25, "method": "warm"})
    assert read == with_settings(warm, {"rates.warmth": 0.25}) != warm
    validate(read)
    assert short("rates.warmth") == "w"
    # Traced: another value is the same program, and one more number in it.
    assert "rates.warmth" in traced_settings(read)
    assert program_key(read) == program_key(warm)
    assert make_hyper(read).rates.own == {"warmth": 0.25}
    assert make_hyper(BASE).rates.own == {}
    # The schedule's two are numbers of a program that has one.
    falling = with_settings(read, {"rates.schedule": "linear"})
    assert len(jax.tree.leaves(make_hyper(falling))) == len(traced_settings(read))
    # A name of its own where it is not the default; read back from a run's folder, or by a process.
    assert config_hash(read) != config_hash(warm)
    assert to_dict(read)["rates"]["warmth"] == 0.25
    assert from_dict(to_dict(read)) == read
    assert pickle.loads(pickle.dumps(read)) == read


def test_the_hashes_of_other_methods_do_not_know_of_it(warm):
    hot = with_settings(warm, {"rates.warmth": 0.25})
    assert with_settings(hot, {"method": "adama"}) == BASE
    assert "warmth" not in to_dict(BASE)["rates"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"warmth": 0.5}, "warmth=0.5: must be the name of a setting"),
        (
            {"warmth": 2, "method": "warm"},
            "warmth=2: must be at least 0 and at most 1",
        ),
    ],
)
def test_a_number_of_another_rule_s_own_is_refused(warm, values, message):
    with pytest.raises(SettingError, match=message):
        read_settings(BASE, values)


def test_commands_take_numbers_of_a_rule_s_own(warm):
    words = ["method=warm", "w=0.25"]
    command = parse(TrainCommand, TrainCommand(BASE), words, "adama")
    assert command.config == with_settings(warm, {"rates.warmth": 0.25})
    assert experiment(["methods=adama,warm", "w=0.25"]) == [BASE, command.config]
    with pytest.raises(
        SettingError, match=r"warmth=0\.25: must be the name of a setting"
    ):
        experiment(["methods=adama,fixed", "warmth=0.25"])


def test_help_shows_the_numbers_of_the_method_that_is_named(warm, capsys):
    for words, shown in ((["method=warm", "--help"], True), (["--help"], False)):
        with pytest.raises(SystemExit) as stop:
            parse(TrainCommand, TrainCommand(BASE), words, "adama train clustering")
        assert stop.value.code == 0
        text = capsys.readouterr().out
        assert ("--rates.warmth" in text) == shown == ("How warm it is." in text)


def experiment(words) -> list[Config]:
    default = ExperimentCommand(BASE)
    values = read_words(default, words, "adama")
    return _configs(with_given(default, values), values)


@pytest.mark.parametrize("words", [["w=0.25,0.75"], ["w=0.25"]])
def test_a_sweep_has_numbers_of_a_rule_s_own(warm, words):
    _, configs = read_sweep(["clustering", "methods=adama,warm", *words])
    values = [float(value) for value in words[0].partition("=")[2].split(",")]
    assert configs == [
        BASE,
        *(with_settings(warm, {"rates.warmth": value}) for value in values),
    ]
