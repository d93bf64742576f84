"""Statistics over seeds, on plain arrays.

After Agarwal et al., Deep RL at the Edge of the Statistical Precipice (NeurIPS 2021). Scores are
[S] for one task or [S, T], seeds by tasks. NaN stands for a seed that diverged: means leave it out,
and in comparisons it is worse than anything.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb

import numpy as np

# Of a bootstrap with fewer distinct resamples each is taken, by its weight: two sides of 5 seeds
# have 126 x 126. Of others so many are drawn.
MOST_ENUMERATED = 20_000
RESAMPLES = 10_000
# So that a table drawn twice is the same to the digit.
BOOTSTRAP_SEED = 0
NO_INTERVAL = (float("nan"), float("nan"))


def _middle_half(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """The mean along an axis, of which a quarter is cut from either end."""
    # Here, for it takes a second to import, which who mistypes a setting need not wait for.
    from scipy.stats import trim_mean

    return trim_mean(values, 0.25, axis=axis)


def iqm(values: np.ndarray) -> float:
    """Interquartile mean, over seeds and tasks: a quarter is cut from either end.

    >>> iqm(np.array([0.0, 1.0, 2.0, 100.0]))
    1.5
    """
    finite = values[~np.isnan(values)]
    if not finite.size:
        return float("nan")
    return float(_middle_half(finite))


def iqm_interval(values: np.ndarray, resamples: int = RESAMPLES) -> tuple[float, float]:
    """95% percentile interval of the IQM. [S] or [S, T] to (low, high)

    The bootstrap is stratified: each task's seeds are drawn apart. NaN with fewer than two seeds.
    With few seeds (8 of one task) it is exact, over all resamples; else over `resamples` draws.

    >>> iqm_interval(np.array([0.0, 1.0, 1.0, 1.0, 1.0]))
    (0.3333333333333333, 1.0)
    """
    tasks = np.atleast_2d(values.T)
    columns = [scores[~np.isnan(scores)] for scores in tasks]
    if min(len(column) for column in columns) < 2:
        return NO_INTERVAL
    drawn, weights = _resampled(columns, resamples)
    means = _middle_half(np.concatenate(drawn, axis=1), axis=1)
    return _percentiles(means, weights)


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
    With few seeds (5 on each side of one task) it is exact; else over `resamples` draws.

    >>> improvement_interval(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    (0.0, 1.0)
    """
    if min(len(ours), len(theirs)) < 2:
        return NO_INTERVAL
    columns = []
    for pair in _tasks(ours, theirs):
        columns += pair
    drawn, weights = _resampled(columns, resamples)
    # Ours and theirs of each task take turns.
    our_draws = drawn[::2]
    their_draws = drawn[1::2]
    chances = []
    for x, y in zip(our_draws, their_draws, strict=True):
        chances.append(_wins(x, y))
    return _percentiles(np.mean(chances, axis=0), weights)


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
    columns: Sequence[np.ndarray],
    resamples: int,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Draws with replacement from each column, and the weight of each. C times [S] to [R, S], [R]

    All there are where they are few, each by the chance of it; else so many at random.
    """
    distinct = 1
    for column in columns:
        size = len(column)
        distinct *= comb(2 * size - 1, size)
    if distinct <= MOST_ENUMERATED:
        return _every_resample(columns)
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    drawn = []
    for column in columns:
        size = len(column)
        picked = generator.integers(size, size=(resamples, size))
        drawn.append(column[picked])
    return drawn, np.ones(resamples)


def _every_resample(
    columns: Sequence[np.ndarray],
) -> tuple[list[np.ndarray], np.ndarray]:
    """Every resample of the columns beside each other, and in how many orders it can be drawn."""
    choices = [_choices(len(column)) for column in columns]
    numbers = [np.arange(len(orders)) for _, orders in choices]
    # Each choice of one column meets each of the others.
    grid = np.meshgrid(*numbers, indexing="ij")
    drawn = []
    weights = np.ones(grid[0].size)
    for column, choice, number in zip(columns, choices, grid, strict=True):
        picked, orders = choice
        chosen = number.ravel()
        drawn.append(column[picked[chosen]])
        weights *= orders[chosen]
    return drawn, weights


def _choices(size: int) -> tuple[np.ndarray, np.ndarray]:
    """What `size` draws of `size` things can give, and in how many orders each. [R, S], [R]

    >>> picked, orders = _choices(2)
    >>> picked.tolist(), orders.tolist()
    ([[0, 0], [0, 1], [1, 1]], [1.0, 2.0, 1.0])
    """
    numbers = np.arange(size)
    choices = combinations_with_replacement(numbers, size)
    picked = np.array(list(choices))
    times = np.sum(picked[:, :, None] == numbers, axis=1)
    from scipy.special import factorial  # here for the same reason

    alike = np.prod(factorial(times), axis=1)
    return picked, factorial(size) / alike


def _percentiles(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    ends = np.percentile(values, [2.5, 97.5], weights=weights, method="inverted_cdf")
    low, high = ends
    return float(low), float(high)
