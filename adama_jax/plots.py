"""Figures of runs, drawn from run folders alone, in Okabe & Ito's colours (colour-blind readers tell them apart)."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from adama_jax.store import Run, finite_seeds
from adama_jax.summary import final_returns

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#999999")
DASHES = ("-", "--", "-.", ":")  # curves that coincide still show one another


Panels = Mapping[str, Sequence[Run]]  # runs by scenario


def returns(panels: Panels, title: str = "") -> Figure:
    """Greedy return against episodes, mean and standard deviation over seeds, a panel a scenario."""
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(3.5 + 3.5 * columns, 1.0 + 3.1 * rows), layout="constrained", squeeze=False
    )
    styles = _styles(panels)
    for axes, (scenario, runs) in zip(grid.flat, panels.items(), strict=False):
        _curves(axes, runs, "eval_return", styles)
        _skip_the_start(axes)
        axes.set_title(_spaced(scenario), fontsize=10)
        axes.set_ylabel("greedy return per episode")
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    return _finish(figure, title or f"Mean and standard deviation over {_seeds(panels)} seeds")


def actor_rates(panels: Panels, title: str = "") -> Figure:
    """Normalised actors' rates, a row a run, a panel a seed."""
    runs = [run for members in panels.values() for run in members]
    columns = max(len(run.metrics["seed"]) for run in runs)
    figure = plt.figure(figsize=(max(7.0, 2.4 * columns), 2.3 * len(runs) + 0.8), layout="constrained")
    _actor_grid(figure, runs, columns)
    return _finish(figure, title, legend=False)


def rates(panels: Panels, title: str = "") -> Figure:
    """l_c above, |l_a| below, mean and standard deviation over seeds, a column a scenario."""
    figure, grid = plt.subplots(
        2, len(panels), figsize=(max(5.0, 3.0 * len(panels)), 5.2), layout="constrained", squeeze=False, sharex="col"
    )
    styles = _styles(panels)
    for column, (scenario, runs) in zip(grid.T, panels.items(), strict=True):
        _rate_pair(column, runs, styles)
        column[0].set_title(_spaced(scenario), fontsize=10)
        column[0].set_xlabel("")
    return _finish(figure, title)


def critic_scale(panels: Panels, title: str = "") -> Figure:
    """Returns, rates and kappa of runs that differ in m (section 4.4.1)."""
    (runs,) = panels.values()
    figure, grid = plt.subplots(2, 2, figsize=(9, 6), layout="constrained")
    styles = _styles(panels)
    _curves(grid[0, 0], runs, "eval_return", styles)
    grid[0, 0].set_ylabel("greedy return per episode")
    grid[0, 1].set_yscale("log")
    _curves(grid[0, 1], runs, "critic_term", styles)
    grid[0, 1].set_ylabel(r"critic term $\kappa$ (band: all seeds)")
    _rate_pair(grid[1], runs, styles)
    return _finish(figure, title)


def heat_map(panels: Panels, title: str = "") -> Figure:
    """Final return by l_c and |l_a|, mean over seeds; the best is framed, settings with a diverged seed are grey."""
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(0.8 + 4.0 * columns, 0.5 + 3.6 * rows), layout="constrained", squeeze=False
    )
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes, (scenario, runs) in zip(grid.flat, panels.items(), strict=False):
        critic = sorted({run.config["rates"]["critic_rate"] for run in runs})
        actors = sorted({run.config["rates"]["actor_budget"] for run in runs})
        table = np.full((len(actors), len(critic)), np.nan)
        lost = np.zeros_like(table)
        for run in runs:
            place = actors.index(run.config["rates"]["actor_budget"]), critic.index(run.config["rates"]["critic_rate"])
            table[place] = final_returns(run).mean()
            lost[place] = len(run.meta["diverged"])
        _heat(axes, table, lost)
        axes.set_xticks(range(len(critic)), [f"{1000 * rate:g}" for rate in critic])
        axes.set_yticks(range(len(actors)), [f"{1000 * rate:g}" for rate in actors])
        axes.set_xlabel(r"critic's rate, $l_c \times 10^3$")
        axes.set_ylabel(r"norm of actors' rates, $|l_a| \times 10^3$")
        axes.set_title(_spaced(scenario), fontsize=10)
    return _finish(figure, title, legend=False)


def learning_curves(runs: Sequence[Run], path: Path) -> Path:
    """`returns` of one scenario, as a picture."""
    return save(returns({runs[0].config["scenario"]: runs}), path)


def rate_curves(runs: Sequence[Run], path: Path) -> Path:
    """Normalised actors' rates, a panel a seed; below, l_c and |l_a| of every run, as a picture.

    A run whose actors keep equal rates has no panels, unless no run has others.
    """
    columns = max(len(run.metrics["seed"]) for run in runs)
    steered = [run for run in runs if (np.ptp(run.metrics["actor_rates"], axis=-1) > 0).any()] or list(runs)
    height = 2.3 * len(steered) + 0.6
    figure = plt.figure(figsize=(max(7.0, 2.4 * columns), height + 3.2), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[height, 3.2])
    _actor_grid(parts[0], steered, columns)
    _rate_pair(parts[1].subplots(1, 2), runs, _styles({"": runs}))
    handles, names = parts[1].axes[0].get_legend_handles_labels()
    parts[1].legend(handles, names, loc="outside lower center", ncols=min(4, len(runs)), frameon=False)
    return save(figure, path)


