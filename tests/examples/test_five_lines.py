"""Example 1: five lines bring AdaMa into a plain loop, with the rates of our own train step."""

import difflib
import sys
from importlib import import_module
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.rates.rules import RateHyper, adama
from adama_jax.training.learner import LearnerHyper, learner
from adama_jax.training.optimizers import from_optax
from adama_jax.types import Batch, Params

EXAMPLES = Path(__file__).parents[2] / "examples"
UPDATES = 100


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield import_module("maddpg_adama")
    for name in ("maddpg_adama", "landmarks"):
        sys.modules.pop(name, None)


def code_of(name):
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    _, _, code = text.split('"""', 2)
    return [line for line in code.splitlines() if line]


def test_five_lines_differ():
    changes = difflib.ndiff(code_of("maddpg_plain.py"), code_of("maddpg_adama.py"))
    marks = [line[0] for line in changes]
    assert (marks.count("+"), marks.count("-")) == (5, 4)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.stem)
def test_an_example_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 120


def as_algorithm(example):
    """The example's functions as an algorithm of ours."""

    def critic_loss(params, targets, batch, discount, key):
        old = {"actors": targets.actors, "critic": targets.critic}
        given = (batch.obs, batch.action, batch.reward, batch.next_obs)
        return example.critic_loss(params.critic, old, given)

    def objective(params, targets, batch, discount, key):
        return -example.actors_loss(params.actors, params.critic, batch.obs)

    def init(key):
        params = example.init(key)
        return Params(params["actors"], params["critic"])

    return Algorithm(
        init=init,
        act=example.act,
        sample=lambda actors, obs, noise, share: example.act(actors, obs),
        value=example.value,
        critic_loss=critic_loss,
        objective=objective,
        smooth=False,
    )


def batch_of(example, key):
    """A minibatch of the example's shapes, agents first."""
    k_obs, k_action, k_reward, k_after = jax.random.split(key, 4)
    agents, size = example.N, 32
    return (
        jax.random.normal(k_obs, (agents, size, example.OBS)),
        jax.random.uniform(k_action, (agents, size, example.ACTION), minval=-1),
        jax.random.normal(k_reward, (size,)),
        jax.random.normal(k_after, (agents, size, example.OBS)),
    )


def test_it_has_the_rates_of_our_learner(example):
    rule = adama(RateHyper(), auto_scale=True)
    learn = learner(
        as_algorithm(example),
        from_optax(optax.adam(1.0)),
        rule,
        example.N,
        target_period=None,
    )

    def one(carry, key):
        params, targets, state, ours = carry
        batch = batch_of(example, key)
        params, targets, state = example.update(params, targets, state, batch)
        obs, action, reward, after = batch
        given = Batch(obs, action, reward, after, jnp.zeros_like(reward))
        ours, metrics = learn.update(ours, given, key)
        return (params, targets, state, ours), (state.rule.rates, metrics.rates)

    key = jax.random.key(0)
    params = example.init(key)
    ours = learn.init(key, LearnerHyper(discount=example.GAMMA, target_step=0.01))
    start = (params, params, example.tx.init(params), ours)
    keys = jax.random.split(jax.random.key(1), UPDATES)
    run = jax.jit(lambda start, keys: jax.lax.scan(one, start, keys))
    _, (found, expected) = run(start, keys)
    # They have moved.
    assert float(jnp.ptp(expected.actors[-1])) > 1e-4
    assert float(abs(expected.critic[-1] - expected.critic[0])) > 1e-4
    np.testing.assert_allclose(found.actors, expected.actors, atol=1e-5)
    np.testing.assert_allclose(found.critic, expected.critic, atol=1e-5)
