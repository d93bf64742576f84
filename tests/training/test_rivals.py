"""Each rival makes the update that its source has, for every agent and for the critic."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special
from optax import contrib

from adama_jax.config.checks import validate
from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.rivals import RIVALS
from adama_jax.config.schema import OPTIMIZERS, scenario_config
from adama_jax.errors import SettingError
from adama_jax.execution.build import make_hyper, make_rule, make_train
from adama_jax.execution.steps import make_optimizer
from adama_jax.optax.adam_hd import adam_hd
from adama_jax.optax.muon import muon
from adama_jax.optax.trac import DISCOUNTS, erfi, trac
from adama_jax.testing import check_optimizer
from adama_jax.testing.optimizers import check_finite
from adama_jax.training import scale_finders
from adama_jax.training.adam_rel import adam_rel, on_local_time
from adama_jax.training.optimizers import clipped
from adama_jax.training.schedule_free import schedule_free_adam
from adama_jax.tree import step
from adama_jax.types import Params, Rates

FINDERS = ("prodigy", "dadapt_adamw", "dog", "dowg", "mechanic", "trac")
STEPS = 40
TRACS_STEPS = 120  # until its scale has grown from 1e-8


def a_gradient(number, params):
    """Of a slope that turns now and then: signs change, sizes too."""
    return params * (1 + number % 3) + np.sin(number) * np.array([1.0, -0.5, 2.0])


def trained(tx, start, rate=1.0, steps=STEPS):
    """Parameters after each step at this rate."""
    update = jax.jit(tx.update)
    params, state, all_params = jnp.asarray(start), tx.init(jnp.asarray(start)), []
    for number in range(steps):
        gradient = jnp.asarray(a_gradient(number, np.asarray(params)), jnp.float32)
        updates, state = update(gradient, state, params)
        params = step(params, jnp.float32(rate), updates)
        all_params.append(np.asarray(params))
    return np.array(all_params)


START = np.array([1.0, -2.0, 0.5], np.float32)


class Adams:
    """Adam's direction, by the paper."""

    def __init__(self):
        self.m = self.v = 0.0

    def direction(self, gradient, time):
        self.m = 0.9 * self.m + 0.1 * gradient
        self.v = 0.999 * self.v + 0.001 * gradient**2
        unbiased = self.m / (1 - 0.9**time), self.v / (1 - 0.999**time)
        return unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)


def test_adam_hd_is_algorithm_5():
    """alpha += beta g_t . u_(t-1), with alpha_0 = 0.01 and beta = 1e-4; then Adam's step."""
    adam, params, alpha, last = Adams(), START.astype(float), 0.01, np.zeros(3)
    expected = []
    for number in range(STEPS):
        gradient = a_gradient(number, params)
        alpha += 1e-4 * gradient @ last
        last = adam.direction(gradient, number + 1)
        params = params - alpha * last
        expected.append(params)
    found = trained(adam_hd(hyper_step=1e-4 / 0.01), START, rate=0.01)
    np.testing.assert_allclose(found, expected, rtol=2e-4)
    plain = trained(optax.adam(1.0), START, rate=0.01)
    assert np.abs(found - plain).max() > 0.01


def test_erfi_is_scipy_s():
    x = np.concatenate([np.linspace(-9, 9, 3001), np.geomspace(1e-6, 1, 50)])
    found = np.asarray(erfi(jnp.asarray(x, jnp.float32)))
    expected = scipy.special.erfi(x.astype(np.float32).astype(float))
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-12)


def test_trac_is_its_authors_code():
    """As theirs: the sum of Adam's steps is had by dividing out of the parameters what scaled it.

    In double precision, since that division begins with a scale of 1e-8.
    """
    adam, params, rate = Adams(), START.astype(float), 0.01
    discounts = np.array(DISCOUNTS)
    variance, sigma, scale = np.zeros(6), np.full(6, 1e-8), 0.0
    first = params.copy()
    expected = []
    for number in range(TRACS_STEPS):
        gradient = a_gradient(number, params)
        added = (params - first) / (scale + 1e-8)
        along = gradient @ added
        variance = discounts**2 * variance + along**2
        sigma = discounts * sigma - along
        agreement = sigma / (np.sqrt(2) * np.sqrt(variance) + 1e-8)
        unit = scipy.special.erfi(1 / np.sqrt(2))
        scale = max(np.sum(1e-8 / unit * scipy.special.erfi(agreement)), 0.0)
        added = added - rate * adam.direction(gradient, number + 1)
        params = first + scale * added
        expected.append(params)
    found = trained(trac(optax.adam(rate)), START, steps=TRACS_STEPS)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert np.abs(expected[-1] - START).max() > 0.1


