"""A loop like MASAC's: stochastic actors, entropy in the objective, a learned temperature.

AdaMa divides its total between actors and critics; the temperature has an optimizer of its own.
`python examples/masac_adama.py --episodes 2000`
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from landmarks import ACTION, OBS, N, play, sample, store, train

from adama_jax.optax import adama

BATCH, GAMMA, WANTED_ENTROPY = 256, 0.95, -1.0 * ACTION


class MLP(nn.Module):
    """Two hidden layers."""

    out: int

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(64)(x))
        x = nn.relu(nn.Dense(64)(x))
        return nn.Dense(self.out)(x)


actor, critic = MLP(out=2 * ACTION), MLP(out=1)
GROUPS = {"actors": "divided", "critic": "divided", "temperature": "own"}
tx = optax.partition(
    {"divided": adama(optax.adam(1.0), agents=N), "own": optax.adam(1e-3)}, GROUPS
)


def init(key):
    """Actors that lead with N, a pair of critics, the logarithm of the temperature."""
    k_actors, k_critics = jax.random.split(key)
    init_all = jax.vmap(actor.init, in_axes=(0, None))
    init_both = jax.vmap(critic.init, in_axes=(0, None))
    joint = jnp.zeros((1, N * (OBS + ACTION)))
    return {
        "actors": init_all(jax.random.split(k_actors, N), jnp.zeros((1, OBS))),
        "critic": init_both(jax.random.split(k_critics, 2), joint),
        "temperature": jnp.log(0.1),
    }


def draw(actors, obs, key):
    """Actions [N, B, ACTION] of squashed Gaussians, and their log density per agent, [N, B]."""
    mean, spread = jnp.split(jax.vmap(actor.apply)(actors, obs), 2, axis=-1)
    spread = jnp.clip(spread, -5, 1)
    noise = jax.random.normal(key, mean.shape)
    raw = mean + jnp.exp(spread) * noise
    gaussian = -0.5 * noise**2 - spread - 0.5 * jnp.log(2 * jnp.pi)
    squash = 2 * (jnp.log(2.0) - raw - nn.softplus(-2 * raw))
    return jnp.tanh(raw), jnp.sum(gaussian - squash, axis=-1)


def values(critics, obs, action):
    """Both critics' Q of what all agents see and do. [2, B]"""
    joint = jnp.concatenate([*obs, *action], axis=-1)
    return jax.vmap(critic.apply, in_axes=(0, None))(critics, joint)[..., 0]


def critic_loss(critics, targets, params, batch, key):
    """The squared temporal difference of both, with the entropy of what comes next."""
    obs, action, reward, after = batch
    next_action, density = draw(params["actors"], after, key)
    bonus = -jnp.exp(params["temperature"]) * jnp.mean(density, axis=0)
    next_value = jnp.min(values(targets, after, next_action), axis=0) + bonus
    target = reward + GAMMA * next_value
    return jnp.mean((values(critics, obs, action) - target[None]) ** 2)


def actors_loss(actors, critics, temperature, obs, key):
    """-J with J = min Q + temperature x entropy; and the entropy, for the temperature."""
    action, density = draw(actors, obs, key)
    entropy = -jnp.mean(density)
    value = jnp.mean(jnp.min(values(critics, obs, action), axis=0))
    return -(value + jnp.exp(temperature) * entropy), entropy


@jax.jit
def episode(number, params, targets, state, replay, key):
    """Play, store, learn."""
    k_play, k_sample, k_critic, k_actors = jax.random.split(key, 4)

    def act(obs, key):
        return draw(params["actors"], obs[:, None], key)[0][:, 0]

    played = play(act, k_play, 0.0)
    replay = store(replay, played, number)
    batch = sample(replay, number + 1, BATCH, k_sample)
    by_critic = jax.grad(critic_loss)(
        params["critic"], targets, params, batch, k_critic
    )
    # By the critics too: that is all that AdaMa asks of a loop. Entropy does not depend on them.
    gradient = jax.grad(actors_loss, argnums=(0, 1), has_aux=True)
    (by_actors, value_by_critic), entropy = gradient(
        params["actors"], params["critic"], params["temperature"], batch[0], k_actors
    )
    losses = {
        "actors": by_actors,
        "critic": by_critic,
        "temperature": entropy - WANTED_ENTROPY,
    }
    updates, state = tx.update(losses, state, params, value_by_critic=value_by_critic)
    params = optax.apply_updates(params, updates)
    targets = optax.incremental_update(params["critic"], targets, 0.01)
    return params, targets, state, replay, jnp.sum(played[2])


if __name__ == "__main__":
    params = init(jax.random.key(0))
    train(episode, params, targets=params["critic"], state=tx.init(params))
