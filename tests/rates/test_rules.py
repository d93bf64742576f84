"""One contract for every rate rule."""

import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.config.methods import METHODS
from adama_jax.rates.rules import RULES, RateHyper, adama, balance, fixed, steer
from adama_jax.types import Signals

EVERY = {
    "fixed": fixed(),
    "steer": steer(),
    "steer_2nd": steer(second_order=True),
    "balance": balance(),
    "balance_auto": balance(auto_scale=True),
    "adama": adama(),
    "adama_2nd": adama(second_order=True),
    "adama_auto": adama(auto_scale=True, trial_updates=3),
}
HYPER = RateHyper(smoothing=0.9, critic_scale=5.0)


@pytest.fixture(params=EVERY)
def rule(request):
    return EVERY[request.param]


def signals(n, seed=0, scale=1.0):
    c, k = np.random.default_rng(seed).random((2, n)).astype(np.float32)
    return Signals(jnp.array(c * scale), jnp.array((k - 0.5) * scale), jnp.array(3.0))


def run(rule, all_signals, n, hyper=HYPER):
    state = rule.init(n, hyper)
    for one in all_signals:
        state = rule.update(one, state)
    return state


def test_starts_uniform_and_within_its_budget(rule):
    rates = rule.init(4).rates
    assert rates.actors.shape == (4,)
    assert np.ptp(rates.actors) == 0
    total = RateHyper().total_rate / 2
    budget, critic = float(jnp.linalg.norm(rates.actors)), float(rates.critic)
    balances = rule in (
        EVERY["balance"],
        EVERY["balance_auto"],
        EVERY["adama"],
        EVERY["adama_2nd"],
        EVERY["adama_auto"],
    )
    expected = (total, total) if balances else (RateHyper().actor_budget, RateHyper().critic_rate)
    np.testing.assert_allclose((budget, critic), expected, rtol=1e-6)


def test_finite_when_nothing_contributes(rule):
    nothing = Signals(jnp.zeros(3), jnp.zeros(3), jnp.zeros(()))
    state = run(rule, [nothing] * 5, 3)
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(state))
    assert np.all(np.asarray(state.rates.actors) > 0)


def test_the_budget_is_held(rule):
    state = run(rule, [signals(4, seed) for seed in range(10)], 4)
    budget = float(jnp.linalg.norm(state.rates.actors))
    if rule in (EVERY["fixed"], EVERY["steer"], EVERY["steer_2nd"]):
        np.testing.assert_allclose(
            (budget, state.rates.critic), (HYPER.actor_budget, HYPER.critic_rate), rtol=1e-5
        )
    else:
        np.testing.assert_allclose(budget + float(state.rates.critic), HYPER.total_rate, rtol=1e-5)


def test_agents_may_be_named_in_any_order(rule):
    order = np.array([2, 0, 3, 1])
    given = [signals(4, seed) for seed in range(5)]
    shuffled = [
        s._replace(contribution=s.contribution[order], curvature=s.curvature[order]) for s in given
    ]
    np.testing.assert_allclose(
        run(rule, given, 4).rates.actors[order], run(rule, shuffled, 4).rates.actors, rtol=1e-5
    )


def test_the_direction_forgets_the_scale_of_q(rule):
    """Contributions and curvature grow together with Q; the balance does not forget it, that is m's job."""
    small = run(rule, [signals(4, seed) for seed in range(5)], 4).rates.actors
    large = run(rule, [signals(4, seed, scale=1e4) for seed in range(5)], 4).rates.actors
    np.testing.assert_allclose(small, large, rtol=1e-4)


def test_no_recompilation_and_stable_types(rule):
    update = jax.jit(rule.update)
    state = rule.init(4)
    for seed in range(3):
        new = update(signals(4, seed), state)
        assert jax.tree.map(lambda x: (x.shape, x.dtype, x.weak_type), new) == jax.tree.map(
            lambda x: (x.shape, x.dtype, x.weak_type), state
        )
        state = new
    assert update._cache_size() == 1


def test_second_order_rules_and_only_they_read_curvature(rule):
    base = [signals(4, seed) for seed in range(3)]
    bent = [s._replace(curvature=s.curvature + jnp.arange(4.0)) for s in base]
    differs = not np.allclose(run(rule, base, 4).rates.actors, run(rule, bent, 4).rates.actors)
    assert differs == rule.second_order


def test_a_grid_of_hyperparameters_is_one_vmap(rule):
    grid = jax.tree.map(lambda value: jnp.linspace(0.5, 1.0, 3) * jnp.float32(value), HYPER)
    batched = jax.vmap(lambda hyper: rule.update(signals(4), rule.init(4, hyper)))(grid)
    for i in range(3):
        one = jax.tree.map(operator.itemgetter(i), grid)
        alone = rule.update(signals(4), rule.init(4, one))
        np.testing.assert_allclose(batched.rates.actors[i], alone.rates.actors, rtol=1e-6)


def test_auto_scale_is_the_mean_of_the_first_updates():
    rule = balance(
        RateHyper(smoothing=0.0, total_rate=1.0, clip=0.0), auto_scale=True, trial_updates=3
    )
    state = rule.init(2)
    for kappa in (1.0, 3.0, 8.0):
        state = rule.update(Signals(jnp.ones(2), jnp.zeros(2), jnp.array(kappa)), state)
    for kappa in (2.0, 3.0):  # m stays (1 + 3 + 8) / 3 = 4
        state = rule.update(Signals(jnp.ones(2), jnp.zeros(2), jnp.array(kappa)), state)
        np.testing.assert_allclose(state.rates.critic, kappa / 4, rtol=1e-6)


def test_every_registered_rule_is_in_the_contract():
    assert set(RULES) <= set(EVERY)


def test_trial_updates_below_one_is_refused():
    with pytest.raises(ValueError, match="trial_updates=0"):
        adama(trial_updates=0)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_reads_the_settings_that_it_says_and_no_others(name):
    """What `Method.reads` leaves out changes no bit of the rates; what it names changes them."""
    method = METHODS[name]
    rule = RULES[method.rule](**({"second_order": True} if method.second_order else {}))
    base = RateHyper(
        clip=0.3, critic_scale=5.0, direction_floor=0.3
    )  # kappa / m = 0.6 is held at neither end ...
    low = [
        signals(4, seed)._replace(critic_term=jnp.array(0.5)) for seed in range(3)
    ]  # ... 0.1 at the lower
    for field in set(RateHyper._fields) - {"own"}:
        other = base._replace(**{field: getattr(base, field) * 0.9})
        changed = any(
            not np.array_equal(a, b)
            for given in ([signals(4)] * 3, low)
            for a, b in zip(
                run(rule, given, 4, base).rates, run(rule, given, 4, other).rates, strict=True
            )
        )
        assert changed == (field in method.reads), field
