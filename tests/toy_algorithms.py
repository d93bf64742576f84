"""Two stochastic policies in small: what an algorithm other than MADDPG asks of the package.

Nothing of the package names them. A test registers them by their import paths, as a user would.
"""

import jax
import jax.numpy as jnp

from adama_jax.algorithms.algorithm import Algorithm, Group
from adama_jax.algorithms.losses import td_loss, td_target
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.algorithms.networks import action_mask
from adama_jax.types import Batch, Params, PyTree

GAUSSIAN = "tests.toy_algorithms:gaussian"
REINFORCE = "tests.toy_algorithms:reinforce"
TEMPERATURE_RATE = 0.01
START_LOG_STD = -1.0
TARGET_LOG_STD = -1.5


def with_spread(
    base: Algorithm, num_agents: int, action_size: int, key: jax.Array
) -> Params:
    """MADDPG's networks, and each agent's logarithm of a standard deviation. [N, A]"""
    params = base.init(key)
    log_std = jnp.full((num_agents, action_size), START_LOG_STD)
    return params._replace(actors={"mean": params.actors, "log_std": log_std})


def gaussian(
    num_agents: int,
    obs_size: int,
    action_size: int,
    action_sizes=None,
    horizon=None,
    **networks,
) -> Algorithm:
    """Soft actor-critic in small: actions mean + std x noise, a temperature with a rate of its own.

    The temperature's logarithm is a group of its own: it falls while actions spread too much.
    """
    base = maddpg(
        num_agents, obs_size, action_size, action_sizes=action_sizes, **networks
    )
    mask = action_mask(action_sizes or [action_size] * num_agents, action_size)[:, None]

    def policy(actors: PyTree, batch: Batch, key: jax.Array) -> jax.Array:
        return drawn(actors, batch.obs, key)

    def drawn(actors: PyTree, obs: jax.Array, key: jax.Array) -> jax.Array:
        mean = base.act(actors["mean"], obs)
        std = jnp.exp(actors["log_std"])[:, None]
        noise = jax.random.normal(key, mean.shape)
        return jnp.clip(mean + std * noise, -1.0, 1.0) * mask

    def entropy(actors: PyTree) -> jax.Array:
        """Of all agents' Gaussians, less what it should be. []"""
        return jnp.sum((actors["log_std"] - TARGET_LOG_STD) * mask[:, 0])

    def critic_loss(
        params: Params,
        targets: Params,
        batch: Batch,
        discount: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        next_action = drawn(params.actors, batch.next_obs, key)
        temperature = jnp.exp(params.others["log_temperature"])
        next_value = base.value(targets.critic, batch.next_obs, next_action)
        soft = next_value + temperature * entropy(params.actors)
        target = td_target(batch.reward, batch.terminated, soft, discount)
        return td_loss(base.value(params.critic, batch.obs, batch.action), target)

    def objective(
        params: Params,
        targets: Params,
        batch: Batch,
        discount: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        value = base.value(
            params.critic, batch.obs, drawn(params.actors, batch.obs, key)
        )
        temperature = jnp.exp(params.others["log_temperature"])
        return jnp.mean(value) + temperature * entropy(params.actors)

    def temperature_loss(
        params: Params,
        targets: Params,
        batch: Batch,
        discount: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        return params.others["log_temperature"] * entropy(params.actors)

    def init(key: jax.Array) -> Params:
        params = with_spread(base, num_agents, action_size, key)
        return params._replace(others={"log_temperature": jnp.full((), -3.0)})

    return Algorithm(
        init=init,
        act=lambda actors, obs: base.act(actors["mean"], obs),
        sample=lambda actors, obs, key, share: drawn(actors, obs, key),
        value=base.value,
        critic_loss=critic_loss,
        objective=objective,
        smooth=base.smooth,
        policy=policy,
        groups={
            "log_temperature": Group(
                temperature_loss, TEMPERATURE_RATE, has_target=True
            )
        },
    )


def reinforce(
    num_agents: int,
    obs_size: int,
    action_size: int,
    action_sizes=None,
    horizon=1,
    **networks,
) -> Algorithm:
    """REINFORCE with a baseline: on-policy, and in need of whole episodes for its returns."""
    base = maddpg(
        num_agents, obs_size, action_size, action_sizes=action_sizes, **networks
    )
    mask = action_mask(action_sizes or [action_size] * num_agents, action_size)[:, None]

    def baseline(critic: PyTree, obs: jax.Array) -> jax.Array:
        return base.value(critic, obs, jnp.zeros((*obs.shape[:2], action_size)))

    def sample(
        actors: PyTree, obs: jax.Array, key: jax.Array, share: jax.Array
    ) -> jax.Array:
        mean = base.act(actors["mean"], obs)
        std = jnp.exp(actors["log_std"])[:, None]
        return (
            jnp.clip(mean + std * jax.random.normal(key, mean.shape), -1.0, 1.0) * mask
        )

    def returns_to_go(batch: Batch, discount: jax.Array) -> jax.Array:
        """Discounted, to the end of each episode of `horizon` steps. [B]"""
        rewards = batch.reward.reshape(-1, horizon)

        def add(later: jax.Array, reward: jax.Array) -> tuple[jax.Array, jax.Array]:
            total = reward + discount * later
            return total, total

        last = jnp.zeros(len(rewards))
        _, returns = jax.lax.scan(add, last, rewards.T, reverse=True)
        return returns.T.ravel()

    def critic_loss(
        params: Params,
        targets: Params,
        batch: Batch,
        discount: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        return td_loss(
            baseline(params.critic, batch.obs), returns_to_go(batch, discount)
        )

    def objective(
        params: Params,
        targets: Params,
        batch: Batch,
        discount: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        mean = base.act(params.actors["mean"], batch.obs)
        log_std = params.actors["log_std"][:, None]
        squares = ((batch.action - mean) / jnp.exp(log_std)) ** 2
        log_density = jnp.sum((-0.5 * squares - log_std) * mask, axis=(0, 2))
        advantage = returns_to_go(batch, discount) - baseline(params.critic, batch.obs)
        return jnp.mean(log_density * jax.lax.stop_gradient(advantage))

    return Algorithm(
        init=lambda key: with_spread(base, num_agents, action_size, key),
        act=lambda actors, obs: base.act(actors["mean"], obs),
        sample=sample,
        value=lambda critic, obs, action: baseline(critic, obs),
        critic_loss=critic_loss,
        objective=objective,
        smooth=base.smooth,
        replay="on_policy",
    )
