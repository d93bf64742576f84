"""Figures of runs, drawn from what run folders hold; `panels` draws their parts."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from adama_jax.reporting.labels import world_of
from adama_jax.reporting.panels import actor_grid, curves, heat, rate_pair, skip_the_start
from adama_jax.reporting.summary import final_returns
from adama_jax.storage.reader import Run

Panels = Mapping[str, Sequence[Run]]  # runs by scenario


def returns(panels: Panels, title: str = "") -> Figure:
    """Greedy return against episodes, mean and standard deviation over seeds, a panel a scenario."""
    figure, places = _two_columns(panels, around=(3.5, 1.0), each=(3.5, 3.1))
    styles = _styles(panels)
    for axes, runs in zip(places, panels.values(), strict=True):
        curves(axes, runs, "eval_return", styles)
        skip_the_start(axes)
        axes.set_title(_worlds(runs), fontsize=10)
        axes.set_ylabel("greedy return per episode")
    return _finish(figure, title, _band(panels))


def actor_rates(panels: Panels, title: str = "") -> Figure:
    """Normalised actors' rates, a row a run, a panel a seed."""
    runs = [run for members in panels.values() for run in members]
    columns = max(len(run.metrics["seed"]) for run in runs)
    figure = plt.figure(
        figsize=(max(7.0, 2.4 * columns), 2.3 * len(runs) + 0.8), layout="constrained"
    )
    actor_grid(figure, runs, columns)
    return _finish(figure, title)


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
        column[0].set_title(_worlds(runs), fontsize=10)
        column[0].set_xlabel("")
    return _finish(figure, title, _band(panels))


def critic_scale(panels: Panels, title: str = "") -> Figure:
    """Returns, rates and kappa of runs that differ in m (section 4.4.1)."""
    (runs,) = panels.values()
    figure, grid = plt.subplots(2, 2, figsize=(9, 6), layout="constrained")
    styles = _styles(panels)
    curves(grid[0, 0], runs, "eval_return", styles)
    grid[0, 0].set_ylabel("greedy return per episode")
    grid[0, 1].set_yscale("log")
    curves(grid[0, 1], runs, "critic_term", styles)
    grid[0, 1].set_ylabel(r"critic term $\kappa$ (band: all seeds)")
    rate_pair(grid[1], runs, styles)
    return _finish(figure, title, _band(panels))


def is_grid(runs: Sequence[Run]) -> bool:
    """Whether runs are a grid of fixed rates: one run a pair of l_c and |l_a|, and all pairs of either's values."""
    pairs = [(run.config.rates.critic_rate, run.config.rates.actor_budget) for run in runs]
    critic, actors = ({pair[place] for pair in pairs} for place in (0, 1))
    fixed = {run.config.method for run in runs} == {"fixed"}
    return fixed and len(set(pairs)) == len(pairs) == len(critic) * len(actors) > 1


def heat_map(panels: Panels, title: str = "") -> Figure:
    """Final return by l_c and |l_a|, mean over seeds; the best is framed, settings with a diverged seed are grey."""
    figure, places = _two_columns(panels, around=(0.8, 0.5), each=(4.0, 3.6))
    for axes, runs in zip(places, panels.values(), strict=True):
        critic = sorted({run.config.rates.critic_rate for run in runs})
        actors = sorted({run.config.rates.actor_budget for run in runs})
        table = np.full((len(actors), len(critic)), np.nan)
        lost = np.full_like(table, np.nan)
        for run in runs:
            place = (
                actors.index(run.config.rates.actor_budget),
                critic.index(run.config.rates.critic_rate),
            )
            table[place] = final_returns(run).mean()
            lost[place] = len(run.meta["diverged"])
        heat(axes, table, lost)
        axes.set_xticks(range(len(critic)), [f"{1000 * rate:g}" for rate in critic])
        axes.set_yticks(range(len(actors)), [f"{1000 * rate:g}" for rate in actors])
        axes.set_xlabel(r"critic's rate, $l_c \times 10^3$")
        axes.set_ylabel(r"norm of actors' rates, $|l_a| \times 10^3$")
        axes.set_title(_worlds(runs), fontsize=10)
    return _finish(figure, title, f"mean over {_seeds(panels)} seeds")


def learning_curves(runs: Sequence[Run], path: Path) -> Path:
    """`returns` of one scenario, as a picture."""
    return save(returns({runs[0].config.scenario: runs}), path)


def rate_curves(runs: Sequence[Run], path: Path) -> Path:
    """Normalised actors' rates, a panel a seed; below, l_c and |l_a| of every run, as a picture.

    A run whose actors keep equal rates has no panels, unless no run has others.
    """
    columns = max(len(run.metrics["seed"]) for run in runs)
    steered = [
        run for run in runs if (np.ptp(run.metrics["actor_rates"], axis=-1) > 0).any()
    ] or list(runs)
    height = 2.3 * len(steered) + 0.6
    figure = plt.figure(figsize=(max(7.0, 2.4 * columns), height + 3.2), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[height, 3.2])
    actor_grid(parts[0], steered, columns)
    rate_pair(parts[1].subplots(1, 2), runs, _styles({"": runs}))
    handles, names = parts[1].axes[0].get_legend_handles_labels()
    parts[1].legend(
        handles, names, loc="outside lower center", ncols=min(4, len(runs)), frameon=False
    )
    return save(figure, path)


def save(figure: Figure, *paths: Path) -> Path:
    """Write a figure to every path, by its ending; the first is returned."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130)
    plt.close(figure)
    return paths[0]


def _two_columns(
    panels: Panels, around: tuple[float, float], each: tuple[float, float]
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel a scenario, two in a row; sizes in inches."""
    if not panels:
        raise ValueError("no runs to draw")
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    size = (around[0] + each[0] * columns, around[1] + each[1] * rows)
    figure, grid = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    return figure, list(grid.flat[: len(panels)])


def _styles(panels: Panels) -> dict[str, int]:
    """The same style for the same label in every panel."""
    names = [run.label for runs in panels.values() for run in runs]
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _finish(figure: Figure, title: str, note: str = "") -> Figure:
    """A title with what the curves are, and one legend for all panels that have curves, outside them."""
    width = int(11 * figure.get_figwidth())
    lines = [textwrap.fill(line, width) for line in (title, note) if line]
    figure.suptitle("\n".join(lines), fontsize=11)
    found: dict[str, Any] = {}
    if not figure.legends:
        for axes in figure.axes:
            for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
                found.setdefault(name, handle)
    if found:
        widest = 0.6 + 0.09 * max(map(len, found))  # inches of an entry, handle and gap included
        columns = min(4, len(found), max(1, int(figure.get_figwidth() / widest)))
        figure.legend(
            found.values(), found.keys(), loc="outside lower center", ncols=columns, frameon=False
        )
    return figure


def _band(panels: Panels) -> str:
    return f"mean and standard deviation over {_seeds(panels)} seeds"


def _worlds(runs: Sequence[Run]) -> str:
    return ", ".join(dict.fromkeys(world_of(run).replace("_", " ") for run in runs))


def _seeds(panels: Panels) -> str:
    counts = {len(run.metrics["seed"]) for runs in panels.values() for run in runs}
    return str(counts.pop()) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
