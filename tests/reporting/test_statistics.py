"""Agreement with rliable 1.2's numbers.

They were computed once with it (50,000 and 20,000 resamples) and stored here.
"""

import numpy as np
import pytest

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
    assert np.isfinite(iqm_interval(with_lost)).all()
    assert probability_of_improvement(with_lost, np.zeros(5)) == pytest.approx(0.8)
    assert probability_of_improvement(np.zeros(5), with_lost) == pytest.approx(0.2)
    assert np.isnan(iqm(np.full(3, np.nan)))


def test_one_seed_has_no_interval():
    assert np.isnan(iqm_interval(np.array([1.0]))).all()
    assert np.isnan(improvement_interval(np.array([1.0]), np.array([1.0, 2.0]))).all()
