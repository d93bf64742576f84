"""COMA and MAAC on games whose expected values are known in full: every joint action is a row."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.categorical import (
    LogitsActor,
    softmax_policies,
    value_of_scored,
)
from adama_jax.algorithms.coma import coma, next_actions
from adama_jax.algorithms.critics.soft_attention import SoftAttentionCritic
from adama_jax.algorithms.exploring import with_random_start
from adama_jax.algorithms.losses import td_lambda_target
from adama_jax.algorithms.maac import maac
from adama_jax.algorithms.masac import masac
from adama_jax.algorithms.networks import action_mask
from adama_jax.config.checks import validate
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.envs.env import Env, EnvSpec, Transition
from adama_jax.errors import SettingError
from adama_jax.execution.build import make_algorithm, make_env, make_hyper, make_train
from adama_jax.rates.rules import RateHyper, fixed
from adama_jax.testing.algorithms import SIZES, N, random_batch, small
from adama_jax.training.gradients import CurvatureInputs, curvature_product
from adama_jax.training.learner import LearnerHyper, learner
from adama_jax.training.optimizers import from_optax, named_optimizer
from adama_jax.training.replay import on_policy_replay, ring_replay
from adama_jax.training.trainer import Exploration, TrainHyper, trainer
from adama_jax.tree import leaf_names
from adama_jax.types import Batch

KEY = jax.random.key(9)
DISCOUNT = jnp.float32(0.9)
SGD = from_optax(optax.sgd(1.0))


def policies_of_all():
    network = LogitsActor(3, hidden=(8,))
    mask = action_mask(SIZES, 3)[:, None]
    policies = softmax_policies(network, mask)
    keys = jax.random.split(jax.random.key(0), N)
    return policies, jax.vmap(network.init)(keys, jnp.zeros((N, 1, 4)))


@pytest.mark.slow
@pytest.mark.parametrize("share", [None, 0.0, 0.3, 1.0])
def test_policies_are_distributions_over_an_agent_s_own_actions(share):
    policies, actors = policies_of_all()
    obs = 30 * jax.random.normal(jax.random.key(1), (N, 500, 4))
    pi = np.exp(policies.log_pi(actors, obs, share))
    np.testing.assert_allclose(pi.sum(axis=-1), 1.0, rtol=1e-5)
    assert not pi[1, :, 2].any()
    for agent, size in enumerate(SIZES):
        least = pi[agent, :, :size].min()
        assert least >= 0.999 * (share or 0.0) / size
        assert share or least < 0.01


def test_all_of_a_policy_or_none_may_be_uniform_where_softmax_has_no_number():
    """Also for derivatives: its probabilities are 0 in float32, and then have no logarithm."""
    policies, actors = policies_of_all()
    obs = 1e4 * jax.random.normal(jax.random.key(1), (N, 9, 4))

    def mean(actors, share):
        log_pi = policies.log_pi(actors, obs, share)
        return jnp.mean(jnp.exp(log_pi) * log_pi)

    assert jnp.min(jnp.exp(policies.log_pi(actors, obs))) == 0
    for share in (0.0, 1e-3, 1.0):
        slopes = jax.jit(jax.grad(mean))(actors, jnp.float32(share))
        assert all(jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(slopes))


@pytest.mark.slow
def test_actions_are_drawn_as_often_as_they_are_likely():
    policies, actors = policies_of_all()
    obs = jnp.ones((N, 20_000, 4))
    drawn = policies.draw(actors, obs, KEY, 0.3)
    pi = np.exp(policies.log_pi(actors, obs, 0.3))[:, 0]
    np.testing.assert_allclose(drawn.mean(axis=1), pi, atol=0.015)
    act = np.asarray(policies.act(actors, obs))[:, 0]
    np.testing.assert_array_equal(act.argmax(axis=1), pi.argmax(axis=1))
    # The same actions with their scores, which change no value.
    scored = policies.scored(actors, obs, KEY, 0.3)
    np.testing.assert_array_equal(scored, drawn)


def test_scores_give_the_curvature_between_agents_of_the_expected_value():
    """Two agents, uniform over two actions each: the rows are all joint actions, once each."""
    payoff = jnp.array([[1.0, 4.0], [2.0, -3.0]])
    joint = np.array(list(itertools.product(range(2), range(2))))
    values = payoff[joint[:, 0], joint[:, 1]]
    one_hot = jax.nn.one_hot(joint.T, 2)
    slopes = jnp.array([[0.7, -0.2], [0.1, 0.5]])  # of the logits, by each agent's rate

    def log_pi(rates):
        return jax.nn.log_softmax(rates[:, None] * slopes)

    def exact(rates):
        first, second = jnp.exp(log_pi(rates))
        return first @ payoff @ second

    def by_scores(rates):
        own = jnp.sum(one_hot * log_pi(rates)[:, None], axis=-1, keepdims=True)
        action = one_hot * jnp.exp(own - jax.lax.stop_gradient(own))
        return jnp.mean(value_of_scored(values, action))

    nowhere = jnp.zeros(2)
    assert float(by_scores(nowhere)) == pytest.approx(float(exact(nowhere)))
    np.testing.assert_allclose(
        jax.jit(jax.grad(by_scores))(nowhere),
        jax.jit(jax.grad(exact))(nowhere),
        rtol=1e-5,
    )
    hessian, reference = (jax.jit(jax.hessian(f))(nowhere) for f in (by_scores, exact))
    np.testing.assert_allclose(hessian[0, 1], reference[0, 1], rtol=1e-5)
    assert abs(float(reference[0, 1])) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("curvature", ["exact", "secant", "lookahead"])
@pytest.mark.parametrize("factory", [coma, maac])
def test_the_curvature_is_measured_in_three_ways(factory, curvature):
    """Exactly by the scores; the others agree with it where rates are small."""
    algorithm = small(factory)
    params = algorithm.init(jax.random.key(0))
    directions = jax.tree.map(lambda leaf: 0.1 * jnp.sign(leaf), params.actors)
    rates = jnp.array([1e-3, 2e-3])
    inputs = CurvatureInputs(params, directions, rates, jnp.zeros(N), 0.01)
    batch = random_batch(discrete=True)

    def by(name):
        return jax.jit(partial(curvature_product, algorithm, name))(inputs, batch, KEY)

    found = by(curvature)
    assert np.isfinite(found).all()
    if curvature == "secant":
        np.testing.assert_allclose(found, by("exact"), rtol=1e-2, atol=1e-7)
    # Multilinear: of one agent's rate alone there is none.
    alone = inputs._replace(rates=jnp.array([1e-3, 0.0]))
    if curvature == "exact":
        product = jax.jit(partial(curvature_product, algorithm, "exact"))(
            alone, batch, KEY
        )
        assert abs(float(product[0])) < 1e-9 < abs(float(product[1]))


def test_td_lambda_by_hand():
    reward = jnp.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    ended = jnp.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    value = jnp.array([[10.0, 20.0, 30.0], [10.0, 20.0, 30.0]])
    one_step = td_lambda_target(reward, ended, value, 0.5, 0.0)
    np.testing.assert_allclose(one_step, [[6, 12, 18], [6, 2, 18]])
    # To the end: 3 + 15, 2 + 9, 1 + 5.5; an end of the world cuts.
    monte_carlo = td_lambda_target(reward, ended, value, 0.5, 1.0)
    np.testing.assert_allclose(monte_carlo, [[6.5, 11, 18], [2, 2, 18]])
    half = td_lambda_target(reward, ended, value, 0.5, 0.5)
    # 18, then 2 + (20 + 18) / 4, then 1 + (10 + 11.5) / 4.
    np.testing.assert_allclose(half[0], [6.375, 11.5, 18])


def test_what_was_played_next_is_of_the_same_episode():
    action = jnp.arange(12.0).reshape(1, 6, 2)
    last = -jnp.ones((1, 6, 2))
    found = next_actions(action, last, horizon=3)[0, :, 0]
    np.testing.assert_array_equal(found, [2, 4, -1, 8, 10, -1])


def every_joint_action(num_agents=2, actions=2):
    """A row for each, of one and the same observation; rewards do not matter."""
    joint = np.array(list(itertools.product(range(actions), repeat=num_agents)))
    action = jax.nn.one_hot(joint.T, actions)
    rows = len(joint)
    obs = jnp.ones((num_agents, rows, 3))
    return Batch(obs, action, jnp.zeros(rows), obs, jnp.zeros(rows))


def uniform(params):
    """Policies whose last layer is 0."""

    def without(path, leaf):
        is_last = any(getattr(key, "key", "") == "Dense_1" for key in path)
        return 0 * leaf if is_last else leaf

    actors = jax.tree_util.tree_map_with_path(without, params.actors)
    return params._replace(actors=actors)


def by_actors(algorithm: Algorithm, params, batch):
    def objective(actors):
        given = params._replace(actors=actors)
        return algorithm.objective(given, params, batch, DISCOUNT, KEY)

    return jax.jit(jax.grad(objective))(params.actors)


@pytest.mark.slow
def test_coma_s_gradient_is_that_of_the_expected_value():
    """Played once each by uniform policies, the joint actions are the expectation."""
    sizes = {"num_agents": 2, "obs_size": 3, "action_size": 2, "horizon": 1}
    algorithm = coma(hidden=(8,), critic_activation="tanh", **sizes)
    params = uniform(algorithm.init(jax.random.key(0)))
    batch = every_joint_action()
    values = algorithm.value(params.critic, batch.obs, batch.action)
    policies = softmax_policies(LogitsActor(2, (8,)), jnp.ones((2, 1, 2)))

    def expected_value(actors):
        log_pi = policies.log_pi(actors, batch.obs)
        joint = jnp.sum(batch.action * log_pi, axis=(0, 2))
        return jnp.sum(jnp.exp(joint) * values)

    exact = jax.jit(jax.grad(expected_value))(params.actors)
    found = by_actors(algorithm, params, batch)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(exact), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert max(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(exact)) > 0.01
    # J is that expectation itself.
    j = algorithm.objective(params, params, batch, DISCOUNT, KEY)
    np.testing.assert_allclose(j, jnp.mean(values), rtol=1e-5)


@pytest.mark.slow
def test_coma_s_advantage_is_over_an_agent_s_other_actions():
    """With one agent the gradient is that of log pi (Q - sum pi Q), by hand."""
    algorithm = coma(num_agents=1, obs_size=3, action_size=3, horizon=2, hidden=(8,))
    params = algorithm.init(jax.random.key(0))
    obs = jax.random.normal(jax.random.key(1), (1, 4, 3))
    action = jax.nn.one_hot(jnp.array([[0, 1, 2, 1]]), 3)
    share = jnp.float32(0.1)
    batch = Batch(obs, action, jnp.zeros(4), obs, jnp.zeros(4), share)
    policies = softmax_policies(LogitsActor(3, (8,)), jnp.ones((1, 1, 3)))

    def value_of(k):
        choice = jnp.broadcast_to(jnp.eye(3)[k], (1, 4, 3))
        return algorithm.value(params.critic, obs, choice)

    values = jnp.stack([value_of(k) for k in range(3)], axis=-1)  # [B, A]

    def by_hand(actors):
        pi = jnp.exp(policies.log_pi(actors, obs, share))[0]
        baseline = jnp.sum(jax.lax.stop_gradient(pi) * values, axis=-1)
        played = jnp.sum(action[0] * values, axis=-1)
        own = jnp.sum(action[0] * jnp.log(pi), axis=-1)
        return jnp.mean(own * (played - baseline))

    found = by_actors(algorithm, params, batch)
    exact = jax.jit(jax.grad(by_hand))(params.actors)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(exact), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_coma_s_critic_learns_the_lambda_return_of_its_targets():
    algorithm = coma(
        num_agents=1, obs_size=3, action_size=2, horizon=2, hidden=(8,), trace=0.5
    )
    params, targets = (algorithm.init(jax.random.key(seed)) for seed in (0, 1))
    obs = jax.random.normal(jax.random.key(1), (1, 5, 3))
    action = jax.nn.one_hot(jnp.array([[0, 1, 1, 0]]), 2)
    reward = jnp.array([1.0, 2.0, 3.0, 4.0])
    share = jnp.float32(0.4)
    batch = Batch(obs[:, :4], action, reward, obs[:, 1:], jnp.zeros(4), share)
    value = partial(algorithm.value, targets.critic)
    draws = algorithm.sample(params.actors, obs[:, 1:], KEY, share)
    following = jnp.stack(
        [action[:, 1], draws[:, 1], action[:, 3], draws[:, 3]], axis=1
    )
    after = np.asarray(value(obs[:, 1:], following))
    last = np.array([2 + 0.9 * after[1], 4 + 0.9 * after[3]])
    first = np.array([1.0, 3.0]) + 0.9 * 0.5 * (after[[0, 2]] + last)
    y = np.stack([first, last], axis=1).ravel()
    found = algorithm.value(params.critic, obs[:, :4], action)
    loss = algorithm.critic_loss(params, targets, batch, DISCOUNT, KEY)
    np.testing.assert_allclose(loss, np.mean((found - y) ** 2), rtol=1e-4)


@pytest.mark.slow
def test_maac_s_critic_sees_the_others_actions_and_never_its_own():
    critic = SoftAttentionCritic(hidden=(8, 8), activation="tanh")
    # Three agents: among two, an agent attends to the other alone, whatever it asks for.
    obs = jax.random.normal(jax.random.key(1), (3, 6, 4))
    chosen = jax.random.randint(jax.random.key(2), (3, 6), 0, 3)
    action = jax.nn.one_hot(chosen, 3)
    params = critic.init(jax.random.key(0), obs, action)
    found = critic.apply(params, obs, action)
    assert found.shape == action.shape
    other = jnp.roll(action[0], 1, axis=-1)
    moved = critic.apply(params, obs, action.at[0].set(other))
    np.testing.assert_array_equal(moved[0], found[0])
    assert np.all(np.any(np.asarray(moved[1:]) != np.asarray(found[1:]), axis=-1))
    # Each transition by itself.
    alone = critic.apply(params, obs[:, 2:3], action[:, 2:3])
    np.testing.assert_allclose(alone, found[:, 2:3], rtol=1e-5, atol=1e-6)


def lone_maac(**options):
    algorithm = maac(num_agents=1, obs_size=3, action_size=3, hidden=(8, 8), **options)
    obs, after = jax.random.normal(jax.random.key(1), (2, 1, 5, 3))
    action = jax.nn.one_hot(jnp.array([[0, 1, 2, 1, 0]]), 3)
    ended = jnp.zeros(5).at[1].set(1.0)
    batch = Batch(obs, action, jnp.arange(5.0), after, ended)
    return algorithm, algorithm.init(jax.random.key(0)), batch


@pytest.mark.slow
def test_with_one_agent_maac_is_discrete_soft_actor_critic():
    """Christodoulou 2019, equations 10 to 12, with one critic, by hand."""
    algorithm, params, batch = lone_maac(entropy_weight=0.3)
    targets = algorithm.init(jax.random.key(4))
    network = LogitsActor(3, (8, 8))
    critic = SoftAttentionCritic((8, 8))

    def log_pi(actors, obs):
        return jax.nn.log_softmax(jax.vmap(network.apply)(actors, obs))[0]

    def values(params, obs):
        # Whatever the action: there is nobody else whose action it reads.
        return critic.apply(params, obs, jnp.zeros((1, 5, 3)))[0]

    after = log_pi(targets.actors, batch.next_obs)
    soft = values(targets.critic, batch.next_obs) - 0.3 * after
    next_value = jnp.sum(jnp.exp(after) * soft, axis=-1)
    y = batch.reward + 0.9 * (1 - batch.terminated) * next_value
    played = jnp.sum(batch.action[0] * values(params.critic, batch.obs), axis=-1)
    loss = algorithm.critic_loss(params, targets, batch, DISCOUNT, KEY)
    np.testing.assert_allclose(loss, jnp.mean((played - y) ** 2), rtol=1e-5)

    def objective(actors):
        now = log_pi(actors, batch.obs)
        soft = values(params.critic, batch.obs) - 0.3 * now
        return jnp.mean(jnp.sum(jnp.exp(now) * soft, axis=-1))

    found = algorithm.objective(params, targets, batch, DISCOUNT, KEY)
    np.testing.assert_allclose(found, objective(params.actors), rtol=1e-5)
    exact = jax.jit(jax.grad(objective))(params.actors)
    for one, other in zip(
        jax.tree.leaves(by_actors(algorithm, params, batch)),
        jax.tree.leaves(exact),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_maac_s_actor_climbs_its_own_critic_whole_and_j_is_the_mean():
    """The others' parts of J are numbers to it, and its own is not divided by N."""
    algorithm = small(partial(maac, entropy_weight=0.0))
    params = algorithm.init(jax.random.key(0))
    batch = random_batch(discrete=True)
    network = LogitsActor(3, (8, 8), "tanh")
    policies = softmax_policies(network, action_mask(SIZES, 3)[:, None])
    critic = SoftAttentionCritic((8, 8), "tanh")
    drawn = policies.draw(params.actors, batch.obs, KEY)
    values = critic.apply(params.critic, batch.obs, drawn)

    def of_each(actors):
        pi = jnp.exp(policies.log_pi(actors, batch.obs))
        return jnp.mean(jnp.sum(pi * values, axis=-1), axis=1)

    j = algorithm.objective(params, params, batch, DISCOUNT, KEY)
    np.testing.assert_allclose(j, jnp.mean(of_each(params.actors)), rtol=1e-5)
    found = by_actors(algorithm, params, batch)
    slopes = jax.jit(jax.jacobian(of_each))(params.actors)
    for agent in range(N):
        exact = jax.tree.map(lambda leaf, i=agent: leaf[i], slopes)
        for one, other in zip(
            jax.tree.leaves(found), jax.tree.leaves(exact), strict=True
        ):
            np.testing.assert_allclose(one[agent], other[agent], rtol=1e-4, atol=1e-7)


