"""Schedules scale what a rule says, and nothing that it remembers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.config.checks import validate
from adama_jax.config.names import with_settings
from adama_jax.config.reads import check_read
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.execution.build import make_hyper, make_rule, make_train
from adama_jax.rates.rules import RateHyper, adama
from adama_jax.rates.schedules import scheduled, share_at
from adama_jax.testing import check_rule
from adama_jax.types import Signals

OWN = {"schedule_end": 0.1, "warmup_share": 0.2}


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_the_share_is_optax_s(shape):
    """optax's schedules are of steps: 20 up, then 80 down."""
    warm = optax.linear_schedule(0.0, 1.0, 20)
    down = {
        "linear": optax.linear_schedule(1.0, 0.1, 80),
        "cosine": optax.cosine_decay_schedule(1.0, 80, alpha=0.1),
    }[shape]
    expected = optax.join_schedules([warm, down], [20])
    for number in range(101):
        share = share_at(jnp.float32(number / 100), shape, 0.1, 0.2)
        np.testing.assert_allclose(share, expected(number), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scaled", ["all", "critic", "actors"])
def test_a_rule_remembers_what_it_would_without(scaled):
    hyper = RateHyper(critic_scale=5.0)
    plain, rule = adama(), scheduled(adama(), "linear", scaled, updates=10)
    before = plain.init(3, hyper)
    state = rule.init(3, hyper._replace(own=OWN))
    for number in range(12):
        contributions = jax.random.uniform(jax.random.key(number), (3,))
        signals = Signals(contributions, jnp.zeros(3), jnp.float32(number))
        before = plain.update(signals, before)
        state = rule.update(signals, state)
        share = share_at(jnp.float32((number + 1) / 10), "linear", 0.1, 0.2)
        critic = share if scaled != "actors" else 1.0
        actors = share if scaled != "critic" else 1.0
        np.testing.assert_allclose(
            state.rates.critic, critic * before.rates.critic, rtol=1e-6
        )
        np.testing.assert_allclose(
            state.rates.actors, actors * before.rates.actors, rtol=1e-6
        )
    # Updates beyond the last have the end's share.
    assert float(share) == pytest.approx(0.1)


def test_a_scheduled_rule_keeps_the_contract_of_rules():
    rule = scheduled(adama(), "cosine", "all", updates=10)
    check_rule(rule, RateHyper(smoothing=0.9, critic_scale=5.0, own=OWN))


def scheduled_config(**changes):
    settings = {
        "method": "adam",
        "seeds": 1,
        "episodes": 8,
        "networks.hidden": (8,),
        "learning.capacity": 100,
        "learning.batch_size": 4,
        "rates.schedule": "linear",
    }
    config = with_settings(scenario_config("going_together"), settings | changes)
    validate(config)
    return config


def test_the_last_update_of_a_run_has_the_end_s_share():
    """Two ends in one program: the numbers are arrays."""
    config = scheduled_config()
    train = make_train(config)
    hypers = [
        make_hyper(with_settings(config, {"rates.schedule_end": end}))
        for end in (0.0, 0.5)
    ]
    both = jax.tree.map(lambda *each: jnp.stack(each), *map(_arrays, hypers))
    init = jax.vmap(train.init, in_axes=(None, 0))(jax.random.key(0), both)
    after = jax.jit(jax.vmap(lambda state: train.chunk(state, 8)[0]))(init)
    rates = after.learner.rule.rates
    np.testing.assert_allclose(rates.critic, [0.0, 0.5e-3], atol=1e-9)
    np.testing.assert_array_equal(after.learner.rule.updates, [8, 8])


def _arrays(hyper):
    return jax.tree.map(jnp.float32, hyper)


def test_rates_that_move_with_the_actors_have_fewer_updates():
    """MATD3 moves them at every second update, the first and the seventh among 8."""
    config = scheduled_config(algorithm="matd3")
    rule = make_rule(config, actors_every=2)
    state = rule.init(2, make_hyper(config).rates)
    signals = Signals(jnp.zeros(2), jnp.zeros(2), jnp.zeros(()))
    rates = []
    for _ in range(4):
        state = rule.update(signals, state)
        rates.append(float(state.rates.critic))
    np.testing.assert_allclose(rates, [0.75e-3, 0.5e-3, 0.25e-3, 0.0], atol=1e-9)


def test_what_no_schedule_reads_is_refused():
    config = scenario_config("going_together")
    given = with_settings(config, {"rates.schedule_end": 0.5})
    with pytest.raises(SettingError, match="is not read with schedule=constant"):
        check_read({"rates.schedule_end": 0.5}, [given])
