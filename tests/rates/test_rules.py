"""One contract for every rate rule."""

from pkgutil import resolve_name
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.config.methods import METHODS, Method
from adama_jax.config.names import SYMBOLS
from adama_jax.config.rivals import RIVALS
from adama_jax.config.schema import scenario_config
from adama_jax.fields import settings
from adama_jax.rates.rules import RateHyper, RateRule, adama, balance, steer
from adama_jax.testing import check_rule
from adama_jax.types import Signals


class Case(NamedTuple):
    """A method's rule; with `auto`, one that measures its scale."""

    method: Method
    auto: bool = False

    def rule(self) -> RateRule:
        options = {"auto_scale": True, "trial_updates": 3} if self.auto else {}
        if self.method.second_order:
            options["second_order"] = True
        return resolve_name(self.method.rule)(**options)

    def hyper(self, **values) -> RateHyper:
        own = {each.name: each.default for each in self.method.own}
        if "switching_period" in own:
            # The third update's turn is another one with nine tenths of it.
            own["switching_period"] = 2.2
        return RateHyper(own=own, **values)

    @property
    def balances(self):
        return "total_rate" in self.method.reads


# Of the rivals one with each rule: they differ in optimizers.
RULES = {
    name: method
    for name, method in METHODS.items()
    if name not in RIVALS or name in ("adam", "prodigy", "multi_timescale")
}
CASES = {name: Case(method) for name, method in RULES.items()} | {
    f"{name}_auto": Case(method, auto=True)
    for name, method in RULES.items()
    if "trial_updates" in method.reads
}
OF_THE_PAPER = [name for name in CASES if name not in RIVALS]


@pytest.fixture(params=CASES)
def any_case(request):
    return CASES[request.param]


@pytest.fixture(params=OF_THE_PAPER)
def case(request):
    return CASES[request.param]


@pytest.fixture
def rule(case):
    return case.rule()


@pytest.fixture
def hyper(case):
    return case.hyper(smoothing=0.9, critic_scale=5.0)


def signals(n, seed=0, scale=1.0):
    c, k = np.random.default_rng(seed).random((2, n)).astype(np.float32)
    return Signals(jnp.array(c * scale), jnp.array((k - 0.5) * scale), jnp.array(3.0))


def run(rule, all_signals, n, hyper):
    state = rule.init(n, hyper)
    for one in all_signals:
        state = rule.update(one, state)
    return state


def test_every_rule_keeps_the_contract(any_case):
    takes_turns = "switching_period" in any_case.method.reads
    hyper = any_case.hyper(smoothing=0.9, critic_scale=5.0)
    check_rule(any_case.rule(), hyper, order_free=not takes_turns)


def test_an_actor_that_contributes_nothing_still_moves(any_case):
    nothing = Signals(jnp.zeros(3), jnp.zeros(3), jnp.zeros(()))
    hyper = any_case.hyper(smoothing=0.9, critic_scale=5.0)
    state = run(any_case.rule(), [nothing] * 5, 3, hyper)
    assert np.all(np.asarray(state.rates.actors) > 0)


def test_starts_uniform_and_within_its_budget(case, rule):
    hyper = case.hyper()
    rates = rule.init(4, hyper).rates
    assert rates.actors.shape == (4,)
    assert np.ptp(rates.actors) == 0
    half = hyper.total_rate / 2
    expected = (
        (half, half) if case.balances else (hyper.actor_budget, hyper.critic_rate)
    )
    budget, critic = float(jnp.linalg.norm(rates.actors)), float(rates.critic)
    np.testing.assert_allclose((budget, critic), expected, rtol=1e-6)


def test_the_budget_is_held(case, rule, hyper):
    state = run(rule, [signals(4, seed) for seed in range(10)], 4, hyper)
    budget = float(jnp.linalg.norm(state.rates.actors))
    critic = float(state.rates.critic)
    if case.balances:
        np.testing.assert_allclose(budget + critic, hyper.total_rate, rtol=1e-5)
    else:
        constant = hyper.actor_budget, hyper.critic_rate
        np.testing.assert_allclose((budget, critic), constant, rtol=1e-5)


