"""Parts of what deterministic actors climb, for the algorithms that have such actors."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from adama_jax.types import Batch, PyTree


def beside_replayed(
    value: Callable[[PyTree, jax.Array, jax.Array], jax.Array],
    critic: PyTree,
    batch: Batch,
    action: jax.Array,
) -> jax.Array:
    """sum_i mean_b Q(o, a) with agent i's present action beside the minibatch's of all others. []

    Each actor's gradient is that of Lowe et al. (NeurIPS 2017, Eq. 5) and of HARL's MADDPG. Such a
    J is about N times as large as one with everybody's present actions, and so is kappa; no pair of
    agents has a curvature.

    Args:
        value: an algorithm's.
        critic: its parameters.
        batch: whose actions the others take.
        action: of the present actors, on the minibatch's observations. [N, B, A]

    >>> from adama_jax.types import Batch
    >>> obs, replayed = jnp.zeros((2, 1, 1)), jnp.array([[[1.0]], [[2.0]]])
    >>> batch = Batch(obs, replayed, jnp.zeros(1), obs, jnp.zeros(1))
    >>> product = lambda critic, obs, action: action[0, :, 0] * action[1, :, 0]
    >>> float(beside_replayed(product, None, batch, jnp.array([[[10.0]], [[20.0]]])))
    40.0
    """
    num_agents = action.shape[0]
    own = jnp.eye(num_agents, dtype=bool)[:, :, None, None]
    # Row i has all agents' actions, of which agent i's alone depends on an actor.
    joint = jnp.where(own, action[None], batch.action[None])
    values = jax.vmap(partial(value, critic, batch.obs))(joint)
    return jnp.sum(jnp.mean(values, axis=1))


def mean_square(
    output: jax.Array,
    mask: jax.Array,
) -> jax.Array:
    """The mean square of each agent's outputs, summed over agents; padding counts nothing. []

    Args:
        output: of the actors before the tanh. [N, B, A]
        mask: 1 where an agent has an action. [N, 1, A]

    >>> output = jnp.array([[[1.0, 2.0]], [[3.0, 7.0]]])
    >>> float(mean_square(output, jnp.array([[[1.0, 1.0]], [[1.0, 0.0]]])))
    11.5
    """
    sizes = jnp.sum(mask, axis=(1, 2))
    squares = jnp.mean(jnp.sum(mask * output**2, axis=2), axis=1)
    return jnp.sum(squares / sizes)
