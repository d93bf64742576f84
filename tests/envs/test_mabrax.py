"""Robots in JaxMARL's interface: who drives and sees what, joint by joint; JaxMARL's wrappers."""

from functools import cache
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.envs.check import check_shapes
from adama_jax.envs.jaxmarl import from_jaxmarl
from adama_jax.envs.mpe.jaxmarl_import import whole_jaxmarl
from adama_jax.envs.robots.joints import ROBOTS, partition
from adama_jax.envs.robots.locomotion import mujoco
from adama_jax.envs.robots.mabrax import MABrax
from adama_jax.errors import SettingError

jaxmarl = whole_jaxmarl()
LogWrapper = import_module("jaxmarl.wrappers.baselines").LogWrapper
MAPPINGS = import_module("jaxmarl.environments.mabrax.mappings")
THEIR_ROWS = MAPPINGS._agent_observation_mapping
THEIR_ACTUATORS = MAPPINGS._agent_action_mapping

HIPS = ("right_hip_x", "right_hip_z", "right_hip_y")
HIPS += ("left_hip_x", "left_hip_z", "left_hip_y")

NEXT_TO = {
    "ant_4x2": [
        ("hip_2", "hip_3", "hip_4"),
        ("hip_1", "hip_3", "hip_4"),
        ("hip_1", "hip_2", "hip_4"),
        ("hip_1", "hip_2", "hip_3"),
    ],
    "halfcheetah_6x1": [
        ("bshin", "fthigh"),
        ("bthigh", "bfoot"),
        ("bshin",),
        ("bthigh", "fshin"),
        ("fthigh", "ffoot"),
        ("fshin",),
    ],
    "hopper_3x1": [("leg_joint",), ("thigh_joint", "foot_joint"), ("leg_joint",)],
    "humanoid_9|8": [HIPS, ("abdomen_x",)],
    "walker2d_2x3": [("thigh_left_joint",), ("thigh_joint",)],
}
"""The others' joints on a link that one of the agent's own moves or hangs from, by hand."""

SLOW = ("humanoid_9|8", "walker2d_2x3")
TASKS = [
    pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
    for name in NEXT_TO
]
METHODS = (None, "max", "concat")
BACKENDS = ("mjx", "spring", "positional")


@cache
def robot(name, method=None, obsk=1, backend="positional", episode_length=1000):
    return MABrax(name, episode_length, method, backend, obsk)


def whole_size(name):
    """Of Brax's observation."""
    return robot(name, "concat").observation_space("agent_0").shape[0]


def teams_of(name):
    return partition(*name.split("_"))


def actions_with(env, agent, entry, value):
    actions = {}
    for name in env.agents:
        actions[name] = np.zeros(env.action_space(name).shape, np.float32)
    actions[agent][entry] = value
    return actions


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("method", METHODS)
def test_an_agent_s_action_turns_its_own_joint(name, method):
    """Each in turn: MuJoCo has a force on that joint and on no other."""
    env = robot(name, method)
    model = env.sys.mj_model
    data = mujoco.MjData(model)
    for agent, team in zip(env.agents, teams_of(name), strict=True):
        for index, joint in enumerate(team):
            driver = next(
                actuator
                for actuator in range(model.nu)
                if model.actuator_trnid[actuator, 0] == model.joint(joint).id
            )
            entry = driver if method == "concat" else index
            actions = actions_with(env, agent, entry, 0.3)
            data.ctrl[:] = env.map_agents_to_global_action(actions)
            mujoco.mj_forward(model, data)
            turned = np.flatnonzero(data.qfrc_actuator)
            assert turned.tolist() == model.joint(joint).dofadr.tolist()


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("obsk", [0, 1])
def test_an_agent_sees_its_own_joints_and_where_those_next_to_them_are(name, obsk):
    """Positions up to the distance, velocities of its own; all see the body."""
    env = robot(name, obsk=obsk)
    model = env.sys.mj_model
    unseen = ROBOTS[name.split("_")[0]].unseen
    size = whole_size(name)
    for agent, team in enumerate(teams_of(name)):
        near = NEXT_TO[name][agent] if obsk else ()
        rows = []
        for number in range(model.njnt):
            joint = model.joint(number)
            driven = number in model.actuator_trnid[:, 0]
            position = joint.qposadr[0] - unseen
            velocity = model.nq - unseen + joint.dofadr[0]
            free = joint.type[0] == mujoco.mjtJoint.mjJNT_FREE
            if not driven or joint.name in (*team, *near):
                rows += range(position, position + (7 if free else 1))
            if not driven or joint.name in team:
                rows += range(velocity, velocity + (6 if free else 1))
        expected = sorted(row for row in rows if row >= 0)
        shown = env.map_global_obs_to_agents(jnp.arange(size, dtype=jnp.float32))
        np.testing.assert_array_equal(shown[env.agents[agent]], expected)


