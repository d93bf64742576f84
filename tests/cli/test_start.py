"""`adama train config.json`: exactly these settings, and what other words change of them."""

import json
from pathlib import Path

import pytest

from adama_jax.cli.commands.train import read_train
from adama_jax.cli.main import main
from adama_jax.cli.start import names_a_file, read_config_file
from adama_jax.config.identity import from_dict, to_dict
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from tests.helpers import fake_run

PUBLISHED = sorted(Path(__file__).parents[2].glob("docs/results/runs/*/*/config.json"))
CONFIG = with_settings(
    scenario_config("clustering"),
    {
        "method": "fixed",
        "rates.critic_rate": 0.002,
        "seeds": 3,
        "networks.hidden": (8,),
    },
)


def file_of(folder, values, name="mine.json"):
    path = folder / name
    path.write_text(json.dumps(values), encoding="utf-8")
    return str(path)


def config_from(*words):
    return read_train(list(words)).config


def test_every_published_run_is_trained_with_its_own_settings():
    assert len(PUBLISHED) > 100
    for path in PUBLISHED:
        stored = json.loads(path.read_text(encoding="utf-8"))
        assert read_config_file(path) == from_dict(stored), path


def test_a_file_gives_back_what_was_stored(tmp_path):
    assert config_from(file_of(tmp_path, to_dict(CONFIG) | {"label": "x"})) == CONFIG


def test_a_folder_stands_for_its_run(tmp_path):
    run = fake_run(tmp_path, "fixed")
    assert config_from(str(run.folder)) == run.config
    assert config_from(str(run.folder), "seeds=2").seeds == 2


def test_other_words_change_settings(tmp_path):
    path = file_of(tmp_path, to_dict(CONFIG))
    assert config_from(path, "l_c=0.004", "episodes=7") == with_settings(
        CONFIG, {"rates.critic_rate": 0.004, "episodes": 7}
    )


def test_with_another_method_nothing_is_left_of_the_old_ones_rates(tmp_path):
    path = file_of(tmp_path, to_dict(CONFIG))
    words = ["clustering", "method=adama", "seeds=3", "hidden=8"]
    assert config_from(path, "method=adama") == config_from(*words)


def test_a_short_file_is_a_scenario_with_changes(tmp_path):
    path = file_of(
        tmp_path, {"scenario": "clustering", "m": 40, "rates": {"clip": 0.2}}
    )
    assert config_from(path) == config_from("clustering", "m=40", "clip=0.2")


def test_a_name_of_a_scenario_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("clustering").mkdir()
    assert not names_a_file("clustering")


REFUSED = [
    ({}, "scenario=: must be one of going_together, "),
    ({"scenario": 3}, "scenario=3: must be one of "),
    ({"scenario": "chess"}, "scenario=chess: must be one of "),
    (
        {"scenario": "clustering", "sedes": 3},
        "sedes=3: must be the name of a setting; did you mean seeds?",
    ),
    ({"scenario": "clustering", "seeds": 0}, "seeds=0: must be at least 1"),
    ({"scenario": "clustering", "seeds": "x"}, "seeds=x: must be a whole number"),
    (
        {"scenario": "clustering", "l_c": 0.1},
        "rates.critic_rate=0.1: must be left out: method=adama does not read it",
    ),
    (
        {"scenario": "clustering", "m": 1, "rates": {"critic_scale": 2}},
        "m=1, rates.critic_scale=2: must be given once: both are the same setting",
    ),
]


@pytest.mark.parametrize(("values", "said"), REFUSED)
def test_what_a_file_may_not_say_is_a_line_that_names_it(tmp_path, values, said):
    path = file_of(tmp_path, values)
    with pytest.raises(SettingError) as error:
        config_from(path)
    assert str(error.value).startswith(f"config={path}: {said}")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1, "a": 2}', "\xff"])
def test_a_file_that_cannot_be_read(tmp_path, text, capsys):
    path = tmp_path / "mine.json"
    path.write_text(text, encoding="latin-1")
    assert main(["train", str(path)]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"adama: error: config={path}: cannot be read: ")
    assert line.count("\n") == 1


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingError, match="must be a JSON file of settings, such as"):
        config_from(str(tmp_path / "none.json"))
    with pytest.raises(SettingError, match="must be a JSON file of settings, such as"):
        config_from(str(tmp_path))


def test_the_scenario_is_the_files(tmp_path):
    path = file_of(tmp_path, {"scenario": "clustering"})
    line = f"scenario=predator_prey: must be left out: {path} says clustering"
    with pytest.raises(SettingError, match=line):
        config_from(path, "scenario=predator_prey")
