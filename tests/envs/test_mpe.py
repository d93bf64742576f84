"""The worlds: geometry by hand, the adapter against mpe2, every scenario's shapes."""

import dataclasses

import jax
import jax.numpy as jnp
import mpe2.simple_spread_v3
import mpe2.simple_tag_v3
import numpy as np
import pytest

from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import scenario_config
from adama_jax.envs.mpe.jaxmarl import from_jaxmarl
from adama_jax.envs.mpe.jaxmarl_import import whole_jaxmarl
from adama_jax.envs.mpe.predator_prey import make as predator_prey
from adama_jax.envs.worlds import JaxMARLWorld
from adama_jax.execution.build import make_env
from adama_jax.training.rollout import make_rollout

OURS = ("going_together", "cooperative_navigation", "predator_prey", "clustering")


def world(name, **options):
    config = scenario_config(name)
    return make_env(dataclasses.replace(config, world=dataclasses.replace(config.world, **options)))


def at(env, positions):
    """A state with these positions of the entities."""
    return env.reset(jax.random.key(0)).replace(p_pos=jnp.array(positions, jnp.float32))


@pytest.mark.parametrize("name", OURS)
def test_actions_are_velocities_and_starts_fill_the_box(name):
    env = world(name, side=2.0, step=0.25)
    n = env.spec.num_agents
    state = at(env, np.zeros((len(env.spec.entities), 2)))
    action = jnp.stack([jnp.linspace(-1, 1, n), jnp.full(n, 0.5)], axis=1)
    new, transition = env.step(jax.random.key(0), state, action)
    np.testing.assert_allclose(new.p_pos[:n], 0.25 * action, rtol=1e-6)
    assert not bool(transition.terminated)
    starts = jax.vmap(lambda key: env.reset(key).p_pos)(jax.random.split(jax.random.key(1), 500))
    assert float(jnp.max(jnp.abs(starts))) <= 1.0
    np.testing.assert_allclose([jnp.mean(starts), jnp.var(starts)], [0, 1 / 3], atol=0.05)


@pytest.mark.parametrize("name", OURS)
def test_fixed_starts_are_the_same_and_seeded(name):
    starts = [
        world(name, start="fixed", start_seed=s).reset(jax.random.key(k)).p_pos
        for s, k in [(1, 0), (1, 5), (2, 0)]
    ]
    np.testing.assert_array_equal(starts[0], starts[1])
    assert not np.allclose(starts[0], starts[2])


@pytest.mark.parametrize("name", OURS)
def test_the_time_limit_truncates_and_never_terminates(name):
    env = world(name)
    state = env.reset(jax.random.key(0))
    for t in range(1, env.spec.horizon + 1):
        state, transition = env.step(jax.random.key(t), state, jnp.zeros((env.spec.num_agents, 2)))
        assert bool(transition.truncated) == (t == env.spec.horizon)
        assert not bool(transition.terminated)


def reward_after(env, positions):
    n = env.spec.num_agents
    return float(env.step(jax.random.key(0), at(env, positions), jnp.zeros((n, 2)))[1].reward)


def test_rewards_by_hand():
    assert reward_after(world("going_together"), [[0, 0], [3, 4], [0, 0]]) == pytest.approx(
        -0.5 * (0 + 5) - 5
    )
    navigation = [[0, 0], [0, 0], [0, 0], [1, 1], [0, 1], [3, 4], [0, 2], [1, 1]]
    assert reward_after(world("cooperative_navigation"), navigation) == pytest.approx(-5)
    pair = world("clustering", num_agents=2)
    assert reward_after(pair, [[0, 0], [6, 8]]) == pytest.approx(-10)
    hunt = [
        [0.0, 0.2],
        [0.29, 0],
        [0.31, 0],
        [1, 1],
        [0, 0],
    ]  # 2 within 0.3, and the prey stays put while touched
    assert reward_after(world("predator_prey"), hunt) == 2


def test_rewards_are_those_after_the_move():
    def reward(env, positions, action):
        return float(
            env.step(jax.random.key(0), at(env, positions), jnp.array(action, jnp.float32))[
                1
            ].reward
        )

    together = world("going_together", step=0.5)
    assert reward(together, [[0, 0], [3, 4], [0, 0]], [[0, 0], [0, -1]]) == pytest.approx(
        -1.5 * np.hypot(3, 3.5)
    )
    navigation = world("cooperative_navigation", num_agents=2, step=1.0)
    assert reward(navigation, [[0, 0], [1, 1], [0, 3], [1, 1]], [[0, 1], [0, 0]]) == pytest.approx(
        -2
    )
    assert reward(
        world("clustering", num_agents=2, step=1.0), [[0, 0], [6, 8]], [[0, 0], [-1, 0]]
    ) == pytest.approx(-np.hypot(5, 8), rel=1e-6)
    hunt = world(
        "predator_prey", num_agents=1, prey_step=0.0
    )  # it enters the radius in this very step
    assert reward(hunt, [[0.35, 0], [0, 0]], [[-1, 0]]) == 1