def test_a_distance_of_two_is_two_joints():
    shown = robot("halfcheetah_6x1", obsk=2).map_global_obs_to_agents(jnp.arange(17.0))
    # bfoot's: the body's rows, where all of the back leg is, how fast it turns itself.
    assert shown["agent_2"].tolist() == [0, 1, 2, 3, 4, 8, 9, 10, 13]


@pytest.mark.parametrize("name", TASKS)
def test_homogenised_observations_are_the_same_numbers(name):
    """max: an id, then what the agent sees, then zeros. concat: each number in its own row."""
    plain, filled, masked = [robot(name, method) for method in METHODS]
    size = whole_size(name)
    numbers = jnp.arange(1.0, size + 1)
    sees = plain.map_global_obs_to_agents(numbers)
    as_max = filled.map_global_obs_to_agents(numbers)
    as_concat = masked.map_global_obs_to_agents(numbers)
    agents = len(plain.agents)
    widest = max(len(seen) for seen in sees.values())
    for index, agent in enumerate(plain.agents):
        own = sees[agent]
        expected = np.zeros(agents + widest)
        expected[index] = 1
        expected[agents : agents + len(own)] = own
        np.testing.assert_array_equal(as_max[agent], expected)
        expected = np.where(np.isin(numbers, own), numbers, 0)
        np.testing.assert_array_equal(as_concat[agent], expected)
        assert as_max[agent].shape == filled.observation_space(agent).shape
        assert as_concat[agent].shape == masked.observation_space(agent).shape
        assert masked.action_space(agent).shape == (plain.sys.act_size(),)
    sizes = [len(team) for team in teams_of(name)]
    shapes = {filled.action_space(agent).shape for agent in filled.agents}
    assert shapes == {(max(sizes),)}
    assert [plain.action_space(agent).shape for agent in plain.agents] == [
        (own,) for own in sizes
    ]


def driven(env, agent):
    """Numbers of the actuators that an agent drives, in its actions' order."""
    found = []
    for entry in range(env.action_space(agent).shape[0]):
        actions = actions_with(env, agent, entry, 1.0)
        control = env.map_agents_to_global_action(actions)
        found += np.flatnonzero(control).tolist()
    return found


def rows_here_and_there(name):
    """Rows that each agent sees, in ours and in JaxMARL's lists."""
    env = robot(name)
    numbers = jnp.arange(whole_size(name), dtype=jnp.float32)
    for agent, shown in env.map_global_obs_to_agents(numbers).items():
        ours = np.asarray(shown).astype(int).tolist()
        yield ours, THEIR_ROWS[name][agent].tolist()


# How JaxMARL's lists differ, as the docstring of `mabrax` says it.


def test_jaxmarl_s_rows_of_the_ant_and_of_the_hopper_are_right():
    for name in ("ant_4x2", "hopper_3x1"):
        for ours, theirs in rows_here_and_there(name):
            assert ours == theirs


def test_jaxmarl_s_rows_of_the_half_cheetah_are_off_by_one():
    for ours, theirs in rows_here_and_there("halfcheetah_6x1"):
        assert [row + 1 for row in ours] == theirs
    # The last of agent_5 is beyond the end.
    assert theirs[-1] == whole_size("halfcheetah_6x1") == 17


@pytest.mark.slow
def test_jaxmarl_s_walker_sees_no_angle():
    # Brax's positions are z and the angle, its velocities, from row 8 on, those of x, z, the angle.
    for ours, theirs in rows_here_and_there("walker2d_2x3"):
        assert ours == sorted([*theirs, 1, 10])


@pytest.mark.slow
def test_jaxmarl_s_rows_of_the_humanoid_are_gym_s():
    upper, lower = rows_here_and_there("humanoid_9|8")
    assert whole_size("humanoid_9|8") == 244
    assert max(upper[1]) == 375
    assert upper[0] == [row for row in upper[1] if row < 45]
    # abdomen_z and abdomen_y are two joints away from the legs.
    near = [row for row in lower[1] if row < 45 and row not in (5, 6)]
    assert lower[0] == near


