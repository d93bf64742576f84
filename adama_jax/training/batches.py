"""A minibatch's shapes: what a train step is given must be what it takes it for."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp

from adama_jax.types import Batch


def check_batch(
    batch: Batch,
    num_agents: int,
    agent_major: bool = False,
) -> None:
    """Refuse a minibatch whose arrays are not of the shapes in `types.Batch`.

    Args:
        batch: the minibatch.
        num_agents: N.
        agent_major: it is known to be, so that B = N is no reason for doubt.

    Raises:
        ValueError: an array of another shape; B = N without `agent_major`.

    >>> import jax.numpy as jnp
    >>> obs = jnp.zeros((32, 2, 3))  # transitions first
    >>> check_batch(Batch(obs, obs, jnp.zeros(32), obs, jnp.zeros(32)), num_agents=2)
    Traceback (most recent call last):
    ValueError: batch.obs is of shape (32, 2, 3): must be [N, B, O], (2, 32, 3) here: agents first
    """
    if batch.reward.ndim != 1:
        raise ValueError(
            f"batch.reward is of shape {batch.reward.shape}: must be [B], the team's"
        )
    (size,) = batch.reward.shape
    _check_agents_first(batch, num_agents, size)
    for name in ("terminated", "reward"):
        shape = getattr(batch, name).shape
        if shape != (size,):
            raise ValueError(
                f"batch.{name} is of shape {shape}: must be [B], ({size},)"
            )
    if batch.next_obs.shape != batch.obs.shape:
        raise ValueError(
            f"batch.next_obs is of shape {batch.next_obs.shape}: must be that of batch.obs, "
            f"{batch.obs.shape}"
        )
    if size == num_agents and not agent_major:
        raise ValueError(
            f"a minibatch of B = N = {size}: [N, B, O] and [B, N, O] look alike; take another "
            "batch size, or learner(..., agent_major=True) if it is [N, B, O]"
        )


def _check_agents_first(
    batch: Batch,
    num_agents: int,
    size: int,
) -> None:
    for name, letter in (("obs", "O"), ("action", "A"), ("next_obs", "O")):
        shape = getattr(batch, name).shape
        if len(shape) != 3 or shape[:2] != (num_agents, size):
            last = shape[-1] if shape else letter
            raise ValueError(
                f"batch.{name} is of shape {shape}: must be [N, B, {letter}], "
                f"({num_agents}, {size}, {last}) here: agents first"
            )


def stack_agents(values: Mapping[str, jax.Array], agents: Sequence[str]) -> jax.Array:
    """A dict of agents' arrays [B, ...] as one array [N, B, ...], in the order of `agents`.

    Smaller ones are padded with zeros at the end of their last axis, as `maddpg(action_sizes=...)`
    and the environments' adapters have it.

    Raises:
        ValueError: the keys are not the agents.

    >>> import jax.numpy as jnp
    >>> obs = {"scout": jnp.ones((5, 2)), "guard": jnp.ones((5, 3))}
    >>> stack_agents(obs, ("guard", "scout")).shape
    (2, 5, 3)
    """
    if set(values) != set(agents):
        raise ValueError(
            f"values of {', '.join(values)}: must be of the agents {', '.join(agents)}"
        )
    widest = max(values[name].shape[-1] for name in agents)
    padded = []
    for name in agents:
        own = values[name]
        missing = widest - own.shape[-1]
        padded.append(jnp.pad(own, [(0, 0)] * (own.ndim - 1) + [(0, missing)]))
    return jnp.stack(padded)
