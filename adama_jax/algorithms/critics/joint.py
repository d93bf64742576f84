"""The joint critic: one network on everything (section 3.1, Table 1)."""

from collections.abc import Sequence

import flax.linen as nn
import jax

from adama_jax.algorithms.networks import MLP, join_agents


class JointCritic(nn.Module):
    """Q(o, a): an MLP over all observations and all actions. [N, B, O], [N, B, A] to [B]"""

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"
    layer_norm: bool = False

    @nn.compact
    def __call__(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        network = MLP(self.hidden, 1, self.activation, self.layer_norm)
        return network(join_agents(obs), join_agents(action))[0]
