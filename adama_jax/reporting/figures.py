"""Figures of runs, drawn from what run folders hold; `panels` draws their parts."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from adama_jax.reporting.grids import edge_note, fixed_rates
from adama_jax.reporting.labels import seeds, world_of
from adama_jax.reporting.panels import (
    actor_grid,
    curves,
    heat,
    plain,
    rate_pair,
    skip_the_start,
)
from adama_jax.reporting.summary import final_returns
from adama_jax.storage.reader import Run

Panels = Mapping[str, Sequence[Run]]  # runs by scenario

RETURN = "greedy return per episode"
DOTS_PER_INCH = 130
LETTERS_PER_INCH = 11  # of a title
INCHES_PER_LETTER = 0.09  # of a legend


def returns(panels: Panels, title: str = "") -> Figure:
    """Greedy return against episodes, mean and deviation over seeds, a panel per scenario.

    The worlds of a lone panel are the figure's title, unless it has one.
    """
    is_lone = len(panels) == 1 and not title
    if is_lone:
        title = worlds(_all_runs(panels))
    figure, all_axes = two_columns(
        panels,
        around=(3.5, 1.0),
        each=(3.5, 3.1),
    )
    styles = _styles(panels)
    for axes, runs in zip(all_axes, panels.values(), strict=True):
        curves(axes, runs, "eval_return", styles)
        skip_the_start(axes)
        if not is_lone:
            axes.set_title(worlds(runs))
        axes.set_ylabel(RETURN)
    return finished(figure, title, _band(panels))


def actor_rates(panels: Panels, title: str = "") -> Figure:
    """Normalised actors' rates, a row a run, a panel a seed."""
    runs = _all_runs(panels)
    columns = _most_seeds(runs)
    width = max(7.0, 2.4 * columns)
    height = 2.3 * len(runs) + 0.8
    figure = plt.figure(figsize=(width, height), layout="constrained")
    actor_grid(figure, runs, columns)
    return finished(figure, title)


def rates(panels: Panels, title: str = "") -> Figure:
    """l_c above, |l_a| below, mean and standard deviation over seeds, a column a scenario."""
    figure, grid = plt.subplots(
        2,
        len(panels),
        figsize=(max(5.0, 3.0 * len(panels)), 5.2),
        layout="constrained",
        squeeze=False,
        sharex="col",
    )
    styles = _styles(panels)
    for column, runs in zip(grid.T, panels.values(), strict=True):
        rate_pair(column, runs, styles)
        column[0].set_title(worlds(runs))
        # The two panels share their episodes: once below is enough.
        column[0].set_xlabel("")
    return finished(figure, title, _band(panels))


def critic_scale(panels: Panels, title: str = "") -> Figure:
    """Returns, rates and kappa of runs that differ in m (section 4.4.1), of one scenario."""
    (runs,) = panels.values()
    figure, grid = plt.subplots(2, 2, figsize=(9, 6), layout="constrained")
    styles = _styles(panels)
    curves(grid[0, 0], runs, "eval_return", styles)
    grid[0, 0].set_ylabel(RETURN)
    # Before the curves, for these look at the scale: kappa grows over orders of magnitude.
    grid[0, 1].set_yscale("log")
    curves(grid[0, 1], runs, "critic_term", styles)
    grid[0, 1].set_ylabel(r"critic term $\kappa$ (band: all seeds)")
    rate_pair(grid[1], runs, styles)
    return finished(figure, title, _band(panels))


def heat_map(panels: Panels, title: str = "") -> Figure:
    """Final return by l_c and |l_a|, mean over seeds, a panel a scenario.

    The best is framed, settings with a diverged seed are grey. Where the best lies on the edge of
    its grid the note says so: nobody knows what lies beyond.
    """
    figure, all_axes = two_columns(
        panels,
        around=(0.8, 0.5),
        each=(4.0, 3.6),
    )
    for axes, runs in zip(all_axes, panels.values(), strict=True):
        _heat_panel(axes, runs)
    note = f"mean over {seeds(_all_runs(panels))}"
    edges = edge_note(panels)
    return finished(figure, title, f"{note}; framed: the best{edges}")


def learning_curves(runs: Sequence[Run], path: Path) -> Path:
    """`returns` of one scenario, as a picture."""
    scenario = runs[0].config.scenario
    figure = returns({scenario: runs})
    return save(figure, path)


def rate_curves(runs: Sequence[Run], path: Path) -> Path:
    """Normalised actors' rates, a panel a seed; below, l_c and |l_a| of every run, as a picture.

    A run whose actors keep equal rates has no panels, unless no run has others.
    """
    unequal = [run for run in runs if _has_unequal_rates(run)]
    above = unequal or list(runs)
    columns = _most_seeds(runs)
    heights = [2.3 * len(above) + 0.6, 3.2]
    size = (max(7.0, 2.4 * columns), sum(heights))
    figure = plt.figure(figsize=size, layout="constrained")
    # Matplotlib's types do not say that two are two.
    parts: Any = figure.subfigures(2, 1, height_ratios=heights)
    upper, lower = parts
    actor_grid(upper, above, columns)
    pair = lower.subplots(1, 2)
    rate_pair(pair, runs, _styles({"": runs}))
    handles, names = pair[0].get_legend_handles_labels()
    columns = _columns(len(names), most=4)
    _legend(lower, handles, names, columns)
    return save(figure, path)


