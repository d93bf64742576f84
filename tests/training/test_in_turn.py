"""Actors that move one after another: games by hand, and the loop that HARL has."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.algorithms.haddpg import haddpg
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.rates import rules as rates
from adama_jax.rates.rules import RateHyper
from adama_jax.training.in_turn import drawn_order
from adama_jax.training.learner import learner
from adama_jax.training.optimizers import from_optax, named_optimizer
from tests.games import empty_batch, game, random_batch

COUPLING = 3.0
RATE = 0.1
HYPER = RateHyper(actor_budget=RATE * np.sqrt(2), critic_rate=0.0)
SIZES = {"obs_size": 3, "action_size": 2, "hidden": (8, 8)}


def payoff(action):
    """Q = 2 a_1 + a_2 + k a_1 a_2, at a = 0: the gradients are (2, 1)."""
    return 2 * action[0] + action[1] + COUPLING * action[0] * action[1]


def key_of_order(wanted):
    """An update's key that draws this order of two agents."""
    keys = [jax.random.key(seed) for seed in range(50)]
    return next(key for key in keys if drawn_order(key, 2)[1].tolist() == wanted)


def played(rule, order, curvature="exact"):
    algorithm = game(payoff, jnp.zeros(2))._replace(in_turn=True)
    learn = learner(algorithm, from_optax(optax.sgd(1.0)), rule, 2, curvature)
    state = learn.init(jax.random.key(0))
    return learn.update(state, empty_batch(2), key_of_order(order))


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_the_later_one_climbs_from_where_the_first_has_moved(order):
    state, metrics = played(rates.fixed(HYPER), order)
    first, second = order
    gradients = np.array([2.0, 1.0])
    gradients[second] += COUPLING * RATE * gradients[first]
    np.testing.assert_allclose(state.params.actors[:, 0], RATE * gradients, rtol=1e-5)
    # On plain gradients a contribution is the square of what was climbed.
    np.testing.assert_allclose(metrics.signals.contribution, gradients**2, rtol=1e-5)


@pytest.mark.parametrize("curvature", ["exact", "secant", "lookahead"])
def test_a_second_order_rule_sees_the_whole_of_eq_3(curvature):
    """Contribution and curvature together: <g, d> from the start, and M l along these steps."""
    steered = rates.steer(HYPER, second_order=True)
    _, metrics = played(steered, [0, 1], curvature)
    directions = np.array([2.0, 1.0 + COUPLING * RATE * 2.0])
    from_start = np.array([2.0, 1.0]) * directions
    pairwise = COUPLING * RATE * np.prod(directions)
    found = metrics.signals.contribution + metrics.signals.curvature
    np.testing.assert_allclose(found, from_start + pairwise, rtol=1e-4)
    # Of the half that is in the second one's contribution nothing is left.
    np.testing.assert_allclose(metrics.signals.curvature, [pairwise, 0.0], atol=1e-4)


def test_every_order_is_drawn():
    keys = jax.random.split(jax.random.key(0), 200)
    orders = jax.vmap(lambda key: drawn_order(key, 3)[1])(keys)
    assert len(np.unique(orders, axis=0)) == 6


@pytest.mark.slow
def test_three_networks_on_adam_move_as_harl_s_do():
    """A loop over agents, each with an optimizer of its own, as in `off_policy_ha_runner.py`."""
    num_agents = 3
    algorithm = haddpg(num_agents=num_agents, **SIZES)
    learn = learner(algorithm, named_optimizer("adam"), rates.fixed(), num_agents)
    hyper = RateHyper(actor_budget=0.01 * np.sqrt(num_agents))
    state = learn.init(jax.random.key(0), rate_hyper=hyper)
    update = jax.jit(learn.update)

    def objective(own, agent, actors, critic, obs):
        actors = jax.tree.map(lambda leaf, new: leaf.at[agent].set(new), actors, own)
        action = algorithm.act(actors, obs)
        return jnp.mean(algorithm.value(critic, obs, action))

    slope = jax.jit(jax.grad(objective))
    adam = optax.adam(0.01)
    actors = state.params.actors
    own_states = [
        adam.init(jax.tree.map(lambda leaf, i=i: leaf[i], actors))
        for i in range(num_agents)
    ]
    for number in range(2):
        batch = random_batch(num_agents, 3, 2, number)
        key = jax.random.key(number)
        for agent in drawn_order(key, num_agents)[1].tolist():
            own = jax.tree.map(lambda leaf, i=agent: leaf[i], actors)
            uphill = slope(own, agent, actors, state.params.critic, batch.obs)
            step, own_states[agent] = adam.update(
                jax.tree.map(jnp.negative, uphill), own_states[agent], own
            )
            moved = optax.apply_updates(own, step)
            actors = jax.tree.map(
                lambda leaf, new, i=agent: leaf.at[i].set(new), actors, moved
            )
        state, _ = update(state, batch, key)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6),
            state.params.actors,
            actors,
        )


def test_one_agent_has_nobody_before_it():
    batch = random_batch(1, 3, 2, 0)
    moved = []
    for factory in (maddpg, haddpg):
        algorithm = factory(num_agents=1, **SIZES)
        learn = learner(algorithm, from_optax(optax.sgd(1.0)), rates.adama(), 1)
        state = learn.init(jax.random.key(0))
        moved.append(jax.jit(learn.update)(state, batch, jax.random.key(1)))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), *moved
    )