@pytest.mark.slow
def test_entropies_are_of_an_agent_s_own_actions():
    """Of uniform policies: log 3 + log 2, times the weight."""
    algorithm = small(partial(maac, entropy_weight=0.5))
    params = algorithm.init(jax.random.key(0))
    actors = jax.tree.map(jnp.zeros_like, params.actors)
    given = params._replace(actors=actors)
    found = algorithm.parts(given, given, random_batch(True), DISCOUNT, KEY)
    assert float(found["entropy"]) == pytest.approx(0.5 * np.log(6), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("factory", [coma, maac])
def test_padding_adds_no_gradient(factory):
    """Agent 1 has two actions of three: the third's logit does nothing."""
    algorithm = small(factory)
    params = algorithm.init(jax.random.key(0))
    found = by_actors(algorithm, params, random_batch(discrete=True))
    last = found["params"]["MLP_0"]["Dense_2"]
    for name in ("kernel", "bias"):
        of_logits = np.asarray(last[name][1]).reshape(-1, 3)
        assert not of_logits[:, 2].any()
        assert of_logits[:, :2].any(axis=0).all()


def test_random_actions_at_first_are_one_hot():
    _, action = with_random_start(small(coma), SIZES).draw(KEY, 50)
    assert action.shape == (50, N, 3)
    np.testing.assert_array_equal(action.max(axis=-1), 1.0)
    np.testing.assert_array_equal(action.sum(axis=-1), 1.0)
    # All of an agent's own actions, and none that is padding.
    np.testing.assert_array_equal(action.any(axis=0), [[True] * 3, [True, True, False]])


@pytest.mark.parametrize("factory", [coma, masac])
def test_hidden_layers_are_normalised_where_that_is_on(factory):
    """Of actors and critics."""
    algorithm = small(partial(factory, layer_norm=True))
    params = jax.eval_shape(algorithm.init, KEY)
    for part in (params.actors, params.critic):
        assert any("FeatureNorm_1" in name for name in leaf_names(part))


@pytest.mark.usefixtures("loose_broadcasting")
@pytest.mark.parametrize("option", ["networks.layer_norm", "learning.pre_tanh_penalty"])
def test_options_that_maac_does_not_follow_are_refused(option):
    changes = {"world.action_type": "discrete", "algorithm": "maac", option: True}
    config = with_settings(scenario_config("MPE_simple_spread_v3"), changes)
    with pytest.raises(SettingError, match="must be left out: algorithm=maac does not"):
        make_algorithm(config, make_env(config))


@pytest.mark.usefixtures("loose_broadcasting")
@pytest.mark.parametrize(
    ("algorithm", "actions"), [("maac", "discrete"), ("masac", "continuous")]
)
def test_what_a_preset_has_for_its_own_algorithm_another_ignores(algorithm, actions):
    """Nobody gave it: `others_actions=replayed`, and the noise of greedy actors."""
    base = scenario_config("MPE_simple_spread_v3_harl")
    changes = {"world.action_type": actions, "algorithm": algorithm}
    config = with_settings(base, changes)
    validate(config)
    env = make_env(config)
    assert make_algorithm(config, env).actions == actions
    # What somebody did give is refused.
    given = with_settings(config, {"learning.pre_tanh_penalty": 0.1})
    with pytest.raises(SettingError, match=r"pre_tanh_penalty=.*: must be left out: "):
        make_algorithm(given, env)


DISCRETE = {"world.action_type": "discrete", "episodes": 10, "learning.batch_size": 8}


@pytest.mark.slow
@pytest.mark.usefixtures("loose_broadcasting")
@pytest.mark.parametrize("algorithm", ["coma", "maac"])
def test_shapes_of_training_on_a_discrete_world(algorithm):
    config = with_settings(
        scenario_config("MPE_simple_speaker_listener_v4"),
        {**DISCRETE, "algorithm": algorithm, "method": "adama_2nd"},
    )
    train = make_train(config)
    state = jax.eval_shape(train.init, jax.random.key(0), make_hyper(config))
    after, metrics = jax.eval_shape(lambda state: train.chunk(state, 2), state)
    assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, state)
    assert metrics.contributions.shape == (2,)
    assert set(metrics.parts) == (
        {"value", "entropy"} if algorithm == "maac" else set()
    )