def test_observations_by_hand():
    env = world("going_together")
    obs = env.observe(jnp.array([0.0, 0, 1, 0, 0, 2]))
    np.testing.assert_array_equal(obs, [[1, 0, 0, 2], [-1, 0, -1, 2]])
    env = world("predator_prey", num_agents=2)
    obs = env.observe(jnp.array([0.0, 0, 1, 0, 0, 2]))  # the other, the prey, and the own position
    np.testing.assert_array_equal(obs, [[1, 0, 0, 2, 0, 0], [-1, 0, -1, 2, 1, 0]])
    assert [world(name).spec.obs_size for name in OURS] == [4, 14, 10, 14]
    assert [world(name).spec.snapshot_size for name in OURS] == [6, 16, 10, 16]


def prey_after(positions, **options):
    env = world("predator_prey", num_agents=len(positions) - 1, **options)
    state = at(env, positions)
    return np.asarray(
        env.step(jax.random.key(0), state, jnp.zeros((len(positions) - 1, 2)))[0].p_pos[-1]
    )


def test_the_prey_runs_by_its_rule():
    np.testing.assert_allclose(prey_after([[0.5, 0.0], [0.0, 0.0]]), [-0.13, 0], atol=1e-6)
    np.testing.assert_allclose(
        prey_after([[0.2, 0.0], [0.0, 0.0]]), [0, 0], atol=1e-6
    )  # touched: stays put
    both = np.array([-1 / 0.5 * 1.0, -1 / 1.0 * 1.0])  # pushes of 1 / distance, away from each
    np.testing.assert_allclose(
        prey_after([[0.5, 0], [0, 1.0], [0, 0]]), 0.13 * both / np.hypot(*both), atol=1e-6
    )
    cornered = prey_after(
        [[0.3, 0.95], [0.95, 0.95]]
    )  # the wall's push: 20 x 0.15 inwards on both axes
    push = np.array([1 / 0.65 - 3.0, -3.0])
    np.testing.assert_allclose(cornered, 0.95 + 0.13 * push / np.hypot(*push), atol=1e-5)
    assert np.all(np.abs(prey_after([[0.0, 0.0], [1.0, 1.0]], prey_step=5.0)) <= 1.0)


def test_walls_hold_predators():
    env = predator_prey(
        dataclasses.replace(SCENARIOS["predator_prey"].world, num_agents=1), 20, "walls"
    )
    new, _ = env.step(jax.random.key(0), at(env, [[0.95, -0.95], [0, 0]]), jnp.array([[1.0, -1.0]]))
    np.testing.assert_allclose(new.p_pos[0], [1.0, -1.0])


ORACLE_EPISODES, ORACLE_STEPS = 100, 25


def agreement(env, oracle, team):
    """Largest difference of observations and rewards over whole episodes, from the same states, with equal actions."""
    step, observe = jax.jit(env.step), jax.jit(lambda state: env.observe(env.snapshot(state)))
    rng, worst = np.random.default_rng(0), 0.0
    oracle.reset(seed=0)
    scene = oracle.unwrapped.world
    everyone, n = [*scene.agents, *scene.landmarks], len(scene.agents)
    for episode in range(ORACLE_EPISODES):
        theirs, _ = oracle.reset(seed=episode)
        blank = env.reset(jax.random.key(0))
        velocity = np.zeros((len(everyone), 2), np.float32)
        state = blank.replace(
            p_pos=jnp.array([e.state.p_pos for e in everyone], jnp.float32),
            p_vel=jnp.array(velocity),
        )
        for t in range(ORACLE_STEPS):
            obs = np.asarray(observe(state))
            worst = max(
                worst,
                max(np.abs(obs[i, : len(theirs[a])] - theirs[a]).max() for i, a in enumerate(team)),
            )
            action = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
            moves = {
                a.name: np.array([0, max(-x, 0), max(x, 0), max(-y, 0), max(y, 0)], np.float32)
                for a, (x, y) in zip(scene.agents, action, strict=True)
            }
            state, transition = step(jax.random.key(t), state, jnp.array(action))
            theirs, rewards, _, _, _ = oracle.step(moves)
            worst = max(worst, abs(float(transition.reward) - np.mean([rewards[a] for a in team])))
    return worst


def test_simple_spread_is_mpe2_s(loose_broadcasting):
    env = make_env(scenario_config("MPE_simple_spread_v3"))
    oracle = mpe2.simple_spread_v3.parallel_env(
        continuous_actions=True, max_cycles=ORACLE_STEPS + 1
    )
    assert agreement(env, oracle, oracle.possible_agents) < 1e-4


