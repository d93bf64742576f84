"""Noise that is not an algorithm's own: added to its actions, or in their place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.exploring import (
    WarmUp,
    with_gaussian_noise,
    with_random_start,
)
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.config.names import with_settings
from adama_jax.execution.build import make_algorithm, make_env
from tests.helpers import small

SIZES = (2, 1)  # agent 1 has no second action


def explored(wrap, share, steps=2000):
    """The actions at one observation, [steps, N, A], and the greedy ones."""
    plain = maddpg(2, 3, 2, (4,), action_sizes=SIZES)
    algorithm = wrap(plain, SIZES)
    actors = plain.init(jax.random.key(0)).actors
    obs = 0.1 * jnp.ones((2, 1, 3))  # far from the bounds of actions
    noise = algorithm.draw(jax.random.key(1), steps)

    def one(noise):
        return algorithm.sample(actors, obs, noise, share)[:, 0]

    return np.asarray(jax.vmap(one)(noise)), np.asarray(plain.act(actors, obs)[:, 0])


def test_gaussian_noise_is_added_and_its_share_is_its_deviation():
    found, greedy = explored(with_gaussian_noise, jnp.float32(0.1))
    own = found - greedy
    np.testing.assert_allclose(own.mean(axis=0), 0.0, atol=0.01)
    deviation = [own[:, 0, 0].std(), own[:, 0, 1].std(), own[:, 1, 0].std()]
    np.testing.assert_allclose(deviation, 0.1, rtol=0.1)
    # Each action has noise of its own, and padding none.
    assert abs(np.corrcoef(own[:, 0, 0], own[:, 0, 1])[0, 1]) < 0.1
    assert not found[:, 1, 1].any()


def test_gaussian_noise_leaves_no_action_out_of_bounds():
    found, greedy = explored(with_gaussian_noise, jnp.float32(1.0))
    assert found.min() == -1.0 and found.max() == 1.0
    still, _ = explored(with_gaussian_noise, jnp.float32(0.0), steps=3)
    np.testing.assert_array_equal(still, np.broadcast_to(greedy, still.shape))


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_a_random_start_does_not_look_at_the_actors(share):
    found, _ = explored(with_random_start, WarmUp(share, jnp.asarray(True)))
    real = np.concatenate([found[:, 0], found[:, 1, :1]], axis=1)
    assert (real.min(axis=0) < -0.99).all() and (real.max(axis=0) > 0.99).all()
    np.testing.assert_allclose(real.mean(axis=0), 0.0, atol=0.05)
    np.testing.assert_allclose(real.std(axis=0), 1 / 3**0.5, rtol=0.05)
    assert not found[:, 1, 1].any()


def test_after_a_random_start_it_explores_as_the_algorithm_does():
    share = jnp.float32(0.0)
    found, greedy = explored(with_random_start, WarmUp(share, jnp.asarray(False)))
    np.testing.assert_array_equal(found, np.broadcast_to(greedy, found.shape))
    found, _ = explored(with_random_start, WarmUp(jnp.float32(1.0), jnp.asarray(False)))
    assert np.abs(found).max() > 0.99


def test_the_noise_is_a_setting():

    def actions(**changes):
        config = with_settings(small(), changes)
        env = make_env(config)
        algorithm = make_algorithm(config, env)
        actors = algorithm.init(jax.random.key(0)).actors
        noise = algorithm.draw(jax.random.key(1), 1)[0]
        obs = jnp.zeros((2, 1, env.spec.obs_size))
        return algorithm.sample(actors, obs, noise, jnp.float32(0.5))

    # Of zeros an actor with zero biases makes zeros.
    noisy = actions(**{"exploration.noise": "gaussian"})
    drawn = jax.random.normal(jax.random.key(1), (1, 2, 2))[0]
    expected = jnp.clip(0.5 * drawn, -1.0, 1.0)[:, None]
    np.testing.assert_allclose(noisy, expected, rtol=1e-6)
    assert not np.allclose(actions(), noisy)
