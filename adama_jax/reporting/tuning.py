"""What tuning costs and what a method saves of it: tuning curves, and methods' worth in trials."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from adama_jax.config.exhibits import Exhibit
from adama_jax.config.schema import Config
from adama_jax.reporting.figures import RETURN, finished, two_columns, worlds
from adama_jax.reporting.labels import seeds
from adama_jax.reporting.panels import COLOURS, DASHES
from adama_jax.reporting.summary import Summary, final_returns, summarise
from adama_jax.reporting.tables import csv_of, interval, markdown_of, number
from adama_jax.reporting.worth import Sweep, Worth, tuning_curve, worth
from adama_jax.storage.reader import Run

COLUMNS = (
    "scenario",
    "method",
    "seeds",
    "diverged",
    "trials",
    "worth",
    "worth_low",
    "worth_high",
    "told",
    "final_iqm",
    "final_low",
    "final_high",
    "area_iqm",
    "area_low",
    "area_high",
)
HEAD = (
    "worth: trials of the search that are expected to end at the method's mean final return; of "
    "each number of trials the best is chosen on other seeds than it is reported on. In brackets "
    "95% intervals, over seeds. below 1: a trial at random ends higher. Not told: that the "
    "trials of the search differ by more than their seeds do cannot be said (Friedman's test, 5%; "
    "two seeds are too few for it)."
)


class Searched(NamedTuple):
    """A scenario's search and the methods beside it."""

    sweep: Sweep
    trials: list[Run]  # of the search, on the seeds that are reported
    methods: list[Run]


class Line(NamedTuple):
    """A row of the table of worth."""

    summary: Summary
    worth: Worth
    trials: int  # that the search has


def searched(runs: Sequence[Run], chosen_from: Sequence[Run]) -> Searched | None:
    """The search among a scenario's runs; None where not all of its trials are on both seeds.

    Args:
        runs: the trials and the methods, on the seeds that are reported.
        chosen_from: the trials on other seeds.
    """
    choices = {but_seeds(run): run for run in chosen_from}
    trials = [run for run in runs if but_seeds(run) in choices]
    if len(trials) != len(choices) or not trials:
        return None
    of_choice = [choices[but_seeds(run)] for run in trials]
    sweep = Sweep(_finals(of_choice), _finals(trials))
    found = {run.folder for run in trials}
    methods = [run for run in runs if run.folder not in found]
    return Searched(sweep, trials, methods)


def lines(runs: Sequence[Run], chosen_from: Sequence[Run]) -> list[Line]:
    """How many trials each method is worth, scenario by scenario.

    Args:
        runs: of any scenarios, as `searched` takes those of one.
        chosen_from: likewise.
    """
    found = []
    for scenario in dict.fromkeys(run.config.scenario for run in runs):
        search = searched(*(_of(scenario, each) for each in (runs, chosen_from)))
        if search is None:
            continue
        for run in search.methods:
            (summary,) = summarise([run])
            value = worth(search.sweep, final_returns(run))
            found.append(Line(summary, value, len(search.trials)))
    return found


def worth_table(
    exhibit: Exhibit, runs: Sequence[Run], chosen_from: Sequence[Run]
) -> dict[str, str]:
    """The table of `lines`, as the texts of a CSV and a Markdown file."""
    rows = lines(runs, chosen_from)
    return {
        ".csv": _csv(rows),
        ".md": f"{exhibit.title}. {HEAD}\n\n{markdown_rows(rows)}",
    }


def tuning_curves(
    panels: Mapping[str, Sequence[Run]],
    title: str,
    chosen_from: Sequence[Run],
) -> Figure:
    """Expected final return of the best of k trials, and the methods' as lines across.

    A panel a scenario; the band is of 95% of single searches, over orders and seeds.
    """
    figure, all_axes = two_columns(panels, around=(3.5, 1.0), each=(3.5, 3.1))
    for axes, (scenario, runs) in zip(all_axes, panels.items(), strict=True):
        _panel(axes, searched(runs, _of(scenario, chosen_from)))
        axes.set_title(worlds(runs))
    everything = [run for runs in panels.values() for run in runs]
    note = f"band: 95% of searches; methods: mean over {seeds(everything)}"
    return finished(figure, title, note)


def _panel(axes: Axes, search: Searched | None) -> None:
    axes.set_xlabel("trials")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(RETURN)
    if search is None:
        axes.text(
            0.5,
            0.5,
            "trials are missing",
            ha="center",
            transform=axes.transAxes,
        )
        return
    curve = tuning_curve(search.sweep)
    axes.plot(curve.trials, curve.expected, color="black", label="best of the search")
    axes.fill_between(curve.trials, curve.low, curve.high, color="black", alpha=0.15)
    for place, run in enumerate(search.methods):
        # Of as many dashes as colours the second round of colours has others.
        dash = place + place // len(COLOURS)
        axes.axhline(
            float(np.nanmean(final_returns(run))),
            color=COLOURS[place % len(COLOURS)],
            linestyle=DASHES[dash % len(DASHES)],
            label=run.label,
        )


def _csv(rows: Sequence[Line]) -> str:
    found = []
    for summary, value, trials in rows:
        run = [summary.scenario, summary.label, summary.seeds, summary.diverged]
        of_search = [trials, value.trials, *value.interval, value.told]
        scores = []
        for each in (summary.final, summary.area):
            scores += [each.iqm, *each.interval]
        found.append([*run, *of_search, *scores])
    return csv_of(COLUMNS, found)


def markdown_rows(rows: Sequence[Line]) -> str:
    """The rows as a Markdown table."""
    headings = ("scenario", "method", "worth, trials", "final, IQM", "area, IQM")
    return markdown_of(headings, [_cells(line) for line in rows])


def _cells(line: Line) -> tuple[str, ...]:
    summary = line.summary
    lost = f", {summary.diverged} diverged" if summary.diverged else ""
    method = f"{summary.label} ({summary.seeds} seeds{lost})"
    of_search = worth_in_words(line.worth, line.trials)
    scores = [
        f"{number(each.iqm)} {interval(each.interval)}"
        for each in (summary.final, summary.area)
    ]
    return (summary.scenario, method, of_search, *scores)


def worth_in_words(value: Worth, trials: int) -> str:
    """How many trials of so many, with the interval.

    >>> worth_in_words(Worth(4.25, (1.0, float("inf")), told=True), 16)
    '4.2 of 16 [1.0, more than 16]'
    >>> worth_in_words(Worth(0.0, (0.0, 2.0), told=True), 16)
    'below 1 of 16 [below 1, 2.0]'
    >>> worth_in_words(Worth(4.25, (1.0, 16.0), told=False), 16)
    'not told'
    """
    if not value.told:
        return "not told"

    def words(count: float) -> str:
        if count < 1:
            return "below 1"
        return f"{count:.1f}" if np.isfinite(count) else f"more than {trials}"

    low, high = value.interval
    of_all = words(value.trials)
    if np.isfinite(value.trials):
        of_all = f"{of_all} of {trials}"
    return f"{of_all} [{words(low)}, {words(high)}]"


def but_seeds(run: Run) -> Config:
    """The configuration of a run, whatever its seeds: equal for what differs in these alone."""
    return replace(run.config, seed=0, seeds=1)


def _finals(runs: Sequence[Run]) -> np.ndarray:
    return np.array([final_returns(run) for run in runs])


def _of(scenario: str, runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.config.scenario == scenario]
