"""MAAC's own critics: every agent's value of each of its actions, beside what the others do.

Iqbal & Sha, Actor-Attention-Critic for Multi-Agent Reinforcement Learning (ICML 2019), section 3.2.
`critics.attention` is the deterministic form of it, with one value for a joint action.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax

from adama_jax.algorithms.critics.attention import for_all_agents, seen_of_others
from adama_jax.algorithms.networks import (
    MLP,
    Dense,
    activation,
    swap_batch_and_features,
)


class SoftAttentionCritic(nn.Module):
    """Q_i(o, k, a_-i) for each action k of agent i. [N, B, O], one-hot [N, B, A] to [N, B, A]

    Q_i reads an embedding of o_i and what it attends to: the others' embeddings of (o_j, a_j), with
    queries of its own o_i, so that it never sees its own action. Queries, keys and values are
    shared by all agents, the embeddings and heads are not. `hidden[0]` is the embeddings' width W,
    a multiple of four heads; the heads Q_i have the rest. With N = 1 nothing is attended to.
    """

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"

    @nn.compact
    def __call__(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        num_agents, _, action_size = action.shape
        width = self.hidden[0]
        activate = activation(self.activation)
        one_an_agent: Any = {
            "variable_axes": {"params": 0},
            "split_rngs": {"params": True},
        }
        dense_of_each = nn.vmap(Dense, **one_an_agent)

        own_obs = swap_batch_and_features(obs)
        own_action = swap_batch_and_features(action)
        observed = activate(dense_of_each(width, name="observed")(own_obs))
        inputs = (observed,)
        if num_agents > 1:
            embedded = activate(
                dense_of_each(width, name="encoders")(own_obs, own_action)
            )
            shared = for_all_agents(embedded)  # [W, B * N]
            queries = Dense(width, name="queries")(for_all_agents(observed))
            keys = Dense(width, name="keys")(shared)
            values = activate(Dense(width, name="values")(shared))
            seen = seen_of_others(queries, keys, values, num_agents)
            inputs = (observed, seen)

        heads = nn.vmap(MLP, **one_an_agent)(
            self.hidden[1:], action_size, self.activation, name="heads"
        )
        return swap_batch_and_features(heads(*inputs))
