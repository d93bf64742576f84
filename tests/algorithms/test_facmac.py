"""FACMAC's mixing by hand from its parameters, what it allows, and the penalty."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.facmac import facmac
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.rates import probe
from tests.games import random_batch

N, OBS, ACTION = 3, 5, 2
SIZES = {"num_agents": N, "obs_size": OBS, "action_size": ACTION, "hidden": (8, 6)}
KEY = jax.random.key(0)
DISCOUNT = jnp.float32(0.9)


def made(**options):
    algorithm = facmac(**(SIZES | options), critic_activation="tanh")
    return algorithm, algorithm.init(KEY)


def by_hand(found, obs, action, monotonic):
    """Q, and its derivative by each utility. [B], [N, B]"""

    def mlp(layers, x):
        *hidden, last = sorted(layers)
        for name in hidden:
            x = jnp.tanh(x @ layers[name]["kernel"] + layers[name]["bias"][None])
        return x @ layers[last]["kernel"] + layers[last]["bias"][None]

    joint = jnp.concatenate(list(obs), axis=1)
    utilities = []
    for agent in range(len(obs)):
        own = jax.tree.map(lambda leaf, i=agent: leaf[i], found["utilities"])
        seen = jnp.concatenate([obs[agent], action[agent]], axis=1)
        utilities.append(mlp(own, seen)[:, 0])
    absolute = jnp.abs if monotonic else (lambda x: x)
    inner = absolute(mlp(found["inner"], joint)).reshape(len(joint), len(obs), -1)
    outer = absolute(mlp(found["outer"], joint))
    bias = joint @ found["inner_bias"]["kernel"] + found["inner_bias"]["bias"][None]
    state_value = mlp(found["state_value"], joint)[:, 0]

    def mix(values):
        mixed = jnp.einsum("bnw,nb->bw", inner, values) + bias
        hidden = jnp.where(mixed > 0, mixed, jnp.exp(mixed) - 1)
        return jnp.sum(outer * hidden, axis=1) + state_value

    values = jnp.stack(utilities)
    slope = jax.grad(lambda values: jnp.sum(mix(values)))(values)
    return mix(values), slope


@pytest.mark.parametrize("num_agents", [N, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mixing", ["monotonic", "free"])
def test_it_is_the_mixed_utilities(mixing, num_agents):
    algorithm, params = made(mixing=mixing, num_agents=num_agents)
    batch = random_batch(num_agents, OBS, ACTION, 1)
    found = params.critic["params"]
    monotonic = mixing == "monotonic"
    compiled = jax.jit(by_hand, static_argnums=3)
    expected, slope = compiled(found, batch.obs, batch.action, monotonic)
    value = algorithm.value(params.critic, batch.obs, batch.action)
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    assert bool(jnp.all(slope >= 0)) == monotonic


@pytest.mark.slow
def test_pairs_of_agents_have_a_curvature_unlike_dop_s():
    algorithm, params = made()
    obs = random_batch(N, OBS, ACTION, 1).obs
    policy = lambda actors: algorithm.act(actors, obs)  # noqa: E731
    value = lambda action: algorithm.value(params.critic, obs, action)  # noqa: E731
    directions = jax.grad(lambda actors: jnp.mean(value(policy(actors))))(params.actors)
    along = probe.Along(policy, value, params.actors, directions)
    matrix = np.asarray(jax.jit(lambda: probe.pairwise_matrix(along))())
    assert np.all(matrix[~np.eye(N, dtype=bool)] != 0)


def test_the_penalty_is_of_the_actions_that_agents_have():
    sizes = (2, 1, 2)
    batch = random_batch(N, OBS, ACTION, 1)

    def objective(penalty):
        algorithm, params = made(action_sizes=sizes, penalty=penalty)
        given = (params, params, batch, DISCOUNT, KEY)
        action = algorithm.act(params.actors, batch.obs)
        return float(algorithm.objective(*given)), np.asarray(action)

    without, action = objective(0.0)
    with_it, _ = objective(0.5)
    own = [action[agent, :, :size].ravel() for agent, size in enumerate(sizes)]
    mean_square = np.mean(np.concatenate(own) ** 2)
    assert mean_square > 0.01
    np.testing.assert_allclose(without - with_it, 0.5 * mean_square, rtol=1e-4)


def test_without_a_penalty_it_is_maddpg_with_the_factored_critic():
    algorithm, params = made(penalty=0.0)
    base = maddpg(**SIZES, critic="facmac", critic_activation="tanh")
    batch = random_batch(N, OBS, ACTION, 1)
    given = (params, params, batch, DISCOUNT, KEY)
    for name in ("objective", "critic_loss"):
        ours = getattr(algorithm, name)(*given)
        theirs = getattr(base, name)(*given)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
