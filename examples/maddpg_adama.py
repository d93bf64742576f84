"""The loop of `maddpg_plain.py` with AdaMa in it: five lines differ.

Three agents are to cover three landmarks: `python examples/maddpg_adama.py --episodes 2000`.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from landmarks import ACTION, OBS, N, play, sample, store, train

from adama_jax.optax import adama

BATCH, GAMMA = 256, 0.95


class MLP(nn.Module):
    """Two hidden layers."""

    out: int

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(64)(x))
        x = nn.relu(nn.Dense(64)(x))
        return nn.Dense(self.out)(x)


actor, critic = MLP(out=ACTION), MLP(out=1)
tx = adama(optax.adam(1.0), agents=N)


def act(actors, obs):
    """Each agent by its own network: obs [N, B, O] to actions [N, B, 2]."""
    return jnp.tanh(jax.vmap(actor.apply)(actors, obs))


def value(critic_params, obs, action):
    """Q of what all agents see and do. [B]"""
    joint = jnp.concatenate([*obs, *action], axis=-1)
    return critic.apply(critic_params, joint)[:, 0]


def init(key):
    """The networks' parameters; those of the actors lead with N."""
    k_actors, k_critic = jax.random.split(key)
    keys = jax.random.split(k_actors, N)
    actors = jax.vmap(actor.init, in_axes=(0, None))(keys, jnp.zeros((1, OBS)))
    joint = jnp.zeros((1, N * (OBS + ACTION)))
    return {"actors": actors, "critic": critic.init(k_critic, joint)}


def critic_loss(critic, targets, batch):
    """The squared temporal difference. Episodes end, the world does not."""
    obs, action, reward, after = batch
    next_value = value(targets["critic"], after, act(targets["actors"], after))
    return jnp.mean((value(critic, obs, action) - reward - GAMMA * next_value) ** 2)


def actors_loss(actors, critic, obs):
    """The value of what the actors would do, negated."""
    return -jnp.mean(value(critic, obs, act(actors, obs)))


def update(params, targets, state, batch):
    """One step of all networks, on a minibatch with the agents first."""
    by_critic = jax.grad(critic_loss)(params["critic"], targets, batch)
    gradient = jax.grad(actors_loss, argnums=(0, 1))
    by_actors, value_by_critic = gradient(params["actors"], params["critic"], batch[0])
    losses = {"actors": by_actors, "critic": by_critic}
    updates, state = tx.update(losses, state, params, value_by_critic=value_by_critic)
    params = optax.apply_updates(params, updates)
    return params, optax.incremental_update(params, targets, 0.01), state


@jax.jit
def episode(number, params, targets, state, replay, key):
    """Play, store, learn."""
    k_play, k_sample = jax.random.split(key)
    played = play(lambda obs, _: act(params["actors"], obs[:, None])[:, 0], k_play, 0.2)
    replay = store(replay, played, number)
    batch = sample(replay, number + 1, BATCH, k_sample)
    return *update(params, targets, state, batch), replay, jnp.sum(played[2])


if __name__ == "__main__":
    params = init(jax.random.key(0))
    train(episode, params, targets=params, state=tx.init(params))