def test_auto_scale_is_the_mean_of_the_first_updates():
    rule = balance(
        RateHyper(smoothing=0.0, total_rate=1.0, clip=0.0),
        auto_scale=True,
        trial_updates=3,
    )
    state = rule.init(2)
    for kappa in (1.0, 3.0, 8.0):
        state = rule.update(Signals(jnp.ones(2), jnp.zeros(2), jnp.array(kappa)), state)
    for kappa in (2.0, 3.0):  # m stays (1 + 3 + 8) / 3 = 4
        state = rule.update(Signals(jnp.ones(2), jnp.zeros(2), jnp.array(kappa)), state)
        np.testing.assert_allclose(state.rates.critic, kappa / 4, rtol=1e-6)


def test_auto_scale_is_the_running_mean_until_then():
    """The present kappa counts: m is 8, then (8 + 4) / 2 = 6."""
    rule = balance(
        RateHyper(smoothing=0.0, total_rate=1.0, clip=0.0),
        auto_scale=True,
        trial_updates=100,
    )
    state = rule.init(2)
    for kappa, share in ((8.0, 1.0), (4.0, 4 / 6)):
        state = rule.update(Signals(jnp.ones(2), jnp.zeros(2), jnp.array(kappa)), state)
        np.testing.assert_allclose(state.rates.critic, share, rtol=1e-6)


def test_second_order_adds_the_curvature_to_the_contributions():
    """Eq. (3): (1, 2) + (2, -2) = (3, 0), whatever the sign of what is added."""
    rule = steer(
        RateHyper(actor_budget=1.0, smoothing=0.0, direction_floor=0.0),
        second_order=True,
    )
    given = Signals(jnp.array([1.0, 2.0]), jnp.array([2.0, -2.0]), jnp.zeros(()))
    rates = rule.update(given, rule.init(2)).rates
    np.testing.assert_allclose(rates.actors, [1.0, 0.0], atol=1e-7)


def test_the_actors_get_what_this_very_update_leaves_them():
    """Eq. (2) first, then Eq. (1): by hand l_c = 0.2, so |l_a| = 0.8, along (3, 4)."""
    rule = adama(
        RateHyper(total_rate=1.0, critic_scale=10.0, smoothing=0.0, direction_floor=0.0)
    )
    given = Signals(jnp.array([3.0, 4.0]), jnp.zeros(2), jnp.array(2.0))
    rates = rule.update(given, rule.init(2)).rates
    np.testing.assert_allclose(rates.critic, 0.2, rtol=1e-6)
    np.testing.assert_allclose(rates.actors, [0.48, 0.64], rtol=1e-6)


def test_trial_updates_below_one_is_refused():
    with pytest.raises(ValueError, match="trial_updates=0"):
        adama(trial_updates=0)


@pytest.mark.parametrize("name", RULES)
def test_a_method_reads_the_settings_that_it_says_and_no_others(name):
    """What `Method.reads` leaves out changes no bit of the rates; what it names changes them."""
    case = CASES[name]
    rule = case.rule()
    # kappa / m = 0.6 is held at neither end, 0.1 at the lower one.
    base = case.hyper(clip=0.3, critic_scale=5.0, direction_floor=0.3)
    middle = [signals(4)] * 3
    low = [signals(4, seed)._replace(critic_term=jnp.array(0.5)) for seed in range(3)]
    for field, other in changed_one_by_one(base).items():
        changed = any(
            differ(run(rule, given, 4, base).rates, run(rule, given, 4, other).rates)
            for given in (middle, low)
        )
        assert changed == (field in case.method.reads), field


def changed_one_by_one(hyper):
    """The same hyperparameters with one of them changed, by its name."""
    shared = [name for name in RateHyper._fields if name != "own"]
    changed = {
        name: hyper._replace(**{name: getattr(hyper, name) * 0.9}) for name in shared
    }
    for name, value in hyper.own.items():
        changed[name] = hyper._replace(own=hyper.own | {name: value * 0.9 or 0.1})
    return changed


def differ(rates, others):
    return any(not np.array_equal(a, b) for a, b in zip(rates, others, strict=True))


def test_numbers_of_a_rule_s_own_are_told_apart_from_all_settings():
    """Or one would be read for another."""
    shared = [
        each.name.rpartition(".")[2] for each in settings(scenario_config("clustering"))
    ]
    for method in METHODS.values():
        for own in method.own:
            assert own.name not in shared and own.symbol not in SYMBOLS
            assert own.bound.allows(own.default) and own.help
