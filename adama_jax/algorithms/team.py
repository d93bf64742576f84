"""The team that an algorithm is made for: what factories are told, and what follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.algorithms.networks import action_mask, critic_class
from adama_jax.types import Params


@dataclass(frozen=True)
class Team:
    """Sizes, and the settings of the networks: the keywords that every factory is called with.

    num_agents, obs_size, action_size: N, O and A; of discrete actions A is how many there are.
    hidden: widths of the hidden layers, of actors and critic alike.
    actor_activation, critic_activation: names of Flax activations.
    critic: one of `settings.CRITICS`.
    action_sizes: each agent's true action size, where some are smaller than A.
    horizon: T.
    layer_norm: whether the hidden layers, of actors and critic alike, are normalised.

    >>> team = Team(num_agents=2, obs_size=3, action_size=2, action_sizes=(2, 1))
    >>> team.mask[:, 0].tolist()
    [[1.0, 1.0], [1.0, 0.0]]
    """

    num_agents: int
    obs_size: int
    action_size: int
    hidden: Sequence[int] = (64, 64)
    actor_activation: str = "relu"
    critic_activation: str = "relu"
    critic: str = "joint"
    action_sizes: Sequence[int] | None = None
    horizon: int | None = None
    layer_norm: bool = False

    @property
    def widths(self) -> tuple[int, ...]:
        """The hidden layers', as Flax wants them: hashable."""
        return tuple(self.hidden)

    @property
    def mask(self) -> jax.Array:
        """As `padding_mask` has it."""
        return padding_mask(**vars(self))

    @property
    def critic_class(self) -> Any:
        """What makes the critic's Flax module, of `hidden` and `activation`.

        Raises:
            ValueError: an unknown critic.
        """
        return critic_class(self.critic, self.layer_norm)

    def actor(self, kind: Callable[..., Any]) -> Any:
        """The Flax module of one agent's actor, of a kind that takes what `networks.Actor` does."""
        activation = self.actor_activation
        return kind(self.action_size, self.widths, activation, self.layer_norm)

    def init(
        self,
        actor: Any,
        critic: Any,
        key: jax.Array,
    ) -> Params:
        """Parameters of the actors, whose leaves lead with N, and of the critic.

        Args:
            actor: the Flax module of one actor, of obs [B, O].
            critic: that of the critic, of obs [N, B, O] and action [N, B, A].
            key: split between the two.
        """
        k_actors, k_critic = jax.random.split(key)
        keys = jax.random.split(k_actors, self.num_agents)
        obs = jnp.zeros((self.num_agents, 1, self.obs_size))
        action = jnp.zeros((self.num_agents, 1, self.action_size))
        init_each = jax.vmap(actor.init)
        return Params(
            actors=init_each(keys, obs),
            critic=critic.init(k_critic, obs, action),
        )


def true_sizes(
    num_agents: int,
    action_size: int,
    action_sizes: Sequence[int] | None = None,
    **_: Any,
) -> tuple[int, ...]:
    """Each agent's true action size. Takes the keywords of a factory, and passes others over.

    >>> true_sizes(num_agents=2, action_size=3, obs_size=9)
    (3, 3)
    """
    return tuple(action_sizes or [action_size] * num_agents)


def padding_mask(**team: Any) -> jax.Array:
    """1 where an agent has an action, 0 where it is padding. [N, 1, A]

    Takes the keywords of a factory, as `true_sizes` does.
    """
    return action_mask(true_sizes(**team), team["action_size"])[:, None]
