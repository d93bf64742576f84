"""Flax networks: the actor of one agent, and centralised critics (section 3.1, Table 1).

Glorot-uniform kernels and zero biases, as in the first author's public MADDPG code. Inside a network activations are
feature-major, `[width, B]`: measured on one CPU core, forward and backward of four stacked actors run 1.17 times as
fast so as with `[B, width]`, most of it in the gradients of the kernels.
"""

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

KERNEL_INIT = nn.initializers.glorot_uniform()
HEADS = 4  # of the attention critic, as in MAAC's code


def activation(name: str) -> Callable[[jax.Array], jax.Array]:
    """The Flax activation of that name, "relu" or "tanh" say."""
    return getattr(nn, name)


class Dense(nn.Module):
    """A fully connected layer on feature-major inputs, given in parts that are never concatenated.

    [I_1, B], [I_2, B] ... to [width, B]. One kernel [I_1 + I_2 + ..., width] and one bias [width].
    """

    width: int

    @nn.compact
    def __call__(self, *parts: jax.Array) -> jax.Array:
        sizes = [part.shape[0] for part in parts]
        kernel = self.param("kernel", KERNEL_INIT, (sum(sizes), self.width))
        bias = self.param("bias", nn.initializers.zeros, (self.width,))
        output = bias[:, None]
        for rows, part in zip(jnp.split(kernel, np.cumsum(sizes)[:-1]), parts, strict=True):
            output = output + rows.T @ part
        return output


class MLP(nn.Module):
    """Hidden layers and a linear head, on feature-major inputs: [I_1, B], [I_2, B] ... to [head, B]"""

    hidden: Sequence[int]
    head: int
    activation: str

    @nn.compact
    def __call__(self, *parts: jax.Array) -> jax.Array:
        for width in self.hidden:
            parts = (activation(self.activation)(Dense(width)(*parts)),)
        return Dense(self.head)(*parts)


class Actor(nn.Module):
    """pi_i(o_i): an MLP with a tanh head. [B, O] to [B, A] in [-1, 1]"""

    action_size: int
    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"

    @nn.compact
    def __call__(self, obs: jax.Array) -> jax.Array:
        return jnp.tanh(MLP(self.hidden, self.action_size, self.activation)(obs.T)).T


class JointCritic(nn.Module):
    """Q(o, a): an MLP over all observations and all actions. [N, B, O], [N, B, A] to [B]"""

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"

    @nn.compact
    def __call__(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        return MLP(self.hidden, 1, self.activation)(join_agents(obs), join_agents(action))[0]


class DOPCritic(nn.Module):
    """Deterministic DOP: `Q = sum_i |k_i(o)| Q_i(o, a_i) + b(o)`. [N, B, O], [N, B, A] to [B]

    Wang et al., DOP: Off-Policy Multi-Agent Decomposed Policy Gradients (ICLR 2021), in the deterministic form that
    its first author published for MuJoCo: every Q_i, k (one head of N, not normalised) and b is an MLP of its own on
    all observations. No pair of agents has a curvature, whatever the activation.
    """

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"

    @nn.compact
    def __call__(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        joint = join_agents(obs)
        axes: Any = (None, 0)
        each = nn.vmap(MLP, variable_axes={"params": 0}, split_rngs={"params": True}, in_axes=axes)
        values = each(self.hidden, 1, self.activation, name="values")(
            joint, jnp.swapaxes(action, 1, 2)
        )[:, 0]
        weights = jnp.abs(MLP(self.hidden, len(obs), self.activation, name="weights")(joint))
        bias = MLP(self.hidden, 1, self.activation, name="bias")(joint)[0]
        return jnp.sum(weights * values, axis=0) + bias


class AttentionCritic(nn.Module):
    """`Q = mean_i Q_i(e_i, x_i)`, an agent's embedding and what it attends to. [N, B, O], [N, B, A] to [B]

    Iqbal & Sha, Actor-Attention-Critic for Multi-Agent RL (MAAC, ICML 2019), in a deterministic form: every agent has
    an encoder e_i of its own observation and action and a head Q_i; queries, keys and values (with the activation, in
    four heads) are shared, and nobody attends to itself. The mean over agents is ours, for MAAC has a return an agent.
    With N = 1 an agent has but itself to attend to. `hidden[0]` is the embeddings' width, a multiple of four; the
    heads have the rest.
    """

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"

    @nn.compact
    def __call__(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        bend, width = activation(self.activation), self.hidden[0]
        each: Any = {"variable_axes": {"params": 0}, "split_rngs": {"params": True}}
        encoder = nn.vmap(Dense, **each)(width, name="encoders")
        embedded = bend(encoder(jnp.swapaxes(obs, 1, 2), jnp.swapaxes(action, 1, 2)))  # [N, W, B]
        shared = jnp.moveaxis(embedded, 0, -1).reshape(width, -1)  # [W, B * N]

        def heads(projected: jax.Array) -> jax.Array:
            return projected.T.reshape(
                -1, len(obs), HEADS, width // HEADS
            )  # [B, N, heads, W / heads]

        query, key = (
            heads(Dense(width, name="queries")(shared)),
            heads(Dense(width, name="keys")(shared)),
        )
        value = heads(bend(Dense(width, name="values")(shared)))
        others = ~jnp.eye(len(obs), dtype=bool)[None, None]
        seen = nn.dot_product_attention(query, key, value, mask=others)
        seen = jnp.moveaxis(seen.reshape(*seen.shape[:2], width), 0, -1)  # [N, W, B]
        values = nn.vmap(MLP, **each)(self.hidden[1:], 1, self.activation, name="heads")(
            embedded, seen
        )
        return jnp.mean(values[:, 0], axis=0)


def join_agents(x: jax.Array) -> jax.Array:
    """All agents' vectors as one, feature-major. [N, B, X] to [N * X, B]"""
    return jnp.swapaxes(x, 1, 2).reshape(-1, x.shape[1])


def action_mask(action_sizes: Sequence[int], action_size: int) -> jax.Array:
    """1 where an agent has an action, 0 where it is padding, which must add no gradient. [N, A]

    >>> action_mask((3, 2), 3).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """
    return (jnp.arange(action_size)[None] < jnp.array(action_sizes)[:, None]).astype(jnp.float32)


CRITICS: dict[str, type[nn.Module]] = {
    "joint": JointCritic,
    "dop": DOPCritic,
    "attention": AttentionCritic,
}
