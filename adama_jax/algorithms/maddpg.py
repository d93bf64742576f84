"""Single-critic MADDPG (section 3.1): deterministic actors, one centralised critic, a team reward.

Lowe et al., Multi-Agent Actor-Critic for Mixed Cooperative-Competitive Environments (NeurIPS 2017),
with the paper's shared critic. With N = 1 it is DDPG.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.algorithms.algorithm import Algorithm, sum_of
from adama_jax.algorithms.losses import td_loss, td_target
from adama_jax.algorithms.networks import Actor, action_mask, critic_class
from adama_jax.algorithms.objectives import beside_replayed, mean_square
from adama_jax.algorithms.settings import SMOOTH
from adama_jax.algorithms.team import true_sizes
from adama_jax.types import Batch, Params, PyTree

Sizes = Sequence[int]


def maddpg(
    num_agents: int,
    obs_size: int,
    action_size: int,
    hidden: Sizes = (64, 64),
    actor_activation: str = "relu",
    critic_activation: str = "relu",
    critic: str = "joint",
    action_sizes: Sizes | None = None,
    horizon: int | None = None,
    layer_norm: bool = False,
    others_actions: str = "current",
    pre_tanh_penalty: float = 0.0,
) -> Algorithm:
    """MADDPG with one critic for the team.

    It explores by uniform noise: (1 - share) a + share u, u uniform in [-1, 1] (section 4.6).

    Args:
        num_agents, obs_size, action_size: N, O and A.
        hidden: widths of the hidden layers, of actors and critic alike.
        actor_activation, critic_activation: names of Flax activations.
        critic: one of `settings.CRITICS`.
        action_sizes: each agent's true action size, where some are smaller than A; what pads them
            stays 0.
        horizon: T, not read: transitions are learned from one by one.
        layer_norm: whether the hidden layers, of actors and critic alike, are normalised.
        others_actions: in J, "current": everybody's actions are the present actors'; "replayed":
            each actor climbs Q beside the others' actions in the minibatch, as Lowe et al. have it.
        pre_tanh_penalty: weight of the mean square of the actors' outputs before the tanh, which J
            is less by. OpenAI's published MADDPG has 1e-3. J's parts are then `value` and
            `penalty`.

    Raises:
        ValueError: an unknown critic.

    >>> import jax
    >>> algorithm = maddpg(num_agents=2, obs_size=3, action_size=2)
    >>> params = algorithm.init(jax.random.key(0))
    >>> algorithm.act(params.actors, jax.numpy.zeros((2, 5, 3))).shape
    (2, 5, 2)
    """
    widths = tuple(hidden)
    actor_net = Actor(action_size, widths, actor_activation, layer_norm)
    make_critic = critic_class(critic, layer_norm)
    critic_net = make_critic(hidden=widths, activation=critic_activation)

    sizes = true_sizes(num_agents, action_size, action_sizes)
    padded = min(sizes) < action_size
    mask = action_mask(sizes, action_size)[:, None]  # [N, 1, A]

    def init(key: jax.Array) -> Params:
        k_actors, k_critic = jax.random.split(key)
        obs = jnp.zeros((num_agents, 1, obs_size))
        action = jnp.zeros((num_agents, 1, action_size))
        actors = jax.vmap(actor_net.init)(jax.random.split(k_actors, num_agents), obs)
        return Params(actors, critic_net.init(k_critic, obs, action))

    def act(actors: PyTree, obs: jax.Array) -> jax.Array:
        action: Any = jax.vmap(actor_net.apply)(actors, obs)
        return action * mask if padded else action

    def draw(key: jax.Array, steps: int) -> jax.Array:
        # All of an episode's at once, ahead of the loop over its steps: the runs in docs/results
        # are drawn so.
        return jax.random.uniform(
            key, (steps, num_agents, action_size), minval=-1.0, maxval=1.0
        )

    def sample(
        actors: PyTree,
        obs: jax.Array,
        noise: jax.Array,
        share: jax.Array,
    ) -> jax.Array:
        mixed = (1 - share) * act(actors, obs) + share * noise[:, None]
        return mixed * mask

    def value(
        critic: PyTree,
        obs: jax.Array,
        action: jax.Array,
    ) -> jax.Array:
        found: Any = critic_net.apply(critic, obs, action)
        return found

    def critic_loss(
        params: Params,
        targets: Params,
        batch: Batch,
        discount: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        next_action = act(targets.actors, batch.next_obs)
        next_value = value(targets.critic, batch.next_obs, next_action)
        target = td_target(batch.reward, batch.terminated, next_value, discount)
        return td_loss(value(params.critic, batch.obs, batch.action), target)

    def objective(
        params: Params,
        targets: Params,
        batch: Batch,
        discount: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        action = act(params.actors, batch.obs)
        if others_actions == "replayed":
            return beside_replayed(value, params.critic, batch, action)
        return jnp.mean(value(params.critic, batch.obs, action))

    def parts(
        params: Params, targets: Params, batch: Batch, *given: jax.Array
    ) -> dict[str, jax.Array]:
        squares = outputs_squared(params.actors, batch.obs)
        return {
            "value": objective(params, targets, batch, *given),
            "penalty": -pre_tanh_penalty * squares,
        }

    def outputs_squared(
        actors: PyTree,
        obs: jax.Array,
    ) -> jax.Array:
        before_tanh = partial(actor_net.apply, squashed=False)
        output: Any = jax.vmap(before_tanh)(actors, obs)
        return mean_square(output, mask)

    return Algorithm(
        init=init,
        act=act,
        sample=sample,
        value=value,
        critic_loss=critic_loss,
        objective=sum_of(parts) if pre_tanh_penalty else objective,
        smooth=critic_activation in SMOOTH,
        draw=draw,
        parts=parts if pre_tanh_penalty else None,
        part_names=("value", "penalty") if pre_tanh_penalty else (),
    )
