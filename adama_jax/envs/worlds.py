"""Options of the worlds: plain data, importable without JAX. Lengths are in the world's units."""

import re
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from adama_jax.bounds import (
    POSITIVE,
    SEED,
    SHARE,
    UP_TO_THOUSAND,
    AtLeast,
    OneOf,
)
from adama_jax.envs.robots.joints import ROBOTS, partition
from adama_jax.errors import SettingError
from adama_jax.fields import TRACED, AnyCase, ReadWith, settings


@dataclass(frozen=True)
class World:
    """Base of every world's options; a scenario's default says which it takes."""

    @property
    def learners(self) -> int | None:
        """N, the agents that learn; None where only the built world knows."""
        return None

    @property
    def actions(self) -> str | None:
        """The kind, "continuous" or "discrete"; None where only the built world knows."""
        return None

    @property
    def as_rewarded(self) -> "World":
        """The world without what changes no reward: returns of equal ones are comparable."""
        return self

    def name_beside(self, preset: "World") -> str:
        """What it is called where it is another world than its scenario's; "" if it is that."""
        return ""

    def unread_in(self, scenario: str, name: str) -> str:
        """Why a scenario does not read one of these options, in words; "" if it does."""
        return ""

    def check(self, scenario: str) -> None:
        """Check what the bounds of the fields cannot say.

        Args:
            scenario: the name of the scenario that has this world.

        Raises:
            SettingError: one line with the setting, its value and what is allowed.
        """


@dataclass(frozen=True)
class VelocityWorld(World):
    """A square world in which actions are velocities: position += step * action."""

    num_agents: Annotated[int, UP_TO_THOUSAND]
    """Agents that learn."""
    side: Annotated[float, TRACED, POSITIVE]
    """Side of the square, centred on 0, in which starts are drawn."""
    step: Annotated[float, TRACED, POSITIVE]
    """Distance that an action of 1 moves an agent along each axis."""
    start: Literal["random", "fixed"] = "random"
    """Draw a new start each episode, or the same one (that of start_seed) always."""
    start_seed: Annotated[int, SEED, ReadWith("start", "fixed")] = 0
    """Seed of the fixed start."""
    walls: Annotated[float, TRACED, AtLeast(0, finite=True)] = 0.0
    """Positions are clipped to so many half sides from the centre, 1 or more; 0: no walls."""
    observe_own: bool = False
    """Agents observe their own positions too."""
    reward_radius: Annotated[float, TRACED, AtLeast(0, finite=True)] = 0.0
    """A distance beyond this is rewarded as this one; 0: as it is."""
    weight_ratio: Annotated[float, TRACED, POSITIVE] = 1.0
    """Weight of the last agent in the reward over that of the first; their mean is 1."""
    ends_at_horizon: Annotated[bool, TRACED] = False
    """The time limit ends the world: no value beyond it counts."""

    @property
    def as_rewarded(self) -> "VelocityWorld":
        """Whether values beyond the time limit count, and what is seen, changes no reward."""
        return replace(self, observe_own=False, ends_at_horizon=False)

    def check(self, scenario: str) -> None:
        """Check that the walls stand round the starts."""
        if 0 < self.walls < 1:
            raise SettingError(
                f"world.walls={self.walls}: must be 0 (none) or at least 1: starts are drawn from "
                "the whole side"
            )

    @property
    def learners(self) -> int:
        """N, the agents that learn."""
        return self.num_agents

    @property
    def actions(self) -> str:
        """Velocities."""
        return "continuous"


@dataclass(frozen=True)
class PredatorPreyWorld(VelocityWorld):
    """A walled square world with a prey that runs by rule."""

    prey_step: Annotated[float, TRACED, AtLeast(0, finite=True)] = 0.13
    """Distance that the prey moves in a step."""
    touch_radius: Annotated[float, TRACED, POSITIVE] = 0.3
    """A predator closer to the prey than this touches it."""

    def unread_in(self, scenario: str, name: str) -> str:
        """What this world always has is no option of it."""
        always = {
            "walls": "its walls are the box",
            "observe_own": "its predators always do",
            "reward_radius": "touch_radius is its",
        }
        return always.get(name, "")

    def check(self, scenario: str) -> None:
        """Check that nothing is given which this world always has."""
        super().check(scenario)
        _check_read(self, scenario)


