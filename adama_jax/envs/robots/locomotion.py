"""Robots of Brax whose joints are shared among agents, after multi-agent MuJoCo (section 4.5).

Which actuator an agent drives and which rows of the observation it sees follow from the names of
its joints, by the model (`envs/robots/views.py`). JaxMARL's own mapping is not used: it is off by
one for two of the robots (`envs/robots/mabrax.py`).
"""

import contextlib
import functools
import io
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.envs.env import Env, EnvSpec, Transition
from adama_jax.envs.mujoco_import import import_mujoco
from adama_jax.envs.robots.joints import ROBOTS, partition
from adama_jax.envs.robots.shapes import Limbs, entities, limbs, picture
from adama_jax.envs.robots.views import (
    Joint,
    ObservationRows,
    model_joints,
    observation_rows,
)
from adama_jax.envs.worlds import LocomotionWorld
from adama_jax.errors import SettingError, needed_by
from adama_jax.keys import key_of

# MuJoCo and Brax print, and warn of, what else could be installed.
with (
    needed_by("a robot"),
    warnings.catch_warnings(),
    contextlib.redirect_stdout(io.StringIO()),
):
    warnings.simplefilter("ignore")
    mujoco = import_mujoco()
    import brax.envs
    from brax import kinematics

Teams = Sequence[Sequence[str]]  # the names of each agent's joints
State = Any  # Brax's


def make(world: LocomotionWorld, horizon: int, name: str) -> Env:
    """A robot as a world for N agents; everyone gets its reward.

    A snapshot is the coordinates that Brax leaves out of the observation, for drawing, and its
    observation, once.

    Raises:
        SettingError: no such robot or partition.

    >>> import jax
    >>> from adama_jax.envs.worlds import LocomotionWorld
    >>> world = LocomotionWorld(robot="halfcheetah", partition="2x3", backend="spring")
    >>> env = make(world, 1000, "halfcheetah_2x3")
    >>> env.spec.num_agents, env.spec.obs_size, env.spec.action_sizes, env.spec.terminates
    (2, 17, (3, 3), False)
    """
    teams = partition(world.robot, world.partition)
    action_sizes = tuple(len(team) for team in teams)
    widest = max(action_sizes)

    robot = brax_robot(world)
    model = robot.sys.mj_model
    joints = model_joints(model)
    unseen = ROBOTS[world.robot].unseen
    source = _control_sources(teams, joints, widest)
    rows = None
    obs_size = robot.observation_size
    if world.observe == "own":
        rows = _own_rows(teams, observation_rows(model, unseen))
        obs_size = rows.shape[1]
    shapes = limbs(model)
    drawn = entities(model, shapes, teams)
    # Brax says so by a private name only; the half-cheetah has none, since it never falls.
    terminates = getattr(robot, "_terminate_when_unhealthy", False)

    def step(
        key: jax.Array,
        state: State,
        action: jax.Array,
    ) -> tuple[State, Transition]:
        control = action.ravel()[source]
        after = robot.step(state, control)
        ended = after.done > 0
        return after, Transition(after.reward, ended)

    def snapshot(state: State) -> jax.Array:
        hidden = state.pipeline_state.q[:unseen]
        return jnp.concatenate([hidden, state.obs])

    def observe(snapshot: jax.Array) -> jax.Array:
        obs = snapshot[unseen:]
        if rows is None:
            return jnp.broadcast_to(obs, (len(teams), obs_size))
        return jnp.where(rows >= 0, obs[rows], 0.0)

    spec = EnvSpec(
        name=name,
        num_agents=len(teams),
        obs_size=obs_size,
        action_size=widest,
        action_sizes=action_sizes,
        snapshot_size=unseen + robot.observation_size,
        horizon=horizon,
        terminates=bool(terminates),
        entities=drawn,
        seconds=float(robot.dt),
    )
    positions = _limb_positions(robot, unseen, shapes)
    return Env(spec, robot.reset, step, snapshot, observe, positions)


