"""Robots of Brax whose joints are shared among agents, after multi-agent MuJoCo (section 4.5).

Which actuator an agent drives and which rows of the observation it sees follow from the names of its joints, by the
model (`model_joints`). JaxMARL's own mapping is one leg off for the ant and is not used.
"""

import contextlib
import functools
import io
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.envs.env import Env, EnvSpec, Transition
from adama_jax.envs.robots.joints import ROBOTS, partition
from adama_jax.envs.robots.shapes import entities, limbs, picture
from adama_jax.envs.worlds import LocomotionWorld

with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
    warnings.simplefilter("ignore")  # MuJoCo's and Brax's notes on what else could be installed
    import brax.envs
    from brax import kinematics

    mujoco: Any = import_module(
        "mujoco"
    )  # its names are in a compiled module, which pyright cannot read


class Joint(NamedTuple):
    """Where an actuated joint stands in the model: its actuator, and its rows of the positions and velocities."""

    actuator: int
    position: int
    velocity: int


class State(NamedTuple):
    """Brax's state and the steps since the reset."""

    robot: Any
    time: jax.Array  # [], int32


def make(world: LocomotionWorld, horizon: int, name: str) -> Env:
    """A robot as a world for N agents; everyone gets its reward, and the time limit does not terminate.

    A snapshot is the coordinates that Brax leaves out of the observation, for drawing, and its observation, once.

    Raises:
        ValueError: no such robot or partition.

    >>> import jax
    >>> from adama_jax.envs.worlds import LocomotionWorld
    >>> env = make(LocomotionWorld(robot="halfcheetah", partition="2x3", backend="spring"), 1000, "halfcheetah_2x3")
    >>> env.spec.num_agents, env.spec.obs_size, env.spec.action_sizes, env.spec.terminates
    (2, 17, (3, 3), False)
    """
    teams = partition(world.robot, world.partition)
    robot = brax_robot(world)
    joints = model_joints(robot.sys.mj_model)
    unseen = ROBOTS[world.robot].unseen
    positions, velocities, obs_size = (
        robot.sys.q_size(),
        robot.sys.qd_size(),
        robot.observation_size,
    )
    widest = max(map(len, teams))
    source = _control_sources(teams, joints, widest)
    rows = (
        None if world.observe == "full" else _own_rows(teams, joints, unseen, positions, velocities)
    )

    def reset(key: jax.Array) -> State:
        return State(robot.reset(key), jnp.zeros((), jnp.int32))

    def step(key: jax.Array, state: State, action: jax.Array) -> tuple[State, Transition]:
        after = robot.step(state.robot, action.ravel()[source])
        time = state.time + 1
        return State(after, time), Transition(after.reward, after.done > 0, time >= horizon)

    def snapshot(state: State) -> jax.Array:
        return jnp.concatenate([state.robot.pipeline_state.q[:unseen], state.robot.obs])

    def observe(snapshot: jax.Array) -> jax.Array:
        obs = snapshot[unseen:]
        if rows is None:
            return jnp.broadcast_to(obs, (len(teams), obs_size))
        return jnp.where(rows >= 0, obs[rows], 0.0)

    shapes, pose_of = limbs(robot.sys.mj_model), coordinates(robot, unseen)

    def limb_positions(snapshot: jax.Array) -> jax.Array:
        pose, _ = kinematics.forward(robot.sys, pose_of(snapshot), jnp.zeros(velocities))
        return picture(shapes, pose.pos, pose.rot)

    spec = EnvSpec(
        name=name,
        num_agents=len(teams),
        obs_size=obs_size if rows is None else rows.shape[1],
        action_size=widest,
        action_sizes=tuple(map(len, teams)),
        snapshot_size=unseen + obs_size,
        horizon=horizon,
        terminates=bool(getattr(robot, "_terminate_when_unhealthy", False)),
        entities=entities(robot.sys.mj_model, shapes, teams),
        seconds=float(robot.dt),
    )
    return Env(spec, reset, step, snapshot, observe, limb_positions)


