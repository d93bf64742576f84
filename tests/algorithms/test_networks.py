"""The centralised critics, every one behind the same algorithm."""

import subprocess
import sys
from pkgutil import resolve_name

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.algorithms.networks import FeatureNorm
from adama_jax.algorithms.settings import CRITICS
from adama_jax.rates import probe
from adama_jax.testing import check_critic

N, B, OBS, ACTION = 3, 7, 5, 2


def setting(critic, activation="tanh", num_agents=N):
    algorithm = maddpg(
        num_agents, OBS, ACTION, (8, 8), critic_activation=activation, critic=critic
    )
    params = algorithm.init(jax.random.key(0))
    obs = jax.random.normal(jax.random.key(1), (num_agents, B, OBS))
    action = jax.random.uniform(jax.random.key(2), (num_agents, B, ACTION), minval=-1)
    return algorithm, params, obs, action


@pytest.mark.parametrize("critic", CRITICS)
def test_every_critic_keeps_the_contract(critic):
    check_critic(resolve_name(CRITICS[critic].path))


def parts(params, obs, action):
    """Q_i [N, B], k [N, B] and b [B] of a DOP critic, by hand from its parameters."""
    joint = jnp.concatenate(list(obs), axis=1)

    def mlp(layers, x):
        for name in ("Dense_0", "Dense_1"):
            x = jnp.tanh(x @ layers[name]["kernel"] + layers[name]["bias"][None])
        return x @ layers["Dense_2"]["kernel"] + layers["Dense_2"]["bias"][None]

    found = params.critic["params"]
    values = [
        mlp(
            jax.tree.map(lambda leaf, i=i: leaf[i], found["values"]),
            jnp.concatenate([joint, action[i]], axis=1),
        )[:, 0]
        for i in range(len(obs))
    ]
    return (
        jnp.stack(values),
        jnp.abs(mlp(found["weights"], joint)).T,
        mlp(found["bias"], joint)[:, 0],
    )


@pytest.mark.parametrize("num_agents", [1, N])
def test_dop_is_the_weighted_sum_of_its_parts(num_agents):
    """With one agent: a joint critic, up to k and b."""
    algorithm, params, obs, action = setting("dop", num_agents=num_agents)
    values, weights, bias = parts(params, obs, action)
    assert np.all(np.asarray(weights) >= 0)
    total = algorithm.value(params.critic, obs, action)
    np.testing.assert_allclose(
        total, jnp.sum(weights * values, axis=0) + bias, rtol=1e-5
    )


def test_dop_adds_up_what_each_agent_s_action_changes():
    algorithm, params, obs, action = setting("dop")
    other = jax.random.uniform(jax.random.key(3), action.shape, minval=-1)
    value = lambda a: algorithm.value(params.critic, obs, a)  # noqa: E731
    one_by_one = sum(
        value(action.at[i].set(other[i])) - value(action) for i in range(N)
    )
    np.testing.assert_allclose(value(other) - value(action), one_by_one, atol=1e-6)


def test_no_pair_of_agents_has_a_curvature_under_dop():
    algorithm, params, obs, _ = setting("dop")
    policy = lambda actors: algorithm.act(actors, obs)  # noqa: E731
    value = lambda a: algorithm.value(params.critic, obs, a)  # noqa: E731
    gradients = jax.grad(lambda actors: jnp.mean(value(policy(actors))))(params.actors)
    along = probe.Along(policy, value, params.actors, gradients)
    matrix = np.asarray(probe.pairwise_matrix(along))
    assert np.all(matrix[~np.eye(N, dtype=bool)] == 0)
    assert np.all(np.diag(matrix) != 0)


