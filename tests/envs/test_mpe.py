"""The worlds: geometry by hand, the adapter against mpe2, every scenario's shapes."""

import dataclasses

import jax
import jax.numpy as jnp
import mpe2.simple_spread_v3
import mpe2.simple_tag_v3
import numpy as np
import pytest

from adama_jax.config.checks import validate
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import scenario_config
from adama_jax.envs.mpe.jaxmarl import from_jaxmarl
from adama_jax.envs.mpe.jaxmarl_import import whole_jaxmarl
from adama_jax.envs.worlds import JaxMARLWorld
from adama_jax.execution.build import make_algorithm, make_env, make_hyper, make_train
from adama_jax.testing import check_env
from adama_jax.training.rollout import exploring_rollout, greedy_rollout

OURS = ("going_together", "cooperative_navigation", "predator_prey", "clustering")


def world(name, **options):
    config = scenario_config(name)
    return make_env(
        dataclasses.replace(config, world=dataclasses.replace(config.world, **options))
    )


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

    keys = jax.random.split(jax.random.key(1), 500)
    starts = jax.vmap(lambda key: env.reset(key).p_pos)(keys)
    # Of 1,500 draws and more the farthest is next to the wall on each side, and within it.
    assert -1.0 <= float(jnp.min(starts)) < -0.99
    assert 0.99 < float(jnp.max(starts)) <= 1.0
    # Mean and variance of a uniform distribution over [-1, 1].
    np.testing.assert_allclose(
        [jnp.mean(starts), jnp.var(starts)], [0, 1 / 3], atol=0.05
    )


@pytest.mark.parametrize("name", OURS)
def test_fixed_starts_are_the_same_and_seeded(name):
    def start(start_seed, key):
        env = world(name, start="fixed", start_seed=start_seed)
        return env.reset(jax.random.key(key)).p_pos

    np.testing.assert_array_equal(start(1, key=0), start(1, key=5))
    assert not np.allclose(start(1, key=0), start(2, key=0))


@pytest.mark.parametrize("name", OURS)
def test_the_time_limit_never_terminates(name):
    env = world(name)
    assert not env.spec.terminates
    state = env.reset(jax.random.key(0))
    still = jnp.zeros((env.spec.num_agents, 2))
    # A step beyond the limit too: only whoever plays the episode knows of it.
    for t in range(env.spec.horizon + 1):
        state, transition = env.step(jax.random.key(t), state, still)
        assert not bool(transition.terminated)


def reward_after(env, positions, action=None):
    """The reward of a step from there, by default of one in which no agent moves."""
    if action is None:
        action = np.zeros((env.spec.num_agents, 2))
    action = jnp.array(action, jnp.float32)
    _, transition = env.step(jax.random.key(0), at(env, positions), action)
    return float(transition.reward)


def test_rewards_by_hand():
    together = world("going_together")
    positions = [[0, 0], [3, 4], [0, 0]]
    assert reward_after(together, positions) == pytest.approx(-0.5 * (0 + 5) - 5)

    navigation = world("cooperative_navigation")
    positions = [[0, 0], [0, 0], [0, 0], [1, 1], [0, 1], [3, 4], [0, 2], [1, 1]]
    assert reward_after(navigation, positions) == pytest.approx(-5)

    pair = world("clustering", num_agents=2)
    assert reward_after(pair, [[0, 0], [6, 8]]) == pytest.approx(-10)

    # Two are within 0.3, and the prey stays put while touched.
    hunt = world("predator_prey")
    positions = [[0.0, 0.2], [0.29, 0], [0.31, 0], [1, 1], [0, 0]]
    assert reward_after(hunt, positions) == 2


def test_rewards_are_those_after_the_move():
    together = world("going_together", step=0.5)
    reward = reward_after(together, [[0, 0], [3, 4], [0, 0]], [[0, 0], [0, -1]])
    assert reward == pytest.approx(-1.5 * np.hypot(3, 3.5))

    navigation = world("cooperative_navigation", num_agents=2, step=1.0)
    reward = reward_after(
        navigation, [[0, 0], [1, 1], [0, 3], [1, 1]], [[0, 1], [0, 0]]
    )
    assert reward == pytest.approx(-2)

    pair = world("clustering", num_agents=2, step=1.0)
    reward = reward_after(pair, [[0, 0], [6, 8]], [[0, 0], [-1, 0]])
    assert reward == pytest.approx(-np.hypot(5, 8), rel=1e-6)

    # The predator enters the radius in this very step.
    hunt = world("predator_prey", num_agents=1, prey_step=0.0)
    assert reward_after(hunt, [[0.35, 0], [0, 0]], [[-1, 0]]) == 1


