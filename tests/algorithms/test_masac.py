"""MASAC: densities and losses by hand, what the rates see of it, and what its actors leave."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.algorithms.masac import TEMPERATURE, masac, tanh_gaussian
from adama_jax.config.names import with_settings
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.history import by_name
from adama_jax.execution.runner import run
from adama_jax.rates.rules import RateHyper, adama, fixed
from adama_jax.storage.policy import load_policy
from adama_jax.storage.reader import load_run
from adama_jax.testing.algorithms import random_batch, small
from adama_jax.training.gradients import (
    CurvatureInputs,
    curvature_product,
    downhill,
    gradients,
)
from adama_jax.training.learner import LearnerHyper, learner
from adama_jax.training.optimizers import from_optax, named_optimizer
from adama_jax.training.replay import ring_replay
from adama_jax.training.trainer import Exploration, TrainHyper, trainer
from adama_jax.tree import step_per_agent
from adama_jax.types import Batch
from tests.games import probe_env
from tests.helpers import ONE, tiny

SGD = from_optax(optax.sgd(1.0))
N = 2
KEY = jax.random.key(9)


@pytest.fixture(scope="module")
def algorithm():
    return small(masac)


@pytest.fixture(scope="module")
def params(algorithm):
    return algorithm.init(jax.random.key(0))


def test_the_density_of_an_action_is_that_of_a_squashed_gaussian():
    """Over all actions it is 1 in all, and its logarithm is that of the two factors by hand."""
    grid = jnp.linspace(-0.9999, 0.9999, 20_001)[None, :, None]
    mean, log_std = jnp.full_like(grid, 0.3), jnp.full_like(grid, -0.5)
    noise = (jnp.arctanh(grid) - mean) / jnp.exp(log_std)
    found = tanh_gaussian(mean, log_std, noise, jnp.ones((1, 1, 1)))
    np.testing.assert_allclose(found.action, grid, atol=1e-5)
    area = np.trapezoid(np.exp(found.log_density[0]), grid[0, :, 0])
    assert area == pytest.approx(1.0, abs=2e-3)
    x, std = noise[0, :, 0], np.exp(-0.5)
    normal = np.exp(-0.5 * x**2) / (std * np.sqrt(2 * np.pi))
    by_hand = np.log(normal / (1 - grid[0, :, 0] ** 2))
    # Next to the ends 1 - a^2 itself is rounded.
    np.testing.assert_allclose(found.log_density[0, 50:-50], by_hand[50:-50], atol=1e-3)


def test_far_out_a_density_is_finite():
    far = jnp.full((1, 1, 1), 50.0)
    found = tanh_gaussian(far, jnp.zeros_like(far), far, jnp.ones((1, 1, 1)))
    assert np.isfinite(found.log_density).all()


def single():
    """One agent with one action, and a minibatch of which one transition terminates."""
    algorithm = masac(
        num_agents=1, obs_size=2, action_size=1, hidden=(8,), temperature=0.3
    )
    obs, after = jax.random.normal(jax.random.key(1), (2, 1, 6, 2))
    action = jnp.linspace(-0.9, 0.9, 6)[None, :, None]
    ended = jnp.zeros(6).at[2].set(1.0)
    batch = Batch(obs, action, jnp.arange(6.0), after, ended)
    return algorithm, algorithm.init(jax.random.key(0)), batch


def layers(tree, x, activate=lambda x: np.maximum(x, 0)):
    """A network of one hidden layer in NumPy. [B, I] to [B, head]"""
    # In double precision: the sums of what follows are close to 0.
    first, last = jax.tree.map(partial(np.asarray, dtype=np.float64), tree).values()
    hidden = activate(x @ first["kernel"] + first["bias"])
    return hidden @ last["kernel"] + last["bias"]


def of_agent(params, obs, key):
    """Its drawn action, log density, and both critics' values of it, by hand. [B] each"""
    actor = jax.tree.map(lambda leaf: leaf[0], params.actors)["params"]["MLP_0"]
    mean, log_std = layers(actor, np.asarray(obs[0])).T
    noise = np.asarray(jax.random.normal(key, (1, len(mean), 1)))[0, :, 0]
    before = mean + np.exp(log_std) * noise
    action = np.tanh(before)
    normal = -0.5 * noise**2 - log_std - 0.5 * np.log(2 * np.pi)
    return action, normal - np.log(1 - action**2)


