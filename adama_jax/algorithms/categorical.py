"""Softmax policies over discrete actions, which are one-hot vectors: what MAAC and COMA share.

The team's expected value is multilinear in the agents' probabilities. So it has no curvature within
an agent, and between two agents that is the mean, over drawn actions, of both scores (the
derivatives of log pi) times Q. `Policies.scored` gives drawn actions that carry their scores, and
`value_of_scored` a value of them whose derivatives are those of the expected value, on average over
draws. Nothing is ever valued between actions, where no critic was trained.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from adama_jax.algorithms.networks import MLP, swap_batch_and_features
from adama_jax.types import PyTree

# The logit of what pads an action: its probability is 0 in float32, and all stays finite.
OF_PADDING = -1e9


class LogitsActor(nn.Module):
    """The logits of an agent's actions. [B, O] to [B, A]"""

    action_size: int
    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"
    layer_norm: bool = False

    @nn.compact
    def __call__(self, obs: Array) -> Array:
        network = MLP(self.hidden, self.action_size, self.activation, self.layer_norm)
        logits = network(swap_batch_and_features(obs))
        return swap_batch_and_features(logits)


class Policies(NamedTuple):
    """The policies of all agents, as functions of their stacked parameters and of obs [N, B, O].

    All but `act` take a `share` last: as much of every policy is uniform over the agent's actions.

    log_pi: `(actors, obs, share=None) -> log pi_i(k | o_i)` of every action k. [N, B, A]
    act: `(actors, obs) -> [N, B, A]`, one-hot: the likeliest action of each agent.
    draw: `(actors, obs, key, share=None) -> [N, B, A]`, one-hot.
    scored: as `draw`, the same actions, whose derivatives are those of their log probabilities.
    """

    log_pi: Callable[..., Array]
    act: Callable[[PyTree, Array], Array]
    draw: Callable[..., Array]
    scored: Callable[..., Array]


def softmax_policies(network: LogitsActor, mask: Array) -> Policies:
    """The policies of a network an agent.

    Args:
        network: of one agent.
        mask: 1 where an agent has an action, 0 where it is padding, which is never chosen.
            [N, 1, A]
    """
    own = mask > 0
    log_uniform = -jnp.log(jnp.sum(mask, axis=-1, keepdims=True))

    def log_pi(
        actors: PyTree,
        obs: Array,
        share: Array | None = None,
    ) -> Array:
        logits: Any = jax.vmap(network.apply)(actors, obs)
        softmax = jax.nn.log_softmax(jnp.where(own, logits, OF_PADDING))
        if share is None:
            return softmax
        # By logarithms, for a softmax may be 0 in float32, and the share may be 0 or 1.
        mixed = jnp.logaddexp(
            jnp.log(1 - share) + softmax, jnp.log(share) + log_uniform
        )
        return jnp.where(own, mixed, OF_PADDING)

    def act(
        actors: PyTree,
        obs: Array,
    ) -> Array:
        return one_hot_of_largest(log_pi(actors, obs))

    def draw(
        actors: PyTree,
        obs: Array,
        key: Array,
        share: Array | None = None,
    ) -> Array:
        return drawn(log_pi(actors, obs, share), key)

    def scored(
        actors: PyTree,
        obs: Array,
        key: Array,
        share: Array | None = None,
    ) -> Array:
        likelihoods = log_pi(actors, obs, share)
        action = drawn(likelihoods, key)
        own_log = jnp.sum(action * likelihoods, axis=-1, keepdims=True)
        # 1, with the score for a derivative.
        ratio = jnp.exp(own_log - jax.lax.stop_gradient(own_log))
        return action * ratio

    return Policies(log_pi, act, draw, scored)


def drawn(log_pi: Array, key: Array) -> Array:
    """An action of each agent and transition. log pi [N, B, A] to [N, B, A], one-hot"""
    chosen = jax.random.categorical(key, log_pi, axis=-1)
    return jax.nn.one_hot(chosen, log_pi.shape[-1])


def one_hot_of_largest(scores: Array) -> Array:
    """1 at the largest entry of the last axis, the first of several, 0 elsewhere. [..., A]

    >>> import jax.numpy as jnp
    >>> one_hot_of_largest(jnp.array([[0.5, 2.0, 2.0]])).tolist()
    [[0.0, 1.0, 0.0]]
    """
    largest = jnp.argmax(scores, axis=-1)
    return jax.nn.one_hot(largest, scores.shape[-1])


def expected(log_pi: Array, values: Array) -> Array:
    """The mean of a value of each own action over an agent's policy. [N, B, A] x 2 to [N, B]"""
    return jnp.sum(jnp.exp(log_pi) * values, axis=-1)


def unscored(action: Array) -> Array:
    """The one-hot actions of which `Policies.scored` made these, without a derivative."""
    held = jax.lax.stop_gradient(action)
    # A secant moves the entry that is not 0, perhaps below 0.
    return one_hot_of_largest(jnp.abs(held))


def value_of_scored(value: Array, action: Array) -> Array:
    """Q of scored actions, with the derivatives of the expected Q. [B]

    Q + (w - 1) (Q - mean_b Q), where w is the product over agents of the sum of their action: it is
    1, and its derivatives are the scores. The mean takes nothing from a derivative but noise, for a
    score is 0 on average.

    Args:
        value: Q of the one-hot actions, no function of `action` for a derivative. [B]
        action: of `Policies.scored`. [N, B, A]

    >>> import jax, jax.numpy as jnp
    >>> value, action = jnp.array([1.0, 3.0]), jnp.array([[[1.0, 0.0], [0.0, 1.0]]])
    >>> value_of_scored(value, action).tolist()
    [1.0, 3.0]
    >>> slope = jax.grad(lambda action: jnp.sum(value_of_scored(value, action)))(action)
    >>> slope[0, 0].tolist(), slope[0, 1].tolist()
    ([-1.0, -1.0], [1.0, 1.0])
    """
    of_agents = jnp.sum(action, axis=-1)
    likelihood = jnp.prod(of_agents, axis=0)
    centred = value - jnp.mean(value)
    return value + (likelihood - 1) * centred


def with_slope_of(value: Array, other: Array) -> Array:
    """A number with the derivative of another one added to its own. [] x 2 to []

    >>> import jax
    >>> float(jax.grad(lambda x: with_slope_of(2.0 * x, 10.0 * x))(1.0))
    12.0
    """
    return value + other - jax.lax.stop_gradient(other)