@pytest.mark.parametrize("name", TASKS)
def test_jaxmarl_s_ant_drives_the_leg_before_the_one_it_sees(name):
    """And the agents of the other robots those that they see."""
    env = robot(name)
    ours = [driven(env, agent) for agent in env.agents]
    theirs = [THEIR_ACTUATORS[name][agent].tolist() for agent in env.agents]
    if name == "ant_4x2":
        theirs = [*theirs[1:], theirs[0]]
    assert ours == theirs


def test_actions_are_clipped_to_their_space():
    env = robot("hopper_3x1")
    actions = {agent: jnp.full(1, 40.0) for agent in env.agents}
    assert env.map_agents_to_global_action(actions).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"env_name": "cow_4x2"}, "robot=cow: must be one of ant, "),
        ({"env_name": "ant_3x2"}, "partition=3x2: must be NxM"),
        ({"backend": "warp"}, "backend=warp: must be one of mjx, spring, gen"),
        ({"obsk": -1}, "obsk=-1: must be at least 0 "),
        ({"obsk": 0.5}, "obsk=0.5: must be a whole number"),
        ({"episode_length": 0}, "episode_length=0: must be at least 1 "),
        (
            {"homogenisation_method": "sum"},
            "homogenisation_method=sum: must be one of None, max, concat",
        ),
    ],
)
def test_what_is_not_allowed_is_one_line(changes, why):
    with pytest.raises(SettingError, match=why):
        MABrax(**{"env_name": "hopper_3x1", **changes})


def test_an_action_of_another_size_is_refused():
    """Else everything behind it would drive other joints."""
    env = robot("hopper_3x1")
    actions = dict.fromkeys(env.agents, jnp.zeros(1)) | {"agent_1": jnp.zeros(2)}
    why = r"action of agent_1: must be of shape .1,., is of .2,."
    with pytest.raises(SettingError, match=why):
        env.map_agents_to_global_action(actions)


def test_jaxmarl_s_log_wrapper_takes_it():
    """Four worlds at once over five steps, as JaxMARL's scripts play them; shapes only."""
    env = robot("hopper_3x1", "max")
    assert isinstance(env, jaxmarl.environments.multi_agent_env.MultiAgentEnv)
    logged = LogWrapper(env)
    assert logged.name == "hopper_3x1" and logged.max_steps == 1000

    def play(key):
        keys = jax.random.split(key, 4)
        _, state = jax.vmap(logged.reset)(keys)

        def step(state, key):
            still = jnp.zeros((4, 1))
            actions = dict.fromkeys(env.agents, still)
            keys = jax.random.split(key, 4)
            obs, state, *rest = jax.vmap(logged.step)(keys, state, actions)
            return state, (obs, *rest)

        return jax.lax.scan(step, state, jax.random.split(key, 5))[1]

    obs, rewards, dones, info = jax.eval_shape(play, jax.random.key(0))
    for agent in env.agents:
        assert obs[agent].shape == (5, 4, *env.observation_space(agent).shape)
        assert rewards[agent].shape == dones[agent].shape == (5, 4)
    assert dones["__all__"].dtype == bool
    # JaxMARL's scripts make one row of all worlds' agents of whatever is in there.
    assert {value.shape for value in info.values()} == {(5, 4, 3)}


def test_it_is_a_world_of_ours_again():
    """With the others' joints in sight, which `observe=own` has not."""
    env = from_jaxmarl(robot("hopper_3x1"))
    check_shapes(env)
    assert env.spec.obs_size == 9 and env.spec.horizon == 1000


