"""MATD3 against TD3 written out by hand, and what moves at which of its updates."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.matd3 import matd3
from adama_jax.errors import Interrupted
from adama_jax.execution.runner import run
from adama_jax.rates import rules as rates
from adama_jax.rates.rules import RateHyper
from adama_jax.storage.folder import run_folder
from adama_jax.storage.reader import load_run
from adama_jax.training.learner import LearnerHyper, learner
from adama_jax.training.optimizers import named_optimizer
from tests.games import random_batch
from tests.helpers import ONE, assert_equal_runs, short, stop_at

N, OBS, ACTION = 2, 3, 2
HIDDEN = (8, 8)
SIZES = {"obs_size": OBS, "action_size": ACTION, "hidden": HIDDEN}


def make(rule=None, optimizer="adam", target_period=None, num_agents=N, **options):
    algorithm = matd3(num_agents=num_agents, **SIZES, **options)
    rule = rule or rates.adama()
    learn = learner(
        algorithm,
        named_optimizer(optimizer),
        rule,
        num_agents,
        target_period=target_period,
    )
    return algorithm, learn, jax.jit(learn.update)


def batch_of(seed, num_agents=N):
    return random_batch(num_agents, OBS, ACTION, seed)


def equal(left, right):
    return all(
        np.array_equal(one, other)
        for one, other in zip(
            jax.tree.leaves(left), jax.tree.leaves(right), strict=True
        )
    )


def test_one_agent_is_td3():
    """Written out: clipped double Q, smoothed target actions, an actor that moves at every other
    update, targets that move with it.
    """
    rate_a, rate_c, gamma, tau = 0.05, 0.02, 0.9, 0.1
    _, learn, update = make(rates.fixed(), "sgd", num_agents=1, target_noise=2)
    state = learn.init(
        jax.random.key(0),
        LearnerHyper(discount=gamma, target_step=tau),
        RateHyper(critic_rate=rate_c, actor_budget=rate_a),
    )

    def mlp(params, x):
        layers = params["params"]["MLP_0"]
        for name in ("Dense_0", "Dense_1"):
            x = jnp.maximum(x @ layers[name]["kernel"] + layers[name]["bias"][None], 0)
        return x @ layers["Dense_2"]["kernel"] + layers["Dense_2"]["bias"][None]

    def policy(actor, obs):
        return jnp.tanh(mlp(actor, obs))

    def q(critic, obs, action):
        return mlp(critic, jnp.concatenate([obs, action], 1))[:, 0]

    def error(critics, obs, action, y):
        return sum(jnp.mean((q(each, obs, action) - y) ** 2) for each in critics)

    def objective(actor, critics, obs):
        return jnp.mean(q(critics[0], obs, policy(actor, obs)))

    def descend(params, gradient, rate):
        return jax.tree.map(lambda p, g: p - rate * g, params, gradient)

    def towards(old, new):
        return jax.tree.map(lambda a, b: a + tau * (b - a), old, new)

    @partial(jax.jit, static_argnames="moves")
    def by_hand(actor, critics, old_actor, old_critics, batch, key, moves):
        obs, next_obs = batch.obs[0], batch.next_obs[0]
        k_critic, _ = jax.random.split(key)
        noise = 2 * jax.random.normal(k_critic, (1, *batch.action.shape[1:]))[0]
        limited = jnp.clip(noise, -0.5, 0.5)
        next_action = jnp.clip(policy(old_actor, next_obs) + limited, -1, 1)
        lower = jnp.minimum(*(q(each, next_obs, next_action) for each in old_critics))
        y = batch.reward + gamma * (1 - batch.terminated) * lower
        by_critics = jax.grad(error)(critics, obs, batch.action[0], y)
        by_actor = jax.grad(objective)(actor, critics, obs)
        critics = descend(critics, by_critics, rate_c)
        if moves:
            actor = descend(actor, by_actor, -rate_a)
            old_actor = towards(old_actor, actor)
            old_critics = towards(old_critics, critics)
        return actor, critics, old_actor, old_critics

    actor = jax.tree.map(lambda leaf: leaf[0], state.params.actors)
    critics = (state.params.critic["first"], state.params.critic["second"])
    assert not equal(*critics)
    theirs = (actor, critics, actor, critics)
    for number in range(4):
        batch, key = batch_of(number, 1), jax.random.key(number)
        theirs = by_hand(*theirs, batch, key, moves=number % 2 == 0)
        state, _ = update(state, batch, key)
        ours = (
            jax.tree.map(lambda leaf: leaf[0], state.params.actors),
            tuple(state.params.critic.values()),
            jax.tree.map(lambda leaf: leaf[0], state.targets.actors),
            tuple(state.targets.critic.values()),
        )
        for one, other in zip(
            jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_between_actor_updates_the_critic_alone_moves():
    """So the rates, the optimizers' states of the actors and soft targets stay as they are."""
    _, learn, update = make(rates.adama(RateHyper(critic_scale=0.1)), actors_every=3)
    state = learn.init(jax.random.key(0))
    for number in range(7):
        before = state
        state, metrics = update(state, batch_of(number), jax.random.key(number))
        moves = number % 3 == 0
        assert not equal(before.params.critic, state.params.critic)
        assert not equal(before.optimizers.critic, state.optimizers.critic)
        for old, new in (
            (before.params.actors, state.params.actors),
            (before.optimizers.actors, state.optimizers.actors),
            (before.rule, state.rule),
            (before.targets, state.targets),
            (before.measured.signals, metrics.signals),
            (before.measured.value, metrics.value),
        ):
            assert equal(old, new) != moves
        assert int(state.rule.updates) == number // 3 + 1
        assert equal(metrics.rates, state.rule.rates)
        assert float(metrics.td_loss) != float(before.measured.td_loss)
    assert int(state.updates) == 7


