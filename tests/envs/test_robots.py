"""Robots: every agent drives its own joints, and sees what it drives."""

import copy
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from adama_jax.envs.robots.joints import OBLIQUE, PARTITIONS, ROBOTS, partition
from adama_jax.envs.robots.locomotion import brax_robot, make, model_joints, mujoco
from adama_jax.envs.robots.shapes import limbs
from adama_jax.envs.worlds import LocomotionWorld

TEAMS = [
    ("ant", "4x2"),
    ("halfcheetah", "2x3"),
    ("walker2d", "2x3"),
    ("hopper", "3x1"),
    ("humanoid", "9|8"),
]
STEPPED = [
    team if team[0] == "ant" else pytest.param(*team, marks=pytest.mark.slow) for team in TEAMS
]
PICTURED = [
    team if team[0] == "hopper" else pytest.param(*team, marks=pytest.mark.slow)
    for team in [*TEAMS, ("humanoidstandup", "9|8")]
]  # the fast one's height Brax shows as another than its coordinate


def world(robot, name, observe="full", backend="spring", horizon=1000):
    return make(
        LocomotionWorld(robot=robot, partition=name, observe=observe, backend=backend),
        horizon,
        robot,
    )


@pytest.mark.parametrize("robot", ROBOTS)
def test_the_joints_are_the_model_s(robot):
    bare = brax_robot(LocomotionWorld(robot=robot, partition=""))
    model = bare.sys.mj_model
    assert tuple(model_joints(model)) == ROBOTS[robot].joints
    seen = model.nq - ROBOTS[robot].unseen + model.nv
    assert bare.observation_size == seen or (
        robot.startswith("humanoid") and bare.observation_size > seen
    )


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
            action = (
                jnp.zeros((env.spec.num_agents, env.spec.action_size)).at[agent, place].set(0.7)
            )
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


@pytest.mark.parametrize(("robot", "name"), PICTURED)
def test_the_picture_is_of_the_robot(robot, name):
    """The ends of every limb stand where MuJoCo has its shapes at the same coordinates, far from rest."""
    env, model = (
        world(robot, name),
        brax_robot(LocomotionWorld(robot=robot, partition=name)).sys.mj_model,
    )
    state = env.reset(jax.random.key(1))
    away = np.random.default_rng(0).uniform(-0.6, 0.6, model.nq).astype(np.float32)
    at = np.asarray(env.snapshot(state))
    at = np.concatenate([at[: model.nq] + away, at[model.nq :]])
    data = mujoco.MjData(model)
    data.qpos[:] = np.asarray(state.robot.pipeline_state.q) + away
    mujoco.mj_forward(model, data)
    geoms = [g for g in range(model.ngeom) if model.geom_type[g] != mujoco.mjtGeom.mjGEOM_PLANE]
    long = (model.geom_type == mujoco.mjtGeom.mjGEOM_CAPSULE) * model.geom_size[:, 1]
    arm = data.geom_xmat.reshape(-1, 3, 3)[:, :, 2] * long[:, None]
    ends = np.stack([data.geom_xpos - arm, data.geom_xpos + arm], axis=1)
    flat = ends[..., [0, 2]] + OBLIQUE * ends[..., [1, 1]]
    drawn = np.asarray(env.positions(jnp.asarray(at)))
    shapes = limbs(model)
    assert (
        sorted(shapes.geom) == geoms and len(env.spec.entities) == len(drawn) == 2 * len(geoms) + 1
    )
    np.testing.assert_allclose(drawn[:-1].reshape(-1, 2, 2), flat[shapes.geom], atol=1e-4)
    radii = [entity.radius for entity in env.spec.entities[:-1:2]]
    np.testing.assert_allclose(radii, model.geom_size[shapes.geom, 0])
    ground = data.xpos[1] * [1, 1, 0]
    np.testing.assert_allclose(drawn[-1], ground[[0, 2]] + OBLIQUE * ground[1], atol=1e-4)


