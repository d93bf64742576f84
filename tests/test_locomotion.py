"""Robots: every agent drives its own joints, and sees what it drives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.envs.locomotion import brax_robot, make, model_joints
from adama_jax.envs.options import LocomotionWorld
from adama_jax.envs.robots import PARTITIONS, ROBOTS, partition

TEAMS = [("ant", "4x2"), ("halfcheetah", "2x3"), ("walker2d", "2x3"), ("hopper", "3x1"), ("humanoid", "9|8")]
STEPPED = [team if team[0] in ("ant", "halfcheetah") else pytest.param(*team, marks=pytest.mark.slow) for team in TEAMS]


def world(robot, name, observe="full", backend="spring", horizon=1000):
    return make(LocomotionWorld(robot=robot, partition=name, observe=observe, backend=backend), horizon, robot)


@pytest.mark.parametrize("robot", ROBOTS)
def test_the_joints_are_the_model_s(robot):
    bare = brax_robot(LocomotionWorld(robot=robot, partition=""))
    model = bare.sys.mj_model
    assert tuple(model_joints(model)) == ROBOTS[robot].joints
    seen = model.nq - ROBOTS[robot].unseen + model.nv
    assert bare.observation_size == seen or (robot.startswith("humanoid") and bare.observation_size > seen)


@pytest.mark.parametrize(("robot", "name"), PARTITIONS)
def test_named_partitions_share_out_every_joint_once(robot, name):
    shared = [joint for team in partition(robot, name) for joint in team]
    assert sorted(shared) == sorted(ROBOTS[robot].joints)


@pytest.mark.parametrize(("robot", "name"), STEPPED)
def test_an_agent_drives_the_joints_it_owns_and_sees_them(robot, name):
    """Each joint in turn: its owner's action turns it, nobody else's does, and its rows are in its owner's view."""
    env, own = world(robot, name), world(robot, name, observe="own")
    bare = brax_robot(LocomotionWorld(robot=robot, partition=name))
    joints = model_joints(bare.sys.mj_model)
    state = env.reset(jax.random.key(0))
    teams = partition(robot, name)
    step, ours_step = jax.jit(bare.step), jax.jit(env.step)
    for agent, team in enumerate(teams):
        for place, joint in enumerate(team):
            action = jnp.zeros((env.spec.num_agents, env.spec.action_size)).at[agent, place].set(0.7)
            control = np.zeros(len(joints), np.float32)
            control[joints[joint].actuator] = 0.7
            ours, _ = ours_step(jax.random.key(0), state, action)
            np.testing.assert_array_equal(ours.robot.obs, step(state.robot, jnp.array(control)).obs)
            _sees_only_its_own(own, joints[joint], agent, len(teams), bare.sys.q_size())


def _sees_only_its_own(env, joint, agent, num_agents, positions):
    snapshot = jnp.zeros(env.spec.snapshot_size)
    for row in (joint.position, positions + joint.velocity):
        seen = np.abs(np.asarray(env.observe(snapshot.at[row].set(1.0)))).sum(axis=1)
        np.testing.assert_array_equal(seen, np.eye(num_agents)[agent])


@pytest.mark.parametrize(("robot", "name"), TEAMS)
def test_the_picture_is_of_the_robot(robot, name):
    """Link positions from a snapshot are the simulation's, seen from the side (a start is drawn at random)."""
    env = world(robot, name)
    state = env.reset(jax.random.key(1))
    true = state.robot.pipeline_state.x.pos[:, jnp.array([0, 2])]
    np.testing.assert_allclose(env.positions(env.snapshot(state)), true, atol=1e-5)
    assert len(env.spec.entities) == len(true)


def test_a_fall_terminates_and_a_time_limit_does_not():
    env = world("hopper", "3x1", horizon=200)
    step = jax.jit(env.step)
    state, ends = env.reset(jax.random.key(0)), []
    for _ in range(200):
        state, transition = step(jax.random.key(0), state, jnp.ones((3, 1)))
        ends.append((bool(transition.terminated), bool(transition.truncated)))
    assert any(terminated for terminated, _ in ends) and not ends[0][0]
    assert [truncated for _, truncated in ends] == [False] * 199 + [True]
    assert not world("halfcheetah", "2x3").spec.terminates and env.spec.terminates


@pytest.mark.parametrize(
    ("robot", "name", "why"),
    [
        ("cow", "4x2", "robot=cow: must be one of ant, "),
        ("ant", "3x2", "partition=3x2: must be NxM with N times M, or K.L with K plus L, equal to the 8 joints of ant"),
        ("ant", "legs", "partition=legs: must be NxM"),
        ("ant", "0x8", "partition=0x8: must be NxM"),
    ],
)
def test_what_is_no_partition_is_refused(robot, name, why):
    with pytest.raises(ValueError, match=why):
        partition(robot, name)
