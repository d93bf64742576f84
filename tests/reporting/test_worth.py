"""What a search of k trials is worth, against all searches there are."""

import itertools

import numpy as np
import pytest

from adama_jax.reporting.worth import (
    Sweep,
    differs_by_more_than_seeds,
    expected_best,
    trials_of,
    tuning_curve,
    worth,
)

GENERATOR = np.random.default_rng(3)


def scores(trials=5, seeds=4, noise=0.1):
    """Each trial better than the one before by 1."""
    means = np.arange(trials, dtype=float)[:, None]
    return means + noise * GENERATOR.normal(size=(trials, seeds))


def test_the_expected_best_is_the_mean_over_all_orders():
    choice, report = GENERATOR.normal(size=(2, 5))
    found = np.zeros(5)
    orders = list(itertools.permutations(range(5)))
    for order in orders:
        for count in range(1, 6):
            best = max(order[:count], key=lambda trial: choice[trial])
            found[count - 1] += report[best] / len(orders)
    np.testing.assert_allclose(expected_best(choice, report), found)


def test_luck_on_the_seeds_of_the_choice_gains_nothing():
    """All trials are alike: more of them are no better, though the best one looks better."""
    choice = GENERATOR.normal(size=50)
    np.testing.assert_allclose(expected_best(choice, np.ones(50)), 1.0)


def test_a_curve_rises_from_the_mean_to_the_best_within_its_band():
    sweep = Sweep(scores(), scores())
    curve = tuning_curve(sweep, resamples=500)
    means = sweep.report.mean(axis=1)
    assert curve.trials.tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(curve.expected[[0, -1]], [means.mean(), means[-1]])
    assert np.all(np.diff(curve.expected) > 0)
    assert np.all(curve.low <= curve.expected)
    assert np.all(curve.expected <= curve.high)
    # One trial may be any of them; all five are the best one, up to the seeds' noise.
    assert curve.high[0] - curve.low[0] > 3
    assert curve.high[-1] - curve.low[-1] < 0.5


def test_a_method_is_worth_as_many_trials_as_end_where_it_does():
    sweep = Sweep(scores(16), scores(16))
    curve = tuning_curve(sweep, resamples=1).expected
    for count in (1, 4, 12):
        ours = np.full(4, curve[count - 1])
        found = worth(sweep, ours, resamples=300)
        assert found.trials == pytest.approx(count)
        low, high = found.interval
        assert low <= count <= high and found.told
    assert worth(sweep, np.full(4, -1.0), resamples=9).trials == 0
    best = worth(sweep, np.full(4, 16.0), resamples=9)
    assert best.trials == np.inf and best.interval == (np.inf, np.inf)


def test_the_sweep_s_own_best_trial_is_worth_all_of_them():
    """Seeds are drawn for both together: on each of them they are the same."""
    sweep = Sweep(scores(8), scores(8, noise=0.01))
    found = worth(sweep, sweep.report[-1], resamples=200)
    assert found.trials == pytest.approx(8)
    assert found.interval == pytest.approx((8, 8))


def test_where_the_seeds_noise_is_larger_nothing_is_told():
    alike = GENERATOR.normal(size=(16, 5))
    assert not differs_by_more_than_seeds(alike)
    assert not worth(Sweep(alike, alike), alike[0], resamples=9).told
    assert differs_by_more_than_seeds(scores(16, 5))
    # A seed that moves all trials alike is no noise between them.
    shifted = scores(16, 5) + 100 * GENERATOR.normal(size=5)
    assert differs_by_more_than_seeds(shifted)
    # Too few to say.
    assert not differs_by_more_than_seeds(scores(2, 5))
    assert not differs_by_more_than_seeds(scores(16, 1))


def test_what_diverged_counts_as_the_lowest_score():
    sweep = Sweep(scores(), scores())
    lost = sweep.report.copy()
    lost[2, 1] = np.nan
    lowest = sweep.report.min()
    by_hand = sweep.report.copy()
    by_hand[2, 1] = lowest
    curve = tuning_curve(Sweep(sweep.choice, lost), resamples=3)
    expected = tuning_curve(Sweep(sweep.choice, by_hand), resamples=3)
    np.testing.assert_array_equal(curve.expected, expected.expected)
    # The method's own too, which may be below all trials.
    ours = np.array([np.nan, -9.0, -9.0, -9.0])
    assert worth(sweep, ours, resamples=3).trials == 0


def test_other_seeds_than_the_report_s_are_refused():
    with pytest.raises(
        ValueError, match="must be of the 4 seeds of the sweep's report"
    ):
        worth(Sweep(scores(), scores()), np.zeros(3))


def test_a_curve_that_falls_is_read_where_it_first_gets_there():
    assert trials_of(np.array([1.0, 3.0, 2.0, 5.0]), 2.5) == 1.75
