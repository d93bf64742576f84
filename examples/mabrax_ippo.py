"""A robot in a script of JaxMARL's shape: IPPO, one network for all agents, JaxMARL's wrapper.

Where the script had `jaxmarl.make(...)` stands `MABrax(...)`; nothing else is of this package.
`python examples/mabrax_ippo.py --steps 1000000`
"""

import argparse

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax.training.train_state import TrainState
from jax.scipy.stats import norm
from jaxmarl.wrappers.baselines import LogWrapper

from adama_jax.envs.robots.mabrax import MABrax

CONFIG = {
    "ENV_NAME": "hopper_3x1",
    "ENV_KWARGS": {"backend": "spring", "homogenisation_method": "max", "obsk": 1},
    "NUM_ENVS": 32,
    "NUM_STEPS": 64,
    "UPDATE_EPOCHS": 10,
    "LR": 1e-3,
    "GAMMA": 0.99,
    "CLIP_EPS": 0.2,
}


class ActorCritic(nn.Module):
    action_size: int

    @nn.compact
    def __call__(self, x):
        actor, critic = x, x
        for _ in range(2):
            actor = nn.tanh(nn.Dense(64)(actor))
            critic = nn.tanh(nn.Dense(64)(critic))
        mean = nn.Dense(self.action_size, kernel_init=nn.initializers.orthogonal(0.01))
        log_std = self.param("log_std", nn.initializers.zeros, (self.action_size,))
        return mean(actor), jnp.exp(log_std), nn.Dense(1)(critic)[..., 0]


def make_train(config):
    """`train(key) -> returns [updates]`, as JaxMARL's baselines have it."""
    env = LogWrapper(MABrax(config["ENV_NAME"], **config["ENV_KWARGS"]))
    num_actors = env.num_agents * config["NUM_ENVS"]
    network = ActorCritic(env.action_space(env.agents[0]).shape[0])
    tx = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(config["LR"], eps=1e-5))

    def batchify(x):
        return jnp.stack([x[a] for a in env.agents]).reshape((num_actors, -1))

    def _env_step(carry, key):
        train_state, env_state, last_obs = carry
        k_noise, *keys = jax.random.split(key, 1 + config["NUM_ENVS"])
        obs = batchify(last_obs)
        mean, std, _ = network.apply(train_state.params, obs)
        action = mean + std * jax.random.normal(k_noise, mean.shape)
        log_prob = norm.logpdf(action, mean, std).sum(-1)
        moves = dict(zip(env.agents, jnp.split(action, env.num_agents), strict=True))
        step = jax.vmap(env.step)
        after, env_state, reward, done, info = step(jnp.stack(keys), env_state, moves)
        earned = batchify(reward)[:, 0], batchify(done)[:, 0]
        row = (obs, action, log_prob), earned, info["returned_episode_returns"]
        return (train_state, env_state, after), row

    def earned_later(earned, last_value):
        def back(later, row):
            total = row[0] + config["GAMMA"] * (1 - row[1]) * later
            return total, total

        return jax.lax.scan(back, last_value, earned, reverse=True)[1]

    def loss(params, acted, target, old_value):
        obs, action, log_prob = acted
        mean, std, value = network.apply(params, obs)
        advantage = target - old_value
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        ratio = jnp.exp(norm.logpdf(action, mean, std).sum(-1) - log_prob)
        near = jnp.clip(ratio, 1 - config["CLIP_EPS"], 1 + config["CLIP_EPS"])
        gain = jnp.minimum(ratio * advantage, near * advantage)
        return jnp.mean(0.5 * (value - target) ** 2 - gain)

    def _update_step(carry, key):
        keys = jax.random.split(key, config["NUM_STEPS"])
        carry, (acted, earned, returns) = jax.lax.scan(_env_step, carry, keys)
        train_state, env_state, obs = carry
        old_value = network.apply(train_state.params, acted[0])[2]
        last_value = network.apply(train_state.params, batchify(obs))[2]
        target = earned_later(earned, last_value)

        def _update_epoch(train_state, _):
            grads = jax.grad(loss)(train_state.params, acted, target, old_value)
            return train_state.apply_gradients(grads=grads), None

        epochs = jnp.arange(config["UPDATE_EPOCHS"])
        train_state, _ = jax.lax.scan(_update_epoch, train_state, epochs)
        return (train_state, env_state, obs), returns.mean()

    def train(key):
        k_network, k_train, *keys = jax.random.split(key, 2 + config["NUM_ENVS"])
        obs, env_state = jax.vmap(env.reset)(jnp.stack(keys))
        params = network.init(k_network, batchify(obs))
        train_state = TrainState.create(apply_fn=None, params=params, tx=tx)
        keys = jax.random.split(k_train, config["NUM_UPDATES"])
        return jax.lax.scan(_update_step, (train_state, env_state, obs), keys)[1]

    return train


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=400_000)
    updates = parser.parse_args().steps // (CONFIG["NUM_ENVS"] * CONFIG["NUM_STEPS"])
    returns = jax.jit(make_train(CONFIG | {"NUM_UPDATES": updates}))(jax.random.key(0))
    # As JaxMARL logs it: of the episode that ended last in each world.
    print(f"after a tenth {returns[updates // 10]:.0f}, at the end {returns[-1]:.0f}")