def test_a_limb_belongs_to_who_drives_its_joint():
    """Of the ant, leg k (the model's "aux_k") has joints hip_k and ankle_k, which are agent k's of 4x2."""
    spec = world("ant", "4x2").spec
    owners = {entity.name: entity.agent + 1 for entity in spec.entities if entity.kind == "limb"}
    legs = {
        "left": ("aux_1", 1), "right": ("aux_2", 2), "third": ("aux_3", 3), "fourth": ("aux_4", 4),
    }  # fmt: skip
    thighs = dict(legs.values())
    shins = {
        f"{leg}_{part}_geom": agent
        for leg, (_, agent) in legs.items()
        for part in ("ankle", "foot")
    }
    assert owners == {"torso": 0, **thighs, **shins} and spec.seconds == pytest.approx(0.05)
    spec = world("halfcheetah", "2x3").spec
    owners = {entity.name: entity.agent for entity in spec.entities}
    back, front = (
        dict.fromkeys(("bthigh", "bshin", "bfoot"), 0),
        dict.fromkeys(("fthigh", "fshin", "ffoot"), 1),
    )
    assert owners == {"torso": -1, "line": -1, **back, **front}


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
        (
            "ant",
            "3x2",
            "partition=3x2: must be NxM with N times M, or K.L with K plus L, equal to the 8 joints of ant",
        ),
        ("ant", "legs", "partition=legs: must be NxM"),
        ("ant", "0x8", "partition=0x8: must be NxM"),
    ],
)
def test_what_is_no_partition_is_refused(robot, name, why):
    with pytest.raises(ValueError, match=why):
        partition(robot, name)


@pytest.mark.slow
@pytest.mark.parametrize("robot", ["ant", "halfcheetah", "hopper", "walker2d"])
def test_a_step_of_mjx_is_mujoco_s(robot):
    """From 40 states on the way of a random policy, contacts among them: coordinates and velocities after a step."""
    bare = brax_robot(LocomotionWorld(robot=robot, partition="", backend="mjx"))
    model = copy.deepcopy(bare.sys.mj_model)
    model.opt.disableflags = int(bare.sys.opt.disableflags)
    model.opt.timestep = float(bare.sys.opt.timestep)
    model.opt.iterations, model.opt.tolerance = 100, 1e-10
    data = mujoco.MjData(model)
    data.qpos[:] = bare.sys.init_q
    draw = np.random.default_rng(0)
    before, actions, after, contacts = [], [], [], 0
    for _ in range(40):
        before.append(np.concatenate([data.qpos, data.qvel]))
        actions.append(draw.uniform(-1, 1, bare.action_size))
        data.ctrl[:] = actions[-1]
        for _ in range(round(float(bare.dt / model.opt.timestep))):
            mujoco.mj_step(model, data)
            contacts += data.ncon
        after.append(np.concatenate([data.qpos, data.qvel]))

    start = bare.reset(jax.random.key(0))

    def ours(state, action):
        here = start.pipeline_state.replace(qpos=state[: model.nq], qvel=state[model.nq :])
        moved = bare.step(start.replace(pipeline_state=here), action).pipeline_state
        return jnp.concatenate([moved.qpos, moved.qvel])

    found = jax.jit(jax.vmap(ours))(jnp.array(before, jnp.float32), jnp.array(actions, jnp.float32))
    assert contacts > 20
    np.testing.assert_allclose(found[:, : model.nq], np.array(after)[:, : model.nq], atol=1e-5)
    np.testing.assert_allclose(found, np.array(after), atol=2e-4, rtol=1e-4)


@pytest.mark.slow
def test_an_experiment_shows_its_robot_and_its_physics(tmp_path):
    """With two worlds a run and MAAC's critic."""
    command = [sys.executable, "-m", "adama_jax", "experiment", "hopper_3x1", "methods=adama", "seeds=2", "episodes=4",
               "envs_per_run=2", "critic=attention", "horizon=30", "batch_size=16", f"out={tmp_path}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "hopper_3x1"
    assert (
        "hopper_3x1 (spring)" in done.stdout
        and "hopper_3x1 (spring)" in (folder / "results.csv").read_text()
    )
    assert "brax-viewer" in (folder / "rollout.html").read_text()
    with Image.open(folder / "rollout.gif") as film:
        assert film.n_frames == 7  # steps of 8 ms: every fifth, and the start
