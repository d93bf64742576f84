"""Worlds of other kinds as an `Env`: what the adapters of `envs.gymnax` and `envs.jaxmarl` share.

Nobody knows which part of a foreign state its observations are a function of. So the snapshot is
all observations, flat: a replay then holds them themselves.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Env, EnvSpec, Transition
from adama_jax.errors import SettingError
from adama_jax.keys import key_of


class Foreign(NamedTuple):
    """A world of another kind, with its agents stacked.

    reset: `(key) -> (state, obs [N, O])`.
    step: `(key, state, action [N, A]) -> (state, obs [N, O], reward [], done [])`, with actions in
        [-1, 1]; it never resets by itself.
    """

    reset: Callable[[jax.Array], tuple[Any, jax.Array]]
    step: Callable[
        [jax.Array, Any, jax.Array], tuple[Any, jax.Array, jax.Array, jax.Array]
    ]


class Observed(NamedTuple):
    """The state of such a world."""

    world: Any
    obs: jax.Array  # [N, O]
    steps: jax.Array  # since the start, [], int32


class Box(NamedTuple):
    """The bounds of an action, entry by entry. [size] both"""

    low: jax.Array
    high: jax.Array
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Numbers in the action."""
        return self.low.size

    def scaled(self, action: jax.Array) -> jax.Array:
        """An action in [-1, 1] as one in the box; what pads it is dropped. [A] to its shape"""
        share = (action[: self.size] + 1) / 2
        # A box's ends are often numbers that float32 does not have: no action may be beyond them.
        inside = jnp.clip(
            self.low + share * (self.high - self.low), self.low, self.high
        )
        return inside.reshape(self.shape)


def box_of(space: Any, whose: str) -> Box:
    """The bounds of an action space.

    Raises:
        SettingError: it is no box, or one without bounds.
    """
    if not hasattr(space, "low"):
        raise SettingError(
            f"action space of {whose}: must be a Box, for actors choose continuous actions; it is "
            f"a {type(space).__name__}"
        )
    shape = tuple(space.shape)
    low = jnp.broadcast_to(jnp.asarray(space.low, jnp.float32), shape).ravel()
    high = jnp.broadcast_to(jnp.asarray(space.high, jnp.float32), shape).ravel()
    if not bool(jnp.all(jnp.isfinite(low) & jnp.isfinite(high))):
        raise SettingError(f"action space of {whose}: must have bounds that are finite")
    return Box(low, high, shape)


def observed_env(
    foreign: Foreign,
    name: str,
    action_sizes: Sequence[int],
    horizon: int,
    limit: int | None,
) -> Env:
    """The world as an `Env`. It has nothing to draw.

    Args:
        foreign: the world.
        name: for `spec.name`.
        action_sizes: of each agent.
        horizon: T.
        limit: steps after which the world says that it is done for no other reason than the time,
            which is no end of the world; None: it never does.

    Raises:
        SettingError: the world is not meant to be played for so long.
    """
    if limit is not None and horizon > limit:
        raise SettingError(
            f"horizon={horizon}: must be at most {limit}, the time limit of {name} itself"
        )
    _, first = jax.eval_shape(foreign.reset, key_of(0))
    agents, obs_size = first.shape

    def reset(key: jax.Array) -> Observed:
        world, obs = foreign.reset(key)
        return Observed(world, obs, jnp.zeros((), jnp.int32))

    def step(
        key: jax.Array, state: Observed, action: jax.Array
    ) -> tuple[Observed, Transition]:
        world, obs, reward, done = foreign.step(key, state.world, action)
        steps = state.steps + 1
        ended = jnp.asarray(done, bool).reshape(())
        if limit is not None:
            ended = ended & (steps < limit)
        total = jnp.asarray(reward, jnp.float32).reshape(())
        return Observed(world, obs, steps), Transition(total, ended)

    spec = EnvSpec(
        name=name,
        num_agents=agents,
        obs_size=obs_size,
        action_size=max(action_sizes),
        action_sizes=tuple(action_sizes),
        snapshot_size=agents * obs_size,
        horizon=horizon,
        terminates=True,
        entities=(),
    )
    return Env(
        spec=spec,
        reset=reset,
        step=step,
        snapshot=lambda state: state.obs.ravel(),
        observe=lambda snapshot: snapshot.reshape(agents, obs_size),
        positions=lambda snapshot: jnp.zeros((0, 2)),
    )


def needed_horizon(horizon: int | None, limit: int | None, name: str) -> int:
    """T: what was given, or the world's own limit.

    Raises:
        SettingError: there is neither.
    """
    length = limit if horizon is None else horizon
    if length is None:
        raise SettingError(f"horizon=None: must be given: {name} has no time limit")
    return length
