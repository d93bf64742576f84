"""Statistics over seeds, on plain arrays.

After Agarwal et al., Deep RL at the Edge of the Statistical Precipice (NeurIPS 2021). Scores are
[S] for one task or [S, T], seeds by tasks. NaN stands for a seed that diverged: means leave it out,
and in comparisons it is worse than anything.
"""

import numpy as np
import scipy.stats

RESAMPLES = 10_000
# So that a table drawn twice is the same to the digit.
BOOTSTRAP_SEED = 0
NO_INTERVAL = (float("nan"), float("nan"))


def iqm(values: np.ndarray) -> float:
    """Interquartile mean, over seeds and tasks: a quarter is cut from either end.

    >>> iqm(np.array([0.0, 1.0, 2.0, 100.0]))
    1.5
    """
    finite = values[~np.isnan(values)]
    if not finite.size:
        return float("nan")
    return float(scipy.stats.trim_mean(finite, 0.25))


def iqm_interval(values: np.ndarray, resamples: int = RESAMPLES) -> tuple[float, float]:
    """95% percentile interval of the IQM. [S] or [S, T] to (low, high)

    The bootstrap is stratified: each task's seeds are drawn apart. NaN with fewer than two seeds.

    >>> low, high = iqm_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    >>> 1.0 <= low < 3.0 < high <= 5.0
    True
    """
    tasks = np.atleast_2d(values.T)
    columns = [scores[~np.isnan(scores)] for scores in tasks]
    if min(len(column) for column in columns) < 2:
        return NO_INTERVAL
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    drawn = [_resampled(column, resamples, generator) for column in columns]
    means = scipy.stats.trim_mean(np.concatenate(drawn, axis=1), 0.25, axis=1)
    return _percentiles(means)


def probability_of_improvement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Chance that a seed of ours scores above one of theirs, mean over the tasks.

    A tie counts half.

    >>> probability_of_improvement(np.array([1.0, 2.0]), np.array([1.0, 0.0, np.nan]))
    0.9166666666666666
    """
    chances = [_wins(x[None], y[None])[0] for x, y in _tasks(ours, theirs)]
    return float(np.mean(chances))


def improvement_interval(
    ours: np.ndarray,
    theirs: np.ndarray,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """95% percentile interval of `probability_of_improvement`.

    Seeds are drawn apart for each task and each side. NaN with fewer than two seeds on a side.
    """
    if min(len(ours), len(theirs)) < 2:
        return NO_INTERVAL
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    chances = []
    for x, y in _tasks(ours, theirs):
        our_draws = _resampled(x, resamples, generator)
        their_draws = _resampled(y, resamples, generator)
        chances.append(_wins(our_draws, their_draws))
    return _percentiles(np.mean(chances, axis=0))


def _tasks(ours: np.ndarray, theirs: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Both sides' scores, task by task. [S] or [S, T] x 2 to T times [S] x 2"""
    our_tasks = np.atleast_2d(_diverged_last(ours).T)
    their_tasks = np.atleast_2d(_diverged_last(theirs).T)
    return list(zip(our_tasks, their_tasks, strict=True))


def _diverged_last(scores: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(scores), -np.inf, scores)


def _wins(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mann and Whitney's U over the number of pairs, row by row. [R, S], [R, S'] to [R]"""
    ours = x[:, :, None]
    theirs = y[:, None, :]
    points = (ours > theirs) + 0.5 * (ours == theirs)
    return np.mean(points, axis=(1, 2))


def _resampled(
    values: np.ndarray,
    resamples: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draws with replacement. [S] to [R, S]"""
    size = (resamples, len(values))
    drawn = generator.integers(len(values), size=size)
    return values[drawn]


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
