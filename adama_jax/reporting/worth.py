"""How many tuning trials a method's default is worth: the best of k trials, expected, against k.

After Dodge et al., Show Your Work: Improved Reporting of Experimental Results (EMNLP 2019). What is
different here: the trials are those of a finite sweep, drawn without replacement, and counted
exactly, where the paper draws from their distribution with replacement; and the best is chosen on
other seeds than it is reported on, so that a lucky trial gains nothing by its luck.

Scores are final returns, [trials, seeds]: each trial is one point of the search space. NaN stands
for a seed that diverged, and counts as the lowest score that there is.
"""

from collections.abc import Iterator
from math import comb
from typing import NamedTuple

import numpy as np

from adama_jax.reporting.statistics import BOOTSTRAP_SEED

RESAMPLES = 2_000
# Above it, what the trials of a sweep differ by is within the noise of their seeds.
MOST_CHANCE = 0.05
Interval = tuple[float, float]


class Sweep(NamedTuple):
    """The trials of a search space, on two sets of seeds."""

    choice: np.ndarray  # [n, seeds], by which a best trial is chosen
    report: np.ndarray  # [n, other seeds], of which its score is


class TuningCurve(NamedTuple):
    """What a search of k trials ends at."""

    trials: np.ndarray  # k, 1 to n. [n]
    expected: np.ndarray  # over the orders in which the trials may be drawn. [n]
    # 95% of single searches, over orders and seeds. [n]
    low: np.ndarray
    high: np.ndarray


class Worth(NamedTuple):
    """How many trials a score is worth."""

    # 0: fewer than one, a trial at random; infinite: more than there are.
    trials: float
    interval: Interval  # 95%, over seeds
    # Whether the trials differ by more than their seeds do: if not, no number of them is an answer.
    told: bool


def expected_best(
    choice: np.ndarray,
    report: np.ndarray,
) -> np.ndarray:
    """The mean score of the best of k trials, over all draws without replacement. [n] x 2 to [n]

    Args:
        choice: of each trial, by which the best of those drawn is chosen.
        report: of each trial, what it scores then.

    The best of two of three trials is the last in two of three draws, and once the one before it.

    >>> expected_best(np.array([0.0, 1.0, 2.0]), np.array([0.0, 3.0, 6.0])).tolist()
    [3.0, 5.0, 6.0]
    """
    ranked = report[np.argsort(choice, kind="stable")]
    return _chances(len(ranked)) @ ranked


def tuning_curve(sweep: Sweep, resamples: int = RESAMPLES) -> TuningCurve:
    """What to expect of a search of k trials of a sweep, and what 95% of searches find.

    Args:
        sweep: its scores.
        resamples: draws of seeds, and of an order of the trials, that the band is of.
    """
    sweep = _finite(sweep)
    choice, report = (scores.mean(axis=1) for scores in sweep)
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    found = []
    for drawn_choice, drawn_report, _ in _resamples(sweep, generator, resamples):
        order = generator.permutation(len(report))
        found.append(_found(drawn_choice[order], drawn_report[order]))
    low, high = np.percentile(found, [2.5, 97.5], axis=0)
    expected = expected_best(choice, report)
    return TuningCurve(np.arange(1, len(report) + 1), expected, low, high)


def worth(
    sweep: Sweep,
    scores: np.ndarray,
    resamples: int = RESAMPLES,
) -> Worth:
    """How many trials of a sweep are expected to end at a method's score.

    Seeds are drawn for the method and the sweep together, for they are the same ones.

    Args:
        sweep: its scores.
        scores: of the method, on the seeds of the sweep's report. [seeds]
        resamples: draws of the seeds.

    Raises:
        ValueError: the method has other than the report's seeds.
    """
    if len(scores) != sweep.report.shape[1]:
        raise ValueError(
            f"scores: must be of the {sweep.report.shape[1]} seeds of the sweep's report, not of "
            f"{len(scores)}"
        )
    everything = _finite(Sweep(sweep.choice, np.vstack([sweep.report, scores])))
    *report, ours = everything.report
    sweep = Sweep(everything.choice, np.array(report))
    choice, means = (each.mean(axis=1) for each in sweep)
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    found = []
    for drawn_choice, drawn_report, seeds in _resamples(sweep, generator, resamples):
        curve = expected_best(drawn_choice, drawn_report)
        found.append(trials_of(curve, ours[seeds].mean()))
    ends = np.percentile(found, [2.5, 97.5], method="inverted_cdf")
    low, high = map(float, ends)
    trials = trials_of(expected_best(choice, means), ours.mean())
    return Worth(trials, (low, high), differs_by_more_than_seeds(sweep.report))