def both_values(critic, obs, action):
    x = np.concatenate([np.asarray(obs[0]), np.asarray(action)[:, None]], axis=1)
    return [
        layers(critic["params"][name]["MLP_0"], x)[:, 0] for name in ("first", "second")
    ]


@pytest.mark.slow
def test_with_one_agent_it_is_soft_actor_critic():
    """All three losses of Haarnoja et al., equations 5, 7 and 18, by hand."""
    algorithm, params, batch = single()
    alpha = 0.3
    np.testing.assert_allclose(jnp.exp(params.others[TEMPERATURE]), [alpha], rtol=1e-5)
    targets = algorithm.init(jax.random.key(5))
    given = (params, targets, batch, jnp.float32(0.9), KEY)

    action, log_pi = of_agent(params, batch.next_obs, KEY)
    soft = np.minimum(*both_values(targets.critic, batch.next_obs, action))
    soft = soft - alpha * log_pi
    y = np.asarray(batch.reward) + 0.9 * (1 - np.asarray(batch.terminated)) * soft
    values = both_values(params.critic, batch.obs, batch.action[0, :, 0])
    loss = sum(np.mean((value - y) ** 2) for value in values)
    assert float(algorithm.critic_loss(*given)) == pytest.approx(loss, rel=1e-4)

    action, log_pi = of_agent(params, batch.obs, KEY)
    least = np.minimum(*both_values(params.critic, batch.obs, action))
    objective = np.mean(least - alpha * log_pi)
    assert float(algorithm.objective(*given)) == pytest.approx(objective, rel=1e-4)

    # Equation 18 with log alpha in the place of alpha, and a target of -1.
    group = algorithm.groups[TEMPERATURE]
    loss = np.mean(np.log(alpha) * (-log_pi - (-1.0)))
    assert float(group.loss(*given)) == pytest.approx(loss, rel=1e-4)


@pytest.mark.slow
def test_padding_adds_no_gradient_and_no_entropy(algorithm, params):
    """Agent 1 has two actions of three: the third's mean and deviation do nothing."""
    given = (params, params, random_batch(), jnp.float32(0.9), KEY)

    def objective(actors):
        return algorithm.objective(params._replace(actors=actors), *given[1:])

    slopes = jax.jit(jax.grad(objective))(params.actors)
    found = slopes["params"]["MLP_0"]["Dense_2"]
    for name in ("kernel", "bias"):
        of_outputs = np.asarray(found[name][1]).reshape(-1, 6)
        assert not of_outputs[:, [2, 5]].any()
        assert of_outputs[:, [0, 1, 3, 4]].any(axis=0).all()

    def temperatures(others):
        group = algorithm.groups[TEMPERATURE]
        return group.loss(params._replace(others=others), *given[1:])

    # The target is -1 for each number of an action: of 3 and of 2.
    slope = jax.jit(jax.grad(temperatures))(params.others)[TEMPERATURE]
    drawn = jnp.array([3.0, 2.0])
    unwanted = small(partial(masac, target_entropy=0.0))

    def unwanted_temperatures(others):
        group = unwanted.groups[TEMPERATURE]
        return group.loss(params._replace(others=others), *given[1:])

    others = jax.jit(jax.grad(unwanted_temperatures))(params.others)[TEMPERATURE]
    np.testing.assert_allclose(slope - others, drawn, rtol=1e-4)


def with_temperature(params, alpha):
    return params._replace(others={TEMPERATURE: jnp.full(N, jnp.log(alpha))})


def measured(algorithm, params, rule=None):
    learn = learner(algorithm, SGD, rule or fixed(), N)
    state = learn.init(jax.random.key(0))._replace(params=params)
    return state, *jax.jit(learn.update)(state, random_batch(), KEY)


