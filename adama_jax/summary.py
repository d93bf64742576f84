"""Statistics of runs, and the table on the screen."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats
from rich.box import SIMPLE
from rich.table import Table

from adama_jax.store import Run, finite_seeds


class Summary(NamedTuple):
    """One line of the table. Returns are greedy, undiscounted, of seeds that stayed finite."""

    label: str
    final: float  # mean over seeds of the mean over the last tenth of the points
    iqm: float  # interquartile mean over seeds
    interval: tuple[float, float]  # 95% bootstrap interval of the IQM; NaN with one seed
    episodes_to_baseline: int | None  # first point at which the mean curve reaches the fixed method's final return
    updates_per_second: float
    seeds: int
    diverged: int


def final_returns(run: Run) -> np.ndarray:
    """Greedy return of each seed, mean over the last tenth of the points; NaN where the seed diverged. [S]"""
    returns = run.metrics["eval_return"]
    last = max(1, returns.shape[1] // 10)
    finals = returns[:, -last:].mean(axis=1)
    return np.where(finite_seeds(run), finals, np.nan)


def iqm(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Interquartile mean: the mean of what is left when a quarter is cut from either end (Agarwal et al., 2021).

    >>> float(iqm(np.array([0.0, 1.0, 2.0, 100.0])))
    1.5
    """
    return scipy.stats.trim_mean(values, 0.25, axis=axis)


def iqm_interval(values: np.ndarray, resamples: int = 10_000) -> tuple[float, float]:
    """95% percentile bootstrap interval of the IQM over seeds; NaN for fewer than two. [S] to (low, high)

    >>> low, high = iqm_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    >>> 1.0 <= low < 3.0 < high <= 5.0
    True
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    result = scipy.stats.bootstrap(
        (values,), iqm, n_resamples=resamples, method="percentile", rng=np.random.default_rng(0), vectorized=True
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def summarise(runs: Sequence[Run]) -> list[Summary]:
    """One summary a run; the baseline is the first of `runs` whose method is `fixed`, if any."""
    finals = [final_returns(run) for run in runs if run.config["method"] == "fixed"]
    baselines = [values[~np.isnan(values)].mean() for values in finals if not np.isnan(values).all()]
    return [_summarise(run, baselines[0] if baselines else None) for run in runs]


def _summarise(run: Run, baseline: float | None) -> Summary:
    finals = final_returns(run)
    good = finals[~np.isnan(finals)]
    empty = len(good) == 0
    return Summary(
        label=run.label,
        final=float("nan") if empty else float(good.mean()),
        iqm=float("nan") if empty else float(iqm(good)),
        interval=iqm_interval(good),
        episodes_to_baseline=None if baseline is None or empty else _first_reach(run, baseline, ~np.isnan(finals)),
        updates_per_second=run.meta["updates_per_second"],
        seeds=len(finals),
        diverged=len(finals) - len(good),
    )


def _first_reach(run: Run, level: float, kept: np.ndarray) -> int | None:
    mean = run.metrics["eval_return"][kept].mean(axis=0)
    reached = np.flatnonzero(mean >= level)
    return int(run.metrics["episode"][reached[0]]) if len(reached) else None


def table(runs: Sequence[Run], title: str) -> Table:
    """The summary as a rich table."""
    result = Table(title=title, title_justify="left", caption_justify="left", box=SIMPLE, pad_edge=False)
    headings = (
        "method",
        "final\nreturn",
        "IQM over seeds\n[95% interval]",
        "episodes to\nfixed's final",
        "updates\n/s",
        "seeds",
    )
    for heading in headings:
        result.add_column(heading, justify="left" if heading == "method" else "right", no_wrap=heading != "seeds")
    for line in summarise(runs):
        result.add_row(
            line.label,
            _number(line.final),
            f"{_number(line.iqm)} [{_number(line.interval[0])}, {_number(line.interval[1])}]",
            "-" if line.episodes_to_baseline is None else f"{line.episodes_to_baseline:,}",
            f"{line.updates_per_second:,.0f}",
            f"{line.seeds}" + (f" ({line.diverged} diverged)" if line.diverged else ""),
        )
    result.caption = "Greedy return per episode, mean over the last tenth of the evaluations; over seeds: mean, IQM."
    return result


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"
