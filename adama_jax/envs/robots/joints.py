"""Robots and how their joints are shared among agents: plain data, importable without JAX.

Agents own joints by name; which actuator and which rows of the observation those are is asked of
the model (`envs/robots/locomotion.py`), so that a wrong leg cannot happen.
"""

from typing import NamedTuple

from adama_jax.errors import SettingError


class Robot(NamedTuple):
    """A robot of Brax.

    joints: the actuated ones, in the order of the model's actuators (a test compares them).
    unseen: leading root coordinates that Brax leaves out of the observation, which then is the
        other positions, all velocities, and on the humanoids more.
    """

    joints: tuple[str, ...]
    unseen: int


ANT = ("hip_4", "ankle_4", "hip_1", "ankle_1", "hip_2", "ankle_2", "hip_3", "ankle_3")
HALFCHEETAH = ("bthigh", "bshin", "bfoot", "fthigh", "fshin", "ffoot")
HOPPER = ("thigh_joint", "leg_joint", "foot_joint")
HUMANOID = (
    "abdomen_y", "abdomen_z", "abdomen_x",
    "right_hip_x", "right_hip_z", "right_hip_y", "right_knee",
    "left_hip_x", "left_hip_z", "left_hip_y", "left_knee",
    "right_shoulder1", "right_shoulder2", "right_elbow",
    "left_shoulder1", "left_shoulder2", "left_elbow",
)  # fmt: skip
WALKER = (
    "thigh_joint", "leg_joint", "foot_joint",
    "thigh_left_joint", "leg_left_joint", "foot_left_joint",
)  # fmt: skip

ROBOTS: dict[str, Robot] = {
    "ant": Robot(ANT, unseen=2),
    "halfcheetah": Robot(HALFCHEETAH, unseen=1),
    "hopper": Robot(HOPPER, unseen=1),
    "humanoid": Robot(HUMANOID, unseen=2),
    "humanoidstandup": Robot(HUMANOID, unseen=2),
    "walker2d": Robot(WALKER, unseen=1),
}
"""What the model calls them; `unseen` is checked against the sizes of its state and observation."""

OBLIQUE = 0.35
"""A picture shows a metre away from the viewer as so many metres to the right and up.

It stands here, not in `envs/robots/shapes.py`, so that a film is drawn without importing MuJoCo.
"""

UPPER_BODY = (
    "abdomen_y", "abdomen_z", "abdomen_x",
    "right_shoulder1", "right_shoulder2", "right_elbow",
    "left_shoulder1", "left_shoulder2", "left_elbow",
)  # fmt: skip
LOWER_BODY = (
    "right_hip_x", "right_hip_z", "right_hip_y", "right_knee",
    "left_hip_x", "left_hip_z", "left_hip_y", "left_knee",
)  # fmt: skip
LEG_1 = ("hip_1", "ankle_1")
LEG_2 = ("hip_2", "ankle_2")
LEG_3 = ("hip_3", "ankle_3")
LEG_4 = ("hip_4", "ankle_4")

PARTITIONS: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    ("ant", "4x2"): (LEG_1, LEG_2, LEG_3, LEG_4),
    ("ant", "2x4"): (LEG_1 + LEG_2, LEG_3 + LEG_4),
    ("humanoid", "9|8"): (UPPER_BODY, LOWER_BODY),
    ("humanoidstandup", "9|8"): (UPPER_BODY, LOWER_BODY),
}
"""Partitions whose agents are not simply consecutive joints (`partition`)."""


def partition(robot: str, name: str) -> tuple[tuple[str, ...], ...]:
    """The joints of each agent.

    Args:
        robot: a key of `ROBOTS`.
        name: a name of `PARTITIONS`; `NxM`, N agents with M consecutive joints each; or
            `K|L|...`, with K, then L.

    Raises:
        SettingError: no such robot, or a partition that does not cover its joints.

    >>> partition("halfcheetah", "2x3")
    (('bthigh', 'bshin', 'bfoot'), ('fthigh', 'fshin', 'ffoot'))
    >>> partition("ant", "4x2")[0]
    ('hip_1', 'ankle_1')
    >>> partition("hopper", "2|1")
    (('thigh_joint', 'leg_joint'), ('foot_joint',))
    """
    if robot not in ROBOTS:
        raise SettingError(f"robot={robot}: must be one of {', '.join(ROBOTS)}")
    if (robot, name) in PARTITIONS:
        return PARTITIONS[robot, name]
    joints = ROBOTS[robot].joints
    sizes = _sizes(name)
    covers = sum(sizes) == len(joints)
    if not covers or min(sizes) < 1:
        raise SettingError(
            f"partition={name}: must be NxM with N times M, or K|L with K plus L, "
            f"equal to the {len(joints)} joints of {robot}"
        )
    agents = []
    start = 0
    for size in sizes:
        end = start + size
        agents.append(joints[start:end])
        start = end
    return tuple(agents)


def _sizes(name: str) -> list[int]:
    """How many joints each agent has; empty where the name is of neither form."""
    agents, _, each = name.partition("x")
    if agents.isdecimal() and each.isdecimal():
        return [int(each)] * int(agents)
    numbers = name.split("|")
    if not all(number.isdecimal() for number in numbers):
        return []
    return [int(number) for number in numbers]