@pytest.mark.slow
def test_j_is_the_sum_of_its_parts_and_of_the_entropy_alone_the_critic_sees_nothing(
    algorithm, params
):
    measure = jax.jit(partial(gradients, algorithm))
    found = {}
    for alpha in (0.001, 1.0):
        given = with_temperature(params, alpha)
        context = (given, given, jnp.float32(0.9))
        found[alpha] = measure(context, random_batch(), KEY)
    cold, hot = found[0.001], found[1.0]
    assert set(hot.parts) == {"value", "entropy"}
    total = hot.parts["value"] + hot.parts["entropy"]
    np.testing.assert_allclose(hot.value, total, rtol=1e-5)
    np.testing.assert_allclose(cold.parts["value"], hot.parts["value"], rtol=1e-6)
    ratio = hot.parts["entropy"] / cold.parts["entropy"]
    assert float(ratio) == pytest.approx(1000.0, rel=1e-3)
    # kappa is of the Q-part.
    for one, other in zip(
        jax.tree.leaves(cold.value_by_critic),
        jax.tree.leaves(hot.value_by_critic),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-9)


@pytest.mark.slow
def test_a_contribution_of_q_alone_can_be_negative_and_that_of_j_is_not(params):
    """On plain gradients, at a temperature at which the entropy is what the actors climb."""
    algorithm = small(masac)
    hot = with_temperature(params, 10.0)
    _, _, metrics = measured(algorithm, hot)
    contributions = metrics.signals.contribution
    assert np.all(np.asarray(contributions) > 0)

    context = (hot, hot, jnp.float32(0.9))
    measure = jax.jit(partial(gradients, algorithm))
    whole = measure(context, random_batch(), KEY).value_by_actors

    def q_part(actors):
        given = hot._replace(actors=actors)
        # As the learner splits an update's key among the losses.
        k_objective = jax.random.split(KEY, 3)[1]
        found = algorithm.parts(
            given, given, random_batch(), jnp.float32(0.9), k_objective
        )
        return found["value"]

    def slopes(rates):
        return q_part(step_per_agent(hot.actors, rates, whole))

    of_q = jax.jit(jax.grad(slopes))(jnp.zeros(N))
    assert float(jnp.min(of_q)) < 0 < float(jnp.min(contributions))