def attention_by_hand(found, obs, action, heads=4):
    """Loops over agents and heads in place of the library's attention. [B]"""

    def dense(layer, x):
        return x @ layer["kernel"] + layer["bias"][None]

    def own(name, i):
        return jax.tree.map(lambda leaf: leaf[i], found[name])

    embedded = [
        jnp.tanh(
            dense(own("encoders", i), jnp.concatenate([obs[i], action[i]], axis=1))
        )
        for i in range(len(obs))
    ]
    queries, keys = (
        [dense(found[name], e) for e in embedded] for name in ("queries", "keys")
    )
    values = [jnp.tanh(dense(found["values"], e)) for e in embedded]
    size = embedded[0].shape[1] // heads
    total = 0.0
    for i, e in enumerate(embedded):
        others = [j for j in range(len(obs)) if j != i] or [i]
        seen = []
        for part in (
            slice(start, start + size) for start in range(0, heads * size, size)
        ):
            scores = jnp.stack(
                [
                    jnp.sum(queries[i][:, part] * keys[j][:, part], axis=1)
                    for j in others
                ]
            )
            weights = jnp.exp(scores / size**0.5) / jnp.sum(
                jnp.exp(scores / size**0.5), axis=0, keepdims=True
            )
            seen.append(
                sum(
                    weight[:, None] * values[j][:, part]
                    for weight, j in zip(weights, others, strict=True)
                )
            )
        head = own("heads", i)
        hidden = jnp.tanh(dense(head["Dense_0"], jnp.concatenate([e, *seen], axis=1)))
        total = total + dense(head["Dense_1"], hidden)[:, 0] / len(obs)
    return total


@pytest.mark.parametrize("num_agents", [1, 2, N])
def test_attention_is_what_its_loops_say(num_agents):
    algorithm, params, obs, action = setting("attention", num_agents=num_agents)
    expected = attention_by_hand(params.critic["params"], obs, action)
    np.testing.assert_allclose(
        algorithm.value(params.critic, obs, action), expected, rtol=1e-4, atol=1e-6
    )


MANY_AGENTS = """
import jax, jax.numpy as jnp
from adama_jax.execution.build import make_algorithm, make_env, make_learner
from adama_jax.config.schema import scenario_config
from adama_jax.config.names import with_settings
from adama_jax.types import Batch
# Prime, so there are no microbatches, and sums over gradients are fused with their products.
size = 1009
changes = {"world.num_agents": 16, "learning.batch_size": size}
config = with_settings(scenario_config("predator_prey"), changes)
env = make_env(config)
learn = make_learner(config, make_algorithm(config, env), 16, microbatches=1)
obs, action = jnp.ones((16, size, env.spec.obs_size)), jnp.ones((16, size, 2))
batch = Batch(obs, action, jnp.ones(size), obs, jnp.zeros(size))
print(jax.jit(learn.update)(learn.init(jax.random.key(0)), batch, jax.random.key(0))[1].td_loss)
"""


@pytest.mark.slow
def test_sixteen_agents_do_not_crash_the_compiler_s_kernels():
    """In a process of its own: XLA's fusion of a padded product with a sum died here.

    SIGSEGV, jaxlib 0.10.2.
    """
    done = subprocess.run(
        [sys.executable, "-c", MANY_AGENTS],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0


@pytest.mark.parametrize("critic", CRITICS)
def test_normalised_layers_do_not_see_how_large_their_input_is(critic):
    """But for what each norm adds to a variance: the first layer's kernel is far larger."""
    algorithm = maddpg(N, OBS, ACTION, (8, 8), critic=critic, layer_norm=True)
    _, _, obs, action = setting(critic)
    params = algorithm.init(jax.random.key(0))

    def larger(path, leaf):
        first = "Dense_0" in str(path) or "encoders" in str(path)
        return 1e3 * leaf if first else leaf

    grown = jax.tree_util.tree_map_with_path(larger, params)
    for found in (algorithm.act(params.actors, obs), algorithm.act(grown.actors, obs)):
        assert 0.01 < float(jnp.abs(found).mean()) < 0.99
    np.testing.assert_allclose(
        algorithm.act(grown.actors, obs), algorithm.act(params.actors, obs), atol=1e-3
    )
    np.testing.assert_allclose(
        algorithm.value(grown.critic, obs, action),
        algorithm.value(params.critic, obs, action),
        atol=1e-3,
    )
    plain = maddpg(N, OBS, ACTION, (8, 8), critic=critic).init(jax.random.key(0))
    assert len(jax.tree.leaves(plain)) < len(jax.tree.leaves(params))


def test_a_normalised_layer_has_mean_0_and_deviation_1_over_its_features():
    layer = FeatureNorm()
    x = 5 + 3 * jax.random.normal(jax.random.key(0), (400, 2))
    found = layer.apply(layer.init(jax.random.key(1), x), x)
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), 1.0, rtol=1e-4)
