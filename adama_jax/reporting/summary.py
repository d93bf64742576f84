"""What runs amount to, a line per run; `tables` prints and writes it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from adama_jax.config.methods import METHODS
from adama_jax.config.schema import Config
from adama_jax.reporting.labels import world_of
from adama_jax.reporting.statistics import (
    improvement_interval,
    iqm,
    iqm_interval,
    probability_of_improvement,
)
from adama_jax.storage.reader import Run, finite_seeds

Interval = tuple[float, float]
Compared = tuple[Any, str, str | None]  # world, algorithm, optimizer
EVEN = 0.5  # the chance of each of two that are alike to be above the other
LAST_PART = 10  # the final return is the mean over the last tenth of a curve


class Score(NamedTuple):
    """A number of each seed, in short; seeds that diverged are left out. NaN where too few are."""

    mean: float
    deviation: float  # standard deviation over seeds (n - 1)
    iqm: float  # interquartile mean
    interval: Interval  # 95% bootstrap interval of the IQM


class Summary(NamedTuple):
    """One line of the table. Returns are greedy, per episode, undiscounted."""

    scenario: str  # with the physics, where it is a robot's
    label: str
    episodes: int
    seeds: int
    diverged: int
    final: Score  # mean over the last tenth of the points
    # The area under the curve, divided by its length: the mean over training.
    area: Score
    # Chance that a seed ends above one of the baseline; a diverged seed is below all.
    improvement: float
    improvement_interval: Interval
    # The first point at which the mean curve reaches the baseline's final return; None where it
    # never does, or where the baseline learned nothing, so that its final return is no level.
    episodes_to_baseline: int | None
    updates_per_second: float
    method: str = ""
    # Of the direction of the actors' rates; None where the method does not direct them.
    direction_floor: float | None = None


def final_returns(run: Run) -> np.ndarray:
    """Greedy return of each seed, mean over the last tenth of the points. [S]

    NaN where the seed diverged.
    """
    returns = run.metrics["eval_return"]
    last = max(1, returns.shape[1] // LAST_PART)
    finals = returns[:, -last:].mean(axis=1)
    return np.where(finite_seeds(run), finals, np.nan)


def areas(run: Run) -> np.ndarray:
    """Area under each seed's curve of greedy returns over its length, by trapezia. [S]

    NaN where the seed diverged.
    """
    episode = run.metrics["episode"]
    returns = run.metrics["eval_return"]
    if len(episode) == 1:
        # A curve of one point has no length.
        mean = returns[:, 0]
    else:
        length = episode[-1] - episode[0]
        mean = np.trapezoid(returns, episode, axis=1) / length
    return np.where(finite_seeds(run), mean, np.nan)


def summarise(runs: Sequence[Run], baseline: str = "fixed") -> list[Summary]:
    """One summary per run.

    Args:
        runs: finished ones, of any scenarios.
        baseline: the method that others are compared with: the world's first run of it with the
            same algorithm and optimizer.
    """
    baselines: dict[Compared, Run] = {}
    for run in runs:
        # Neither a setting of a sweep nor one that was chosen from a grid: these have other labels.
        # An exhibit calls a run by its method, whatever the learner.
        plain = run.label in (run.stored.get("label", run.label), run.config.method)
        if plain and run.config.method == baseline:
            baselines.setdefault(_compared_within(run), run)
    return [_summarise(run, baselines.get(_compared_within(run))) for run in runs]


def _compared_within(run: Run) -> Compared:
    """What runs that are compared have in common: the world, the algorithm and the optimizer.

    rmsprop and its like, whose optimizer is their own, are compared with SGD.
    """
    config = run.config
    # A world of other numbers has other returns.
    world = (world_of(run), config.world.as_rewarded, config.horizon)
    return world, config.algorithm, config.usual_optimizer


def is_told_apart(line: Summary) -> bool:
    """Whether a run is above the baseline or below it, by the interval of the chance of that.

    Without an interval, for the baseline itself or with one seed, there is nothing to tell.
    """
    low, high = line.improvement_interval
    return not low <= EVEN <= high


def ranked(summaries: Sequence[Summary]) -> list[Summary]:
    """Best final return first; those of which a seed diverged last."""

    def key(line: Summary) -> tuple[int, float]:
        # NaN compares with nothing, and would leave the order to chance.
        final = line.final.mean
        return line.diverged, 0.0 if np.isnan(final) else -final

    return sorted(summaries, key=key)


def _summarise(run: Run, baseline: Run | None) -> Summary:
    finals = final_returns(run)
    improvement = float("nan")
    improvement_low_high = (float("nan"), float("nan"))
    reached = None
    if baseline is not None:
        theirs = final_returns(baseline)
        if _has_learned(baseline):
            reached = _first_reach(run, _mean(theirs))
        # The baseline is not compared with itself.
        if baseline is not run:
            improvement = probability_of_improvement(finals, theirs)
            improvement_low_high = improvement_interval(finals, theirs)
    last_episode = int(run.metrics["episode"][-1])
    diverged = int(np.isnan(finals).sum())
    final = _score(finals)
    area = _score(areas(run))
    method = run.config.method
    floor = direction_floor(run.config)
    return Summary(
        scenario=world_of(run),
        label=run.label,
        episodes=last_episode,
        seeds=len(finals),
        diverged=diverged,
        final=final,
        area=area,
        improvement=improvement,
        improvement_interval=improvement_low_high,
        episodes_to_baseline=reached,
        updates_per_second=run.meta["updates_per_second"],
        method=method,
        direction_floor=floor,
    )


def direction_floor(config: Config) -> float | None:
    """The floor that acts in a run; None where the method does not direct the actors' rates."""
    method = METHODS.get(config.method)
    if method is None or "direction_floor" not in method.reads:
        return None
    return config.rates.direction_floor


def _score(values: np.ndarray) -> Score:
    return Score(
        mean=_mean(values),
        deviation=_deviation(values),
        iqm=iqm(values),
        interval=iqm_interval(values),
    )


def _mean(values: np.ndarray) -> float:
    finite = values[~np.isnan(values)]
    return float(finite.mean()) if finite.size else float("nan")


def _deviation(values: np.ndarray) -> float:
    finite = values[~np.isnan(values)]
    return float(finite.std(ddof=1)) if finite.size > 1 else float("nan")


def _has_learned(run: Run) -> bool:
    """Whether every finite seed ends above its first point."""
    gains = final_returns(run) - run.metrics["eval_return"][:, 0]
    return bool((gains[finite_seeds(run)] > 0).all())


def _first_reach(run: Run, level: float) -> int | None:
    """The first point at which the mean curve of the finite seeds is at `level` or above."""
    kept = run.metrics["eval_return"][finite_seeds(run)]
    if not len(kept):
        return None
    reached = np.flatnonzero(kept.mean(axis=0) >= level)
    if not len(reached):
        return None
    return int(run.metrics["episode"][reached[0]])
