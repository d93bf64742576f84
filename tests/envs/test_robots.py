"""Robots: every agent drives its own joints, and sees what it drives."""

import copy
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from adama_jax.envs.robots.joints import OBLIQUE, PARTITIONS, ROBOTS, partition
from adama_jax.envs.robots.locomotion import brax_robot, make, mujoco
from adama_jax.envs.robots.shapes import limbs
from adama_jax.envs.robots.views import model_joints
from adama_jax.envs.worlds import LocomotionWorld
from adama_jax.errors import SettingError
from tests.test_architecture import FILES, imports, module_of

TEAMS = [
    ("ant", "4x2"),
    ("halfcheetah", "2x3"),
    ("walker2d", "2x3"),
    ("hopper", "3x1"),
    ("humanoid", "9|8"),
]


def only_fast(fast, teams):
    """All teams, of which those of another robot are slow tests."""
    cases = []
    for robot, name in teams:
        marks = () if robot == fast else pytest.mark.slow
        cases.append(pytest.param(robot, name, marks=marks))
    return cases


STEPPED = only_fast("hopper", TEAMS)
# All are slow. In the hopper Brax shows another height than its coordinate.
PICTURED = only_fast(None, [*TEAMS, ("humanoidstandup", "9|8")])
QUICK = ("ant", "halfcheetah", "hopper")


def world(robot, name, observe="full", backend="spring", horizon=1000):
    options = LocomotionWorld(
        robot=robot, partition=name, observe=observe, backend=backend
    )
    return make(options, horizon, robot)


WITHOUT_GL = """
import os
from adama_jax.envs.mujoco_import import import_mujoco
print(import_mujoco()._enums.mjtObj.__name__, os.environ["MUJOCO_GL"])
"""


@pytest.mark.parametrize("wanted", ["not there", "osmesa", "egl"])
def test_mujoco_is_imported_whatever_opengl_is_asked_for(wanted):
    """A name that it does not know; libraries that are seldom installed."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_GL],
        env=os.environ | {"MUJOCO_GL": wanted},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.stdout == f"mjtObj {wanted}\n", done.stderr


def test_mujoco_is_imported_in_no_other_way():
    for path in FILES:
        assert "mujoco" not in imports(path)
        by_name = 'import_module("mujoco")' in path.read_text(encoding="utf-8")
        assert by_name == (module_of(path) == "envs.mujoco_import")


@pytest.mark.parametrize(
    "robot",
    [
        pytest.param(robot, marks=() if robot in QUICK else pytest.mark.slow)
        for robot in ROBOTS
    ],
)
def test_the_joints_are_the_model_s(robot):
    bare = brax_robot(LocomotionWorld(robot=robot, partition=""))
    model = bare.sys.mj_model
    assert tuple(model_joints(model)) == ROBOTS[robot].joints
    seen = model.nq - ROBOTS[robot].unseen + model.nv
    if robot.startswith("humanoid"):
        # Inertias and forces too.
        assert bare.observation_size > seen
    else:
        assert bare.observation_size == seen


@pytest.mark.parametrize(("robot", "name"), PARTITIONS)
def test_named_partitions_share_out_every_joint_once(robot, name):
    shared = [joint for team in partition(robot, name) for joint in team]
    assert sorted(shared) == sorted(ROBOTS[robot].joints)


@pytest.mark.parametrize(("robot", "name"), STEPPED)
def test_an_agent_drives_the_joints_it_owns_and_sees_them(robot, name):
    """Each joint in turn: only its owner's action turns it, and its owner sees its rows."""
    env = world(robot, name)
    own = world(robot, name, observe="own")
    bare = brax_robot(LocomotionWorld(robot=robot, partition=name))
    joints = model_joints(bare.sys.mj_model)
    state = env.reset(jax.random.key(0))
    teams = partition(robot, name)
    step = jax.jit(bare.step)
    ours_step = jax.jit(env.step)
    for agent, team in enumerate(teams):
        for index, joint in enumerate(team):
            action = np.zeros((env.spec.num_agents, env.spec.action_size), np.float32)
            action[agent, index] = 0.7
            ours, _ = ours_step(jax.random.key(0), state, jnp.array(action))
            control = np.zeros(len(joints), np.float32)
            control[joints[joint].actuator] = 0.7
            theirs = step(state, jnp.array(control))
            np.testing.assert_array_equal(ours.obs, theirs.obs)
            _sees_only_its_own(own, joints[joint], agent, len(teams), bare.sys.q_size())