@pytest.mark.parametrize("every", [1, 2, 3])
def test_adam_rel_counts_from_the_last_copy_of_targets(every):
    """By the definition: steps that were made since the targets changed, at updates 5, 10, ..."""
    adam, params, since = Adams(), START.astype(float), 0
    expected = []
    for update in range(every * STEPS):
        if update % 5 == 0:
            since = 0
        if update % every == 0:
            number = update // every
            since += 1
            gradient = a_gradient(number, params)
            params = params - 0.01 * adam.direction(gradient, since)
            expected.append(params)
    found = trained(on_local_time(5, every), START, rate=0.01)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_adam_rel_needs_targets_that_are_copied():
    with pytest.raises(ValueError, match="target_period=None"):
        adam_rel()
    config = with_settings(scenario_config("clustering"), {"method": "adam_rel"})
    validate(config)
    with pytest.raises(SettingError, match=r"^learning.targets=soft: must be hard"):
        validate(with_settings(config, {"learning.targets": "soft"}))


def two_actors(start):
    return Params(
        actors=jnp.stack([jnp.asarray(start), jnp.asarray(start) * 2]),
        critic=jnp.asarray(start) * 0.5,
    )


def look(optimizer, params, states, rates):
    """Where gradients are taken."""
    if optimizer.gradients_at is None:
        return params
    return optimizer.gradients_at(params, states, rates)


@pytest.mark.parametrize("largest_norm", [None, 1e6])
def test_schedule_free_adam_is_optax_s(largest_norm):
    """Parameters are optax's evaluation parameters, gradients are taken at optax's own."""
    optimizer = schedule_free_adam()
    if largest_norm is not None:
        optimizer = clipped(optimizer, largest_norm)
    rate = 0.01
    rates = Rates(critic=jnp.float32(rate), actors=jnp.full(2, rate))
    theirs = contrib.schedule_free_adamw(rate)
    params = two_actors(START)
    states = optimizer.init(params)
    y = jnp.asarray(START)
    state = theirs.init(y)
    for number in range(STEPS):
        at = look(optimizer, params, states, rates)
        np.testing.assert_allclose(at.actors[0], y, rtol=1e-4, atol=1e-5)
        gradients = Params(
            actors=jnp.stack([a_gradient(number, each) for each in at.actors]),
            critic=jnp.asarray(a_gradient(number, at.critic)),
        )
        steps, states = optimizer.update(gradients, states, params)
        params = jax.tree.map(lambda old, new: old + rate * new, params, steps)
        updates, state = theirs.update(jnp.asarray(gradients.actors[0]), state, y)
        y = optax.apply_updates(y, updates)
        x = contrib.schedule_free_eval_params(state, y)
        np.testing.assert_allclose(params.actors[0], x, rtol=1e-4, atol=1e-5)
    assert float(jnp.abs(x - y).max()) > 1e-3


ALONE = {
    "prodigy": contrib.prodigy,
    "dadapt_adamw": contrib.dadapt_adamw,
    "dog": contrib.dog,
    "dowg": contrib.dowg,
    "mechanic": lambda: contrib.mechanize(optax.adam(1.0)),
    "trac": lambda: trac(optax.adam(1e-3)),
}


def some(names, usual):
    """Those of the names that are tried in `make test`; the others are slow."""
    slow = pytest.mark.slow
    return [each if each in usual else pytest.param(each, marks=slow) for each in names]


@pytest.mark.parametrize("name", some(FINDERS, ("prodigy", "dog", "trac")))
def test_a_scale_is_found_for_each_agent_or_for_all(name):
    """Each agent's is what one alone would have; the global one is that of the stacked tree."""
    each, together = (
        getattr(scale_finders, each)() for each in (name, f"{name}_global")
    )
    start = two_actors(START).actors
    both = trained(each.actors, start)
    for agent in range(2):
        alone = trained(ALONE[name](), start[agent])
        np.testing.assert_allclose(both[:, agent], alone, rtol=2e-3, atol=1e-6)
    stacked = trained(ALONE[name](), start)
    np.testing.assert_allclose(trained(together.actors, start), stacked, rtol=1e-5)
    assert np.abs(both - stacked).max() > 1e-8
    np.testing.assert_allclose(
        trained(each.critic, START), trained(together.critic, START), rtol=1e-6
    )


