"""Multi-Actor-Attention-Critic (MAAC): softmax policies over discrete actions, attention critics.

Iqbal & Sha, Actor-Attention-Critic for Multi-Agent Reinforcement Learning (ICML 2019), eqs. 7 to 9,
and its authors' public code. Every agent has a critic that values each of its own actions beside
the others' drawn ones (`critics.soft_attention`), and climbs its value and its entropy at a fixed
temperature. All actions in the actors' objective are drawn from the present policies, none are the
replay's.

What differs: the expectation over an agent's own action is summed, in the objective and in the
targets, where the paper draws the action and subtracts the sum as a baseline (the same mean, less
noise); no batch normalisation of observations, no penalties on logits, no clipping. The team has
one reward here, so that all critics learn the same return, each in its own way. With N = 1 it is
discrete soft actor-critic with one critic.

What AdaMa's quantities are here:

* J = mean_b mean_i E_{a_i} Q_i(o, a_i, a_-i) + alpha sum_i H_i: the team's value, a mean over the
  critics, since all of them are estimates of one return, and the entropies, which are summed as in
  the targets. The parts are logged as `part_value` and `part_entropy`.
* Contributions: agent i climbs its own critic alone, d/dtheta_i E_{a_i} Q_i + alpha H_i, whole and
  not a share of 1/N: what the team gains by i's step is what i's critic says, for each would say
  the same were they exact. So J has the slope of the sum and the size of the mean.
* Critic term: |<d/dphi mean_i E Q_i, d_c>|; the direction descends the sum of the N TD losses.
* Curvature: of mean_i Q_i between pairs of agents, by the scores of drawn actions (`categorical`):
  an estimate that is right on average, and noisier than that of continuous actions. There is none
  within an agent, and none of the entropy.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from adama_jax.algorithms.algorithm import Algorithm, sum_of
from adama_jax.algorithms.categorical import (
    LogitsActor,
    drawn,
    expected,
    softmax_policies,
    unscored,
    value_of_scored,
    with_slope_of,
)
from adama_jax.algorithms.critics.soft_attention import SoftAttentionCritic
from adama_jax.algorithms.losses import td_loss, td_target
from adama_jax.algorithms.settings import OfMAAC
from adama_jax.algorithms.team import Team
from adama_jax.types import Batch, Params, PyTree


def maac(entropy_weight: float = OfMAAC.entropy_weight, **team: Any) -> Algorithm:
    """MAAC for a team with one reward.

    It explores by its own policies, and acts greedily by their likeliest actions.

    Args:
        entropy_weight: alpha, the temperature; 0.01 is that of the authors' code, which scales
            rewards by 100 instead.
        team: the fields of `Team`. The critic and the horizon are not read: MAAC has critics of its
            own, whose four heads the first of `hidden` is a multiple of.

    >>> import jax
    >>> algorithm = maac(num_agents=2, obs_size=3, action_size=5)
    >>> params = algorithm.init(jax.random.key(0))
    >>> algorithm.act(params.actors, jax.numpy.zeros((2, 1, 3))).sum(axis=-1).tolist()
    [[1.0], [1.0]]
    """
    of = Team(**team)
    actor_net = of.actor(LogitsActor)
    policies = softmax_policies(actor_net, of.mask)
    critic_net = SoftAttentionCritic(of.widths, of.critic_activation)

    def values(
        critic: PyTree,
        obs: Array,
        action: Array,
    ) -> Any:
        """Q_i(o, k, a_-i) of each own action k. [N, B, A]"""
        return critic_net.apply(critic, obs, action)

    def sample(
        actors: PyTree,
        obs: Array,
        key: Array,
        share: Array,
    ) -> Array:
        # They explore by themselves, whatever the share.
        return policies.draw(actors, obs, key)

    def policy(
        actors: PyTree,
        batch: Batch,
        key: Array,
    ) -> Array:
        return policies.scored(actors, batch.obs, key)

    def value(
        critic: PyTree,
        obs: Array,
        action: Array,
    ) -> Array:
        chosen = unscored(action)
        of_each = jnp.sum(chosen * values(critic, obs, chosen), axis=-1)
        return value_of_scored(jnp.mean(of_each, axis=0), action)

    def critic_loss(
        params: Params, targets: Params, batch: Batch, discount: Array, key: Array
    ) -> Array:
        log_pi = policies.log_pi(targets.actors, batch.next_obs)
        others = drawn(log_pi, key)
        next_values = values(targets.critic, batch.next_obs, others)
        soft_values = expected(log_pi, next_values - entropy_weight * log_pi)
        found = values(params.critic, batch.obs, batch.action)
        played = jnp.sum(batch.action * found, axis=-1)

        def of_agent(value: Array, next_value: Array) -> Array:
            target = td_target(batch.reward, batch.terminated, next_value, discount)
            return td_loss(value, target)

        losses = jax.vmap(of_agent)(played, soft_values)
        return jnp.sum(losses)

    def parts(
        params: Params, targets: Params, batch: Batch, discount: Array, key: Array
    ) -> dict[str, Array]:
        log_pi = policies.log_pi(params.actors, batch.obs)
        found = values(params.critic, batch.obs, drawn(log_pi, key))
        held = jax.lax.stop_gradient
        # By the critic it is the mean over agents, by the actors the sum.
        mean = jnp.mean(expected(held(log_pi), found))
        of_each = jnp.mean(expected(log_pi, held(found)), axis=1)
        entropies = -jnp.mean(expected(log_pi, log_pi), axis=1)
        return {
            "value": with_slope_of(mean, jnp.sum(of_each)),
            "entropy": entropy_weight * jnp.sum(entropies),
        }

    return Algorithm(
        init=partial(of.init, actor_net, critic_net),
        actions="discrete",
        act=policies.act,
        sample=sample,
        policy=policy,
        value=value,
        critic_loss=critic_loss,
        objective=sum_of(parts),
        # In the scores, whatever the critic's activation is.
        smooth=True,
        parts=parts,
        part_names=("value", "entropy"),
    )
