"""What follows from a configuration: points of the curves, seeds, labels, presets."""

import dataclasses

import pytest

from adama_jax.config.methods import METHODS
from adama_jax.config.names import all_settings, with_settings
from adama_jax.config.scenarios import PAPER, SCENARIOS
from adama_jax.config.schema import Config, scenario_config

BASE = scenario_config("clustering")


def points_every(**changes):
    """Of clustering, whose points are at least 100 episodes apart."""
    named = {"every": "evaluation.every", "apart": "evaluation.points_apart"}
    named["rounds"] = "learning.envs_per_run"
    return with_settings(
        BASE, {named.get(k, k): v for k, v in changes.items()}
    ).points_every


def test_a_long_run_has_200_points():
    assert points_every(episodes=50_000) == 250
    # Rounded up: never more than 200 points.
    assert points_every(episodes=50_001) == 251


def test_points_of_a_short_run_are_100_episodes_apart():
    assert points_every(episodes=1000) == 100
    assert points_every(episodes=20_000) == 100
    assert points_every(episodes=1000, apart=30) == 30


def test_a_run_shorter_than_that_has_one_point_at_its_end():
    assert points_every(episodes=60) == 60
    assert points_every(episodes=60, every=80) == 60


def test_a_given_distance_is_taken_as_it_is():
    assert points_every(episodes=50_000, every=7) == 7


def test_a_point_falls_between_two_rounds():
    # The first multiple of 64 from 100 on.
    assert points_every(episodes=1024, rounds=64) == 128
    assert points_every(episodes=6400, rounds=50) == 100


def test_the_seeds_follow_one_another():
    assert list(with_settings(BASE, {"seed": 7, "seeds": 3}).seed_range) == [7, 8, 9]


def test_the_optimizer_is_the_method_s_own_unless_one_is_given():
    assert with_settings(BASE, {"method": "adagrad"}).optimizer_name == "adagrad"
    assert BASE.optimizer_name == "sgd"
    adam = with_settings(BASE, {"optimizer": "adam"})
    assert (adam.optimizer_name, adam.label) == ("adam", "adama (adam)")
    assert BASE.label == "adama"


def test_the_robots_share_their_budget():
    """Table 2 has one actor's rate; the norm of N equal rates is sqrt(N) of it."""
    cheetah, ant = scenario_config("halfcheetah_2x3"), scenario_config("ant_4x2")
    assert cheetah.rates.actor_budget == pytest.approx(1e-3 * 2**0.5)
    assert ant.rates.actor_budget == pytest.approx(2e-3)
    assert (cheetah.learning.discount, cheetah.learning.targets) == (0.96, "soft")
    dop = scenario_config("ant_4x2_dop")
    assert (dop.networks.critic, dop.rates.critic_scale) == ("dop", 100.0)
    assert (dop.rates.critic_rate, dop.rates.total_rate) == (1e-4, 1e-4)


def test_a_modern_robot_differs_in_learning_alone():
    plain, modern = scenario_config("ant_4x2"), scenario_config("ant_4x2_modern")
    assert modern.world == plain.world
    assert (modern.optimizer, modern.rates.critic_scale) == ("adam", "auto")
    assert (
        modern.learning.updates_per_episode,
        plain.learning.updates_per_episode,
    ) == (200, 1)
    assert modern.rates.critic_rate == plain.rates.critic_rate


@pytest.mark.parametrize("name", PAPER)
def test_a_modern_preset_has_the_paper_s_world_and_another_learner(name):
    paper, modern = scenario_config(name), scenario_config(f"{name}_modern")
    assert SCENARIOS[name].modern == modern.scenario
    changed = {
        setting
        for setting, value in all_settings(modern)
        if value != dict(all_settings(paper))[setting]
    }
    always = {"scenario", "episodes", "optimizer", "rates.critic_scale"}
    learner = {"learning.target_period", "exploration.episodes"}
    rates = {"rates.total_rate", "rates.critic_rate", "rates.actor_budget"}
    assert always <= changed <= always | learner | rates
    assert modern.rates.critic_scale == "auto"


def test_a_label_says_which_learner_and_what_else_was_chosen():
    modern = scenario_config("clustering_modern")
    assert modern.label == "adama, modern"
    lion = dataclasses.replace(modern, optimizer="lion")
    assert lion.label == "adama, modern (lion)"
    other = dataclasses.replace(modern, algorithm="matd3")
    assert other.label == "adama, modern, matd3"
    # What robots' runs on disk are called.
    assert scenario_config("ant_4x2_modern").label == "adama (adam)"


def test_a_configuration_holds_its_scenario_s_preset():
    for name, preset in SCENARIOS.items():
        config = scenario_config(name)
        assert (config.scenario, config.method, config.seeds) == (name, "adama", 5)
        assert config.algorithm == preset.algorithm
        assert (config.world, config.episodes, config.horizon, config.optimizer) == (
            preset.world,
            preset.episodes,
            preset.horizon,
            preset.optimizer,
        )


# Of section 4.1: whether it balances by Eq. (2), steers by Eq. (1), measures curvature for (3).
PARTS = {
    "adama": (True, True, False),
    "adama_2nd": (True, True, True),
    "fixed": (False, False, False),
    "direction": (False, True, False),
    "direction_2nd": (False, True, True),
    "balance": (True, False, False),
    "adagrad": (False, False, False),
    "rmsprop": (False, False, False),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_each_method_reads(name):
    balances, steers, second_order = PARTS[name]
    method = METHODS[name]
    assert ("critic_scale" in method.reads) == balances
    # A constant rate is read exactly where the rule does not balance it.
    assert (
        ("critic_rate" in method.reads) == ("actor_budget" in method.reads) != balances
    )
    assert ("direction_floor" in method.reads) == steers
    assert ("smoothing" in method.reads) == (balances or steers)
    assert method.second_order == second_order


def test_an_unknown_method_can_be_named_before_it_is_refused():
    assert Config("clustering", method="unheard of").label == "unheard of"


def test_updates_are_counted_by_rounds():
    """4 worlds of 10 steps: 3 updates after every 5 steps, and 81 steps are 3 rounds of 40."""
    changes = {
        "learning.envs_per_run": 4,
        "learning.update_every": 5,
        "learning.updates_each": 3,
        "learning.warmup_steps": 81,
        "learning.target_period": 10,
    }
    config = with_settings(BASE, changes | {"horizon": 10})
    assert (config.updates_per_round, config.warmup_rounds) == (6, 3)
    assert (config.updates_in(12), config.updates_in(20)) == (0, 12)
    # An episode has one and a half.
    assert config.target_updates == 15
    by_updates = with_settings(config, {"learning.target_unit": "updates"})
    assert by_updates.target_updates == 10
    plain = with_settings(BASE, {"learning.envs_per_run": 4})
    assert (plain.updates_per_round, plain.updates_in(20)) == (4, 20)
