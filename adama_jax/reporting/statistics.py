"""Statistics over seeds (Agarwal et al., 2021, "Deep RL at the Edge of the Statistical Precipice"), on plain arrays.

Scores are [S] for one task or [S, T], seeds by tasks. NaN stands for a run that diverged: means leave it out, and
in comparisons it is worse than anything.
"""

import numpy as np
import scipy.stats

RESAMPLES = 10_000


def iqm(values: np.ndarray) -> float:
    """Interquartile mean: the mean of what is left when a quarter is cut from either end, over seeds and tasks.

    >>> iqm(np.array([0.0, 1.0, 2.0, 100.0]))
    1.5
    """
    values = values[~np.isnan(values)]
    return float(scipy.stats.trim_mean(values, 0.25)) if values.size else float("nan")


def iqm_interval(values: np.ndarray, resamples: int = RESAMPLES) -> tuple[float, float]:
    """95% percentile interval of the IQM; the bootstrap is stratified: each task's seeds are drawn apart.

    NaN with fewer than two seeds. [S] or [S, T] to (low, high)

    >>> low, high = iqm_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    >>> 1.0 <= low < 3.0 < high <= 5.0
    True
    """
    columns = [column[~np.isnan(column)] for column in np.atleast_2d(values.T)]
    if min(map(len, columns)) < 2:
        return float("nan"), float("nan")
    generator = np.random.default_rng(0)
    drawn = np.concatenate([_resampled(column, resamples, generator) for column in columns], axis=1)
    return _percentiles(scipy.stats.trim_mean(drawn, 0.25, axis=1))


def probability_of_improvement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Chance that a run of ours scores above one of theirs, a tie counting half, mean over the tasks.

    >>> probability_of_improvement(np.array([1.0, 2.0]), np.array([1.0, 0.0, np.nan]))
    0.9166666666666666
    """
    return float(np.mean([_wins(x[None], y[None])[0] for x, y in _tasks(ours, theirs)]))


def improvement_interval(
    ours: np.ndarray, theirs: np.ndarray, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """95% percentile interval of `probability_of_improvement`, seeds drawn apart for each task and each side.

    NaN with fewer than two seeds on a side.
    """
    if min(len(ours), len(theirs)) < 2:
        return float("nan"), float("nan")
    generator = np.random.default_rng(0)
    wins = [
        _wins(_resampled(x, resamples, generator), _resampled(y, resamples, generator))
        for x, y in _tasks(ours, theirs)
    ]
    return _percentiles(np.mean(wins, axis=0))


def _tasks(ours: np.ndarray, theirs: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    sides = (np.where(np.isnan(values), -np.inf, values) for values in (ours, theirs))
    return list(zip(*(np.atleast_2d(side.T) for side in sides), strict=True))


def _wins(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mann and Whitney's U over the number of pairs, row by row. [R, S], [R, S'] to [R]"""
    pairs = x[:, :, None], y[:, None, :]
    return np.mean((pairs[0] > pairs[1]) + 0.5 * (pairs[0] == pairs[1]), axis=(1, 2))


def _resampled(values: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    return values[generator.integers(len(values), size=(resamples, len(values)))]


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
