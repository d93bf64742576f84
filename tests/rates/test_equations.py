"""Eqs. (1), (2), (3) on numbers that can be checked on paper."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adama_jax.rates.equations import balance_rates, steer_rates, unit


def test_balance_is_equation_2():
    """The present l_c, 0.002, is not the one that it tends to, 0.01 x 20 / 50."""
    l_c, eta = balance_rates(l_c=0.002, kappa=20.0, l=0.01, m=50.0, alpha=0.9, eps=0.1)
    np.testing.assert_allclose(l_c, 0.9 * 0.002 + 0.1 * 0.004, rtol=1e-6)
    np.testing.assert_allclose(eta, 0.01 - 0.0022, rtol=1e-6)


@pytest.mark.parametrize(("kappa", "share"), [(0.0, 0.1), (1e9, 0.9), (25.0, 0.5)])
def test_balance_settles_between_the_clips(kappa, share):
    l_c = jnp.array(0.005)
    for _ in range(600):
        l_c, eta = balance_rates(l_c, kappa, l=0.01, m=50.0, alpha=0.98, eps=0.1)
    np.testing.assert_allclose(
        [l_c, eta], [0.01 * share, 0.01 * (1 - share)], rtol=1e-4
    )


def test_steer_is_equation_1():
    l_a = steer_rates(
        jnp.array([0.6, 0.8]), jnp.array([9.0, 12.0]), eta=2.0, alpha=0.5, floor=0.0
    )
    # Already in the direction of (3, 4): only the norm moves.
    np.testing.assert_allclose(l_a, [1.2, 1.6], rtol=1e-6)
    l_a = steer_rates(
        jnp.array([1.0, 0.0]), jnp.array([0.0, 5.0]), eta=1.0, alpha=0.75, floor=0.0
    )
    np.testing.assert_allclose(
        l_a, np.array([0.75, 0.25]) / np.hypot(0.75, 0.25), rtol=1e-6
    )


def test_old_rates_count_by_their_length():
    """The mean of (1, 0) and (0, 3), made as long as eta, 3; not of two of equal length."""
    l_a = steer_rates(
        jnp.array([1.0, 0.0]), jnp.array([0.0, 5.0]), eta=3.0, alpha=0.5, floor=0.0
    )
    np.testing.assert_allclose(
        l_a, 3.0 * np.array([0.5, 1.5]) / np.hypot(0.5, 1.5), rtol=1e-6
    )


def test_the_floor_s_direction_is_made_unit_length_before_it_is_mixed():
    l_a = steer_rates(
        jnp.array([0.6, 0.8]), jnp.array([1.0, 0.0]), eta=1.0, alpha=0.5, floor=0.1
    )
    target = np.array([1.0, 0.1]) / np.hypot(1.0, 0.1)
    mixed = 0.5 * np.array([0.6, 0.8]) + 0.5 * target
    np.testing.assert_allclose(l_a, mixed / np.linalg.norm(mixed), rtol=1e-5)


def test_the_floor_lifts_a_negative_gain():
    l_a = steer_rates(
        jnp.array([0.7, 0.7]), jnp.array([4.0, -3.0]), eta=1.0, alpha=0.0, floor=0.1
    )
    np.testing.assert_allclose(
        l_a, np.array([0.8, 0.1]) / np.hypot(0.8, 0.1), rtol=1e-6
    )


def test_where_old_rates_and_target_cancel_the_target_decides():
    l_a = steer_rates(
        jnp.array([1.0, 0.0]), jnp.array([-5.0, 0.0]), eta=1.0, alpha=0.5, floor=0.0
    )
    np.testing.assert_array_equal(l_a, [-1.0, 0.0])


def test_where_nothing_is_known_the_rates_are_equal():
    l_a = steer_rates(jnp.zeros(4), jnp.zeros(4), eta=2.0, alpha=0.5, floor=0.0)
    np.testing.assert_allclose(l_a, np.ones(4), rtol=1e-6)


def test_the_floor_gives_the_public_figure_s_least_rate():
    l_a = steer_rates(
        jnp.array([0.7, 0.7]), jnp.array([1.0, 0.0]), eta=1.0, alpha=0.0, floor=0.1
    )
    np.testing.assert_allclose(l_a, [0.995, 0.0995], atol=5e-5)


def test_without_floor_a_negative_gain_gives_the_printed_formula():
    l_a = steer_rates(
        jnp.array([0.7, 0.7]), jnp.array([4.0, -3.0]), eta=1.0, alpha=0.0, floor=0.0
    )
    np.testing.assert_allclose(l_a, [0.8, -0.6], rtol=1e-6)


vectors = st.lists(st.floats(0, 1e3, width=32), min_size=2, max_size=6)


@settings(max_examples=60, deadline=None)
@given(vectors, st.floats(0, 0.999), st.sampled_from([0.0, 0.1]), st.floats(-18, 18))
def test_steer_holds_the_budget_and_forgets_the_scale(gain, alpha, floor, exponent):
    gain = jnp.array(gain, jnp.float32)
    l_a = jnp.full(gain.shape, 0.3)
    new = steer_rates(l_a, gain, eta=0.02, alpha=alpha, floor=floor)
    np.testing.assert_allclose(jnp.linalg.norm(new), 0.02, rtol=1e-5)
    if float(jnp.max(gain)) > 1e-3:
        scaled = steer_rates(
            l_a, gain * 10.0**exponent, eta=0.02, alpha=alpha, floor=floor
        )
        np.testing.assert_allclose(scaled, new, rtol=1e-4, atol=1e-7)


def test_zero_gain_leaves_the_direction():
    l_a = jnp.array([0.3, 0.4])
    np.testing.assert_allclose(
        steer_rates(l_a, jnp.zeros(2), eta=1.0, alpha=0.9, floor=0.1),
        [0.6, 0.8],
        rtol=1e-6,
    )


def test_a_gain_that_is_not_a_number_is_not_hidden():
    gain = jnp.array([jnp.nan, 1.0])
    new = steer_rates(jnp.ones(2), gain, eta=1.0, alpha=0.9, floor=0.1)
    assert np.all(np.isnan(new))


def test_unit_survives_extremes():
    for scale in (1e-37, 1e-20, 1.0, 1e30):
        np.testing.assert_allclose(
            unit(jnp.array([3.0, 4.0]) * scale, jnp.zeros(2)), [0.6, 0.8], rtol=1e-5
        )


@pytest.mark.parametrize("wrap", [jax.jit, lambda f: f])
def test_jit_changes_nothing(wrap):
    steer = wrap(steer_rates)
    np.testing.assert_allclose(
        steer(jnp.ones(2), jnp.array([3.0, 4.0]), 1.0, 0.0, 0.0), [0.6, 0.8], rtol=1e-6
    )
