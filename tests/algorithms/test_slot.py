"""A new algorithm is one file and one line: two toys, registered by import path, trained as any."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.algorithms.settings import (
    ALGORITHMS,
    ON_POLICY_IGNORES,
    AlgorithmEntry,
)
from adama_jax.config.checks import validate
from adama_jax.config.identity import config_hash
from adama_jax.config.names import with_settings
from adama_jax.errors import SettingError
from adama_jax.execution.actors import load_actors
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.runner import run
from adama_jax.rates.rules import RateHyper, adama, fixed
from adama_jax.training.learner import LearnerHyper, learner
from adama_jax.training.optimizers import from_optax, named_optimizer
from adama_jax.training.replay import on_policy_replay, ring_replay
from adama_jax.training.rounds import checked_names
from adama_jax.training.trainer import Exploration, TrainHyper, trainer
from tests.games import empty_batch, probe_env
from tests.helpers import ONE, small, tiny
from tests.toy_algorithms import (
    GAUSSIAN,
    REINFORCE,
    START_LOG_STD,
    TARGET_LOG_STD,
    TEMPERATURE_RATE,
    gaussian,
    reinforce,
)


def nothing_seen():
    """Two transitions of one agent that observes two zeros."""
    obs = jnp.zeros((1, 2, 2))
    return empty_batch(1)._replace(obs=obs, next_obs=obs)


@pytest.fixture
def toys(monkeypatch):
    """The one line each."""
    monkeypatch.setitem(ALGORITHMS, "gaussian", AlgorithmEntry(GAUSSIAN))
    on_policy = AlgorithmEntry(REINFORCE, ignores=ON_POLICY_IGNORES)
    monkeypatch.setitem(ALGORITHMS, "reinforce", on_policy)


def test_an_algorithm_is_a_setting(toys):
    config = small()
    for name in ("gaussian", "reinforce"):
        other = with_settings(config, {"algorithm": name})
        validate(other)
        assert config_hash(other) != config_hash(config)
    with pytest.raises(
        SettingError, match=r"algorithm=ppo: must be one of maddpg, .*gaussian"
    ):
        validate(with_settings(config, {"algorithm": "ppo"}))


def test_a_run_of_a_toy_is_trained_kept_and_read_back(toys, tmp_path):
    config = tiny(algorithm="gaussian")
    run([config], tmp_path, devices=ONE)
    (path,) = tmp_path.rglob("actors.npz")
    actors = load_actors(path)
    assert actors.about["algorithm"] == "gaussian"
    of_first_seed = jax.tree.map(lambda leaf: leaf[0], actors.params)
    obs = jnp.zeros((2, 1, actors.about["obs_size"]))
    assert actors.act(of_first_seed, obs).shape == (2, 1, 2)


@pytest.mark.parametrize("rate", [pytest.param(0.001, marks=pytest.mark.slow), 0.1])
def test_a_group_moves_at_its_own_rate_whatever_the_method_s_rates(rate):
    algorithm = gaussian(1, 2, 1, hidden=(8, 8))
    learn = learner(algorithm, from_optax(optax.sgd(1.0)), adama(), num_agents=1)
    state = learn.init(jax.random.key(0), rate_hyper=RateHyper(total_rate=rate))
    moved, metrics = learn.update(state, nothing_seen(), jax.random.key(1))
    # The gradient of log_temperature x entropy is the entropy, here of one agent's one action.
    entropy = START_LOG_STD - TARGET_LOG_STD
    before, after = (each.params.others["log_temperature"] for each in (state, moved))
    np.testing.assert_allclose(after - before, -TEMPERATURE_RATE * entropy, rtol=1e-4)
    total = metrics.rates.critic + jnp.linalg.norm(metrics.rates.actors)
    np.testing.assert_allclose(total, rate, rtol=1e-5)


def test_soft_targets_follow_a_group_that_asks_for_one():
    algorithm = gaussian(1, 2, 1, hidden=(8, 8))
    learn = learner(
        algorithm, from_optax(optax.sgd(1.0)), fixed(), 1, target_period=None
    )
    state = learn.init(jax.random.key(0), LearnerHyper(target_step=0.5))
    moved, _ = learn.update(state, nothing_seen(), jax.random.key(1))
    old = state.targets.others["log_temperature"]
    online = moved.params.others["log_temperature"]
    target = moved.targets.others["log_temperature"]
    assert float(online) != float(old)
    np.testing.assert_allclose(target, 0.5 * old + 0.5 * online, rtol=1e-6)


def test_a_group_that_is_no_longer_finite_is_named(toys):
    train = make_train(small(algorithm="gaussian"))
    state = train.init(jax.random.key(0), make_hyper(small()))
    others = {"log_temperature": jnp.full((), jnp.inf)}
    params = state.learner.params._replace(others=others)
    broken = state._replace(learner=state.learner._replace(params=params))
    after, _ = jax.jit(train.chunk, static_argnums=1)(broken, 1)
    assert int(after.non_finite.update) == 0
    assert checked_names(params)[-1] == "params.others.log_temperature"


def trained(algorithm, buffer, episodes, rates, envs_per_run=1):
    """On a world of one step whose reward says: act 0.5."""
    env = probe_env(lambda x, t, a: -jnp.sum((a - 0.5) ** 2))
    learn = learner(algorithm, named_optimizer("adam"), fixed(), 1, target_period=10)
    train = trainer(env, algorithm, learn, buffer, envs_per_run=envs_per_run)
    hyper = TrainHyper(rates, LearnerHyper(discount=0.5), Exploration())
    start = train.init(jax.random.key(0), hyper)
    end, _ = jax.jit(train.chunk, static_argnums=1)(start, episodes)
    return start, end, train


def greedy(algorithm, state):
    actors = state.learner.params.actors
    return float(algorithm.act(actors, jnp.zeros((1, 1, 2)))[0, 0, 0])


@pytest.mark.slow
def test_a_gaussian_finds_the_action_and_its_temperature_moves():
    algorithm = gaussian(1, 2, 1, hidden=(16, 16), critic_activation="tanh")
    buffer = ring_replay(200, 64, snapshot_size=2)
    rates = RateHyper(critic_rate=0.02, actor_budget=0.01)
    start, end, train = trained(algorithm, buffer, 1500, rates)
    assert abs(greedy(algorithm, start) - 0.5) > 0.2
    assert abs(greedy(algorithm, end) - 0.5) < 0.12
    before, after = (s.learner.params.others["log_temperature"] for s in (start, end))
    assert abs(float(after - before)) > 0.1
    # Greedy play is the mean alone: nothing is random but the starts, which are all alike here.
    episodes = train.play(end, jax.random.split(jax.random.key(3), 5))
    assert len(np.unique(episodes.action)) == 1


def test_reinforce_learns_from_its_own_last_episodes_alone():
    algorithm = reinforce(1, 2, 1, horizon=1, hidden=(16, 16), critic_activation="tanh")
    buffer = on_policy_replay(32, snapshot_size=2)
    rates = RateHyper(critic_rate=0.02, actor_budget=0.002)
    start, end, _ = trained(algorithm, buffer, 100, rates, envs_per_run=32)
    assert end.replay.rows.shape[0] == 32
    assert abs(greedy(algorithm, start) - 0.5) > 0.2
    assert abs(greedy(algorithm, end) - 0.5) < 0.15


def test_an_on_policy_algorithm_s_minibatch_is_its_round(toys):
    """Not cut into microbatches, nor shared by devices; of the size of the round, not a setting."""
    config = with_settings(small(algorithm="reinforce"), {"learning.envs_per_run": 4})
    train = make_train(config, platform="cpu")
    state, metrics = jax.jit(train.chunk, static_argnums=1)(
        train.init(jax.random.key(0), make_hyper(config)), 2
    )
    assert state.replay.rows.shape[:2] == (4, config.horizon + 1)
    assert not train.divisible
    assert bool(jnp.isfinite(metrics.value))
    with pytest.raises(ValueError, match="sharing=2"):
        make_train(config, sharing=2)