def test_observations_by_hand():
    env = world("going_together")
    obs = env.observe(jnp.array([0.0, 0, 1, 0, 0, 2]))
    np.testing.assert_array_equal(obs, [[1, 0, 0, 2], [-1, 0, -1, 2]])

    # The other, the prey, and the own position.
    env = world("predator_prey", num_agents=2)
    obs = env.observe(jnp.array([0.0, 0, 1, 0, 0, 2]))
    np.testing.assert_array_equal(obs, [[1, 0, 0, 2, 0, 0], [-1, 0, -1, 2, 1, 0]])

    assert [world(name).spec.obs_size for name in OURS] == [4, 14, 10, 14]
    assert [world(name).spec.snapshot_size for name in OURS] == [6, 16, 10, 16]


def prey_after(positions, action=None, **options):
    """Where the prey, whose position is the last, is after a step; by default nobody else moves."""
    predators = len(positions) - 1
    if action is None:
        action = np.zeros((predators, 2))
    env = world("predator_prey", num_agents=predators, **options)
    new, _ = env.step(jax.random.key(0), at(env, positions), jnp.array(action))
    return np.asarray(new.p_pos[-1])


def test_the_prey_runs_by_its_rule():
    np.testing.assert_allclose(
        prey_after([[0.5, 0.0], [0.0, 0.0]]), [-0.13, 0], atol=1e-6
    )

    # Touched, it stays put.
    np.testing.assert_allclose(prey_after([[0.2, 0.0], [0.0, 0.0]]), [0, 0], atol=1e-6)

    # Pushes of 1 / distance, away from each predator.
    push = np.array([-1 / 0.5, -1 / 1.0])
    between = prey_after([[0.5, 0], [0, 1.0], [0, 0]])
    np.testing.assert_allclose(between, 0.13 * push / np.hypot(*push), atol=1e-6)

    # The walls push by 20 x 0.15 inwards on both axes.
    push = np.array([1 / 0.65 - 3.0, -3.0])
    cornered = prey_after([[0.3, 0.95], [0.95, 0.95]])
    np.testing.assert_allclose(
        cornered, 0.95 + 0.13 * push / np.hypot(*push), atol=1e-5
    )

    assert np.all(np.abs(prey_after([[0.0, 0.0], [1.0, 1.0]], prey_step=5.0)) <= 1.0)


def test_prey_and_predators_move_at_the_same_time():
    """The prey runs from where the predators were, also from one that comes to touch it."""
    aside = prey_after([[0.5, 0.0], [0.0, 0.0]], [[0.0, 1.0]], step=0.5)
    np.testing.assert_allclose(aside, [-0.13, 0.0], atol=1e-6)
    reached = prey_after([[0.35, 0.0], [0.0, 0.0]], [[-1.0, 0.0]])
    np.testing.assert_allclose(reached, [-0.13, 0.0], atol=1e-6)
    # Touched before the step, it stays, though the predator leaves.
    left = prey_after([[0.25, 0.0], [0.0, 0.0]], [[1.0, 0.0]])
    np.testing.assert_allclose(left, [0.0, 0.0], atol=1e-6)


def test_a_predator_at_the_radius_does_not_touch():
    hunt = world("predator_prey", num_agents=2, touch_radius=0.5, prey_step=0.0)
    assert reward_after(hunt, [[0.5, 0.0], [0.0, -0.499], [0.0, 0.0]]) == 1


def test_walls_hold_predators():
    env = world("predator_prey", num_agents=1)
    cornered = at(env, [[0.95, -0.95], [0, 0]])
    outwards = jnp.array([[1.0, -1.0]])
    new, _ = env.step(jax.random.key(0), cornered, outwards)
    np.testing.assert_allclose(new.p_pos[0], [1.0, -1.0])


ORACLE_EPISODES = 100
ORACLE_STEPS = 25


