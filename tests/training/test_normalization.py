"""What the networks are shown of observations, and from which moments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.config.names import with_settings
from adama_jax.execution.build import make_env, make_hyper, make_train
from adama_jax.training.normalization import (
    LIMIT,
    no_moments,
    normalized,
    with_observations,
)
from adama_jax.training.replay import ring_replay
from adama_jax.training.trainer import TrainHyper, trainer
from tests.games import probe_env
from tests.helpers import small
from tests.training.test_rounds import reporting


def test_moments_are_those_of_all_observations_in_whatever_pieces_they_come():
    obs = 5 + 3 * np.random.default_rng(0).normal(size=(600, 2, 3)).astype(np.float32)
    obs[:, 1, 2] = 0.0  # as padding is
    moments = no_moments(2, 3)
    for piece in np.split(obs, [7, 8, 300]):
        moments = with_observations(moments, piece)
    assert float(moments.number) == 600
    np.testing.assert_allclose(moments.mean, obs.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(moments.variance, obs.var(axis=0), rtol=1e-4)
    shown = normalized(moments, np.swapaxes(obs, 0, 1))
    assert float(jnp.abs(shown.mean(axis=1)).max()) < 1e-4
    assert not shown[1, :, 2].any()


def test_before_any_observation_they_are_shown_as_they_are():
    obs = jnp.array([[[0.5, -3.0]]])
    moments = no_moments(1, 2)
    np.testing.assert_allclose(normalized(moments, obs), obs, rtol=1e-6)
    assert float(normalized(moments, 1e6 + obs).max()) == LIMIT


@pytest.mark.slow
def test_a_run_s_moments_are_those_of_every_step_of_its_episodes():
    """Of random rounds and of others, each agent's own."""
    changes = {
        "learning.normalize_obs": True,
        "learning.warmup_steps": 20,
        "learning.update_every": 5,
    }
    config = with_settings(small(), changes)
    env = make_env(config)
    train = make_train(config)
    chunk = jax.jit(train.chunk, static_argnums=1)
    state, _ = chunk(train.init(jax.random.key(0), make_hyper(config)), 5)
    snapshots = state.replay.rows[:5, :, : env.spec.snapshot_size]
    obs = np.asarray(jax.vmap(env.observe)(snapshots.reshape(-1, snapshots.shape[-1])))
    assert float(state.moments.number) == len(obs) == 5 * 11
    np.testing.assert_allclose(state.moments.mean, obs.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(state.moments.variance, obs.var(axis=0), rtol=1e-3)


def numbers_seen(rounds):
    """The largest number that an update is shown, in each of so many rounds of two episodes.

    A world's number is 10 + a standard normal one, and stays; beside it stands the time.
    """
    env = probe_env(
        lambda x, t, a: x,
        horizon=2,
        draw=lambda key: 10 + jax.random.normal(key),
        terminates=False,
    )
    algorithm = maddpg(1, 2, 1, (4,))._replace(
        # What the actor is shown becomes what it does.
        act=lambda actors, obs: obs[..., :1],
        sample=lambda actors, obs, noise, share: obs[..., :1],
    )
    train = trainer(
        env,
        algorithm,
        reporting(lambda update, batch, key: jnp.abs(batch.obs[0, :, 0]).max()),
        ring_replay(64, 64, 2),
        envs_per_run=2,
        normalize_obs=True,
    )
    state = train.init(jax.random.key(0), TrainHyper())
    chunk = jax.jit(train.chunk, static_argnums=1)
    found = []
    for _ in range(rounds):
        state, point = chunk(state, 1)
        found.append(float(point.td_loss))
    return state, train, found


def test_updates_and_actions_see_observations_through_the_moments_before_their_round():
    state, train, found = numbers_seen(12)
    # Nothing was observed before the first round: the limit cuts what is about 10.
    assert found[0] > 8
    assert max(found[8:]) < 4
    numbers = np.asarray(state.replay.rows)[:24, :2]
    assert np.abs(numbers[:2, :, 2]).min() > 8
    assert np.abs(numbers[-4:, :, 2]).max() < 4
    # And those of after it: what is greedy is shown them too.
    keys = jax.random.split(jax.random.key(7), 3)
    episodes = train.play(state, keys)
    expected = normalized(state.moments, jnp.moveaxis(episodes.snapshot, 2, -1)[:1])
    np.testing.assert_allclose(
        episodes.action[0, :, 0], expected[0, :2, 0], rtol=1e-4, atol=1e-5
    )