def test_simple_tag_is_mpe2_s(loose_broadcasting):
    config = scenario_config("MPE_simple_tag_v3")
    env = make_env(dataclasses.replace(config, world=JaxMARLWorld(prey="learner")))
    oracle = mpe2.simple_tag_v3.parallel_env(continuous_actions=True, max_cycles=ORACLE_STEPS + 1)
    assert agreement(env, oracle, oracle.possible_agents) < 1e-4


def test_networks_are_sized_from_a_real_reset(loose_broadcasting):
    """JaxMARL declares 16 for simple_tag whatever the number of adversaries."""
    config = scenario_config("MPE_simple_tag_v3")
    env = make_env(dataclasses.replace(config, world=JaxMARLWorld(num_adversaries=4)))
    assert (env.spec.num_agents, env.spec.obs_size) == (4, 18)


@pytest.mark.slow
def test_smaller_agents_are_padded_with_zeros(loose_broadcasting):
    config = scenario_config("MPE_simple_tag_v3")
    env = make_env(dataclasses.replace(config, world=JaxMARLWorld(prey="learner")))
    obs = env.observe(env.snapshot(env.reset(jax.random.key(3))))
    assert obs.shape == (4, 16)
    np.testing.assert_array_equal(obs[3, 14:], 0)
    assert np.all(np.asarray(obs[0, 14:16]) == 0) and np.all(np.asarray(obs[:, 4:14]) != 0)
    talk = make_env(scenario_config("MPE_simple_speaker_listener_v4"))
    assert talk.spec.action_sizes == (3, 2)
    episode = make_rollout(talk, lambda actors, obs: jnp.ones((2, 1, 3)))(
        jax.random.key(0), None, jnp.array(0.5)
    )
    action = episode.action.reshape(-1, 2, 3)
    np.testing.assert_array_equal(action[:, 1, 2], 0)
    assert np.all(np.asarray(action[:, :, :2]) != 0)


def test_the_scripted_prey_of_simple_tag_flees(loose_broadcasting):
    env = make_env(scenario_config("MPE_simple_tag_v3"))
    assert env.spec.num_agents == 3
    state = env.reset(jax.random.key(0))
    far = jnp.array([[-0.9, 0.0], [-0.9, 0.3], [-0.9, -0.3], [0.0, 0.0], [5, 5], [6, 6]])
    state = state.replace(p_pos=far, p_vel=jnp.zeros((6, 2)))
    for t in range(3):
        state, _ = env.step(jax.random.key(t), state, jnp.zeros((3, 2)))
    assert float(state.p_pos[3, 0]) > 0.1
    np.testing.assert_allclose(state.p_pos[3, 1], 0.0, atol=1e-5)


LOCOMOTION = [
    name for name, scenario in SCENARIOS.items() if scenario.module.endswith("locomotion")
]
EACH = [
    pytest.param(name, marks=[pytest.mark.slow] if name in LOCOMOTION[1:] else [])
    for name in SCENARIOS
]


@pytest.mark.parametrize("name", EACH)
def test_every_scenario_keeps_its_spec(name, loose_broadcasting):
    env = make_env(scenario_config(name))
    spec = env.spec
    act = jax.eval_shape(
        make_rollout(env, lambda actors, obs: jnp.zeros((spec.num_agents, 1, spec.action_size))),
        jax.random.key(0), None, jnp.array(0.0),
    )  # fmt: skip
    assert act.snapshot.shape == (spec.horizon + 1, spec.snapshot_size)
    assert act.action.shape == (spec.horizon, spec.num_agents * spec.action_size)
    snapshot = env.snapshot(env.reset(jax.random.key(0)))
    obs = jax.jit(env.observe)(snapshot)
    assert obs.shape == (spec.num_agents, spec.obs_size)
    assert bool(jnp.all(jnp.isfinite(obs)))
    assert env.positions(snapshot).shape == (len(spec.entities), 2)


@pytest.mark.parametrize(
    "name", ["MPE_simple_spread_v3", "MPE_simple_reference_v3", "MPE_simple_crypto_v3"]
)
def test_observations_are_a_function_of_the_snapshot(name, loose_broadcasting):
    """What JaxMARL itself says the agents see, step by step, is what the stored snapshots give back."""
    world = whole_jaxmarl().make(name, action_type="Continuous")
    env = from_jaxmarl(world, name, horizon=5)
    seen, state = world.reset(jax.random.key(0))
    for t in range(4):
        ours = env.observe(env.snapshot(state))
        for i, agent in enumerate(world.agents):
            np.testing.assert_array_equal(ours[i, : seen[agent].size], seen[agent])
        action = {
            a: jax.random.uniform(jax.random.key(t), world.action_space(a).shape)
            for a in world.agents
        }
        seen, state, *_ = world.step_env(jax.random.key(t), state, action)