def agreement(env, oracle, team):
    """Largest difference of observations and rewards over whole episodes.

    Both worlds start from the same states and get the same actions.
    """
    step = jax.jit(env.step)
    observe = jax.jit(lambda state: env.observe(env.snapshot(state)))
    rng = np.random.default_rng(0)
    differences = []
    oracle.reset(seed=0)
    scene = oracle.unwrapped.world
    everyone = [*scene.agents, *scene.landmarks]
    for episode in range(ORACLE_EPISODES):
        theirs, _ = oracle.reset(seed=episode)
        positions = np.array([entity.state.p_pos for entity in everyone], np.float32)
        state = env.reset(jax.random.key(0)).replace(
            p_pos=jnp.array(positions),
            p_vel=jnp.zeros(positions.shape),
        )
        for t in range(ORACLE_STEPS):
            obs = np.asarray(observe(state))
            for i, agent in enumerate(team):
                ours = obs[i, : len(theirs[agent])]
                differences.append(np.abs(ours - theirs[agent]).max())
            action = rng.uniform(-1, 1, (len(scene.agents), 2)).astype(np.float32)
            state, transition = step(jax.random.key(t), state, jnp.array(action))
            theirs, rewards, _, _, _ = oracle.step(as_forces(scene.agents, action))
            mean = np.mean([rewards[agent] for agent in team])
            differences.append(abs(float(transition.reward) - mean))
    return max(differences)


def as_forces(agents, action):
    """Actions [N, 2] as mpe2 takes them: no-op, left, right, down, up, by the agent's name."""
    moves = {}
    for agent, (x, y) in zip(agents, action, strict=True):
        forces = [0, max(-x, 0), max(x, 0), max(-y, 0), max(y, 0)]
        moves[agent.name] = np.array(forces, np.float32)
    return moves


@pytest.mark.slow
def test_simple_spread_is_mpe2_s(loose_broadcasting):
    env = make_env(scenario_config("MPE_simple_spread_v3"))
    oracle = mpe2.simple_spread_v3.parallel_env(
        continuous_actions=True, max_cycles=ORACLE_STEPS + 1
    )
    assert agreement(env, oracle, oracle.possible_agents) < 1e-4


@pytest.mark.slow
def test_simple_tag_is_mpe2_s(loose_broadcasting):
    config = scenario_config("MPE_simple_tag_v3")
    env = make_env(dataclasses.replace(config, world=JaxMARLWorld(prey="learner")))
    oracle = mpe2.simple_tag_v3.parallel_env(
        continuous_actions=True, max_cycles=ORACLE_STEPS + 1
    )
    assert agreement(env, oracle, oracle.possible_agents) < 1e-4


@pytest.mark.parametrize("name", ["MPE_simple_spread_v3", "MPE_simple_facmac_v1"])
def test_a_force_moves_an_agent_at_once_or_a_step_later(name, loose_broadcasting):
    """From rest, by hand: v = 5 a dt in a step, x = v dt in the same one, or in the next."""
    moved = {}
    for integrator in ("explicit_euler", "semi_implicit_euler"):
        env = world(name, integrator=integrator)
        state = at(env, 10 * np.arange(2 * len(env.spec.entities)).reshape(-1, 2))
        start = state.p_pos[0]
        action = jnp.zeros((env.spec.num_agents, env.spec.action_size))
        action = action.at[0, 0].set(1.0)
        steps = []
        for _ in range(2):
            state, _ = env.step(jax.random.key(0), state, action)
            steps.append(float(state.p_pos[0, 0] - start[0]))
        moved[integrator] = steps
    acceleration = 5.0 if name == "MPE_simple_spread_v3" else 3.0
    v1 = 0.1 * acceleration
    v2 = 0.75 * v1 + 0.1 * acceleration
    np.testing.assert_allclose(moved["explicit_euler"], [0, 0.1 * v1], atol=1e-5)
    np.testing.assert_allclose(
        moved["semi_implicit_euler"], [0.1 * v1, 0.1 * (v1 + v2)], atol=1e-5
    )


def pettingzoo_1_22(self, p_force):
    """`World.integrate_state` of PettingZoo 1.22: velocities first."""
    for entity, force in zip(self.entities, p_force, strict=True):
        if entity.movable:
            velocity = entity.state.p_vel * (1 - self.damping)
            entity.state.p_vel = velocity + force / entity.mass * self.dt
            entity.state.p_pos = entity.state.p_pos + entity.state.p_vel * self.dt