@pytest.mark.slow
@pytest.mark.usefixtures("loose_broadcasting")
@pytest.mark.parametrize("algorithm", ["coma", "maac"])
def test_they_are_trained_to_second_order(algorithm):
    changes = {**DISCRETE, "algorithm": algorithm, "method": "adama_2nd"}
    config = with_settings(scenario_config("MPE_simple_spread_v3"), changes)
    train = make_train(config)
    start = train.init(jax.random.key(0), make_hyper(config))
    end, metrics = jax.jit(train.chunk, static_argnums=1)(start, 3)
    assert int(end.non_finite.update) == -1
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(metrics))


PAYOFF = jnp.array([[0.0, 0.3, 0.0], [0.2, 0.0, 1.0], [0.0, 0.3, 0.1]])


def matrix_game() -> Env:
    """One step, three actions each; the best pair is the second and the third."""
    spec = EnvSpec("matrix", 2, 2, 3, (3, 3), 2, 1, True, (), discrete=True)

    def step(key, state, action):
        reward = action[0] @ PAYOFF @ action[1]
        return state, Transition(reward, jnp.asarray(True))

    return Env(
        spec=spec,
        reset=lambda key: jnp.ones(2),
        step=step,
        snapshot=lambda state: state,
        observe=lambda snapshot: jnp.broadcast_to(snapshot[None], (2, 2)),
        positions=lambda snapshot: jnp.zeros((0, 2)),
    )


