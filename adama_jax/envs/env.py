"""The interface of an environment."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax


class Entity(NamedTuple):
    """Something to draw: its kind, its name, its radius in the world's units of length, its agent.

    Kinds are "agent", "prey" and "landmark"; of a robot, "limb", once for each end of it, and
    "ground", a point of a "line" or a "plane" at height 0 that the camera follows. What is of any
    other kind is drawn as a disc; a film's legend has its name and its kind. `agent` is the number
    of the agent that drives it, -1 where no agent does.
    """

    kind: str
    name: str
    radius: float
    agent: int = -1


class EnvSpec(NamedTuple):
    """What is constant about an environment.

    Sizes are those of a real reset. Smaller agents' observations and actions are padded with zeros
    at the end; `action_sizes` holds the true sizes. `horizon` is the time limit in steps, which
    whoever plays the episode keeps. `terminates` says whether the world itself can end an episode
    before it. `seconds` is the length of a step, 0 where the world has no clock. With `discrete`
    actions are one-hot, and a size is how many of them there are.
    """

    name: str
    num_agents: int
    obs_size: int
    action_size: int
    action_sizes: tuple[int, ...]
    snapshot_size: int
    horizon: int
    terminates: bool
    entities: tuple[Entity, ...]
    seconds: float = 0.0
    discrete: bool = False


class Transition(NamedTuple):
    """What a step gives besides the new state: the team's reward, and whether the world ended.

    Reaching the time limit is no end of the world: the value beyond it still counts, and only
    whoever plays the episode knows of it.
    """

    reward: jax.Array  # []
    terminated: jax.Array  # [], bool: the world ended; no value beyond


class Env(NamedTuple):
    """A cooperative world for N agents.

    reset: `(key) -> state`.
    step: `(key, state, action [N, A]) -> (state, Transition)`; actions in [-1, 1], or one-hot. It
        never resets by itself.
    snapshot: `(state) -> [Z]`, the compact state that observations are a function of.
    observe: `(snapshot [Z]) -> obs [N, O]`.
    positions: `(snapshot [Z]) -> [number of entities, 2]`, for drawing.
    with_numbers: `(numbers) -> Env`, the same world with these options of it by their names, each
        [], which may be traced; its spec is not used. None: it has no such options.
    """

    spec: EnvSpec
    # A state is whatever the world needs, a pytree of arrays that nobody outside looks into.
    reset: Callable[[jax.Array], Any]
    step: Callable[[jax.Array, Any, jax.Array], tuple[Any, Transition]]
    snapshot: Callable[[Any], jax.Array]
    # Observations are a function of the snapshot alone, so that a replay can store the small
    # snapshots and recompute the large observations of a minibatch.
    observe: Callable[[jax.Array], jax.Array]
    positions: Callable[[jax.Array], jax.Array]
    with_numbers: "Callable[[Mapping[str, jax.Array]], Env] | None" = None
