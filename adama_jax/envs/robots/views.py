"""Where a robot's joints stand in its MuJoCo model and in Brax's observation.

All is asked of the model by the joints' names, so that a wrong leg cannot happen.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from adama_jax.envs.mujoco_import import import_mujoco

mujoco = import_mujoco()

WORLD = 0  # MuJoCo's number of the body that nothing moves


class Joint(NamedTuple):
    """Where an actuated joint stands in the model.

    Its actuator, its rows of the positions and of the velocities, and the body that it moves.
    """

    actuator: int
    position: int
    velocity: int
    body: int


def model_joints(model: Any) -> dict[str, Joint]:
    """The actuated joints of a MuJoCo model, by name, in the order of their actuators."""
    joints = {}
    driven = model.actuator_trnid[:, 0].tolist()
    for actuator, number in enumerate(driven):
        name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_JOINT, number)
        joints[name] = Joint(
            actuator=actuator,
            position=int(model.jnt_qposadr[number]),
            velocity=int(model.jnt_dofadr[number]),
            body=int(model.jnt_bodyid[number]),
        )
    return joints


class ObservationRows(NamedTuple):
    """Whose number each row of the observation is.

    body: of what no agent's joint moves: positions first, then velocities.
    position, velocity: of each actuated joint, by its name.
    """

    body: list[int]
    position: dict[str, int]
    velocity: dict[str, int]


def observation_rows(model: Any, unseen: int) -> ObservationRows:
    """The rows of an observation that begins with positions, then has all velocities.

    What the humanoids' observations have after these (inertias, forces) is nobody's.

    Args:
        model: MuJoCo's.
        unseen: positions that Brax leaves out, the first ones (`ROBOTS`).
    """
    first_velocity = model.nq - unseen
    position = {}
    velocity = {}
    for name, joint in model_joints(model).items():
        position[name] = joint.position - unseen
        velocity[name] = first_velocity + joint.velocity

    driven = {*position.values(), *velocity.values()}
    all_rows = range(first_velocity + model.nv)
    body = [row for row in all_rows if row not in driven]
    return ObservationRows(body, position, velocity)


def neighbours(model: Any) -> dict[str, set[str]]:
    """For each actuated joint the others that are on one of the two links which it connects.

    Bodies with no actuated joint between them are one link: the ant's torso with the stumps of its
    legs, the half-cheetah's torso with the ground that it slides over.
    """
    joints = model_joints(model)
    moved = {joint.body for joint in joints.values()}
    joints_on: dict[int, set[str]] = {}
    for name, joint in joints.items():
        parent = int(model.body_parentid[joint.body])
        # Of a link the body that an actuated joint moves stands for all of it.
        while parent != WORLD and parent not in moved:
            parent = int(model.body_parentid[parent])
        for link in (joint.body, parent):
            on_link = joints_on.setdefault(link, set())
            on_link.add(name)

    near: dict[str, set[str]] = {}
    for on_link in joints_on.values():
        for name in on_link:
            others = near.setdefault(name, set())
            others |= on_link - {name}
    return near


def within(
    distance: int,
    team: Iterable[str],
    near: Mapping[str, set[str]],
) -> set[str]:
    """The joints at most so many steps away from one of the team's, which are among them.

    Args:
        distance: 0 gives the team's own.
        team: names of joints.
        near: `neighbours`.

    >>> chain = {"hip": {"knee"}, "knee": {"hip", "ankle"}, "ankle": {"knee"}}
    >>> sorted(within(1, ["hip"], chain)), sorted(within(2, ["hip"], chain))
    (['hip', 'knee'], ['ankle', 'hip', 'knee'])
    """
    reached = set(team)
    for _ in range(distance):
        next_to = [near[name] for name in reached]
        reached = reached.union(*next_to)
    return reached