@pytest.mark.slow
def test_simple_spread_can_be_pettingzoo_1_22_s(monkeypatch, loose_broadcasting):
    env = world("MPE_simple_spread_v3", integrator="semi_implicit_euler")
    oracle = mpe2.simple_spread_v3.parallel_env(
        continuous_actions=True, max_cycles=ORACLE_STEPS + 1
    )
    assert agreement(env, oracle, oracle.possible_agents) > 0.01
    kind = type(oracle.unwrapped.world)
    monkeypatch.setattr(kind, "integrate_state", pettingzoo_1_22)
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
    assert np.all(np.asarray(obs[0, 14:16]) == 0)
    assert np.all(np.asarray(obs[:, 4:14]) != 0)

    config = scenario_config("MPE_simple_speaker_listener_v4")
    talk = make_env(config)
    assert talk.spec.action_sizes == (3, 2)
    algorithm = make_algorithm(config, talk)
    actors = algorithm.init(jax.random.key(1)).actors
    episode = exploring_rollout(talk, algorithm)(
        jax.random.key(0), actors, jnp.array(0.5)
    )
    action = episode.action.reshape(-1, 2, 3)
    np.testing.assert_array_equal(action[:, 1, 2], 0)
    assert np.all(np.asarray(action[:, :, :2]) != 0)


def test_the_scripted_prey_of_simple_tag_flees(loose_broadcasting):
    env = make_env(scenario_config("MPE_simple_tag_v3"))
    assert env.spec.num_agents == 3
    state = env.reset(jax.random.key(0))
    far = jnp.array(
        [[-0.9, 0.0], [-0.9, 0.3], [-0.9, -0.3], [0.0, 0.0], [5, 5], [6, 6]]
    )
    state = state.replace(p_pos=far, p_vel=jnp.zeros((6, 2)))
    for t in range(3):
        state, _ = env.step(jax.random.key(t), state, jnp.zeros((3, 2)))
    assert float(state.p_pos[3, 0]) > 0.1
    np.testing.assert_allclose(state.p_pos[3, 1], 0.0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "expected"),
    [("still", -72.5), ("uniform", -75.6)],
)
def test_returns_in_simple_spread_of_who_learns_nothing(
    policy, expected, loose_broadcasting
):
    """Sums of the three agents' rewards, to 1, as those of published curves.

    Expected: of JaxMARL without our adapter, 2^17 episodes, standard error 0.07.
    """
    world = whole_jaxmarl().make("MPE_simple_spread_v3", action_type="Continuous")
    env = from_jaxmarl(world, "spread", horizon=25, as_given=True)
    shape = (env.spec.num_agents, env.spec.action_size)

    def episode(key):
        start_key, *keys = jax.random.split(key, 26)

        def step(state, key):
            # JaxMARL's five forces, each from 0 to 1.
            action = jax.random.uniform(key, shape)
            if policy == "still":
                action = jnp.zeros(shape)
            state, transition = env.step(key, state, action)
            return state, transition.reward

        state = env.reset(start_key)
        _, rewards = jax.lax.scan(step, state, jnp.stack(keys))
        return 3 * jnp.sum(rewards)

    returns = jax.vmap(episode)(jax.random.split(jax.random.key(0), 8192))
    assert float(jnp.mean(returns)) == pytest.approx(expected, abs=1.0)


def every_scenario():
    """All, of which the robots after the first are slow tests: each is compiled for seconds."""
    robots = [
        name for name, each in SCENARIOS.items() if each.module.endswith("locomotion")
    ]
    cases = []
    for name in SCENARIOS:
        marks = pytest.mark.slow if name in robots else ()
        cases.append(pytest.param(name, marks=marks))
    return cases


@pytest.mark.parametrize("name", every_scenario())
def test_every_scenario_keeps_its_spec(name, loose_broadcasting):
    env = make_env(scenario_config(name))
    spec = env.spec

    def still(actors, obs):
        return jnp.zeros((spec.num_agents, 1, spec.action_size))

    rollout = greedy_rollout(env, still)
    episode = jax.eval_shape(rollout, jax.random.key(0), None)
    assert episode.snapshot.shape == (spec.horizon + 1, spec.snapshot_size)
    assert episode.action.shape == (spec.horizon, spec.num_agents * spec.action_size)
    snapshot = env.snapshot(env.reset(jax.random.key(0)))
    obs = jax.jit(env.observe)(snapshot)
    assert obs.shape == (spec.num_agents, spec.obs_size)
    assert bool(jnp.all(jnp.isfinite(obs)))
    assert env.positions(snapshot).shape == (len(spec.entities), 2)


@pytest.mark.parametrize(
    "name", ["MPE_simple_spread_v3", "MPE_simple_reference_v3", "MPE_simple_crypto_v3"]
)
def test_observations_are_a_function_of_the_snapshot(name, loose_broadcasting):
    """What JaxMARL says that the agents see is what the stored snapshots give back."""
    world = whole_jaxmarl().make(name, action_type="Continuous")
    env = from_jaxmarl(world, name, horizon=5)
    seen, state = world.reset(jax.random.key(0))
    for t in range(4):
        ours = env.observe(env.snapshot(state))
        for i, agent in enumerate(world.agents):
            np.testing.assert_array_equal(ours[i, : seen[agent].size], seen[agent])
        key = jax.random.key(t)
        action = {}
        for agent in world.agents:
            shape = world.action_space(agent).shape
            action[agent] = jax.random.uniform(key, shape)
        seen, state, *_ = world.step_env(key, state, action)


