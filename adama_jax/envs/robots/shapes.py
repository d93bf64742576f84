"""What a robot looks like: the capsules of its MuJoCo model, in oblique projection.

A picture is seen from the side: x to the right, z up, and y, away from the viewer, shortened and aslant. The robots
that move in a plane have y = 0, so that one formula serves all.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.envs.env import Entity
from adama_jax.envs.robots.joints import OBLIQUE

mujoco: Any = import_module(
    "mujoco"
)  # its names are in a compiled module, which pyright cannot read


class Limbs(NamedTuple):
    """The L shapes that a model's links carry, those farthest from the viewer first, as the robot stands at rest."""

    geom: np.ndarray  # [L], the model's numbers of them
    link: np.ndarray  # [L], Brax's links, which are the model's bodies but the world
    ends: np.ndarray  # [L, 2, 3], metres: the axis's two ends in the link's frame; the same point twice for a sphere
    radius: np.ndarray  # [L], metres


def limbs(model: Any) -> Limbs:
    """The shapes of a MuJoCo model that move. Capsules and spheres are exact; of others the longest axis is taken."""
    kinds = mujoco.mjtGeom
    shown = [
        geom
        for geom in range(model.ngeom)
        if model.geom_bodyid[geom] > 0
        and model.geom_type[geom] not in (kinds.mjGEOM_PLANE, kinds.mjGEOM_HFIELD)
    ]
    at_rest = mujoco.MjData(model)
    mujoco.mj_forward(model, at_rest)
    shown.sort(
        key=lambda geom: -round(float(at_rest.geom_xpos[geom, 1]), 6)
    )  # stable: a planar robot keeps its order
    axes, radii = zip(
        *(_axis(model.geom_type[geom], model.geom_size[geom]) for geom in shown), strict=True
    )
    arms = np.stack([np.array(axes), -np.array(axes)], axis=1)  # [L, 2, 3]
    ends = model.geom_pos[shown, None] + np.asarray(rotated(arms, model.geom_quat[shown, None]))
    return Limbs(np.array(shown), model.geom_bodyid[shown] - 1, ends, np.array(radii))


def _axis(kind: int, size: np.ndarray) -> tuple[np.ndarray, float]:
    """Half of a shape's axis in the shape's frame [3], and its radius; `size` is as MuJoCo has it for the kind. [3]"""
    kinds = mujoco.mjtGeom
    if kind == kinds.mjGEOM_SPHERE:
        return np.zeros(3), float(size[0])
    if kind == kinds.mjGEOM_CAPSULE:
        return np.array([0.0, 0.0, -size[1]]), float(size[0])
    halves = np.array([size[0], size[0], size[1]]) if kind == kinds.mjGEOM_CYLINDER else size
    longest, radius = int(halves.argmax()), float(np.median(halves))
    return -np.eye(3)[longest] * (halves[longest] - radius), radius


def rotated(vectors: Any, quaternions: Any) -> jax.Array:
    """Vectors [..., 3] turned by unit quaternions [..., 4], real part first, of as many axes."""
    real, axis = quaternions[..., :1], quaternions[..., 1:]
    across = jnp.cross(axis, vectors)
    return vectors + 2 * (real * across + jnp.cross(axis, across))


def picture(shapes: Limbs, positions: jax.Array, rotations: jax.Array) -> jax.Array:
    """Both ends of every limb in turn, then the point of the ground below the first link, as the picture shows them.

    Args:
        shapes: L limbs.
        positions: of the links' frames in the world. [links, 3]
        rotations: theirs, as quaternions. [links, 4]

    Returns:
        Metres to the right and up. [2 L + 1, 2]
    """
    ends = positions[shapes.link, None] + rotated(
        jnp.asarray(shapes.ends), rotations[shapes.link, None]
    )
    below = positions[:1] * jnp.array([[1.0, 1.0, 0.0]])
    x, y, z = jnp.concatenate([ends.reshape(-1, 3), below]).T
    return jnp.stack([x + OBLIQUE * y, z + OBLIQUE * y], axis=-1)


def entities(model: Any, shapes: Limbs, teams: Sequence[Sequence[str]]) -> tuple[Entity, ...]:
    """What `picture` shows: limbs with their owners, and the ground, a "line" or a "plane" after where the robot goes.

    A limb belongs to the agent that drives a joint of its link (the first of them where several agents do), as a
    thigh does to the hip's; to nobody, -1, where nobody does.
    """
    owners = {joint: agent for agent, team in enumerate(teams) for joint in team}
    shown = []
    for geom, link, radius in zip(shapes.geom, shapes.link, shapes.radius, strict=True):
        body = model.body(link + 1)
        first = int(body.jntadr[0])
        joints = [model.joint(first + place).name for place in range(int(body.jntnum[0]))]
        agent = next((owners[joint] for joint in joints if joint in owners), -1)
        limb = Entity("limb", body.name or model.geom(geom).name, float(radius), agent)
        shown += [limb, limb]
    free = model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE
    return (*shown, Entity("ground", "plane" if free else "line", 0.0))
