"""When two configurations are the same run, and what is read of configurations that are stored."""

import json
from pathlib import Path

import pytest

from adama_jax.config.checks import validate
from adama_jax.config.identity import (
    config_hash,
    from_dict,
    program_key,
    sweep_hash,
    to_dict,
    unlike_preset,
    unlike_stored,
)
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError

PUBLISHED = Path(__file__).parents[2] / "docs" / "results" / "runs"
STORED = sorted(PUBLISHED.glob("*/*/config.json"))


def test_published_runs_keep_their_names():
    """Whatever settings were called when they were trained."""
    # Runs are added, never taken away.
    assert len(STORED) >= 136
    for file in STORED:
        config = from_dict(json.loads(file.read_text(encoding="utf-8")))
        validate(config)
        name = f"{config.method}-{config_hash(config)}"
        assert (config.scenario, name) == (file.parents[1].name, file.parent.name)


def test_the_published_settings_are_those_of_today():
    for file in STORED:
        stored = json.loads(file.read_text(encoding="utf-8"))
        assert unlike_stored(stored, from_dict(stored)) == {}


# From the version before the setting was called `optimizer`.
OLD_HASHES = {
    ("clustering", "fixed", "lion"): "230fe21964",
    ("halfcheetah_2x3_modern", "adama", "adam"): "ec581edad4",
    ("ant_4x2", "adama_2nd", None): "1958cb0561",
}


@pytest.mark.parametrize(("scenario", "method", "optimizer"), OLD_HASHES)
def test_a_renamed_setting_leaves_the_names_of_runs(scenario, method, optimizer):
    config = with_settings(
        scenario_config(scenario), {"method": method, "optimizer": optimizer}
    )
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


def test_a_setting_at_its_default_leaves_the_name_alone():
    """So that a new setting leaves the runs of before their names."""
    base = scenario_config("predator_prey")
    default = with_settings(
        base, {"learning.envs_per_run": 1, "rates.secant_step": 0.1}
    )
    assert config_hash(default) == config_hash(base)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"seeds": 6},
        {"episodes": 1},
        {"horizon": 11},
        {"optimizer": "adam"},
        {"method": "fixed"},
        {"world.side": 1.3},
        {"world.start": "fixed"},
        {"networks.hidden": (64, 65)},
        {"networks.critic": "dop"},
        {"learning.targets": "soft"},
        {"rates.trial_updates": 101},
        {"evaluation.seed": 1},
    ],
)
def test_every_setting_changes_the_name(changes):
    base = scenario_config("clustering")
    assert config_hash(with_settings(base, changes)) != config_hash(base)


def test_ten_hexadecimal_digits():
    found = config_hash(scenario_config("clustering"))
    assert len(found) == 10 and set(found) <= set("0123456789abcdef")


def test_a_whole_number_is_the_same_setting_as_a_float():
    base = scenario_config("clustering")
    whole, decimal = (
        with_settings(base, {"rates.critic_scale": x}) for x in (40, 40.0)
    )
    assert config_hash(whole) == config_hash(decimal)


def test_a_sweep_s_name_does_not_depend_on_the_order():
    one, other = (
        with_settings(scenario_config("clustering"), {"seed": seed}) for seed in (0, 1)
    )
    assert sweep_hash([one, other]) == sweep_hash([other, one]) != sweep_hash([one])


SAME_PROGRAM = [
    {"seed": 9},
    {"seeds": 9},
    {"rates.clip": 0.3},
    {"learning.discount": 0.5},
    {"rates.critic_scale": 7.0},
    {"world.side": 9.0, "world.walls": 2.0, "world.ends_at_horizon": True},
]
OTHER_PROGRAM = [
    {"episodes": 9},
    {"horizon": 9},
    {"method": "balance"},
    {"optimizer": "adam"},
    {"learning.batch_size": 9},
    {"networks.hidden": (9,)},
    {"rates.critic_scale": "auto"},
    {"rates.trial_updates": 9},
    {"world.observe_own": True},
    {"rates.schedule": "linear"},
    {"evaluation.seed": 9},
]


@pytest.mark.parametrize("changes", SAME_PROGRAM)
def test_what_one_program_runs(changes):
    base = scenario_config("clustering")
    assert program_key(with_settings(base, changes)) == program_key(base)


@pytest.mark.parametrize("changes", OTHER_PROGRAM)
def test_what_needs_a_program_of_its_own(changes):
    base = scenario_config("clustering")
    assert program_key(with_settings(base, changes)) != program_key(base)


def test_two_measured_scales_are_one_program():
    auto = with_settings(scenario_config("clustering"), {"rates.critic_scale": "auto"})
    other = with_settings(auto, {"rates.clip": 0.3})
    assert program_key(auto) == program_key(other)


def test_what_a_stored_configuration_lacks_is_the_scenario_s():
    assert from_dict({"scenario": "clustering"}) == scenario_config("clustering")
    changed = from_dict(
        {"scenario": "clustering", "rates": {"clip": 0.2}, "method": "fixed"}
    )
    expected = {"method": "fixed", "rates.clip": 0.2}
    assert changed == with_settings(scenario_config("clustering"), expected)


def test_settings_that_this_version_does_not_have_are_left_out():
    assert from_dict({"scenario": "clustering", "old": 1, "rates": {"older": 2}}) == (
        scenario_config("clustering")
    )


def test_unknown_and_missing_scenarios():
    with pytest.raises(SettingError, match="scenario=chess"):
        from_dict({"scenario": "chess"})
    with pytest.raises(KeyError):
        from_dict({"seeds": 3})
    assert unlike_preset({"scenario": "chess", "seeds": 3}) == {}


def test_a_list_of_json_is_the_tuple_that_was_stored():
    config = with_settings(scenario_config("clustering"), {"networks.hidden": (32, 16)})
    stored = json.loads(json.dumps(to_dict(config)))
    assert stored["networks"]["hidden"] == [32, 16]
    assert from_dict(stored).networks.hidden == (32, 16)
    assert unlike_stored(stored, config) == {}
    assert unlike_preset(stored) == {"networks.hidden": [32, 16]}


def test_what_names_a_run_anyway_is_not_listed_as_unlike_the_preset():
    changes = {
        "seeds": 2,
        "seed": 4,
        "episodes": 8,
        "method": "fixed",
        "rates.clip": 0.3,
    }
    config = with_settings(scenario_config("clustering"), changes)
    stored = json.loads(json.dumps(to_dict(config))) | {"label": "fixed"}
    assert unlike_preset(stored) == {"rates.clip": 0.3}
