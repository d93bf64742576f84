"""Twin critics: the same network twice, against values that are too high.

Fujimoto et al., Addressing Function Approximation Error in Actor-Critic Methods (TD3, ICML 2018).
The smaller of the two is what targets are made of; which one the actors climb is for an algorithm
to say.
"""

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp


class TwinCritic(nn.Module):
    """Two critics of one kind, which share nothing and are initialised from different keys.

    Each has a subtree of the parameters to itself ("first" and "second"), not a row of stacked
    leaves: an optimizer that scales by the norm of a leaf treats each network as if it were alone.

    critic: of what kind: a class of Flax modules in `settings.CRITICS`.
    hidden, activation: of both.

    >>> import jax, jax.numpy as jnp
    >>> from adama_jax.algorithms.critics.joint import JointCritic
    >>> twin = TwinCritic(JointCritic, hidden=(8,))
    >>> obs, action = jnp.ones((2, 5, 3)), jnp.ones((2, 5, 1))
    >>> params = twin.init(jax.random.key(0), obs, action)
    >>> both = twin.apply(params, obs, action)
    >>> first = twin.apply(params, obs, action, method="value")
    >>> both.shape, bool((first == both[0]).all()), bool((both[0] == both[1]).any())
    ((2, 5), True, False)
    """

    critic: Callable[..., nn.Module]
    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"

    def setup(self) -> None:
        self.first: Any = self.critic(hidden=self.hidden, activation=self.activation)
        self.second: Any = self.critic(hidden=self.hidden, activation=self.activation)

    def __call__(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        """The values of both. [N, B, O], [N, B, A] to [2, B]"""
        return self.both(obs, action)

    def both(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        """The values of both. [N, B, O], [N, B, A] to [2, B]"""
        return jnp.stack([self.first(obs, action), self.second(obs, action)])

    def value(self, obs: jax.Array, action: jax.Array) -> jax.Array:
        """The value of the first alone. [N, B, O], [N, B, A] to [B]"""
        return self.first(obs, action)
