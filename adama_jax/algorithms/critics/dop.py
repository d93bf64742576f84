"""Deterministic DOP: a critic that is a weighted sum of one critic an agent.

Wang et al., DOP: Off-Policy Multi-Agent Decomposed Policy Gradients (ICLR 2021), in the
deterministic form that its first author published for MuJoCo.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from adama_jax.algorithms.networks import MLP, join_agents, swap_batch_and_features


class DOPCritic(nn.Module):
    """`Q = sum_i |k_i(o)| Q_i(o, a_i) + b(o)`. [N, B, O], [N, B, A] to [B]

    Every Q_i, k (one head of N, not normalised) and b is an MLP of its own on all observations. No
    pair of agents has a curvature, whatever the activation.
    """

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"
    layer_norm: bool = False

    @nn.compact
    def __call__(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        num_agents = len(obs)
        joint = join_agents(obs)
        # One MLP an agent: all read the same observations, and each its own agent's action.
        axes: Any = (None, 0)
        each_agent = nn.vmap(
            MLP, variable_axes={"params": 0}, split_rngs={"params": True}, in_axes=axes
        )
        layers = (self.activation, self.layer_norm)
        own_values = each_agent(self.hidden, 1, *layers, name="values")
        weights = MLP(self.hidden, num_agents, *layers, name="weights")
        bias = MLP(self.hidden, 1, *layers, name="bias")

        values = own_values(joint, swap_batch_and_features(action))[:, 0]
        weighted = jnp.abs(weights(joint)) * values
        return jnp.sum(weighted, axis=0) + bias(joint)[0]
