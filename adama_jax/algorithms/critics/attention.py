"""MAAC's attention critic: each agent's value looks at the others through attention.

Iqbal & Sha, Actor-Attention-Critic for Multi-Agent RL (MAAC, ICML 2019), in a deterministic form.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from adama_jax.algorithms.networks import (
    MLP,
    Dense,
    FeatureNorm,
    activation,
    swap_batch_and_features,
)
from adama_jax.algorithms.settings import ATTENTION_HEADS


class AttentionCritic(nn.Module):
    """`Q = mean_i Q_i(e_i, x_i)`, an agent's embedding and what it attends to.

    [N, B, O], [N, B, A] to [B]. Every agent has an encoder e_i of its own observation and action
    and a head Q_i; queries, keys and values (with the activation, in four heads) are shared, and
    nobody attends to itself. The mean over agents is ours, for MAAC has a return an agent. With
    N = 1 an agent has but itself to attend to. `hidden[0]` is the embeddings' width W, a multiple
    of four; the heads Q_i have the rest.
    """

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"
    layer_norm: bool = False

    @nn.compact
    def __call__(
        self,
        obs: jax.Array,
        action: jax.Array,
    ) -> jax.Array:
        num_agents = len(obs)
        width = self.hidden[0]
        activate = activation(self.activation)
        one_an_agent: Any = {
            "variable_axes": {"params": 0},
            "split_rngs": {"params": True},
        }

        encoders = nn.vmap(Dense, **one_an_agent)(width, name="encoders")
        own_obs = swap_batch_and_features(obs)
        own_action = swap_batch_and_features(action)
        encoded = encoders(own_obs, own_action)
        if self.layer_norm:
            norms = nn.vmap(FeatureNorm, **one_an_agent)(name="encoder_norms")
            encoded = norms(encoded)
        embedded = activate(encoded)  # [N, W, B]

        shared = for_all_agents(embedded)
        queries = Dense(width, name="queries")(shared)
        keys = Dense(width, name="keys")(shared)
        values = activate(Dense(width, name="values")(shared))

        seen = seen_of_others(queries, keys, values, num_agents)
        heads = nn.vmap(MLP, **one_an_agent)(
            self.hidden[1:], 1, self.activation, self.layer_norm, name="heads"
        )
        value_of_each = heads(embedded, seen)[:, 0]
        return jnp.mean(value_of_each, axis=0)


def seen_of_others(
    queries: jax.Array,
    keys: jax.Array,
    values: jax.Array,
    num_agents: int,
) -> jax.Array:
    """What every agent attends to, in `ATTENTION_HEADS` heads: all others, never itself.

    [W, B * N] each, to [N, W, B].
    """
    width = queries.shape[0]
    others = ~jnp.eye(num_agents, dtype=bool)
    seen = nn.dot_product_attention(
        _in_heads(queries, num_agents),
        _in_heads(keys, num_agents),
        _in_heads(values, num_agents),
        mask=others[None, None],
    )
    batch_size = seen.shape[0]
    seen = seen.reshape(batch_size, num_agents, width)
    # Back to agents first and features before the batch, as the networks read them.
    return jnp.moveaxis(seen, 0, -1)


def for_all_agents(own: jax.Array) -> jax.Array:
    """Every agent's features as if they were one longer batch, for layers that all agents share.

    [N, W, B] to [W, B * N]
    """
    width = own.shape[1]
    return jnp.moveaxis(own, 0, -1).reshape(width, -1)


def _in_heads(projected: jax.Array, num_agents: int) -> jax.Array:
    """[W, B * N] to [B, N, heads, W / heads], as Flax's attention wants it."""
    width = projected.shape[0]
    shape = (-1, num_agents, ATTENTION_HEADS, width // ATTENTION_HEADS)
    return projected.T.reshape(shape)
