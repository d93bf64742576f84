"""Other ways to explore than an algorithm's own: an algorithm in, one that differs there out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.categorical import one_hot_of_largest
from adama_jax.algorithms.networks import action_mask
from adama_jax.types import PyTree, Scalar


def with_gaussian_noise(
    algorithm: Algorithm,
    action_sizes: Sequence[int],
) -> Algorithm:
    """Explore by a + share x n, n standard normal, cut to [-1, 1]: the share is its deviation.

    As in DDPG's successors (Fujimoto et al., TD3, ICML 2018) and HARL; Lowe et al. have an
    Ornstein-Uhlenbeck process instead.

    Args:
        algorithm: whose greedy actions are disturbed.
        action_sizes: of each agent; what pads the smaller ones stays 0.

    >>> from adama_jax.algorithms.maddpg import maddpg
    >>> noisy = with_gaussian_noise(maddpg(2, 3, 1), (1, 1))
    >>> noisy.draw(jax.random.key(0), 5).shape
    (5, 2, 1)
    """
    size = max(action_sizes)
    mask = action_mask(action_sizes, size)[:, None]

    def draw(
        key: jax.Array,
        steps: int,
    ) -> jax.Array:
        return jax.random.normal(key, (steps, len(action_sizes), size))

    def sample(
        actors: PyTree, obs: jax.Array, noise: jax.Array, share: jax.Array
    ) -> jax.Array:
        disturbed = algorithm.act(actors, obs) + share * noise[:, None]
        return jnp.clip(disturbed, -1.0, 1.0) * mask

    return algorithm._replace(draw=draw, sample=sample)


class WarmUp(NamedTuple):
    """A round's share of exploration, and whether it is one of random actions."""

    share: Scalar  # []
    random: jax.Array  # [], bool


def with_random_start(
    algorithm: Algorithm,
    action_sizes: Sequence[int],
) -> Algorithm:
    """Explore by uniform random actions where the share, a `WarmUp`, says so.

    Args:
        algorithm: which explores in all other rounds.
        action_sizes: of each agent; what pads the smaller ones stays 0.
    """
    size = max(action_sizes)
    mask = action_mask(action_sizes, size)

    def draw(
        key: jax.Array,
        steps: int,
    ) -> tuple[Any, jax.Array]:
        k_own, k_random = jax.random.split(key)
        shape = (steps, len(action_sizes), size)
        uniform = jax.random.uniform(k_random, shape, minval=-1.0, maxval=1.0)
        if algorithm.actions == "discrete":
            own = jnp.where(mask[None] > 0, uniform, -jnp.inf)
            return algorithm.draw(k_own, steps), one_hot_of_largest(own)
        return algorithm.draw(k_own, steps), uniform * mask[None]

    def sample(
        actors: PyTree,
        obs: jax.Array,
        noise: tuple[Any, jax.Array],
        share: Any,
    ) -> jax.Array:
        own, uniform = noise
        action = algorithm.sample(actors, obs, own, share.share)
        return jnp.where(share.random, uniform[:, None], action)

    return algorithm._replace(draw=draw, sample=sample)