def save(figure: Figure, *paths: Path) -> Path:
    """Write a figure to every path, by its ending; the first is returned."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=DOTS_PER_INCH)
    # Pyplot keeps a figure until it is closed.
    plt.close(figure)
    return paths[0]


def _heat_panel(axes: Axes, runs: Sequence[Run]) -> None:
    """The grid of one scenario."""
    pairs = [fixed_rates(run) for run in runs]
    critic = sorted({pair[0] for pair in pairs})
    actors = sorted({pair[1] for pair in pairs})
    shape = len(actors), len(critic)
    table = np.full(shape, np.nan)
    lost = np.full(shape, np.nan)
    for run, (critic_rate, actor_budget) in zip(runs, pairs, strict=True):
        row = actors.index(actor_budget)
        column = critic.index(critic_rate)
        cell = row, column
        table[cell] = final_returns(run).mean()
        lost[cell] = len(run.meta["diverged"])
    heat(axes, table, lost)
    axes.set_xticks(range(len(critic)), _in_thousandths(critic))
    axes.set_yticks(range(len(actors)), _in_thousandths(actors))
    axes.set_xlabel(r"critic's rate, $l_c \times 10^3$")
    axes.set_ylabel(r"norm of actors' rates, $|l_a| \times 10^3$")
    axes.set_title(worlds(runs))


def _in_thousandths(rates: Sequence[float]) -> list[str]:
    return [f"{1000 * rate:g}" for rate in rates]


def _has_unequal_rates(run: Run) -> bool:
    ranges = np.ptp(run.metrics["actor_rates"], axis=-1)
    return bool((ranges > 0).any())


def two_columns(
    panels: Panels,
    around: tuple[float, float],
    each: tuple[float, float],
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel a scenario, two in a row.

    Args:
        panels: one or more.
        around: width and height of what is not panels, in inches.
        each: width and height of a panel, in inches.

    Raises:
        ValueError: there are no panels.
    """
    if not panels:
        raise ValueError("no runs to draw")
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    width = around[0] + each[0] * columns
    height = around[1] + each[1] * rows
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(width, height),
        layout="constrained",
        squeeze=False,
    )
    all_axes = list(grid.flat)
    # With an odd number of panels the last cell is left blank.
    for axes in all_axes[len(panels) :]:
        axes.set_axis_off()
    return figure, all_axes[: len(panels)]


def _styles(panels: Panels) -> dict[str, int]:
    """A number for each label, the same in every panel, which decides a curve's style."""
    styles: dict[str, int] = {}
    for run in _all_runs(panels):
        styles.setdefault(run.label, len(styles))
    return styles


def _even_lines(paragraph: str, width: int) -> str:
    """Break a paragraph into as few lines as fit, no last one of a word or two."""
    count = len(textwrap.wrap(paragraph, width))
    while width > 1 and len(textwrap.wrap(paragraph, width - 1)) == count:
        width -= 1
    return textwrap.fill(paragraph, width)


def finished(figure: Figure, title: str, note: str = "") -> Figure:
    """Add a title, with a note on what the curves are, and one legend for all panels."""
    width = int(LETTERS_PER_INCH * figure.get_figwidth())
    paragraphs = [*title.split("\n"), note]
    lines = [_even_lines(line, width) for line in paragraphs if line]
    figure.suptitle(plain("\n".join(lines)))
    # A panel that has drawn a legend of its own has said what its curves are.
    entries = {} if figure.legends else _legend_entries(figure)
    if entries:
        longest = max(len(name) for name in entries)
        # Of an entry; 0.6 inches are the handle and the gap to the next one.
        entry_width = 0.6 + INCHES_PER_LETTER * longest
        fit = int(figure.get_figwidth() / entry_width)
        columns = _columns(len(entries), fit)
        handles = list(entries.values())
        names = list(entries)
        _legend(figure, handles, names, columns)
    return figure


def _legend_entries(figure: Figure) -> dict[str, Any]:
    """The curves of all panels by their label, each label once."""
    entries: dict[str, Any] = {}
    for axes in figure.axes:
        handles, names = axes.get_legend_handles_labels()
        for handle, name in zip(handles, names, strict=True):
            entries.setdefault(name, handle)
    return entries


def _columns(entries: int, most: int) -> int:
    """In how many columns a legend is set, at most four, such that its lines are equally long.

    >>> _columns(4, most=3), _columns(7, most=4), _columns(3, most=9), _columns(2, most=0)
    (2, 4, 3, 1)
    """
    fit = min(4, entries, max(1, most))
    lines = -(-entries // fit)
    return -(-entries // lines)


def _legend(
    figure: Any,
    handles: Sequence[Any],
    names: Sequence[str],
    columns: int,
) -> None:
    """Below a figure, or below a part of one."""
    figure.legend(
        handles, names, loc="outside lower center", ncols=columns, frameon=False
    )


def _all_runs(panels: Panels) -> list[Run]:
    return [run for runs in panels.values() for run in runs]


def _most_seeds(runs: Sequence[Run]) -> int:
    return max(len(run.metrics["seed"]) for run in runs)


def _band(panels: Panels) -> str:
    count = seeds(_all_runs(panels))
    return f"mean and standard deviation over {count}"


def worlds(runs: Sequence[Run]) -> str:
    """In which worlds runs were made, each named once."""
    names = [world_of(run).replace("_", " ") for run in runs]
    return ", ".join(dict.fromkeys(names))