def _limb_positions(
    robot: Any,
    unseen: int,
    shapes: Limbs,
) -> Callable[[jax.Array], jax.Array]:
    """`Env.positions` of a robot."""
    coordinates_of = coordinates(robot, unseen)

    def positions(snapshot: jax.Array) -> jax.Array:
        still = jnp.zeros(robot.sys.qd_size())
        pose, _ = kinematics.forward(robot.sys, coordinates_of(snapshot), still)
        return picture(shapes, pose.pos, pose.rot)

    return positions


# Loading is slow, and it is silent only while no other thread loads one.
@functools.lru_cache(maxsize=8)
def brax_robot(world: LocomotionWorld) -> Any:
    """Brax's environment, without its wrappers: it never resets by itself and has no time limit."""
    # Without this MuJoCo writes of the models' age to MUJOCO_LOG.TXT in the current folder.
    mujoco.set_mju_user_warning(lambda text: None)
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
    # Jitted, they are traced once for all programs, which saves seconds each time. Inlined, they
    # are no functions of their own in a program, so that XLA optimises across them.
    reset = jax.jit(robot.reset, inline=True)
    step = jax.jit(robot.step, inline=True)
    robot.reset = _lenient(reset)
    robot.step = _lenient(step)
    return robot


def coordinates(robot: Any, unseen: int) -> Callable[[jax.Array], jax.Array]:
    """`(snapshot [Z]) -> [Q]`, the generalised positions that a robot is drawn from.

    Args:
        robot: `brax_robot`'s.
        unseen: as `ROBOTS` has it.
    """
    positions = robot.sys.q_size()
    any_key = key_of(0)
    at_rest = robot.reset(any_key)
    # The hopper's and the walker's observations have another height than their coordinates have; it
    # is off by a constant, which any reset gives.
    seen = at_rest.obs[: positions - unseen]
    lifted = seen - at_rest.pipeline_state.q[unseen:]

    def of(snapshot: jax.Array) -> jax.Array:
        rest = snapshot[unseen:positions] - lifted
        found = jnp.concatenate([snapshot[:unseen], rest])
        flies = robot.sys.link_types.startswith("f")
        if not flies:
            return found
        # At a start Brax's quaternion is noisy and not of length 1.
        turn = found[3:7]
        turn = turn / jnp.linalg.norm(turn)
        return found.at[3:7].set(turn)

    return of


def _lenient(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, allowed to do what this project's tests forbid.

    Brax adds vectors to matrices and uses MJX's old names.
    """

    def call(*arguments: Any) -> Any:
        with jax.numpy_rank_promotion("allow"), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return function(*arguments)

    return call


def _control_sources(
    teams: Teams,
    joints: dict[str, Joint],
    widest: int,
) -> np.ndarray:
    """For each actuator the index of its action among the agents' padded ones, flattened.

    Returns:
        [actuators]

    Raises:
        SettingError: a joint that no agent drives.
    """
    source = np.full(len(joints), -1)
    for agent, team in enumerate(teams):
        first = agent * widest
        for index, name in enumerate(team):
            actuator = joints[name].actuator
            source[actuator] = first + index
    for name, joint in joints.items():
        if source[joint.actuator] < 0:
            raise SettingError(f"partition: no agent drives the joint {name}")
    return source


def _own_rows(teams: Teams, rows: ObservationRows) -> np.ndarray:
    """Rows of the observation that each agent sees: the body's, then its own joints'.

    Returns:
        Positions first, then velocities; padded with -1. [N, O]
    """
    views = []
    for team in teams:
        view = list(rows.body)
        view += [rows.position[name] for name in team]
        view += [rows.velocity[name] for name in team]
        views.append(view)

    widest = max(len(view) for view in views)
    padded = np.full((len(views), widest), -1)
    for agent, view in enumerate(views):
        padded[agent, : len(view)] = view
    return padded
