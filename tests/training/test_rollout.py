"""Episodes: where they start, where they end, what they are worth."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.training.rollout import (
    episode_return,
    exploring_rollout,
    greedy_rollout,
    joined,
    rollout_in_pieces,
)
from tests.games import probe_env


def falls_after(steps, horizon):
    """A world that ends after so many steps, in episodes of `horizon`."""
    env = probe_env(lambda x, t, a: t, horizon=steps, draw=jax.random.normal)
    return env._replace(spec=env.spec._replace(horizon=horizon))


def test_a_world_that_ended_starts_anew_from_the_same_start():
    """It falls after 2 steps: by hand the times of 5 steps are 0, 1, 0, 1, 0, then 1."""
    algorithm = maddpg(1, 2, 1, (4,))
    actors = algorithm.init(jax.random.key(0)).actors
    env = falls_after(2, horizon=5)
    key = jax.random.key(3)
    greedy = greedy_rollout(env, algorithm.act)(key, actors)
    exploring = exploring_rollout(env, algorithm)(key, actors, jnp.ones(()))
    for episode in (greedy, exploring):
        drawn, times = episode.snapshot.T
        np.testing.assert_array_equal(times, [0, 1, 0, 1, 0, 1])
        np.testing.assert_array_equal(episode.terminated, [0, 1, 0, 1, 0])
        np.testing.assert_array_equal(drawn, np.full(6, drawn[0]))
        np.testing.assert_array_equal(episode.reward, [0, 1, 0, 1, 0])
        assert float(episode_return(episode)) == 1.0
    # Both start alike from a key.
    np.testing.assert_array_equal(greedy.snapshot[0], exploring.snapshot[0])
    assert not np.array_equal(greedy.action, exploring.action)


@pytest.mark.parametrize("ends_at", [3, 9])
def test_the_end_of_an_episode_is_no_end_of_the_world(ends_at):
    """Only a world that ends at its last step has a termination there."""
    algorithm = maddpg(1, 2, 1, (4,))
    actors = algorithm.init(jax.random.key(0)).actors
    env = falls_after(ends_at, horizon=3)
    episode = greedy_rollout(env, algorithm.act)(jax.random.key(0), actors)
    np.testing.assert_array_equal(episode.terminated, [False, False, ends_at == 3])


def test_starts_and_noise_are_of_different_keys():
    """Of one key they would be one number: both are uniform in [-1, 1]."""
    env = probe_env(
        lambda x, t, a: x,
        horizon=2,
        draw=lambda key: jax.random.uniform(key, minval=-1.0, maxval=1.0),
    )
    algorithm = maddpg(1, 2, 1, (4,))
    actors = algorithm.init(jax.random.key(0)).actors
    episode = exploring_rollout(env, algorithm)(jax.random.key(1), actors, jnp.ones(()))
    first = episode.action[0, 0]
    assert not np.isclose(first, episode.snapshot[0, 0])
    assert not np.isclose(first, episode.action[1, 0])


def test_an_episode_in_pieces_is_the_episode():
    """It falls after 3 steps, in the middle of the second piece; the same key, noise and actors."""
    algorithm = maddpg(1, 2, 1, (4,))
    actors = algorithm.init(jax.random.key(0)).actors
    env = falls_after(3, horizon=6)
    key, share = jax.random.key(3), jnp.float32(0.5)
    whole = jax.jit(exploring_rollout(env, algorithm))(key, actors, share)

    @jax.jit
    def in_pieces(key):
        pieces = rollout_in_pieces(env, algorithm, 2)
        start, inputs = pieces.begin(key)

        def play(state, random):
            return pieces.play(start, state, random, actors, share)

        return joined(jax.lax.scan(play, start, inputs)[1])

    for one, other in zip(whole, in_pieces(key), strict=True):
        np.testing.assert_array_equal(one, other)