def save(figure: Figure, *paths: Path) -> Path:
    """Write a figure to every path, by its ending; the first is returned."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130)
    plt.close(figure)
    return paths[0]


def _heat(axes: Axes, table: np.ndarray, lost: np.ndarray) -> None:
    colours = plt.get_cmap("viridis").with_extremes(bad="#CCCCCC")
    picture = axes.imshow(np.ma.masked_invalid(table), origin="lower", cmap=colours)
    axes.figure.colorbar(picture, ax=axes, shrink=0.75, label="final greedy return")
    if np.isfinite(table).any():
        row, column = np.unravel_index(np.nanargmax(table), table.shape)
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#D55E00", lw=2.5))
    middle = (np.nanmin(table) + np.nanmax(table)) / 2 if np.isfinite(table).any() else 0.0
    for (row, column), value in np.ndenumerate(table):
        text = f"{value:.1f}" if np.isfinite(value) else f"{int(lost[row, column])} div."
        ink = "white" if np.isfinite(value) and value < middle else "black"
        axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8 if len(table) < 6 else 6)


def _actor_grid(figure: Any, runs: Sequence[Run], columns: int) -> None:
    grid = figure.subplots(len(runs), columns, squeeze=False, sharex=True, sharey=True)
    for row, run in zip(grid, runs, strict=True):
        _actor_panels(row, run)
    for axes in grid[-1]:
        axes.set_xlabel("training episodes", fontsize=8)
        axes.xaxis.set_major_formatter(_thousands)
        axes.xaxis.set_major_locator(MaxNLocator(4))
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)


def _actor_panels(row: Sequence[Axes], run: Run) -> None:
    vectors = run.metrics["actor_rates"]
    shares = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    for axes, seed, share in zip(row, run.metrics["seed"], shares, strict=False):
        for agent in range(share.shape[1]):
            colour = COLOURS[agent % len(COLOURS)]
            axes.plot(run.metrics["episode"], share[:, agent], color=colour, lw=0.9, label=f"actor {agent + 1}")
        axes.set_ylim(0, 1.05)
        axes.set_title(f"{run.label}, seed {seed}", fontsize=9)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
    for axes in row[len(shares) :]:
        axes.set_axis_off()
    row[0].set_ylabel(r"$l_{a,i}\,/\,|l_a|$", fontsize=9)


def _rate_pair(pair: Sequence[Axes], runs: Sequence[Run], styles: Mapping[str, int]) -> None:
    names = {"critic_rate": "critic's rate, $l_c$", "actor_budget": "norm of actors' rates, $|l_a|$"}
    for axes, (name, text) in zip(pair, names.items(), strict=True):
        _curves(axes, runs, name, styles)
        axes.set_ylabel(text)
        axes.set_ylim(bottom=0)


def _curves(axes: Axes, runs: Sequence[Run], name: str, styles: Mapping[str, int]) -> None:
    for run in runs:
        _band(axes, run, run.metrics[name], styles[run.label])
    axes.set_xlabel("training episodes")
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_formatter(_thousands)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.grid(alpha=0.3)


def _band(axes: Axes, run: Run, values: np.ndarray, place: int) -> None:
    """Mean and standard deviation over the seeds that stayed finite; on a logarithmic scale mean and range."""
    style: dict[str, Any] = {
        "color": COLOURS[place % len(COLOURS)],
        "ls": DASHES[(place + place // len(COLOURS)) % len(DASHES)],
    }
    kept = values[finite_seeds(run)]
    if len(kept) == 0:
        axes.plot([], [], **style, label=run.label)
        return
    episode, mean = run.metrics["episode"], kept.mean(axis=0)
    spread = kept.std(axis=0, ddof=1) if len(kept) > 1 else np.zeros_like(mean)
    low, high = (kept.min(axis=0), kept.max(axis=0)) if axes.get_yscale() == "log" else (mean - spread, mean + spread)
    axes.plot(episode, mean, **style, lw=1.4, label=run.label)
    axes.fill_between(episode, low, high, color=style["color"], alpha=0.15, lw=0)
    if len(kept) < len(values):
        axes.plot(
            [], [], " ", label=f"{run.label}: {len(values) - len(kept)} of {len(values)} seeds diverged, left out"
        )


def _skip_the_start(axes: Axes) -> None:
    """Let the curves' first steep part leave the panel below, so that their ends can be told apart."""
    outlines = [path.vertices for band in axes.collections for path in band.get_paths()]
    points = np.concatenate([np.asarray(outline) for outline in outlines] or [np.zeros((0, 2))])
    later = points[points[:, 0] > 0.03 * points[:, 0].max(initial=0.0), 1] if len(points) else points
    if later.size:
        bottom, top = axes.get_ylim()
        axes.set_ylim(max(bottom, later.min() - 0.05 * np.ptp(later)), top)


def _thousands(value: float, _: object) -> str:
    return f"{value:,.0f}"


def _styles(panels: Panels) -> dict[str, int]:
    """The same style for the same label in every panel."""
    names = [run.label for runs in panels.values() for run in runs]
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _finish(figure: Figure, title: str, legend: bool = True) -> Figure:
    """One legend for all panels, outside them; what an axes says of diverged seeds stands in that axes."""
    figure.suptitle(textwrap.fill(title, int(11 * figure.get_figwidth())), fontsize=11)
    if not legend:
        return figure
    found: dict[str, Any] = {}
    for axes in figure.axes:
        notes = []
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            if "diverged" in name:
                notes.append(name)
            else:
                found.setdefault(name, handle)
        if notes:
            axes.text(0.02, 0.02, "\n".join(notes), transform=axes.transAxes, fontsize=6.5, va="bottom")
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=min(4, len(found)), frameon=False)
    return figure


def _spaced(scenario: str) -> str:
    return scenario.replace("_", " ")


def _seeds(panels: Panels) -> str:
    counts = {len(run.metrics["seed"]) for runs in panels.values() for run in runs}
    return str(counts.pop()) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
