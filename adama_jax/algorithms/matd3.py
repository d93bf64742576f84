"""MATD3: MADDPG with twin critics, noise in the targets' actions, and actors that move less often.

Ackermann et al., Reducing Overestimation Bias in Multi-Agent Domains Using Double Centralized
Critics (2019), after Fujimoto et al., Addressing Function Approximation Error in Actor-Critic
Methods (TD3, ICML 2018); public code with the same parts: HARL's `actors/matd3.py` and
`critics/twin_continuous_q_critic.py`. One pair of critics for the team. With N = 1 it is TD3,
whose actor moves at the last of a group of updates where ours moves at the first.

What AdaMa's quantities are here:

* J = mean_b Q_1(o, pi(o)): the actors climb the first critic alone.
* Critic term: the direction descends both TD losses, of which the second critic's does nothing to
  J. So kappa is about what MADDPG's is, where the TD loss is twice as large.
* Rates move at actor updates alone, or kappa would be smoothed at a multiple of the frequency;
  what is measured for them is measured at these alone. Between them the critic keeps its rate.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.losses import td_loss, td_target
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.algorithms.settings import OfMATD3
from adama_jax.algorithms.team import padding_mask
from adama_jax.types import Batch, Params, PyTree

FIRST, SECOND = "first", "second"


def matd3(
    actors_every: int = OfMATD3.actors_every,
    target_noise: float = OfMATD3.target_noise,
    noise_limit: float = OfMATD3.noise_limit,
    **team: Any,
) -> Algorithm:
    """MATD3 with one pair of critics for the team.

    It explores, acts and has actors as MADDPG does.

    Args:
        actors_every: updates of the critics for each one of actors, soft targets and rates.
        target_noise: standard deviation of the noise in the targets' actions.
        noise_limit: what this noise is cut to, either way.
        team: `maddpg`'s arguments; of its critic there are two.

    Raises:
        ValueError: an unknown critic.

    >>> import jax
    >>> algorithm = matd3(num_agents=2, obs_size=3, action_size=2)
    >>> params = algorithm.init(jax.random.key(0))
    >>> algorithm.act(params.actors, jax.numpy.zeros((2, 5, 3))).shape
    (2, 5, 2)
    >>> sorted(params.critic)
    ['first', 'second']
    """
    base = maddpg(**team)
    mask = padding_mask(**team)

    def init(key: Array) -> Params:
        k_first, k_second = jax.random.split(key)
        params = base.init(k_first)
        second = base.init(k_second).critic
        return params._replace(critic={FIRST: params.critic, SECOND: second})

    def value(
        critic: PyTree,
        obs: Array,
        action: Array,
    ) -> Array:
        return base.value(critic[FIRST], obs, action)

    def smoothed(actors: PyTree, obs: Array, key: Array) -> Array:
        """Greedy actions with noise in them, within [-1, 1]; what pads them stays 0."""
        action = base.act(actors, obs)
        noise = target_noise * jax.random.normal(key, action.shape)
        limited = jnp.clip(noise, -noise_limit, noise_limit)
        return jnp.clip(action + limited, -1.0, 1.0) * mask

    def critic_loss(
        params: Params, targets: Params, batch: Batch, discount: Array, key: Array
    ) -> Array:
        obs = batch.next_obs
        next_action = smoothed(targets.actors, obs, key)
        first, second = targets.critic[FIRST], targets.critic[SECOND]
        next_value = jnp.minimum(
            base.value(first, obs, next_action),
            base.value(second, obs, next_action),
        )
        target = td_target(batch.reward, batch.terminated, next_value, discount)
        losses = [
            td_loss(base.value(each, batch.obs, batch.action), target)
            for each in params.critic.values()
        ]
        return sum(losses, start=jnp.zeros(()))

    def climbing(loss: Any) -> Any:
        """A function of MADDPG's parameters, with the first critic for its own."""

        def of_both(params: Params, *given: Any) -> Any:
            of_first = params._replace(critic=params.critic[FIRST])
            return loss(of_first, *given)

        return of_both

    return base._replace(
        init=init,
        value=value,
        critic_loss=critic_loss,
        objective=climbing(base.objective),
        actors_every=actors_every,
        parts=climbing(base.parts) if base.parts else None,
    )
