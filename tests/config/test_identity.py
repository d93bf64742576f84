"""When two configurations are the same run, and what is read of configurations that are stored."""

import json
from pathlib import Path

import pytest

from adama_jax.config.checks import validate
from adama_jax.config.identity import (
    config_hash,
    from_dict,
    to_dict,
    unlike_preset,
    unlike_stored,
)
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config

PUBLISHED = Path(__file__).parents[2] / "docs" / "results" / "runs"
STORED = sorted(PUBLISHED.glob("*/*/config.json"))


def test_published_runs_keep_their_names():
    """Whatever settings were called when they were trained."""
    assert len(STORED) == 128
    for file in STORED:
        config = from_dict(json.loads(file.read_text()))
        validate(config)
        name = f"{config.method}-{config_hash(config)}"
        assert (config.scenario, name) == (file.parents[1].name, file.parent.name)


def test_the_published_settings_are_those_of_today():
    for file in STORED:
        stored = json.loads(file.read_text())
        assert unlike_stored(stored, from_dict(stored)) == {}


# From the version before the setting was called `optimizer`.
OLD_HASHES = {
    ("clustering", "fixed", "lion"): "230fe21964",
    ("halfcheetah_2x3_modern", "adama", "adam"): "ec581edad4",
    ("ant_4x2", "adama_2nd", None): "1958cb0561",
}


@pytest.mark.parametrize(("scenario", "method", "optimizer"), OLD_HASHES)
def test_a_renamed_setting_leaves_the_names_of_runs(scenario, method, optimizer):
    config = with_settings(scenario_config(scenario), {"method": method, "optimizer": optimizer})
    assert config_hash(config) == OLD_HASHES[scenario, method, optimizer]


@pytest.mark.parametrize("name", ["direction", "optimiser"])
def test_a_renamed_setting_is_read_under_its_other_names(name):
    config = with_settings(scenario_config("clustering"), {"optimizer": "adam"})
    stored = json.loads(json.dumps(to_dict(config)))
    stored[name] = stored.pop("optimizer")
    assert from_dict(stored) == config
    assert unlike_stored(stored, config) == {}
    assert unlike_stored(stored | {name: "lion"}, config) == {"optimizer": "lion"}
    assert unlike_preset(stored) == {"optimizer": "adam"}


def test_points_follow_from_the_configuration_alone():
    """A configuration of before the setting has its scenario's, and its name."""
    robot = with_settings(scenario_config("halfcheetah_2x3"), {"episodes": 300})
    assert (robot.evaluation.points_apart, robot.points_every) == (10, 10)
    stored = to_dict(robot)
    del stored["evaluation"]["points_apart"]
    assert from_dict(stored) == robot
    closer = with_settings(robot, {"evaluation.points_apart": 5})
    assert closer.points_every == 5
    assert config_hash(closer) != config_hash(robot)
    assert unlike_stored(to_dict(robot), closer) == {"evaluation.points_apart": 10}
