"""FACMAC's factored critic: a utility an agent, mixed by a network that sees all observations.

Peng et al., FACMAC: Factored Multi-Agent Centralised Policy Gradients (NeurIPS 2021); public code:
oxwhirl/facmac, `modules/critics/facmac.py`, `modules/mixers/qmix.py` and `qmix_ablations.py`. The
mixing network is that of QMIX (Rashid et al., ICML 2018), where it is to be monotonic; a free one
has no absolute values. Unlike DOP's sum it is nonlinear, so that pairs of agents have a curvature.

What differs: each agent has a utility network of its own (the code's agents share one); the state
is all agents' observations, as everywhere here; a mixing network has the width of the last hidden
layer, its layers are made by networks of one hidden layer of the first one's, and N = 1 is mixed
too.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from adama_jax.algorithms.networks import (
    MLP,
    Dense,
    join_agents,
    swap_batch_and_features,
)


class FACMACCritic(nn.Module):
    """`Q = f(o, Q_1(o_1, a_1), ..., Q_N(o_N, a_N))`. [N, B, O], [N, B, A] to [B]

    f = w_2(o) . elu(W_1(o) q + b_1(o)) + v(o), where W_1, w_2, b_1 and v are networks of all
    observations; `monotonic`, |W_1| and |w_2|, so that no utility that rises makes Q fall.
    """

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"
    monotonic: bool = True
    layer_norm: bool = False

    @nn.compact
    def __call__(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        num_agents = len(obs)
        first, last = self.hidden[0], self.hidden[-1]
        each_agent = nn.vmap(
            MLP, variable_axes={"params": 0}, split_rngs={"params": True}
        )
        layers = (self.activation, self.layer_norm)
        utilities = each_agent(self.hidden, 1, *layers, name="utilities")
        inputs = map(swap_batch_and_features, (obs, action))
        values = utilities(*inputs)[:, 0]  # [N, B]

        joint = join_agents(obs)
        inner = MLP((first,), num_agents * last, *layers, name="inner")(joint)
        outer = MLP((first,), last, *layers, name="outer")(joint)
        bias = Dense(last, name="inner_bias")(joint)
        state_value = MLP((last,), 1, *layers, name="state_value")(joint)
        if self.monotonic:
            inner = jnp.abs(inner)
            outer = jnp.abs(outer)

        weights = inner.reshape(num_agents, last, -1)  # [N, W, B]
        mixed = jnp.sum(weights * values[:, None], axis=0) + bias
        return jnp.sum(outer * nn.elu(mixed), axis=0) + state_value[0]


class FreeFACMACCritic(FACMACCritic):
    """The same without a monotonic mixing network: `QMixerNonmonotonic` of the public code."""

    monotonic: bool = False
