"""AdaMa in a script of JaxMARL's shape: its `MultiAgentEnv`, its dict of agents, `make_train`.

Every agent has a network of its own, of its own width, under its own name; seeds are vmapped.
`python examples/jaxmarl_adama.py --episodes 500`
"""

import argparse

import flax.linen as nn
import jax
import jax.numpy as jnp
import jaxmarl
import optax

from adama_jax.optax import adama

CONFIG = {
    "ENV_NAME": "MPE_simple_spread_v3",
    "NUM_STEPS": 25,
    "NUM_ENVS": 16,  # episodes of an update, all of whose transitions are learned from
    "HIDDEN": {"agent_0": 32, "agent_1": 64, "agent_2": 64},
    "GAMMA": 0.95,
    "TAU": 0.01,
    "NOISE": 0.2,
}


class MLP(nn.Module):
    width: int
    out: int

    @nn.compact
    def __call__(self, x):
        for _ in range(2):
            x = nn.relu(nn.Dense(self.width)(x))
        return nn.Dense(self.out)(x)


def make_train(config):
    """`train(key) -> returns [updates]`, as JaxMARL's baselines have it."""
    env = jaxmarl.make(config["ENV_NAME"], action_type="Continuous")
    sizes = {name: env.action_space(name).shape[0] for name in env.agents}
    actors = {name: MLP(config["HIDDEN"][name], sizes[name]) for name in env.agents}
    critic = MLP(128, 1)
    # The names say in which order the rates are; nothing is stacked.
    tx = adama(optax.adam(1.0), agents=env.agents, total_rate=1e-2)

    def act(params, obs):
        # The worlds' actions are in [0, 1].
        return {n: nn.sigmoid(actors[n].apply(params[n], obs[n])) for n in env.agents}

    def value(params, obs, action):
        parts = [x[name] for name in env.agents for x in (obs, action)]
        return critic.apply(params, jnp.concatenate(parts, axis=-1))[..., 0]

    def play(params, key):
        k_reset, k_steps = jax.random.split(key)
        obs, state = env.reset(k_reset)

        def step(carry, key):
            obs, state = carry
            k_step, *k_noise = jax.random.split(key, 1 + env.num_agents)
            action = act(params, obs)
            for name, k_own in zip(env.agents, k_noise, strict=True):
                random = env.action_space(name).sample(k_own)
                action[name] += config["NOISE"] * (random - action[name])
            after, state, reward, _, _ = env.step_env(k_step, state, action)
            return (after, state), (obs, action, sum(reward.values()), after)

        keys = jax.random.split(k_steps, config["NUM_STEPS"])
        return jax.lax.scan(step, (obs, state), keys)[1]

    def critic_loss(critic, targets, batch):
        obs, action, reward, after = batch
        later = value(targets["critic"], after, act(targets["actors"], after))
        target = reward + config["GAMMA"] * later
        return jnp.mean((value(critic, obs, action) - target) ** 2)

    def actors_loss(actors, critic, obs):
        return -jnp.mean(value(critic, obs, act(actors, obs)))

    def _update_step(runner_state, key):
        params, targets, opt_state = runner_state
        keys = jax.random.split(key, config["NUM_ENVS"])
        batch = jax.vmap(play, in_axes=(None, 0))(params["actors"], keys)
        by_critic = jax.grad(critic_loss)(params["critic"], targets, batch)
        gradient = jax.grad(actors_loss, argnums=(0, 1))
        by_actors, by_phi = gradient(params["actors"], params["critic"], batch[0])
        losses = {"actors": by_actors, "critic": by_critic}
        updates, opt_state = tx.update(
            losses, opt_state, params, value_by_critic=by_phi
        )
        params = optax.apply_updates(params, updates)
        targets = optax.incremental_update(params, targets, config["TAU"])
        returns = jnp.mean(jnp.sum(batch[2], axis=1))
        return (params, targets, opt_state), (returns, opt_state.rule.rates.actors)

    def train(key):
        k_critic, k_train, *keys = jax.random.split(key, 2 + env.num_agents)
        obs = {n: jnp.zeros(env.observation_space(n).shape) for n in env.agents}
        pairs = zip(env.agents, keys, strict=True)
        own = {name: actors[name].init(key, obs[name]) for name, key in pairs}
        joint = sum(obs[name].size + sizes[name] for name in env.agents)
        params = {"actors": own, "critic": critic.init(k_critic, jnp.zeros(joint))}
        keys = jax.random.split(k_train, config["NUM_UPDATES"])
        return jax.lax.scan(_update_step, (params, params, tx.init(params)), keys)[1]

    return train


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--episodes", type=int, default=8000)
    updates = max(parser.parse_args().episodes // CONFIG["NUM_ENVS"], 2)
    train = make_train(CONFIG | {"NUM_UPDATES": updates})
    seeds = jax.random.split(jax.random.key(0), 2)
    returns, rates = jax.jit(jax.vmap(train))(seeds)
    tenth = updates // 10 + 1
    print(f"first tenth {returns[:, :tenth].mean():.1f} an episode", end=", ")
    print(f"last {returns[:, -tenth:].mean():.1f}; rates of seed 0: {rates[0, -1]}")