def _sees_only_its_own(env, joint, agent, num_agents, positions):
    snapshot = jnp.zeros(env.spec.snapshot_size)
    for row in (joint.position, positions + joint.velocity):
        seen = np.abs(np.asarray(env.observe(snapshot.at[row].set(1.0)))).sum(axis=1)
        np.testing.assert_array_equal(seen, np.eye(num_agents)[agent])


@pytest.mark.parametrize(("robot", "name"), PICTURED)
def test_the_picture_is_of_the_robot(robot, name):
    """Every limb's ends stand where MuJoCo has its shapes at these coordinates, far from rest."""
    env = world(robot, name)
    model = brax_robot(LocomotionWorld(robot=robot, partition=name)).sys.mj_model
    state = env.reset(jax.random.key(1))
    away = np.random.default_rng(0).uniform(-0.6, 0.6, model.nq).astype(np.float32)
    at = np.asarray(env.snapshot(state))
    at = np.concatenate([at[: model.nq] + away, at[model.nq :]])
    data = mujoco.MjData(model)
    data.qpos[:] = np.asarray(state.pipeline_state.q) + away
    mujoco.mj_forward(model, data)
    kinds = mujoco.mjtGeom
    geoms = np.flatnonzero(model.geom_type != kinds.mjGEOM_PLANE).tolist()
    # Half of a capsule's length, along its own z; a sphere has none.
    long = (model.geom_type == kinds.mjGEOM_CAPSULE) * model.geom_size[:, 1]
    own_z = data.geom_xmat.reshape(-1, 3, 3)[:, :, 2]
    arm = own_z * long[:, None]
    ends = np.stack([data.geom_xpos - arm, data.geom_xpos + arm], axis=1)
    flat = ends[..., [0, 2]] + OBLIQUE * ends[..., [1, 1]]
    drawn = np.asarray(env.positions(jnp.asarray(at)))
    shapes = limbs(model)
    assert sorted(shapes.geom) == geoms
    assert len(env.spec.entities) == len(drawn) == 2 * len(geoms) + 1
    np.testing.assert_allclose(
        drawn[:-1].reshape(-1, 2, 2), flat[shapes.geom], atol=1e-4
    )
    radii = [entity.radius for entity in env.spec.entities[:-1:2]]
    np.testing.assert_allclose(radii, model.geom_size[shapes.geom, 0])
    ground = data.xpos[1] * [1, 1, 0]
    np.testing.assert_allclose(
        drawn[-1], ground[[0, 2]] + OBLIQUE * ground[1], atol=1e-4
    )


def test_a_limb_belongs_to_who_drives_its_joint():
    """Of the ant in 4x2, leg k ("aux_k" in the model) has agent k's joints, hip_k and ankle_k."""
    spec = world("ant", "4x2").spec
    owners = {
        entity.name: entity.agent + 1
        for entity in spec.entities
        if entity.kind == "limb"
    }
    expected = {"torso": 0}
    for agent, leg in enumerate(("left", "right", "third", "fourth"), start=1):
        expected[f"aux_{agent}"] = agent
        expected[f"{leg}_ankle_geom"] = agent
        expected[f"{leg}_foot_geom"] = agent
    assert owners == expected
    assert spec.seconds == pytest.approx(0.05)

    spec = world("halfcheetah", "2x3").spec
    owners = {entity.name: entity.agent for entity in spec.entities}
    back = dict.fromkeys(("bthigh", "bshin", "bfoot"), 0)
    front = dict.fromkeys(("fthigh", "fshin", "ffoot"), 1)
    assert owners == {"torso": -1, "line": -1, **back, **front}