@functools.lru_cache(maxsize=8)  # loading is slow, and silent only while no other thread loads one
def brax_robot(world: LocomotionWorld) -> Any:
    """Brax's environment, without its wrappers: it never resets by itself and knows no time limit."""
    mujoco.set_mju_user_warning(
        lambda text: None
    )  # or it writes of the models' age to MUJOCO_LOG.TXT, where we are
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            robot: Any = brax.envs.get_environment(world.robot, backend=world.backend)
    finally:
        mujoco.set_mju_user_warning(None)
    if world.backend == "mjx":
        iterations = {
            "opt.iterations": world.solver_iterations,
            "opt.ls_iterations": world.line_search_iterations,
        }
        robot.sys = robot.sys.tree_replace(iterations)
    # Traced once for all programs: seconds each time. Inlined, they are no function of their own in a program.
    robot.reset, robot.step = (
        _lenient(jax.jit(call, inline=True)) for call in (robot.reset, robot.step)
    )
    return robot


def coordinates(robot: Any, unseen: int) -> Callable[[jax.Array], jax.Array]:
    """`(snapshot [Z]) -> [Q]`, the generalised positions that a robot is drawn from; `unseen` as `ROBOTS` has it."""
    positions = robot.sys.q_size()
    rest = robot.reset(jax.random.key(0))
    lifted = (
        rest.obs[: positions - unseen] - rest.pipeline_state.q[unseen:]
    )  # the height, where Brax shows it instead

    def of(snapshot: jax.Array) -> jax.Array:
        found = jnp.concatenate([snapshot[:unseen], snapshot[unseen:positions] - lifted])
        if not robot.sys.link_types.startswith("f"):
            return found
        turn = found[3:7]  # at a start Brax's quaternion is noisy and not of length 1
        return found.at[3:7].set(turn / jnp.linalg.norm(turn))

    return of


def _lenient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Brax adds vectors to matrices and uses MJX's old names, which this project's tests do not allow."""

    def call(*arguments: Any) -> Any:
        with jax.numpy_rank_promotion("allow"), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return function(*arguments)

    return call


def model_joints(model: Any) -> dict[str, Joint]:
    """The actuated joints of a MuJoCo model, by name, in the order of their actuators."""
    joints = {}
    for actuator, joint in enumerate(model.actuator_trnid[:, 0].tolist()):
        name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_JOINT, joint)
        joints[name] = Joint(actuator, int(model.jnt_qposadr[joint]), int(model.jnt_dofadr[joint]))
    return joints


def _control_sources(
    teams: Sequence[Sequence[str]], joints: dict[str, Joint], widest: int
) -> np.ndarray:
    """For each actuator the place of its action among the agents' padded ones, flattened. [actuators]"""
    source = np.full(len(joints), -1)
    for agent, team in enumerate(teams):
        for place, name in enumerate(team):
            source[joints[name].actuator] = agent * widest + place
    if source.min() < 0:
        raise ValueError(
            f"joints {[name for name, joint in joints.items() if source[joint.actuator] < 0]} have no agent"
        )
    return source


def _own_rows(
    teams: Sequence[Sequence[str]],
    joints: dict[str, Joint],
    unseen: int,
    positions: int,
    velocities: int,
) -> np.ndarray:
    """Rows of the observation that each agent sees: the body's and its own joints', position then velocity. [N, O]

    Padded with -1.
    """
    driven_positions = {joint.position for joint in joints.values()}
    driven_velocities = {joint.velocity for joint in joints.values()}
    body = [row - unseen for row in range(unseen, positions) if row not in driven_positions]
    body += [positions - unseen + row for row in range(velocities) if row not in driven_velocities]
    own = [
        [joints[name].position - unseen for name in team]
        + [positions - unseen + joints[name].velocity for name in team]
        for team in teams
    ]
    width = len(body) + max(map(len, own))
    return np.array([(body + rows + [-1] * width)[:width] for rows in own])
