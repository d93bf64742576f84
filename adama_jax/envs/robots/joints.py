"""Robots and how their joints are shared among agents: plain data, importable without JAX.

Agents own joints by name; which actuator and which rows of the observation those are is asked of the model
(`envs/locomotion.py`), so that a wrong leg cannot happen.
"""

from typing import NamedTuple


class Robot(NamedTuple):
    """A robot of Brax.

    joints: the actuated ones, in the order of the model's actuators (a test compares them).
    unseen: leading root coordinates that Brax leaves out of the observation, which then is the other positions, all
        velocities, and on the humanoids more.
    """

    joints: tuple[str, ...]
    unseen: int


HUMANOID = (
    "abdomen_y", "abdomen_z", "abdomen_x", "right_hip_x", "right_hip_z", "right_hip_y", "right_knee", "left_hip_x",
    "left_hip_z", "left_hip_y", "left_knee", "right_shoulder1", "right_shoulder2", "right_elbow", "left_shoulder1",
    "left_shoulder2", "left_elbow",
)  # fmt: skip
ROBOTS: dict[str, Robot] = {
    "ant": Robot(
        ("hip_4", "ankle_4", "hip_1", "ankle_1", "hip_2", "ankle_2", "hip_3", "ankle_3"), 2
    ),
    "halfcheetah": Robot(("bthigh", "bshin", "bfoot", "fthigh", "fshin", "ffoot"), 1),
    "hopper": Robot(("thigh_joint", "leg_joint", "foot_joint"), 1),
    "humanoid": Robot(HUMANOID, 2),
    "humanoidstandup": Robot(HUMANOID, 2),
    "walker2d": Robot(
        (
            "thigh_joint",
            "leg_joint",
            "foot_joint",
            "thigh_left_joint",
            "leg_left_joint",
            "foot_left_joint",
        ),
        1,
    ),
}
"""What the model calls them; `unseen` is checked against the sizes of the model's state and observation."""

OBLIQUE = 0.35
"""Pictures show a metre away from the viewer as so many metres to the right and up (`envs/robot_shapes.py`)."""

UPPER_AND_LOWER = (
    ("abdomen_y", "abdomen_z", "abdomen_x", "right_shoulder1", "right_shoulder2", "right_elbow", "left_shoulder1",
     "left_shoulder2", "left_elbow"),
    ("right_hip_x", "right_hip_z", "right_hip_y", "right_knee", "left_hip_x", "left_hip_z", "left_hip_y", "left_knee"),
)  # fmt: skip
PARTITIONS: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {
    ("ant", "4x2"): tuple((f"hip_{leg}", f"ankle_{leg}") for leg in (1, 2, 3, 4)),
    ("ant", "2x4"): (
        ("hip_1", "ankle_1", "hip_2", "ankle_2"),
        ("hip_3", "ankle_3", "hip_4", "ankle_4"),
    ),
    ("humanoid", "9|8"): UPPER_AND_LOWER,
    ("humanoidstandup", "9|8"): UPPER_AND_LOWER,
}
"""Partitions whose agents are not simply consecutive joints (`partition`)."""


def partition(robot: str, name: str) -> tuple[tuple[str, ...], ...]:
    """The joints of each agent.

    Args:
        robot: a key of `ROBOTS`.
        name: a name of `PARTITIONS`; `NxM`, N agents with M consecutive joints each; or `K|L|...`, with K, then L.

    Raises:
        ValueError: no such robot, or a partition that does not cover its joints.

    >>> partition("halfcheetah", "2x3")
    (('bthigh', 'bshin', 'bfoot'), ('fthigh', 'fshin', 'ffoot'))
    >>> partition("ant", "4x2")[0]
    ('hip_1', 'ankle_1')
    >>> partition("hopper", "2|1")
    (('thigh_joint', 'leg_joint'), ('foot_joint',))
    """
    if robot not in ROBOTS:
        raise ValueError(f"robot={robot}: must be one of {', '.join(ROBOTS)}")
    if (robot, name) in PARTITIONS:
        return PARTITIONS[robot, name]
    joints = ROBOTS[robot].joints
    sizes = _sizes(name)
    if not sizes or min(sizes) < 1 or sum(sizes) != len(joints):
        raise ValueError(
            f"partition={name}: must be NxM with N times M, or K|L with K plus L, equal to the {len(joints)} joints "
            f"of {robot}"
        )
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    return tuple(joints[end - size : end] for size, end in zip(sizes, ends, strict=True))


def _sizes(name: str) -> list[int]:
    agents, _, each = name.partition("x")
    if agents.isdecimal() and each.isdecimal():
        return [int(each)] * int(agents)
    parts = name.split("|")
    return [int(part) for part in parts] if all(part.isdecimal() for part in parts) else []