@pytest.mark.slow
def test_hard_targets_are_copied_when_it_is_time():
    _, learn, update = make(actors_every=3, target_period=2)
    state = learn.init(jax.random.key(0))
    for number in range(1, 5):
        before = state.targets
        state, _ = update(state, batch_of(number), jax.random.key(number))
        expected = state.params if number % 2 == 0 else before
        assert equal(state.targets, expected)


def test_an_update_of_the_critic_alone_skips_the_rest_in_a_population_too():
    """The condition is no member's own: XLA runs one branch, and that has fewer products."""
    _, learn, _ = make()
    keys = jax.random.split(jax.random.key(0), 4)
    states = jax.eval_shape(jax.vmap(learn.init), keys)
    states = states._replace(updates=jax.ShapeDtypeStruct((), jnp.int32))
    axes = jax.tree.map(lambda _: 0, states)._replace(updates=None)
    batches = jax.tree.map(lambda leaf: jnp.stack([leaf] * 4), batch_of(0))
    together = jax.vmap(learn.update, in_axes=(axes, 0, 0), out_axes=(axes, 0))
    jaxpr = jax.make_jaxpr(together)(states, batches, keys)
    (condition,) = [each for each in jaxpr.eqns if each.primitive.name == "cond"]
    critic_alone, everything = (
        str(branch).count("dot_general") for branch in condition.params["branches"]
    )
    assert 10 < critic_alone < everything - 10


def test_the_first_critic_is_what_actors_climb():
    algorithm, learn, update = make(rates.fixed(), "sgd")
    state, batch = learn.init(jax.random.key(0)), batch_of(1)
    actors, critic = state.params.actors, state.params.critic
    action = algorithm.act(actors, batch.obs)
    _, metrics = update(state, batch, jax.random.key(1))
    value = algorithm.value(critic, batch.obs, action)
    np.testing.assert_allclose(metrics.value, jnp.mean(value), rtol=1e-5)
    # The second one's share of the direction does nothing to J.
    changed = jax.tree.map(lambda leaf: leaf + 1, critic["second"])
    other = state._replace(
        params=state.params._replace(critic=critic | {"second": changed})
    )
    _, also = update(other, batch, jax.random.key(1))
    assert float(also.td_loss) != float(metrics.td_loss)
    for one, two in zip(metrics.signals, also.signals, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)


def test_what_pads_an_action_stays_0_in_targets():
    """Else the target critics would see noise where there is no action."""
    algorithm = matd3(num_agents=N, **SIZES, action_sizes=(2, 1), target_noise=5.0)
    params = algorithm.init(jax.random.key(0))
    batch = batch_of(0)
    batch = batch._replace(action=batch.action.at[1, :, 1].set(0.0))

    def loss(targets):
        arguments = (batch, jnp.float32(0.9), jax.random.key(1))
        return algorithm.critic_loss(params, targets, *arguments)

    found = jax.jit(loss)(params)
    for name, change in (("padded", -1), ("real", -2)):
        kernels = jax.tree.map(jnp.copy, params.critic)
        for critic in kernels.values():
            layer = critic["params"]["MLP_0"]["Dense_0"]
            layer["kernel"] = layer["kernel"].at[change].add(100.0)
        other = jax.jit(loss)(params._replace(critic=kernels))
        assert (float(other) == float(found)) == (name == "padded")


@pytest.mark.slow
def test_a_run_that_is_stopped_between_actor_updates_goes_on_to_the_same_bits(tmp_path):
    """After 100 updates, of which the last moved the actors: what it measured is kept."""
    changes = {"algorithm": "hatd3", "own.actors_every": 3}
    config = short("adama_2nd", **changes)
    whole, stopped = (run_folder(tmp_path / name, config) for name in ("a", "b"))
    run([config], tmp_path / "a", devices=ONE)
    with pytest.raises(Interrupted):
        run([config], tmp_path / "b", stop_at(1), ONE)
    run([config], tmp_path / "b", devices=ONE)
    assert_equal_runs(load_run(whole), load_run(stopped))
