"""Running normalisation of observations: what the networks are shown of them, and by whom.

The mean and the variance of all that a member's worlds have shown each agent, as in Stable
Baselines' `VecNormalize` and in Brax. They belong to what acts: they are saved with the actors.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.types import PyTree

ADDED_VARIANCE = 1e-8  # so that what never changes is not divided by 0
LIMIT = 10.0  # of normalised observations


class Moments(NamedTuple):
    """Of each number in each agent's observations."""

    # [], a float: beyond 2^24 it rounds, and in the end old observations slowly lose weight.
    number: jax.Array
    mean: jax.Array  # [N, O]
    variance: jax.Array  # [N, O]


def no_moments(
    num_agents: int,
    obs_size: int,
) -> Moments:
    """Before any observation: those that leave observations as they are."""
    shape = (num_agents, obs_size)
    return Moments(jnp.zeros(()), jnp.zeros(shape), jnp.ones(shape))


def with_observations(
    moments: Moments,
    obs: jax.Array,
) -> Moments:
    """The moments with more observations, [K, N, O] (Chan et al. 1979).

    >>> before = with_observations(no_moments(1, 1), jnp.array([[[1.0]], [[2.0]]]))
    >>> after = with_observations(before, jnp.array([[[3.0]], [[6.0]]]))
    >>> [float(each.sum()) for each in after]
    [4.0, 3.0, 3.5]
    """
    more = obs.shape[0]
    mean = jnp.mean(obs, axis=0)
    variance = jnp.var(obs, axis=0)
    number = moments.number + more
    new = more / number
    old = moments.number / number
    apart = mean - moments.mean
    return Moments(
        number=number,
        mean=moments.mean + new * apart,
        variance=old * moments.variance + new * variance + old * new * apart**2,
    )


def normalized(
    moments: Moments,
    obs: jax.Array,
) -> jax.Array:
    """Observations as the networks are shown them. [N, B, O]

    >>> moments = Moments(jnp.array(9.0), mean=jnp.ones((1, 2)), variance=4 * jnp.ones((1, 2)))
    >>> normalized(moments, jnp.array([[[5.0, -999.0]]])).tolist()
    [[[2.0, -10.0]]]
    """
    deviation = jnp.sqrt(moments.variance + ADDED_VARIANCE)[:, None]
    apart = (obs - moments.mean[:, None]) / deviation
    return jnp.clip(apart, -LIMIT, LIMIT)


class Seeing(NamedTuple):
    """Actors, with what they are shown the world through."""

    actors: PyTree  # every leaf leads with N
    moments: Moments


def shown(
    actors: PyTree,
    moments: Moments | None,
) -> PyTree:
    """What takes the place of actors: `Seeing`, or they themselves where nothing is normalised."""
    return actors if moments is None else Seeing(actors, moments)


Act = Callable[[Any, jax.Array], jax.Array]


def acting_normalized(act: Act) -> Act:
    """An algorithm's `act` for `Seeing` in the place of actors."""

    def normalizing(
        seeing: Seeing,
        obs: jax.Array,
    ) -> jax.Array:
        return act(seeing.actors, normalized(seeing.moments, obs))

    return normalizing


def exploring_normalized(algorithm: Algorithm) -> Algorithm:
    """The algorithm with an `act` and a `sample` for `Seeing` in the place of actors."""

    def sample(
        seeing: Seeing,
        obs: jax.Array,
        noise: Any,
        share: jax.Array,
    ) -> jax.Array:
        seen = normalized(seeing.moments, obs)
        return algorithm.sample(seeing.actors, seen, noise, share)

    return algorithm._replace(act=acting_normalized(algorithm.act), sample=sample)
