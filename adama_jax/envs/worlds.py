"""Options of the worlds: plain data, importable without JAX. Lengths are in the world's units."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class World:
    """Base of every world's options; a scenario's default says which it takes."""


@dataclass(frozen=True)
class VelocityWorld(World):
    """A square world in which actions are velocities: position += step * action."""

    num_agents: int
    """Agents that learn."""
    side: float
    """Side of the square, centred on 0, in which starts are drawn."""
    step: float
    """Distance that an action of 1 moves an agent along each axis."""
    start: Literal["random", "fixed"] = "random"
    """Draw a new start each episode, or the same one (that of start_seed) always."""
    start_seed: int = 0
    """Seed of the fixed start."""


@dataclass(frozen=True)
class PredatorPreyWorld(VelocityWorld):
    """A walled square world with a prey that runs by rule."""

    prey_step: float = 0.13
    """Distance that the prey moves in a step."""
    touch_radius: float = 0.3
    """A predator closer to the prey than this touches it."""


@dataclass(frozen=True)
class JaxMARLWorld(World):
    """Options of JaxMARL's own MPE scenarios; None leaves JaxMARL's default."""

    prey: Literal["environment", "learner"] = "environment"
    """Who moves simple_tag's good agents: a rule (full force away from the adversaries), or the learner."""
    num_agents: int | None = None
    """Agents (simple, simple_spread)."""
    num_landmarks: int | None = None
    """Landmarks (simple, simple_spread, simple_facmac)."""
    num_adversaries: int | None = None
    """Adversaries (simple_tag, simple_facmac)."""
    num_good_agents: int | None = None
    """Good agents (simple_tag, simple_facmac)."""
    num_obs: int | None = None
    """Obstacles (simple_tag)."""
    local_ratio: float | None = None
    """Weight of an agent's own reward (simple_spread)."""


@dataclass(frozen=True)
class LocomotionWorld(World):
    """A robot of Brax whose joints are shared among agents."""

    robot: str
    """Brax's name of it: ant, halfcheetah, hopper, humanoid, humanoidstandup or walker2d."""
    partition: str
    """Who drives what: NxM (N agents of M joints), or K|L (K joints, then L)."""
    backend: Literal["mjx", "spring", "generalized", "positional"] = "spring"
    """The physics: MuJoCo's own (MJX), or one of Brax's."""
    observe: Literal["full", "own"] = "full"
    """Everyone sees the whole state (section 4.5), or the body and its own joints."""
    solver_iterations: int = 4
    """Of MJX's solver; with these two it agrees with MuJoCo in C, but for the humanoids (docs/locomotion.md)."""
    line_search_iterations: int = 8
    """Of the line search in it."""