def test_a_fall_terminates_and_a_time_limit_does_not():
    env = world("hopper", "3x1", horizon=200)
    step = jax.jit(env.step)
    state = env.reset(jax.random.key(0))
    ends = []
    for _ in range(200):
        state, transition = step(jax.random.key(0), state, jnp.ones((3, 1)))
        ends.append(bool(transition.terminated))
    assert env.spec.terminates
    assert any(ends) and not ends[0]

    # One that can fall, and stands still up to the limit and beyond.
    state = env.reset(jax.random.key(0))
    short = world("hopper", "3x1", horizon=2)
    step = jax.jit(short.step)
    for _ in range(3):
        state, transition = step(jax.random.key(0), state, jnp.zeros((3, 1)))
        assert not bool(transition.terminated)
    # Brax's own limit, a wrapper's of 1000 steps, is not there.
    assert "steps" not in state.info

    never_falls = world("halfcheetah", "2x3", horizon=5)
    assert not never_falls.spec.terminates
    state = never_falls.reset(jax.random.key(0))
    step = jax.jit(never_falls.step)
    for _ in range(6):
        state, transition = step(jax.random.key(0), state, jnp.ones((2, 3)))
        assert not bool(transition.terminated)


@pytest.mark.parametrize(
    ("robot", "name", "why"),
    [
        ("cow", "4x2", "robot=cow: must be one of ant, "),
        (
            "ant",
            "3x2",
            "partition=3x2: must be NxM with N times M, or K.L with K plus L, "
            "equal to the 8 joints of ant",
        ),
        ("ant", "legs", "partition=legs: must be NxM"),
        ("ant", "0x8", "partition=0x8: must be NxM"),
    ],
)
def test_what_is_no_partition_is_refused(robot, name, why):
    with pytest.raises(SettingError, match=why):
        partition(robot, name)


@pytest.mark.slow
@pytest.mark.parametrize("robot", ["ant", "halfcheetah", "hopper", "walker2d"])
def test_a_step_of_mjx_is_mujoco_s(robot):
    """Coordinates and velocities after a step, from 40 states of a random policy, with contacts."""
    bare = brax_robot(LocomotionWorld(robot=robot, partition="", backend="mjx"))
    model = copy.deepcopy(bare.sys.mj_model)
    model.opt.disableflags = int(bare.sys.opt.disableflags)
    model.opt.timestep = float(bare.sys.opt.timestep)
    model.opt.iterations, model.opt.tolerance = 100, 1e-10
    data = mujoco.MjData(model)
    data.qpos[:] = bare.sys.init_q
    draw = np.random.default_rng(0)
    before, actions, after = [], [], []
    contacts = 0
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
        here = start.pipeline_state.replace(
            qpos=state[: model.nq], qvel=state[model.nq :]
        )
        moved = bare.step(start.replace(pipeline_state=here), action).pipeline_state
        return jnp.concatenate([moved.qpos, moved.qvel])

    states = jnp.array(before, jnp.float32)
    found = jax.jit(jax.vmap(ours))(states, jnp.array(actions, jnp.float32))
    assert contacts > 20
    np.testing.assert_allclose(
        found[:, : model.nq], np.array(after)[:, : model.nq], atol=1e-5
    )
    np.testing.assert_allclose(found, np.array(after), atol=2e-4, rtol=1e-4)


@pytest.mark.slow
def test_an_experiment_shows_its_robot_and_its_physics(tmp_path):
    """With two worlds a run and MAAC's critic."""
    command = [
        sys.executable, "-m", "adama_jax", "experiment", "hopper_3x1",
        "methods=adama", "seeds=2", "episodes=4", "envs_per_run=2",
        "critic=attention", "horizon=30", "batch_size=16", f"out={tmp_path}",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "hopper_3x1"
    assert "hopper_3x1 (spring)" in done.stdout
    assert "hopper_3x1 (spring)" in (folder / "results.csv").read_text(encoding="utf-8")
    assert "brax-viewer" in (folder / "rollout.html").read_text(encoding="utf-8")
    with Image.open(folder / "rollout.gif") as film:
        # Steps of 8 ms: every fifth, and the start.
        assert film.n_frames == 7