def test_what_is_learned_on_policy_is_told_its_share_of_exploration():
    env = matrix_game()
    algorithm = coma(num_agents=2, obs_size=2, action_size=3, horizon=1, hidden=(4,))

    def share(params, targets, batch, discount, key):
        return batch.share + 0 * jnp.sum(ravel_pytree(params)[0])

    told = algorithm._replace(objective=share)
    learn = learner(told, SGD, fixed(), 2)
    train = trainer(env, told, learn, on_policy_replay(4, 2), envs_per_run=4)
    hyper = TrainHyper(
        RateHyper(critic_rate=0.01, actor_budget=0.01),
        LearnerHyper(discount=0.5),
        Exploration(start=0.5, end=0.1, episodes=16),
    )
    state = train.init(jax.random.key(0), hyper)
    shares = []
    for _ in range(6):
        state, metrics = jax.jit(train.chunk, static_argnums=1)(state, 1)
        shares.append(float(metrics.value))
    np.testing.assert_allclose(shares, [0.5, 0.4, 0.3, 0.2, 0.1, 0.1], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("factory", [coma, maac])
def test_they_find_the_best_pair(factory):
    env = matrix_game()
    algorithm = factory(
        num_agents=2, obs_size=2, action_size=3, horizon=1, hidden=(16, 16)
    )
    buffer = ring_replay(2000, 64, 2) if factory is maac else on_policy_replay(32, 2)
    learn = learner(algorithm, named_optimizer("adam"), fixed(), 2, target_period=10)
    together = 1 if factory is maac else 32
    train = trainer(env, algorithm, learn, buffer, envs_per_run=together)
    hyper = TrainHyper(
        RateHyper(critic_rate=0.01, actor_budget=0.004),
        LearnerHyper(discount=0.5),
        Exploration(),
    )
    start = train.init(jax.random.key(0), hyper)
    rounds = 1500 if factory is maac else 60
    end, _ = jax.jit(train.chunk, static_argnums=1)(start, rounds)
    chosen = algorithm.act(end.learner.params.actors, jnp.ones((2, 1, 2)))[:, 0]
    np.testing.assert_array_equal(chosen.argmax(axis=1), [1, 2])
