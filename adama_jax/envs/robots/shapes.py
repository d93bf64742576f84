"""What a robot looks like: the capsules of its MuJoCo model, in oblique projection.

A picture is seen from the side: x to the right, z up, and y, away from the viewer, shortened and
aslant. The robots that move in a plane have y = 0, so that one formula serves all.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.envs.env import Entity
from adama_jax.envs.mujoco_import import import_mujoco
from adama_jax.envs.robots.joints import OBLIQUE

mujoco = import_mujoco()


class Limbs(NamedTuple):
    """The L shapes that a model's links carry, as the robot stands at rest.

    Those farthest from the viewer come first, so that what is drawn later covers them.
    """

    # [L], the model's numbers of them
    geom: np.ndarray
    # [L], Brax's links, which are the model's bodies but the world
    link: np.ndarray
    # [L, 2, 3], metres: the axis's two ends in the link's frame; the same point twice for a sphere
    ends: np.ndarray
    # [L], metres
    radius: np.ndarray


def limbs(model: Any) -> Limbs:
    """The shapes of a MuJoCo model that move.

    Capsules and spheres are exact; of others the longest axis is taken.
    """
    at_rest = mujoco.MjData(model)
    mujoco.mj_forward(model, at_rest)

    def from_the_back(geom: int) -> float:
        # Rounded, so that a planar robot, whose limbs all have y = 0, keeps the model's order.
        return -round(float(at_rest.geom_xpos[geom, 1]), 6)

    moving = [geom for geom in range(model.ngeom) if _moves(model, geom)]
    shown = sorted(moving, key=from_the_back)
    axes = []
    radii = []
    for geom in shown:
        kind = model.geom_type[geom]
        size = model.geom_size[geom]
        axis, radius = _axis(kind, size)
        axes.append(axis)
        radii.append(radius)

    # From the shape's frame to the link's.
    half = np.array(axes)
    arms = np.stack([half, -half], axis=1)  # [L, 2, 3]
    centres = model.geom_pos[shown, None]
    turned = rotated(arms, model.geom_quat[shown, None])
    return Limbs(
        geom=np.array(shown),
        # Body 0 is the world, which Brax does not count among its links.
        link=model.geom_bodyid[shown] - 1,
        ends=centres + np.asarray(turned),
        radius=np.array(radii),
    )


def _moves(model: Any, geom: int) -> bool:
    """Whether a shape belongs to a body of the robot, rather than to the ground."""
    kinds = mujoco.mjtGeom
    ground = (kinds.mjGEOM_PLANE, kinds.mjGEOM_HFIELD)
    if model.geom_type[geom] in ground:
        return False
    return model.geom_bodyid[geom] > 0


def _axis(kind: int, size: np.ndarray) -> tuple[np.ndarray, float]:
    """Half of a shape's axis in the shape's frame [3], and its radius.

    `size` is as MuJoCo has it for the kind. [3]
    """
    kinds = mujoco.mjtGeom
    if kind == kinds.mjGEOM_SPHERE:
        return np.zeros(3), float(size[0])
    if kind == kinds.mjGEOM_CAPSULE:
        radius, half_length = size[:2]
        return np.array([0.0, 0.0, -half_length]), float(radius)
    halves = size
    if kind == kinds.mjGEOM_CYLINDER:
        radius, half_length = size[:2]
        halves = np.array([radius, radius, half_length])
    # The capsule that fits: along the longest side, as thick as the middle one.
    longest = int(halves.argmax())
    radius = float(np.median(halves))
    half_length = halves[longest] - radius
    along = np.eye(3)[longest]
    return -along * half_length, radius


def rotated(vectors: Any, quaternions: Any) -> jax.Array:
    """Vectors [..., 3] turned by unit quaternions [..., 4], real part first, of as many axes.

    >>> half_turn_round_z = jnp.array([0.0, 0.0, 0.0, 1.0])
    >>> rotated(jnp.array([1.0, 2.0, 3.0]), half_turn_round_z).tolist()
    [-1.0, -2.0, 3.0]
    """
    real = quaternions[..., :1]
    axis = quaternions[..., 1:]
    # v + 2 (w (u x v) + u x (u x v)): half of the work of a product of two quaternions.
    across = jnp.cross(axis, vectors)
    half_change = real * across + jnp.cross(axis, across)
    return vectors + 2 * half_change


def picture(
    shapes: Limbs,
    positions: jax.Array,
    rotations: jax.Array,
) -> jax.Array:
    """Both ends of every limb in turn, then the point of the ground below the first link.

    Args:
        shapes: L limbs.
        positions: of the links' frames in the world. [links, 3]
        rotations: theirs, as quaternions. [links, 4]

    Returns:
        Metres to the right and up, as the picture shows them. [2 L + 1, 2]
    """
    in_link = jnp.asarray(shapes.ends)
    turned = rotated(in_link, rotations[shapes.link, None])
    ends = positions[shapes.link, None] + turned
    level = jnp.array([[1.0, 1.0, 0.0]])
    below = positions[:1] * level
    points = jnp.concatenate([ends.reshape(-1, 3), below])
    x, y, z = points.T
    right = x + OBLIQUE * y
    up = z + OBLIQUE * y
    return jnp.stack([right, up], axis=-1)


def entities(
    model: Any,
    shapes: Limbs,
    teams: Sequence[Sequence[str]],
) -> tuple[Entity, ...]:
    """What `picture` shows: limbs with their agents, and the ground.

    A limb belongs to the agent that drives a joint of its link (the first of them where several
    agents do), as a thigh does to the hip's; to none, -1, where no agent does. The ground is a
    "line" or a "plane" after where the robot can go.
    """
    drivers = {}
    for agent, team in enumerate(teams):
        drivers.update(dict.fromkeys(team, agent))
    shown = []
    for index, geom in enumerate(shapes.geom):
        body = model.body(shapes.link[index] + 1)
        limb = Entity(
            kind="limb",
            name=body.name or model.geom(geom).name,
            radius=float(shapes.radius[index]),
            agent=_driver(model, body, drivers),
        )
        # Once for each of its two ends, as `picture` has them.
        shown += [limb, limb]
    free = model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE
    ground = "plane" if free else "line"
    return (*shown, Entity("ground", ground, radius=0.0))


def _driver(model: Any, body: Any, drivers: dict[str, int]) -> int:
    """The agent that drives the first driven joint of a body; -1 where none is driven."""
    first = int(body.jntadr[0])
    count = int(body.jntnum[0])
    for joint in range(first, first + count):
        name = model.joint(joint).name
        if name in drivers:
            return drivers[name]
    return -1
