"""Agreement with rliable 1.2's numbers.

They were computed once with it (50,000 and 20,000 resamples) and stored here.
"""

from itertools import product

import numpy as np
import pytest

from adama_jax.reporting import statistics
from adama_jax.reporting.statistics import (
    improvement_interval,
    iqm,
    iqm_interval,
    probability_of_improvement,
)

OURS = np.array(
    [
        [1.0, 1.15, 0.86],
        [0.55, 0.77, 0.5],
        [1.03, 1.67, 0.75],
        [0.69, 1.24, 1.18],
        [1.05, 0.53, 0.99],
    ]
)
THEIRS = np.array([
    [1.05, 0.03, 0.47], [-0.25, 0.06, -0.22], [0.58, 0.07, 0.84],
    [0.78, 0.61, -0.56], [0.43, 0.68, 0.76], [-0.07, 0.46, 0.21],
])  # fmt: skip
RLIABLE = {
    1: {
        "iqm": 0.9066666667,
        "interval": (0.5966666667, 1.0433333333),
        "better": 0.75,
        "between": (0.4, 1.0),
    },
    3: {
        "iqm": 0.9211111111,
        "interval": (0.7422222222, 1.0677777778),
        "better": 0.85,
        "between": (0.7, 0.9666666667),
    },
}


@pytest.mark.parametrize("tasks", [1, 3])
def test_rliable_s_numbers(tasks):
    ours, theirs, expected = OURS[:, :tasks], THEIRS[:, :tasks], RLIABLE[tasks]
    assert iqm(ours) == pytest.approx(expected["iqm"], abs=1e-6)
    assert iqm_interval(ours) == pytest.approx(expected["interval"], abs=0.02)
    assert probability_of_improvement(ours, theirs) == pytest.approx(
        expected["better"], abs=1e-6
    )
    assert improvement_interval(ours, theirs) == pytest.approx(
        expected["between"], abs=0.02
    )


def test_a_vector_is_one_task():
    assert iqm(OURS[:, 0]) == iqm(OURS[:, :1])
    assert iqm_interval(OURS[:, 0]) == iqm_interval(OURS[:, :1])
    assert probability_of_improvement(OURS[:, 0], THEIRS[:, 0]) == pytest.approx(0.75)


def in_every_order(values):
    """All resamples, each as often as it is drawn: [S] to [S ** S, S]."""
    return np.array(list(product(values, repeat=len(values))))


def least_of_95_percent(values):
    """The values below which 2.5% and 97.5% of them lie, without interpolation."""
    return tuple(np.percentile(values, [2.5, 97.5], method="inverted_cdf"))


@pytest.mark.parametrize(
    "values",
    [[0.0, 1.0, 5.0, 20.0], [4.0, 4.0, 7.0, 1.0, 0.0], [3.0, 2.0, 8.0, 1.0, 9.0, 4.0]],
)
def test_of_few_seeds_every_resample_counts(values):
    """A quarter is cut from either end: of 4 to 7 the least and the most."""
    middle = np.sort(in_every_order(values), axis=1)[:, 1:-1]
    expected = least_of_95_percent(np.mean(middle, axis=1))
    np.testing.assert_allclose(iqm_interval(np.array(values)), expected, rtol=1e-12)


def test_of_8_seeds_two_are_cut_from_either_end():
    """Of 0 and seven times 1 a resample with k zeros has k - 2 of them in its middle four.

    Three zeros or more come in 6.7% of all, four in 1.1%: the lower end has three.
    """
    eight = np.array([0.0, *[1.0] * 7])
    assert iqm(np.array([0.0, 0.0, 4.0, 4.0, 4.0, 4.0, 9.0, 99.0])) == 4.0
    assert iqm_interval(eight) == (0.75, 1.0)


def test_of_few_seeds_every_pair_of_resamples_counts():
    """Ties count half; -inf is a seed that diverged."""
    ours, theirs = np.array([1.0, 2.0, 6.0]), np.array([2.0, 5.0, np.nan])
    chances = []
    for x in in_every_order(ours):
        for y in in_every_order(np.nan_to_num(theirs, nan=-np.inf)):
            wins = (x[:, None] > y[None]) + 0.5 * (x[:, None] == y[None])
            chances.append(np.mean(wins))
    assert improvement_interval(ours, theirs) == pytest.approx(
        least_of_95_percent(chances)
    )


def test_drawn_resamples_are_about_as_good(monkeypatch):
    ours = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0])
    theirs = np.array([3.0, 1.5, 5.0, 7.0])
    exact = iqm_interval(ours), improvement_interval(ours, theirs)
    monkeypatch.setattr(statistics, "MOST_ENUMERATED", 0)
    drawn = iqm_interval(ours), improvement_interval(ours, theirs)
    np.testing.assert_allclose(drawn[0], exact[0], atol=0.3)
    np.testing.assert_allclose(drawn[1], exact[1], atol=0.05)


def test_what_is_drawn_is_the_same_every_time():
    many = np.random.default_rng(1).random((2, 40))
    assert iqm_interval(many[0]) == iqm_interval(many[0])
    assert improvement_interval(*many) == improvement_interval(*many)


def test_the_bootstrap_keeps_tasks_apart():
    """Two tasks on scales far apart.

    Mixing their seeds would give an interval from one scale to the other.
    """
    low, high = iqm_interval(
        np.array([[0.0, 100.0], [1.0, 101.0], [2.0, 102.0], [3.0, 103.0]])
    )
    assert 48 < low < high < 55


def test_a_diverged_run_is_left_out_of_means_and_loses_comparisons():
    with_lost = np.array([1.0, 2.0, 3.0, 4.0, np.nan])
    assert iqm(with_lost) == 2.5
    assert iqm_interval(with_lost) == iqm_interval(with_lost[:4]) == (1.0, 4.0)
    assert probability_of_improvement(with_lost, np.zeros(5)) == pytest.approx(0.8)
    assert probability_of_improvement(np.zeros(5), with_lost) == pytest.approx(0.2)
    assert np.isnan(iqm(np.full(3, np.nan)))


def test_one_seed_has_no_interval():
    assert np.isnan(iqm_interval(np.array([1.0]))).all()
    assert np.isnan(improvement_interval(np.array([1.0]), np.array([1.0, 2.0]))).all()