@pytest.mark.slow
def test_a_temperature_moves_at_its_own_rate_toward_the_wanted_entropy(params):
    """Whatever the method's rates are; down where there is too much entropy, else up."""
    for wanted, sign in ((-50.0, -1.0), (50.0, 1.0)):
        algorithm = small(partial(masac, target_entropy=wanted, temperature_rate=0.001))
        learn = learner(algorithm, named_optimizer("adam"), adama(), N)
        state = learn.init(
            jax.random.key(0), rate_hyper=RateHyper(total_rate=sign + 2.0)
        )
        moved, metrics = jax.jit(learn.update)(state, random_batch(), KEY)
        change = moved.params.others[TEMPERATURE] - state.params.others[TEMPERATURE]
        # A first step of Adam is its rate.
        np.testing.assert_allclose(change, sign * 0.001, rtol=1e-3)
        total = metrics.rates.critic + jnp.linalg.norm(metrics.rates.actors)
        np.testing.assert_allclose(total, sign + 2.0, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("curvature", ["exact", "lookahead"])
def test_the_curvature_is_of_the_value_of_the_drawn_actions(
    algorithm, params, curvature
):
    """Not of the entropy, also where the contributions at hand are those of all of J."""
    batch = random_batch()
    hot = with_temperature(params, 10.0)
    measure = jax.jit(partial(gradients, algorithm))
    found = measure((hot, hot, jnp.float32(0.9)), batch, KEY)
    directions = jax.tree.map(jnp.negative, downhill(found).actors)
    rates = jnp.array([0.01, 0.02])
    inputs = CurvatureInputs(hot, directions, rates, jnp.full(N, 1e6), 0.1)
    measure = jax.jit(partial(curvature_product, algorithm, curvature))
    product = measure(inputs, batch, KEY)
    k_objective = jax.random.split(KEY, 3)[1]

    def gain(rates):
        actors = step_per_agent(hot.actors, rates, directions)
        action = algorithm.policy(actors, batch, k_objective)
        return jnp.mean(algorithm.value(hot.critic, batch.obs, action))

    if curvature == "lookahead":
        slope = jax.jit(jax.grad(gain))
        expected = slope(rates) - slope(jnp.zeros(N))
    else:

        def along(rates):
            action, change = jax.jvp(
                lambda actors: algorithm.policy(actors, batch, k_objective),
                (hot.actors,),
                (directions,),
            )
            moved = action + rates[:, None, None] * change
            return jnp.mean(algorithm.value(hot.critic, batch.obs, moved))

        expected = jax.jit(jax.hessian(along))(jnp.zeros(N)) @ rates
    np.testing.assert_allclose(product, expected, rtol=1e-3, atol=1e-7)
    assert float(jnp.max(jnp.abs(product))) > 1e-6


def test_parts_are_repeated_where_an_update_moves_the_critics_alone(algorithm):
    learn = learner(algorithm._replace(actors_every=2), SGD, fixed(), N)
    state = learn.init(jax.random.key(0))
    batch = random_batch()
    found = []
    for step in range(3):
        state, metrics = jax.jit(learn.update)(state, batch, jax.random.key(step))
        found.append(sorted(map(float, metrics.parts.values())))
    assert found[0] == found[1] != found[2]


def test_its_parts_are_curves_of_its_runs_alone():
    def curves(algorithm):
        config = tiny(algorithm=algorithm)
        train = make_train(config)
        state = jax.eval_shape(train.init, jax.random.key(0), make_hyper(config))
        _, metrics = jax.eval_shape(lambda state: train.chunk(state, 2), state)
        return by_name(metrics)

    of_masac, of_maddpg = curves("masac"), curves("maddpg")
    assert set(of_masac) - set(of_maddpg) == {"part_value", "part_entropy"}
    assert of_masac["part_entropy"].shape == ()


@pytest.mark.slow
def test_a_run_is_trained_logged_and_played_by_numpy(tmp_path):
    config = with_settings(tiny(method="adama_2nd"), {"algorithm": "masac"})
    run([config], tmp_path, devices=ONE)
    (path,) = tmp_path.rglob("actors.npz")
    curves = load_run(path.parent).metrics
    whole = curves["part_value"] + curves["part_entropy"]
    np.testing.assert_allclose(whole, curves["value"], rtol=1e-4, atol=1e-5)
    policy = load_policy(path)
    assert np.abs(policy(np.ones((2, policy.about["obs_size"])))).max() <= 1


@pytest.mark.slow
def test_it_finds_the_action_and_its_entropy():
    """A world of one step whose reward says: act 0.5."""
    env = probe_env(lambda x, t, a: -4.0 * jnp.sum((a - 0.5) ** 2))
    algorithm = masac(
        num_agents=1,
        obs_size=2,
        action_size=1,
        hidden=(16, 16),
        critic_activation="tanh",
        temperature_rate=0.01,
    )
    learn = learner(algorithm, named_optimizer("adam"), fixed(), 1, target_period=None)
    train = trainer(env, algorithm, learn, ring_replay(500, 64, 2), eval_episodes=1)
    hyper = TrainHyper(
        RateHyper(critic_rate=0.01, actor_budget=0.005),
        LearnerHyper(discount=0.5, target_step=0.05),
        Exploration(),
    )
    start = train.init(jax.random.key(0), hyper)
    end, _ = jax.jit(train.chunk, static_argnums=1)(start, 3000)
    actors = end.learner.params.actors
    obs = jnp.zeros((1, 2000, 2))
    assert float(algorithm.act(actors, obs)[0, 0, 0]) == pytest.approx(0.5, abs=0.1)
    # The temperature has brought its entropy to the target.
    params = end.learner.params
    batch = Batch(obs, obs[..., :1], jnp.zeros(2000), obs, jnp.zeros(2000))
    bonus = algorithm.parts(params, params, batch, jnp.float32(0.5), KEY)["entropy"]
    entropy = bonus / jnp.exp(params.others[TEMPERATURE][0])
    assert float(entropy) == pytest.approx(-1.0, abs=0.3)
