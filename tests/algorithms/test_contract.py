"""One contract for every algorithm: the registered ones, and two stochastic toys of the tests."""

from pkgutil import resolve_name

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.algorithms.settings import ALGORITHMS
from adama_jax.rates.rules import fixed
from adama_jax.training.learner import learner
from adama_jax.training.optimizers import from_optax
from adama_jax.tree import step_per_agent
from adama_jax.types import Batch
from tests.toy_algorithms import GAUSSIAN, REINFORCE

N, B, OBS, ACTION, HORIZON = 2, 8, 3, 2, 4
SIZES = (2, 1)  # the second agent's action is padded


@pytest.fixture(
    params=[*(each.path for each in ALGORITHMS.values()), GAUSSIAN, REINFORCE]
)
def algorithm(request):
    factory = resolve_name(request.param)
    return factory(
        num_agents=N,
        obs_size=OBS,
        action_size=ACTION,
        action_sizes=SIZES,
        horizon=HORIZON,
        hidden=(8, 8),
        actor_activation="tanh",
        critic_activation="tanh",
        critic="joint",
    )


def random_batch():
    keys = jax.random.split(jax.random.key(5), 4)
    action = jax.random.uniform(keys[1], (N, B, ACTION), minval=-1)
    return Batch(
        obs=jax.random.normal(keys[0], (N, B, OBS)),
        action=action.at[1, :, 1].set(0.0),
        reward=jax.random.normal(keys[2], (B,)),
        next_obs=jax.random.normal(keys[3], (N, B, OBS)),
        terminated=jnp.zeros(B),
    )


def train_step(algorithm):
    return learner(algorithm, from_optax(optax.sgd(1.0)), fixed(), N)


def test_shapes(algorithm):
    """Of everything, without computing anything."""
    key, batch = jax.random.key(0), random_batch()
    params = jax.eval_shape(algorithm.init, key)
    assert set(params.others) == set(algorithm.groups)
    for leaf in jax.tree.leaves(params.actors):
        assert leaf.shape[0] == N
    action = jax.eval_shape(algorithm.act, params.actors, batch.obs)
    assert action.shape == (N, B, ACTION)
    value = jax.eval_shape(algorithm.value, params.critic, batch.obs, batch.action)
    assert value.shape == (B,)
    losses = [algorithm.critic_loss, algorithm.objective]
    losses += [group.loss for group in algorithm.groups.values()]
    for loss in losses:
        found = jax.eval_shape(loss, params, params, batch, jnp.float32(0.9), key)
        assert found.shape == ()
    if algorithm.policy is not None:
        assert (
            jax.eval_shape(algorithm.policy, params.actors, batch.obs, key).shape
            == action.shape
        )


def test_an_episode_s_noise_has_an_entry_a_step(algorithm):
    params = algorithm.init(jax.random.key(0))
    noise = algorithm.draw(jax.random.key(1), HORIZON)
    for leaf in jax.tree.leaves(noise):
        assert leaf.shape[0] == HORIZON
    obs = random_batch().obs[:, :1]
    actions = [
        algorithm.sample(
            params.actors, obs, jax.tree.map(lambda leaf, t=t: leaf[t], noise), 1.0
        )
        for t in range(HORIZON)
    ]
    assert all(action.shape == (N, 1, ACTION) for action in actions)
    assert not np.array_equal(actions[0], actions[1])


def test_actions_are_in_bounds_and_padding_stays_zero(algorithm):
    params, obs = algorithm.init(jax.random.key(0)), 100 * random_batch().obs
    noise = algorithm.draw(jax.random.key(1), 1)
    first = jax.tree.map(lambda leaf: leaf[0], noise)
    for action in (
        algorithm.act(params.actors, obs),
        algorithm.sample(params.actors, obs[:, :1], first, 0.5),
    ):
        assert float(jnp.max(jnp.abs(action))) <= 1.0
        np.testing.assert_array_equal(action[1, :, 1], 0.0)
        assert np.all(np.asarray(action[0]) != 0.0)


def test_a_greedy_action_is_of_its_own_observation_alone(algorithm):
    params, obs = algorithm.init(jax.random.key(0)), random_batch().obs
    action = algorithm.act(params.actors, obs)
    np.testing.assert_allclose(
        algorithm.act(params.actors, obs[:, 2:3]), action[:, 2:3], rtol=1e-5, atol=1e-6
    )
    blind = algorithm.act(params.actors, obs.at[1].set(0.0))
    np.testing.assert_array_equal(blind[0], action[0])


def test_contributions_are_the_derivative_of_the_objective_by_the_rates(algorithm):
    learn, batch, key = train_step(algorithm), random_batch(), jax.random.key(9)
    state = learn.init(jax.random.key(0))
    discount = state.hyper.discount
    # As the learner splits an update's key among the losses.
    k_objective = jax.random.split(key, 2 + len(algorithm.groups))[1]

    def objective(actors):
        params = state.params._replace(actors=actors)
        return algorithm.objective(params, state.targets, batch, discount, k_objective)

    directions = jax.grad(objective)(state.params.actors)

    def gain(rates):
        return objective(step_per_agent(state.params.actors, rates, directions))

    slope = jax.grad(gain)(jnp.zeros(N))
    _, metrics = learn.update(state, batch, key)
    assert float(jnp.min(slope)) > 0
    np.testing.assert_allclose(metrics.signals.contribution, slope, rtol=1e-4)


def test_a_step_is_finite_and_moves_every_group(algorithm):
    learn = train_step(algorithm)
    state = learn.init(jax.random.key(0))
    moved, _ = learn.update(state, random_batch(), jax.random.key(1))
    for name in ("actors", "critic"):
        assert changed(getattr(state.params, name), getattr(moved.params, name))
    for name in algorithm.groups:
        assert changed(state.params.others[name], moved.params.others[name])
    with_target = {name for name, group in algorithm.groups.items() if group.has_target}
    assert set(state.targets.others) == set(moved.targets.others) == with_target
    assert all(
        bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(moved.params)
    )


def changed(before, after):
    pairs = zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
    return any(not np.array_equal(old, new) for old, new in pairs)