def uniform(env, key, steps):
    """Actions of each agent at each step. [steps, A]"""
    actions = {}
    for index, agent in enumerate(env.agents):
        shape = (steps, *env.action_space(agent).shape)
        own_key = jax.random.fold_in(key, index)
        actions[agent] = jax.random.uniform(own_key, shape, minval=-1.0)
    return actions


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", TASKS)
def test_a_step_is_brax_s_with_the_joint_s_own_actuator(name, backend):
    """All joints in turn, each by its agent's action alone; each has an effect of its own."""
    env = robot(name, backend=backend)
    model = env.sys.mj_model
    _, state = env.reset(jax.random.key(0))
    moves = []
    controls = []
    for agent, team in zip(env.agents, teams_of(name), strict=True):
        for index, joint in enumerate(team):
            moves.append(actions_with(env, agent, index, 0.7))
            own = model.actuator_trnid[:, 0] == model.joint(joint).id
            controls.append(np.where(own, 0.7, 0.0))
    moves = jax.tree.map(lambda *each: jnp.stack(each), *moves)
    controls = jnp.array(controls, jnp.float32)

    def ours(actions):
        return env.step_env(jax.random.key(0), state, actions)

    obs, after, rewards, *_ = jax.jit(jax.vmap(ours))(moves)
    theirs = jax.jit(jax.vmap(lambda control: env.env.step(state.robot, control)))
    expected = theirs(controls)
    np.testing.assert_allclose(after.robot.obs, expected.obs, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(rewards["agent_0"], expected.reward, rtol=1e-4)
    apart = np.abs(expected.obs[:, None] - expected.obs[None]).max(axis=-1)
    assert (apart + np.eye(len(controls)) > 1e-3).all()
    again = jax.vmap(env.map_global_obs_to_agents)(after.robot.obs)
    jax.tree.map(np.testing.assert_array_equal, obs, again)


# JaxMARL's says that it is old, Brax that it is.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["ant_4x2", "hopper_3x1", "walker2d_2x3"])
def test_rewards_are_those_of_jaxmarl_s_own(name, loose_broadcasting):
    """With the ant's actions handed on by one agent, since JaxMARL's are off by one."""
    theirs = jaxmarl.make(name)
    ours = robot(name)
    actions = uniform(ours, jax.random.key(1), steps=8)
    their_actions = actions
    if name == "ant_4x2":
        behind = [ours.agents[-1], *ours.agents[:-1]]
        their_actions = {
            agent: actions[other]
            for agent, other in zip(ours.agents, behind, strict=True)
        }

    def play(env, actions):
        obs, state = env.reset(jax.random.key(0))

        def step(state, action):
            obs, state, rewards, dones, _ = env.step_env(
                jax.random.key(0), state, action
            )
            return state, (obs, rewards, dones)

        return obs, jax.lax.scan(step, state, actions)[1]

    first, (obs, rewards, dones) = jax.jit(lambda given: play(ours, given))(actions)
    their_first, (their_obs, their_rewards, their_dones) = jax.jit(
        lambda given: play(theirs, given)
    )(their_actions)
    assert not dones["__all__"].any()
    assert rewards.keys() == their_rewards.keys()
    assert dones.keys() == their_dones.keys()
    for agent in rewards:
        np.testing.assert_allclose(rewards[agent], their_rewards[agent], rtol=1e-4)
    if name != "walker2d_2x3":
        for agent in ours.agents:
            np.testing.assert_allclose(first[agent], their_first[agent], rtol=1e-5)
            np.testing.assert_allclose(
                obs[agent], their_obs[agent], rtol=1e-3, atol=1e-4
            )


@pytest.mark.slow
def test_an_episode_ends_and_begins_anew():
    """By the time, of which `truncation` tells; by a fall, of which it does not."""
    short = robot("hopper_3x1", backend="spring", episode_length=3)
    logged = LogWrapper(short)
    actions = dict.fromkeys(short.agents, jnp.zeros(1))
    step = jax.jit(logged.step)
    obs, state = logged.reset(jax.random.key(0))
    total = 0.0
    for count in (1, 2, 3):
        before = state
        obs, state, rewards, dones, info = step(jax.random.key(count), state, actions)
        total += float(rewards["agent_0"])
        assert bool(dones["__all__"]) == bool(dones["agent_2"]) == (count == 3)
        assert info["truncation"].tolist() == [count == 3] * 3
    assert info["returned_episode"].tolist() == [True] * 3
    assert int(state.env_state.step) == 0
    np.testing.assert_allclose(state.returned_episode_returns, total, rtol=1e-5)
    # `step_env` gives the last observation, not that of the next start, which is another one.
    step_env = jax.jit(short.step_env)
    last, after, *_ = step_env(jax.random.key(3), before.env_state, actions)
    assert int(after.step) == 3 and bool(after.done)
    assert not np.allclose(last["agent_0"], obs["agent_0"])
    np.testing.assert_array_equal(
        obs["agent_0"], short.get_obs(state.env_state)["agent_0"]
    )

    falls = robot("hopper_3x1", backend="spring")
    actions = dict.fromkeys(falls.agents, jnp.ones(1))
    step = jax.jit(falls.step_env)
    _, state = falls.reset(jax.random.key(0))
    for _ in range(200):
        _, state, _, dones, info = step(jax.random.key(0), state, actions)
        if bool(dones["__all__"]):
            break
    assert bool(dones["__all__"]) and not info["truncation"].any()