TOY = """
import jax.numpy as jnp
from adama_jax.envs.mpe.velocity import VelocityMPE, velocity_env

class Meeting(VelocityMPE):
    def __init__(self, world):
        super().__init__(world, landmarks=())

    def team_reward(self, positions):
        return -jnp.linalg.norm(positions[0] - positions[1])

def make(world, horizon, name):
    return velocity_env(Meeting(world), name, horizon)
"""


def test_a_new_scenario_is_one_file_and_one_line(tmp_path, monkeypatch):
    """It has a configuration that is valid, a world, and a training that can be traced."""
    (tmp_path / "toy_meeting.py").write_text(TOY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    line = dataclasses.replace(SCENARIOS["going_together"], module="toy_meeting")
    monkeypatch.setitem(SCENARIOS, "meeting", line)

    config = scenario_config("meeting")
    validate(config)
    env = make_env(config)
    assert env.spec.name == "meeting"
    assert reward_after(env, [[0, 0], [3, 4]]) == pytest.approx(-5)

    train = make_train(config)
    state = jax.eval_shape(train.init, jax.random.key(0), make_hyper(config))
    _, metrics = jax.eval_shape(lambda state: train.chunk(state, 2), state)
    assert metrics.actor_rates.shape[-1] == 2


DISCRETE = [
    name
    for name in SCENARIOS
    if name.startswith("MPE_") and not name.startswith("MPE_simple_facmac")
]


@pytest.mark.slow
@pytest.mark.usefixtures("loose_broadcasting")
@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_actions_are_jaxmarl_s_own(name):
    """Every agent's last action, one-hot here and a number there, from one start."""
    env = world(name, action_type="discrete", prey="learner")
    theirs = whole_jaxmarl().make(name, action_type="Discrete")
    counts = [theirs.action_space(agent).n for agent in theirs.agents]
    assert env.spec.discrete
    assert env.spec.action_sizes == tuple(counts)
    last = np.array(counts) - 1
    action = jax.nn.one_hot(last, max(counts))
    key = jax.random.key(3)
    state = env.reset(jax.random.key(0))
    new, transition = env.step(key, state, action)
    moves = {agent: jnp.array(last[i]) for i, agent in enumerate(theirs.agents)}
    _, expected, rewards, _, _ = theirs.step_env(key, state, moves)
    # A force changes a velocity, and with the next step a position.
    np.testing.assert_array_equal(new.p_vel, expected.p_vel)
    np.testing.assert_array_equal(new.c, expected.c)
    mean = np.mean([float(rewards[agent]) for agent in theirs.agents])
    assert float(transition.reward) == pytest.approx(mean, rel=1e-5)


@pytest.mark.usefixtures("loose_broadcasting")
def test_sizes_of_discrete_actions_are_how_many_there_are():
    """A speaker has three words, a listener four forces and none."""
    spec = world("MPE_simple_speaker_listener_v4", action_type="discrete").spec
    assert spec.discrete
    assert (spec.action_sizes, spec.action_size) == ((3, 5), 5)


@pytest.mark.slow
@pytest.mark.usefixtures("loose_broadcasting")
def test_a_discrete_world_keeps_the_contract():
    check_env(world("MPE_simple_speaker_listener_v4", action_type="discrete"))


@pytest.mark.slow
@pytest.mark.usefixtures("loose_broadcasting")
def test_a_prey_of_discrete_actions_flees_by_its_strongest_force():
    """Predators to its left: it moves right, and not up or down."""
    env = world("MPE_simple_tag_v3", action_type="discrete")
    state = env.reset(jax.random.key(0))
    positions = state.p_pos.at[:3].set(jnp.array([[-0.5, 0.1], [-0.6, 0.1], [-0.7, 0]]))
    positions = positions.at[3].set(0.0).at[4:].set(5.0)
    still = jax.nn.one_hot(jnp.zeros(3, int), 5)
    new, _ = env.step(jax.random.key(1), state.replace(p_pos=positions), still)
    velocity = np.asarray(new.p_vel[3])
    assert velocity[0] > 0.1 and abs(velocity[1]) < 1e-6