def trials_of(curve: np.ndarray, score: float) -> float:
    """At how many trials a curve of expected scores reaches a score, between two on a line.

    >>> curve = np.array([1.0, 3.0, 4.0])
    >>> [trials_of(curve, score) for score in (0.5, 1.0, 2.0, 4.0, 4.5)]
    [0.0, 1.0, 1.5, 3.0, inf]
    """
    if score < curve[0]:
        return 0.0
    reached = np.flatnonzero(curve >= score)
    if not reached.size:
        return float("inf")
    after = int(reached[0])
    if after == 0:
        return 1.0
    below, above = curve[after - 1], curve[after]
    return after + float((score - below) / (above - below))


def differs_by_more_than_seeds(report: np.ndarray) -> bool:
    """Whether trials differ by more than chance gives them, by Friedman's test over the seeds.

    Each seed ranks the trials, so that what a seed does to all of them alike counts for nothing.

    >>> same_for_all = np.array([[1.0, 5.0, 3.0, 2.0]] * 4) + 0.01 * np.eye(4)
    >>> better_by_row = np.array([[1.0, 5.0, 3.0, 2.0]] * 4) + np.arange(4)[:, None]
    >>> differs_by_more_than_seeds(same_for_all), differs_by_more_than_seeds(better_by_row)
    (False, True)
    """
    trials, seeds = report.shape
    # The test is of three or more, and a single seed shows no noise.
    if trials < 3 or seeds < 2:
        return False
    # Here, for it takes a second to import.
    from scipy.stats import friedmanchisquare

    chance = friedmanchisquare(*report).pvalue
    return bool(chance < MOST_CHANCE)


def _chances(count: int) -> np.ndarray:
    """The chance of each trial, worst first, to be the best of k of them. [k, trials]"""
    found = np.zeros((count, count))
    for drawn in range(1, count + 1):
        for rank in range(drawn - 1, count):
            found[drawn - 1, rank] = comb(rank, drawn - 1) / comb(count, drawn)
    return found


def _found(
    choice: np.ndarray,
    report: np.ndarray,
) -> np.ndarray:
    """What a search in this order has after each trial. [n] x 2 to [n]"""
    best = 0
    scores = []
    for trial, value in enumerate(choice):
        if value > choice[best]:
            best = trial
        scores.append(report[best])
    return np.array(scores)


def _resamples(
    sweep: Sweep,
    generator: np.random.Generator,
    resamples: int,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Means over drawn seeds, of choice and report, [n] each, and which those of the report are.

    The same seeds for all trials: what differs between two is what differs on the same seeds.
    """
    of_choice = sweep.choice.shape[1]
    of_report = sweep.report.shape[1]
    for _ in range(resamples):
        seeds = generator.integers(of_choice, size=of_choice)
        others = generator.integers(of_report, size=of_report)
        choice = sweep.choice[:, seeds].mean(axis=1)
        yield choice, sweep.report[:, others].mean(axis=1), others


def _finite(sweep: Sweep) -> Sweep:
    """With the lowest finite score in the place of what diverged, in each set of seeds."""
    lowest = [np.nanmin(scores) for scores in sweep]
    replaced = [
        np.where(np.isnan(scores), least, scores)
        for scores, least in zip(sweep, lowest, strict=True)
    ]
    return Sweep(*replaced)
