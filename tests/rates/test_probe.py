"""The signals are true: against autodiff, finite differences, the Hessian and Taylor's theorem."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.rates import probe
from adama_jax.rates.probe import Along
from adama_jax.tree import step_per_agent

N, B, OBS, ACTION = 3, 16, 5, 2
RATES = jnp.array([0.3, 0.1, 0.2])


def setting(critic_activation="tanh", actor_activation="tanh") -> Along:
    """Random networks on random observations; the directions are plain gradients of J."""
    algorithm = maddpg(N, OBS, ACTION, (8, 8), actor_activation, critic_activation)
    params = algorithm.init(jax.random.key(0))
    params = jax.tree.map(lambda leaf: leaf.astype(jnp.result_type(float)), params)
    obs = jax.random.normal(jax.random.key(1), (N, B, OBS))

    def policy(actors):
        return algorithm.act(actors, obs)

    def value(action):
        return algorithm.value(params.critic, obs, action)

    gradients = jax.grad(lambda actors: jnp.mean(value(policy(actors))))(params.actors)
    return Along(policy, value, params.actors, gradients)


def objective(along, actors):
    return jnp.mean(along.value(along.policy(actors)))


def gain(along, rates):
    """What a step at these rates adds to J, exactly. []"""
    stepped = step_per_agent(along.actors, rates, along.directions)
    return objective(along, stepped) - objective(along, along.actors)


def quadratic_in_actions(along, rates):
    """Q at the first-order change of the actions, which is what the paper expands. []"""
    action, change = probe.action_change(along)
    return jnp.mean(along.value(action + rates[:, None, None] * change))


def test_contributions_are_the_gradient_of_the_gain():
    along = setting()
    slope = jax.grad(lambda rates: gain(along, rates))(jnp.zeros(N))
    contributions = probe.contributions(along.directions, along.directions, N)
    np.testing.assert_allclose(contributions, slope, rtol=1e-4)


def test_contributions_hold_for_any_direction():
    along = setting()
    gradients = along.directions
    signs = along._replace(directions=jax.tree.map(jnp.sign, gradients))
    slope = jax.grad(lambda rates: gain(signs, rates))(jnp.zeros(N))
    contributions = probe.contributions(gradients, signs.directions, N)
    np.testing.assert_allclose(contributions, slope, rtol=1e-4)


def test_critic_term_is_the_change_of_the_objective_along_the_critic_s_step():
    algorithm = maddpg(N, OBS, ACTION, (8, 8), critic_activation="tanh")
    params = algorithm.init(jax.random.key(0))
    obs = jax.random.normal(jax.random.key(1), (N, B, OBS))

    def objective(critic):
        return jnp.mean(algorithm.value(critic, obs, algorithm.act(params.actors, obs)))

    direction = jax.tree.map(lambda leaf: -jnp.cos(leaf), params.critic)
    along = jax.jvp(objective, (params.critic,), (direction,))[1]
    term = probe.critic_term(jax.grad(objective)(params.critic), direction)
    np.testing.assert_allclose(term, abs(along), rtol=1e-4)


def test_exact_is_the_hessian_times_the_rates():
    along = setting()
    matrix = probe.pairwise_matrix(along)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-6)
    assert np.linalg.norm(matrix) > 1e-4
    product = probe.exact(along, RATES)
    np.testing.assert_allclose(product, matrix @ RATES, rtol=1e-3, atol=1e-7)


def test_exact_is_the_finite_difference_of_the_gain(x64):
    along = setting()
    slope = jax.grad(lambda rates: quadratic_in_actions(along, rates))
    h, rates = 1e-4, jnp.asarray(RATES, float)
    difference = (slope(h * rates) - slope(-h * rates)) / (2 * h)
    np.testing.assert_allclose(probe.exact(along, RATES), difference, rtol=1e-5)


def test_taylor_remainders_shrink_fourfold_and_eightfold(x64):
    along = setting()
    c = probe.contributions(along.directions, along.directions, N)
    matrix = probe.pairwise_matrix(along)

    def remainders(scale):
        l = jnp.asarray(RATES, float) * scale
        true = quadratic_in_actions(along, l) - objective(along, along.actors)
        first_order = c @ l
        second_order = 0.5 * l @ matrix @ l
        return abs(true - first_order), abs(true - first_order - second_order)

    coarse, fine = remainders(0.02), remainders(0.01)
    np.testing.assert_allclose(coarse[0] / fine[0], 4, rtol=0.05)
    np.testing.assert_allclose(coarse[1] / fine[1], 8, rtol=0.05)


def test_a_relu_critic_has_no_exact_curvature_but_a_secant_one():
    along = setting(critic_activation="relu")
    assert np.all(np.asarray(probe.exact(along, RATES)) == 0)
    assert np.all(np.asarray(probe.pairwise_matrix(along)) == 0)
    assert np.linalg.norm(probe.secant()(along, RATES)) > 1e-6


def test_a_critic_linear_in_per_agent_values_has_no_pairs():
    """DOP: Q = sum_i k_i Q_i(s, a_i) + b, whatever the activation."""
    weights = jnp.arange(1.0, N + 1)[:, None]

    def value(action):
        return jnp.sum(weights * jnp.tanh(jnp.sum(action**2, axis=-1)), axis=0)

    along = setting()._replace(value=value)
    gradients = jax.grad(lambda actors: objective(along, actors))(along.actors)
    matrix = np.asarray(probe.pairwise_matrix(along._replace(directions=gradients)))
    assert np.all(matrix[~np.eye(N, dtype=bool)] == 0)
    assert np.all(np.diag(matrix) != 0)


def test_secant_tends_to_exact(x64):
    along = setting()
    true = probe.exact(along, RATES)
    near = [probe.secant(h)(along, RATES) for h in (0.02, 0.01)]
    errors = [np.linalg.norm(one - true) for one in near]
    assert errors[1] < 1e-3 * np.linalg.norm(true)
    np.testing.assert_allclose(errors[0] / errors[1], 4, rtol=0.1)


def test_the_secant_s_step_has_its_size_whatever_the_rates():
    """Q = a^4 at 0, u = 1: H v is ((4 h^3 - 4 (-h)^3) / 2h) v = 4 h^2 v, h the step in actions."""
    along = Along(
        policy=lambda actors: actors[:, None, :],
        value=lambda action: action[0, :, 0] ** 4,
        actors=jnp.zeros((1, 1)),
        directions=jnp.ones((1, 1)),
    )
    for rate in (2.0, 0.01):
        product = probe.secant(0.1)(along, jnp.array([rate]))
        np.testing.assert_allclose(product, [4 * 0.1**2 * rate], rtol=1e-5)


def test_the_secant_s_step_is_a_mean_over_agents_and_transitions():
    """Q = a_1^4 + a_2^4, of which agent 2 does not move: the first steps by sqrt(2) h."""
    along = Along(
        policy=lambda actors: actors[:, None, :],
        value=lambda action: jnp.sum(action[:, :, 0] ** 4, axis=0),
        actors=jnp.zeros((2, 1)),
        directions=jnp.ones((2, 1)),
    )
    product = probe.secant(0.1)(along, jnp.array([1.0, 0.0]))
    np.testing.assert_allclose(product, [4 * 2 * 0.1**2, 0.0], rtol=1e-5)


def test_the_critic_term_is_never_negative():
    gradient, direction = jnp.array([1.0, 2.0]), jnp.array([-3.0, -1.0])
    np.testing.assert_array_equal(probe.critic_term(gradient, direction), 5.0)
    np.testing.assert_array_equal(probe.critic_term(gradient, -direction), 5.0)


def test_lookahead_is_the_gradient_at_the_present_rates():
    along = setting()
    slope = jax.grad(lambda rates: gain(along, rates))(RATES)
    contributions = probe.contributions(along.directions, along.directions, N)
    total = contributions + probe.lookahead(along, RATES)
    np.testing.assert_allclose(total, slope, rtol=1e-3)


def test_lookahead_given_the_contributions_is_the_same_for_half_the_products(x64):
    along = setting()

    def given(rates):
        contributions = probe.contributions(along.directions, along.directions, N)
        return probe.lookahead(along, rates, contributions)

    def its_own(rates):
        return probe.lookahead(along, rates)

    rates = jnp.asarray(RATES, float)
    np.testing.assert_allclose(given(rates), its_own(rates), rtol=1e-6)
    few, many = (
        str(jax.make_jaxpr(way)(rates)).count("dot_general") for way in (given, its_own)
    )
    assert 0 < few <= many / 2


@pytest.mark.parametrize("name", probe.CURVATURES)
def test_no_rate_no_curvature(name):
    product = probe.curvature(name)(setting(), jnp.zeros(N))
    np.testing.assert_allclose(product, np.zeros(N), atol=1e-7)


def test_an_unknown_curvature_is_refused():
    with pytest.raises(ValueError, match="curvature='hessian': choose one of exact"):
        probe.curvature("hessian")


def test_exact_costs_one_product_whatever_n_is():
    """The number of matrix products in the program does not grow with the number of agents."""

    def products(num_agents):
        algorithm = maddpg(num_agents, OBS, ACTION, (8, 8), "tanh", "tanh")
        params = algorithm.init(jax.random.key(0))
        obs = jnp.zeros((num_agents, B, OBS))

        def product(actors):
            along = Along(
                policy=lambda actors: algorithm.act(actors, obs),
                value=lambda action: algorithm.value(params.critic, obs, action),
                actors=actors,
                directions=actors,
            )
            return probe.exact(along, jnp.ones(num_agents))

        return str(jax.make_jaxpr(product)(params.actors)).count("dot_general")

    assert products(2) == products(8) > 0