TRIED = ("adam", "muon", "adam_hd", "schedule_free_adam", "prodigy", "dog_global")


@pytest.mark.parametrize("method", some(RIVALS, (*TRIED, "adopt", "adam_rel", "trac")))
def test_a_rival_keeps_the_contract_of_optimizers(method):
    """But for the proportion to a rate, which has no meaning where the rate is found."""
    config = with_settings(scenario_config("clustering"), {"method": method})
    optimizer = make_optimizer(config)
    if method.endswith("_global"):
        # It is for all agents together.
        check_finite(optimizer)
    else:
        check_optimizer(optimizer)
    assert METHODS[method].optimizer in OPTIMIZERS


def test_muon_steps_as_its_authors_set_it():
    ours = make_optimizer(
        with_settings(scenario_config("clustering"), {"method": "muon"})
    )
    theirs = contrib.muon(0.02, adam_learning_rate=3e-4)
    params = {"w": jnp.arange(6.0).reshape(2, 3), "b": jnp.array([1.0, -2.0])}
    expected, _ = theirs.update(params, theirs.init(params), params)
    found, _ = ours.critic.update(params, ours.critic.init(params), params)
    for name in params:
        np.testing.assert_allclose(0.02 * found[name], expected[name], rtol=1e-5)


def test_a_rival_s_rates_are_its_source_s():
    """One number for critic and actors, which a grid may vary."""
    base = scenario_config("clustering")
    expected = {"adam": 1e-3, "lion": 1e-4, "muon": 0.02, "prodigy": 1.0, "dog": 1.0}
    for method, rate in expected.items():
        config = with_settings(base, {"method": method})
        rule = make_rule(config)
        rates = rule.init(3, make_hyper(config).rates).rates
        np.testing.assert_allclose(rates.critic, rate, rtol=1e-6)
        np.testing.assert_allclose(rates.actors, np.full(3, rate), rtol=1e-6)


@pytest.mark.parametrize("method", some(RIVALS, TRIED))
def test_what_has_its_own_rate_is_stepped_by_adam(method):
    """A temperature's rate is a setting: steps of 1, and no scale that begins at 1e-6."""
    config = with_settings(scenario_config("clustering"), {"method": method})
    optimizer = make_optimizer(config)
    params = Params(jnp.ones((2, 3)), jnp.ones(3), {"temperature": jnp.ones(1)})
    steps, _ = optimizer.update(params, optimizer.init(params), params)
    np.testing.assert_allclose(steps.others["temperature"], [-1.0], rtol=1e-5)


def test_muon_makes_each_matrix_of_a_stack_orthogonal_and_no_bias():
    """FACMAC's utilities are a network for each agent, stacked: (N, in, out) and (N, out)."""
    stacked = {"kernel": jax.random.normal(jax.random.key(0), (3, 4, 5))}
    tx = muon()
    together, _ = tx.update(stacked, tx.init(stacked), stacked)
    for agent in range(3):
        own = {"kernel": stacked["kernel"][agent]}
        alone, _ = tx.update(own, tx.init(own), own)
        np.testing.assert_allclose(
            together["kernel"][agent], alone["kernel"], rtol=1e-3, atol=1e-4
        )
    bias = {"bias": jnp.ones((3, 5))}
    steps, _ = tx.update(bias, tx.init(bias), bias)
    # Adam's, with Nesterov's first step of 1.47.
    np.testing.assert_allclose(steps["bias"], np.full((3, 5), -0.0221), atol=1e-4)


def test_one_scale_for_all_and_agents_in_turn_do_not_go_together():
    """The next agent anticipates a step that would not be made."""
    config = with_settings(
        scenario_config("clustering"),
        {"method": "dog_global", "algorithm": "hatd3", "episodes": 10},
    )
    with pytest.raises(SettingError, match=r"^optimizer=dog_global: must be one that"):
        make_train(config)


def test_adam_s_rate_is_no_multiple_of_what_others_find():
    """A sweep over it beside them changes them in nothing: they do not have it."""
    assert "learning_rate" in METHODS["adam"].reads
    for method in ("prodigy", "dog_global", "cocob", "mechanic", "trac"):
        assert "learning_rate" not in METHODS[method].reads
        assert "multiple" in METHODS[method].reads
