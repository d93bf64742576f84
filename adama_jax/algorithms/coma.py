"""Counterfactual multi-agent policy gradients (COMA): discrete actions, on-policy.

Foerster et al., Counterfactual Multi-Agent Policy Gradients (AAAI 2018); public code: PyMARL's
`coma_learner.py`. One critic of the joint action, learned by TD(lambda) from whole episodes of the
present policies; each agent climbs log pi_i(a_i) A_i, its advantage A_i over what its other
actions would have been worth beside the same actions of the others.

What differs: the critic is any of `settings.CRITICS`, a network of all observations and one-hot
actions that is asked about each alternative, in place of one with an output for each; actors are
feed-forward; critic and actors are updated at the same time, from one minibatch, a round's
episodes. With N = 1 it is an actor-critic with the advantage Q - sum pi Q.

The policies have a share that is uniform over an agent's actions, which falls as the settings
`exploration` say (in the paper from 0.5 to 0.02 in 750 episodes). J and all that is learned are of
the policies that played, with this share in them; greedy actions are the likeliest.

What AdaMa's quantities are here:

* J = E_{a ~ pi} Q(o, a), estimated by the actions that were played: mean_b Q(o, a). Its slope by
  the actors is COMA's, g_i = mean_b grad log pi_i(a_i) A_i: the baseline takes noise away, and
  nothing on average. J is one thing, so there are no parts to log.
* Contributions: <g_i, d_i>; on plain gradients never negative.
* Critic term: |<d/dphi mean_b Q(o, a), d_c>|. The advantages are held: that they move with the
  critic changes the gradient to come, not J.
* Curvature: of E Q between pairs of agents, by the scores of actions drawn anew (`categorical`),
  for those that were played do not move with the rates. None within an agent. An estimate from
  draws, noisy where a minibatch is a few episodes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.categorical import (
    LogitsActor,
    expected,
    softmax_policies,
    unscored,
    value_of_scored,
    with_slope_of,
)
from adama_jax.algorithms.losses import td_lambda_target, td_loss
from adama_jax.algorithms.settings import OfCOMA
from adama_jax.algorithms.team import Team
from adama_jax.types import Batch, Params, PyTree


def coma(
    trace: float = OfCOMA.trace,
    **team: Any,
) -> Algorithm:
    """COMA with one critic for the team.

    It explores by its own policies, a share of which is uniform, and acts greedily by their
    likeliest actions.

    Args:
        trace: lambda of TD(lambda): 0 bootstraps at each step, 1 at the episode's end alone.
        team: the fields of `Team`. A minibatch is whole episodes of `horizon` steps; without one
            the algorithm is there to act alone.

    Raises:
        ValueError: an unknown critic.

    >>> import jax
    >>> algorithm = coma(num_agents=2, obs_size=3, action_size=5, horizon=4)
    >>> params = algorithm.init(jax.random.key(0))
    >>> algorithm.act(params.actors, jax.numpy.zeros((2, 1, 3))).sum(axis=-1).tolist()
    [[1.0], [1.0]]
    """
    of = Team(**team)
    horizon = of.horizon or 1
    actor_net = of.actor(LogitsActor)
    policies = softmax_policies(actor_net, of.mask)
    critic_net = of.critic_class(hidden=of.widths, activation=of.critic_activation)

    one_hot_value: Any = critic_net.apply

    def value(
        critic: PyTree,
        obs: Array,
        action: Array,
    ) -> Array:
        found = one_hot_value(critic, obs, unscored(action))
        return value_of_scored(found, action)

    def policy(
        actors: PyTree,
        batch: Batch,
        key: Array,
    ) -> Array:
        return policies.scored(actors, batch.obs, key, batch.share)

    def critic_loss(
        params: Params, targets: Params, batch: Batch, discount: Array, key: Array
    ) -> Array:
        # After an episode's last step nothing was played: an action is drawn for there.
        last = policies.draw(params.actors, batch.next_obs, key, batch.share)
        next_action = next_actions(batch.action, last, horizon)
        next_value = one_hot_value(targets.critic, batch.next_obs, next_action)

        def by_episode(of_steps: Array) -> Array:
            return of_steps.reshape(-1, horizon)

        target = td_lambda_target(
            by_episode(batch.reward),
            by_episode(batch.terminated),
            by_episode(next_value),
            discount,
            trace,
        )
        found = one_hot_value(params.critic, batch.obs, batch.action)
        return td_loss(found, target.ravel())

    def objective(
        params: Params, targets: Params, batch: Batch, discount: Array, key: Array
    ) -> Array:
        played = one_hot_value(params.critic, batch.obs, batch.action)
        others = counterfactual_values(
            one_hot_value, params.critic, batch.obs, batch.action
        )
        log_pi = policies.log_pi(params.actors, batch.obs, batch.share)
        baseline = expected(log_pi, others)
        advantage = jax.lax.stop_gradient(played[None] - baseline)
        log_likelihood = jnp.sum(batch.action * log_pi, axis=-1)
        of_each = jnp.mean(log_likelihood * advantage, axis=1)
        return with_slope_of(jnp.mean(played), jnp.sum(of_each))

    return Algorithm(
        init=partial(of.init, actor_net, critic_net),
        actions="discrete",
        replay="on_policy",
        act=policies.act,
        sample=policies.draw,
        policy=policy,
        value=value,
        critic_loss=critic_loss,
        objective=objective,
        # In the scores, whatever the critic's activation is.
        smooth=True,
    )


def counterfactual_values(
    value: Callable[[PyTree, Array, Array], Array],
    critic: PyTree,
    obs: Array,
    action: Array,
) -> Array:
    """Q_i(o, (k, a_-i)): what each other action of each agent would have been worth. [N, B, A]

    Args:
        value: `(critic, obs, action) -> Q [B]`.
        critic: its parameters.
        obs: [N, B, O].
        action: one-hot. [N, B, A]

    >>> import jax.numpy as jnp
    >>> value = lambda critic, obs, action: action[0, :, 1] * (1 + action[1, :, 1])
    >>> both_second = jnp.array([[[0.0, 1.0]], [[0.0, 1.0]]])
    >>> counterfactual_values(value, None, both_second, both_second).tolist()
    [[[0.0, 2.0]], [[1.0, 2.0]]]
    """
    num_agents, batch_size, action_size = action.shape

    def of_choice(agent: Array, choice: Array) -> Array:
        everywhere = jnp.broadcast_to(choice, (batch_size, action_size))
        return value(critic, obs, action.at[agent].set(everywhere))

    of_choices = jax.vmap(of_choice, in_axes=(None, 0), out_axes=1)
    of_agents = jax.vmap(of_choices, in_axes=(0, None))
    return of_agents(jnp.arange(num_agents), jnp.eye(action_size))


def next_actions(
    action: Array,
    last: Array,
    horizon: int,
) -> Array:
    """What was played a step later; after an episode's last step what is drawn for there.

    Args:
        action: of whole episodes, step by step. [N, B, A]
        last: of it the entries of the last steps are read. [N, B, A]
        horizon: T.

    >>> import jax.numpy as jnp
    >>> played, drawn = jnp.array([[[1.0], [2.0], [3.0]]]), jnp.array([[[7.0], [8.0], [9.0]]])
    >>> next_actions(played, drawn, horizon=3).tolist()
    [[[2.0], [3.0], [9.0]]]
    """
    num_agents, _, action_size = action.shape
    by_episode = (num_agents, -1, horizon, action_size)
    later = action.reshape(by_episode)[:, :, 1:]
    drawn = last.reshape(by_episode)[:, :, -1:]
    following = jnp.concatenate([later, drawn], axis=2)
    return following.reshape(action.shape)