@dataclass(frozen=True)
class JaxMARLWorld(World):
    """Options of JaxMARL's own MPE scenarios; None leaves JaxMARL's default."""

    prey: Literal["environment", "learner"] = "environment"
    """Who moves simple_tag's good agents.

    A rule of the environment (full force away from the adversaries), or the learner.
    """
    num_agents: Annotated[int | None, UP_TO_THOUSAND] = None
    """Agents (simple, simple_spread)."""
    num_landmarks: Annotated[int | None, UP_TO_THOUSAND] = None
    """Landmarks (simple, simple_spread, simple_facmac)."""
    num_adversaries: Annotated[int | None, UP_TO_THOUSAND] = None
    """Adversaries (simple_tag, simple_facmac)."""
    num_good_agents: Annotated[int | None, UP_TO_THOUSAND] = None
    """Good agents (simple_tag, simple_facmac)."""
    num_obs: Annotated[int | None, UP_TO_THOUSAND] = None
    """Obstacles (simple_tag)."""
    local_ratio: Annotated[float | None, SHARE] = None
    """Weight of an agent's own reward (simple_spread)."""
    action_type: Annotated[Literal["continuous", "discrete"], AnyCase()] = "continuous"
    """Forces in [-1, 1], or one of JaxMARL's discrete actions at a time (all but simple_facmac)."""
    integrator: Literal["explicit_euler", "semi_implicit_euler"] = "explicit_euler"
    """Positions move by the velocity before the step, or by the one after it.

    JaxMARL and PettingZoo from 1.23 do the first, so that a force moves an agent a step later;
    PettingZoo up to 1.22, and with it much of what was published, the second.
    """

    @property
    def actions(self) -> str:
        """As JaxMARL is told."""
        return self.action_type

    def unread_in(self, scenario: str, name: str) -> str:
        """That the scenario has other options, or none."""
        taken = _options_of(scenario)
        if name in taken:
            return ""
        return f"{scenario} takes {', '.join(taken) or 'no options'}"

    def check(self, scenario: str) -> None:
        """Check that JaxMARL's constructor of the scenario takes the options that are given."""
        # Runs of earlier versions may have `prey`, which means nothing where there is none.
        _check_read(self, scenario, but="prey")


def _check_read(world: World, scenario: str, but: str = "") -> None:
    """Refuse what is given and not read in the scenario."""
    for name, declared, value, _ in settings(world):
        reason = world.unread_in(scenario, name)
        if name != but and value != declared.default and reason:
            raise SettingError(f"world.{name}={value}: must be left out: {reason}")


JAXMARL_OPTIONS = {
    "MPE_simple_v3": ("num_agents", "num_landmarks"),
    "MPE_simple_spread_v3": ("num_agents", "num_landmarks", "local_ratio"),
    "MPE_simple_tag_v3": ("num_adversaries", "num_good_agents", "num_obs", "prey"),
    "MPE_simple_facmac_v1": ("num_adversaries", "num_good_agents", "num_landmarks"),
}
"""What JaxMARL's constructors of these scenarios take; those of the others take nothing.

`prey` is this package's own. All take `integrator`, our own too, and all but simple_facmac's
`action_type`.
"""


def jaxmarl_name(scenario: str) -> str:
    """JaxMARL's own name of a scenario's world: a preset's goes on after the version.

    >>> jaxmarl_name("MPE_simple_spread_v3"), jaxmarl_name("MPE_simple_spread_v3_harl")
    ('MPE_simple_spread_v3', 'MPE_simple_spread_v3')
    """
    found = re.match(r"MPE_\w+?_v\d+", scenario)
    return found[0] if found else scenario


def _options_of(scenario: str) -> tuple[str, ...]:
    own = JAXMARL_OPTIONS.get(jaxmarl_name(scenario), ())
    # JaxMARL has no other than continuous actions there.
    if scenario.startswith("MPE_simple_facmac"):
        return (*own, "integrator")
    return (*own, "action_type", "integrator")


OF_MJX = ReadWith("backend", "mjx")


@dataclass(frozen=True)
class LocomotionWorld(World):
    """A robot of Brax whose joints are shared among agents."""

    robot: Annotated[str, OneOf(ROBOTS)]
    """Brax's name of it: ant, halfcheetah, hopper, humanoid, humanoidstandup or walker2d."""
    partition: str
    """Who drives what: NxM (N agents of M joints), or K|L (K joints, then L)."""
    backend: Literal["mjx", "spring", "generalized", "positional"] = "spring"
    """The physics: MuJoCo's own (MJX), or one of Brax's."""
    observe: Literal["full", "own"] = "full"
    """Everyone sees the whole state (section 4.5), or the body and its own joints."""
    solver_iterations: Annotated[int, UP_TO_THOUSAND, OF_MJX] = 4
    """Of MJX's solver.

    With these two it agrees with MuJoCo in C, but for the humanoids (docs/locomotion.md).
    """
    line_search_iterations: Annotated[int, UP_TO_THOUSAND, OF_MJX] = 8
    """Of the line search in it."""

    @property
    def learners(self) -> int:
        """N, the agents that share the joints."""
        return len(partition(self.robot, self.partition))

    @property
    def actions(self) -> str:
        """Torques."""
        return "continuous"

    def name_beside(self, preset: World) -> str:
        """The robot and its partition, where one of them is not the scenario's."""
        own = (self.robot, self.partition)
        if isinstance(preset, LocomotionWorld) and own == (
            preset.robot,
            preset.partition,
        ):
            return ""
        return "_".join(own)

    def check(self, scenario: str) -> None:
        """Check that the partition is one of this robot's joints."""
        try:
            partition(self.robot, self.partition)
        except ValueError as error:
            raise SettingError(f"world.{error}") from None
