"""A small world for the examples: three agents on a plane, three landmarks to be covered.

The team is paid, at each step, minus the mean distance from a landmark to the agent nearest to it.
"""

import argparse

import jax
import jax.numpy as jnp

N, HORIZON, OBS, ACTION = 3, 20, 12, 2


def observe(agents, landmarks):
    """Where the agents and the landmarks are, from each agent. [N, OBS]"""
    places = jnp.concatenate([agents, landmarks])
    return (places[None] - agents[:, None]).reshape(N, OBS)


def play(act, key, noise):
    """An episode of `act(obs [N, OBS], key) -> action [N, ACTION]`, mixed with uniform noise.

    Returns obs [T, N, OBS], action [T, N, ACTION], reward [T], next obs [T, N, OBS].
    """
    k_agents, k_landmarks, k_steps = jax.random.split(key, 3)
    landmarks = jax.random.uniform(k_landmarks, (N, 2), minval=-1)

    def step(agents, key):
        k_act, k_noise = jax.random.split(key)
        obs = observe(agents, landmarks)
        random = jax.random.uniform(k_noise, (N, ACTION), minval=-1)
        action = (1 - noise) * act(obs, k_act) + noise * random
        moved = jnp.clip(agents + 0.1 * action, -1, 1)
        apart = jnp.linalg.norm(moved[:, None] - landmarks[None], axis=-1)
        reward = -jnp.mean(jnp.min(apart, axis=0))
        return moved, (obs, action, reward, observe(moved, landmarks))

    start = jax.random.uniform(k_agents, (N, 2), minval=-1)
    return jax.lax.scan(step, start, jax.random.split(k_steps, HORIZON))[1]


def empty_replay(capacity):
    """Room for so many transitions."""
    shapes = ((N, OBS), (N, ACTION), (), (N, OBS))
    return [jnp.zeros((capacity, *shape)) for shape in shapes]


def store(replay, played, episode):
    """The replay with the episode of that number in it."""
    capacity = len(replay[0])
    slots = (episode * HORIZON + jnp.arange(HORIZON)) % capacity
    return [old.at[slots].set(new) for old, new in zip(replay, played, strict=True)]


def sample(replay, episodes, size, key):
    """A minibatch of so many episodes' transitions, agents first: obs [N, B, OBS], ..."""
    held = jnp.minimum(episodes * HORIZON, len(replay[0]))
    rows = jax.random.randint(key, (size,), 0, held)
    obs, action, reward, after = [stored[rows] for stored in replay]
    return obs.swapaxes(0, 1), action.swapaxes(0, 1), reward, after.swapaxes(0, 1)


def train(episode, params, targets, state):
    """So many times `episode(number, params, targets, state, replay, key)`; prints how it goes.

    It returns the four anew, and the episode's sum of rewards.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--episodes", type=int, default=2000)
    episodes = parser.parse_args().episodes
    part = max(episodes // 5, 1)
    replay = empty_replay(capacity=20_000)
    returns = []
    for number, key in enumerate(jax.random.split(jax.random.key(1), episodes)):
        params, targets, state, replay, reward = episode(
            number, params, targets, state, replay, key
        )
        returns.append(float(reward))
        if (number + 1) % part == 0:
            mean = sum(returns[-part:]) / part
            print(f"episode {number + 1}: {mean:.2f} an episode")
