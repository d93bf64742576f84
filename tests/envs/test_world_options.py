"""Options of the paper's four worlds: by hand, and as numbers of one program."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.config.checks import validate
from adama_jax.config.identity import program_key
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.execution.build import (
    make_env,
    make_train,
    stacked_hypers,
    world_numbers,
)
from adama_jax.testing import check_env
from adama_jax.training.population import population
from adama_jax.training.rollout import greedy_rollout

OURS = ("going_together", "cooperative_navigation", "predator_prey", "clustering")
DISTANCES = [name for name in OURS if name != "predator_prey"]


def world(name, **options):
    config = scenario_config(name)
    world = dataclasses.replace(config.world, **options)
    config = dataclasses.replace(config, world=world)
    validate(config)
    return make_env(config)


def at(env, positions):
    """A state with these positions of the entities."""
    return env.reset(jax.random.key(0)).replace(p_pos=jnp.array(positions, jnp.float32))


def reward_at(env, positions):
    """Of staying there."""
    idle = jnp.zeros((env.spec.num_agents, 2))
    _, transition = env.step(jax.random.key(0), at(env, positions), idle)
    return float(transition.reward)


@pytest.mark.parametrize("name", DISTANCES)
def test_walls_hold_the_agents(name):
    """Half a side is 1; the walls are at 1.5, the landmarks beyond stay where they are."""
    env = world(name, side=2.0, step=1.0, walls=1.5)
    n = env.spec.num_agents
    start = np.full((len(env.spec.entities), 2), 5.0)
    start[:n] = [1.0, -1.0]
    action = jnp.tile(jnp.array([1.0, -0.25]), (n, 1))
    after, _ = env.step(jax.random.key(0), at(env, start), action)
    np.testing.assert_allclose(after.p_pos[:n], np.tile([1.5, -1.25], (n, 1)))
    np.testing.assert_allclose(after.p_pos[n:], start[n:])
    free, _ = world(name, side=2.0, step=1.0).step(
        jax.random.key(0), at(env, start), action
    )
    np.testing.assert_allclose(free.p_pos[:n], np.tile([2.0, -1.25], (n, 1)))


@pytest.mark.parametrize("name", DISTANCES)
def test_own_positions_are_observed_last(name):
    plain, env = world(name), world(name, observe_own=True)
    state = env.reset(jax.random.key(1))
    snapshot = env.snapshot(state)
    obs = env.observe(snapshot)
    assert obs.shape == (env.spec.num_agents, plain.spec.obs_size + 2)
    np.testing.assert_array_equal(obs[:, :-2], plain.observe(snapshot))
    np.testing.assert_array_equal(obs[:, -2:], state.p_pos[: env.spec.num_agents])
    check_env(env)


def test_unequal_weights_by_hand():
    """Of 2 agents with a ratio of 3: 0.5 and 1.5; of 4 with a ratio of 8: 1, 2, 4, 8 over 3.75."""
    positions = [[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]
    together = world("going_together", weight_ratio=3.0)
    expected = -0.5 * (0.5 * 1 + 1.5 * 2) - 5**0.5
    assert reward_at(together, positions) == pytest.approx(expected, rel=1e-6)

    navigation = world("cooperative_navigation", weight_ratio=8.0)
    agents = np.array([[4.0, 0], [0, 1], [2, 0], [0, 1]])
    positions = np.concatenate([agents, np.zeros((4, 2))])
    assert reward_at(navigation, positions) == pytest.approx(-8 / 3.75, rel=1e-6)

    clustering = world("clustering", num_agents=2, weight_ratio=3.0)
    assert reward_at(clustering, [[0, 0], [2, 0]]) == pytest.approx(-2.0, rel=1e-6)

    hunt = world("predator_prey", num_agents=2, weight_ratio=3.0)
    near, far, prey = [0.1, 0.0], [0.9, 0.9], [0.0, 0.0]
    # A touched prey stays.
    assert reward_at(hunt, [near, far, prey]) == pytest.approx(0.5, rel=1e-6)
    assert reward_at(hunt, [far, near, prey]) == pytest.approx(1.5, rel=1e-6)


def test_beyond_a_radius_nothing_more_is_lost():
    positions = [[1.0, 0.0], [0.0, 5.0], [0.0, 0.0]]
    together = world("going_together", reward_radius=2.0)
    assert reward_at(together, positions) == pytest.approx(-0.5 * (1 + 2) - 2, rel=1e-6)
    navigation = world("cooperative_navigation", reward_radius=2.0)
    positions = np.zeros((8, 2))
    positions[0] = [9.0, 0.0]
    assert reward_at(navigation, positions) == pytest.approx(-2.0, rel=1e-6)
    clustering = world("clustering", num_agents=2, reward_radius=2.0)
    assert reward_at(clustering, [[0, 0], [9, 0]]) == pytest.approx(-4.0, rel=1e-6)


@pytest.mark.parametrize("name", OURS)
def test_the_time_limit_can_end_the_world(name):
    """At the last step alone; otherwise nothing ends it."""
    for ends in (False, True):
        env = world(name, ends_at_horizon=ends)
        still = greedy_rollout(env, lambda params, obs: jnp.zeros((*obs.shape[:2], 2)))
        episode = still(jax.random.key(0), None)
        expected = np.zeros(env.spec.horizon)
        expected[-1] = ends
        np.testing.assert_array_equal(episode.terminated, expected)


def test_walls_stand_round_the_starts():
    for walls in (0.0, 1.0, 2.5):
        world("clustering", walls=walls)
    with pytest.raises(SettingError, match=r"^world.walls=0.5: must be 0 \(none\) or"):
        world("clustering", walls=0.5)


def test_which_worlds_have_comparable_returns():
    """Beyond the time limit nobody is rewarded, and nobody for what is seen."""
    base = scenario_config("clustering").world
    for option, value in {"observe_own": True, "ends_at_horizon": True}.items():
        assert dataclasses.replace(base, **{option: value}).as_rewarded == base
    for option in ("side", "step", "walls", "reward_radius", "weight_ratio"):
        assert dataclasses.replace(base, **{option: 1.7}).as_rewarded != base


def test_what_predators_always_have_is_refused():
    for name, value in (("walls", 1.0), ("observe_own", True), ("reward_radius", 1.0)):
        config = with_settings(
            scenario_config("predator_prey"), {f"world.{name}": value}
        )
        with pytest.raises(SettingError, match=rf"^world.{name}=.*must be left out"):
            validate(config)


OTHERS = {
    "going_together": {"side": 3.0, "walls": 1.1, "weight_ratio": 2.0},
    "cooperative_navigation": {"step": 0.2, "reward_radius": 0.9},
    "predator_prey": {"prey_step": 0.05, "touch_radius": 0.5, "ends_at_horizon": True},
    "clustering": {"side": 1.0, "ends_at_horizon": True},
}


@pytest.mark.parametrize(
    "name",
    [
        name if name == "predator_prey" else pytest.param(name, marks=pytest.mark.slow)
        for name in OTHERS
    ],
)
def test_members_in_several_worlds_are_those_of_one_world_each(name):
    """Bit for bit, in one program of the same width; and every option matters."""
    base = with_settings(
        scenario_config(name), {"episodes": 40, "learning.batch_size": 32}
    )
    changes = {f"world.{option}": value for option, value in OTHERS[name].items()}
    other = with_settings(base, changes)
    validate(other)
    assert program_key(base) == program_key(other)

    def trained(configs, built_from):
        members = population(make_train(built_from), 4, devices=jax.devices()[:1])
        state = members.init([0, 1, 0, 1], stacked_hypers(configs))
        state, metrics = members.chunk(state, 40)
        return np.asarray(metrics.train_return), np.asarray(members.evaluate(state))

    mixed = trained([base, base, other, other], base)
    alone = trained([other] * 4, other)
    for together, apart in zip(mixed, alone, strict=True):
        np.testing.assert_array_equal(together[2:], apart[2:])
        assert np.all(together[:2] != together[2:])


def test_every_number_of_a_world_is_traced():
    """What is none cannot be: how many agents, whether they observe themselves, a start."""
    for name in OURS:
        config = scenario_config(name)
        static = set(vars(config.world)) - set(world_numbers(config))
        assert static == {"num_agents", "start", "start_seed", "observe_own"}
