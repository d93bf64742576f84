"""How one panel of a figure is drawn, in Okabe & Ito's colours (colour-blind readers tell them apart)."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from adama_jax.storage.reader import Run, finite_seeds

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#999999")
INK, PAPER = "#222222", "#FFFFFF"
DASHES = ("-", "--", "-.", ":")  # curves that coincide still show one another


def heat(axes: Axes, table: np.ndarray, lost: np.ndarray) -> None:
    """Final returns as colours and numbers; the best is framed. [Y, X] x 2

    Where the return is NaN the cell is grey and says how many seeds diverged; nothing where `lost` is NaN too, no run.
    """
    colours = plt.get_cmap("viridis").with_extremes(bad="#CCCCCC")
    picture = axes.imshow(np.ma.masked_invalid(table), origin="lower", cmap=colours)
    axes.figure.colorbar(picture, ax=axes, shrink=0.75, label="final greedy return")
    if np.isfinite(table).any():
        row, column = np.unravel_index(np.nanargmax(table), table.shape)
        axes.add_patch(
            Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#D55E00", lw=2.5)
        )
    middle = (np.nanmin(table) + np.nanmax(table)) / 2 if np.isfinite(table).any() else 0.0
    for (row, column), value in np.ndenumerate(table):
        empty = "" if np.isnan(lost[row, column]) else f"{lost[row, column]:.0f} div."
        text = f"{value:#.3g}" if np.isfinite(value) else empty
        ink = "white" if np.isfinite(value) and value < middle else "black"
        axes.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            color=ink,
            fontsize=8 if len(table) < 6 else 6,
        )


def actor_grid(figure: Any, runs: Sequence[Run], columns: int) -> None:
    """Normalised actors' rates, a row a run, a column a seed, on a figure or a part of one."""
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
            axes.plot(
                run.metrics["episode"],
                share[:, agent],
                color=colour,
                lw=0.9,
                label=f"actor {agent + 1}",
            )
        axes.set_ylim(0, 1.05)
        axes.set_title(f"{run.label}, seed {seed}", fontsize=9)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
    for axes in row[len(shares) :]:
        axes.set_axis_off()
    row[0].set_ylabel(r"$l_{a,i}\,/\,|l_a|$", fontsize=9)


def rate_pair(pair: Sequence[Axes], runs: Sequence[Run], styles: Mapping[str, int]) -> None:
    """l_c on the first panel, |l_a| on the second."""
    names = {
        "critic_rate": "critic's rate, $l_c$",
        "actor_budget": "norm of actors' rates, $|l_a|$",
    }
    for axes, (name, text) in zip(pair, names.items(), strict=True):
        curves(axes, runs, name, styles)
        axes.set_ylabel(text)
        axes.set_ylim(bottom=0)


def curves(axes: Axes, runs: Sequence[Run], name: str, styles: Mapping[str, int]) -> None:
    """A metric against episodes: mean and standard deviation over the seeds that stayed finite, or, on a logarithmic
    scale, mean and range. How many seeds diverged stands in the panel.

    Args:
        axes: the panel.
        runs: its curves.
        name: the metric, of `Run.metrics`.
        styles: a number for each label, that decides its colour and dashes.
    """
    for run in runs:
        _band(axes, run, run.metrics[name], styles[run.label])
    kept = [(run.label, finite_seeds(run)) for run in runs]
    notes = [
        f"{label}: {sum(~good)} of {len(good)} seeds diverged, left out"
        for label, good in kept
        if not good.all()
    ]
    axes.text(0.02, 0.02, "\n".join(notes), transform=axes.transAxes, fontsize=6.5, va="bottom")
    axes.set_xlabel("training episodes")
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_formatter(_thousands)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.grid(alpha=0.3)


def _band(axes: Axes, run: Run, values: np.ndarray, place: int) -> None:
    kept = values[finite_seeds(run)]
    colour = COLOURS[place % len(COLOURS)]
    dash = DASHES[(place + place // len(COLOURS)) % len(DASHES)]
    if len(kept) == 0:
        axes.plot([], [], color=colour, ls=dash, label=run.label)
        return
    episode, mean = run.metrics["episode"], kept.mean(axis=0)
    spread = kept.std(axis=0, ddof=1) if len(kept) > 1 else np.zeros_like(mean)
    low, high = (
        (kept.min(axis=0), kept.max(axis=0))
        if axes.get_yscale() == "log"
        else (mean - spread, mean + spread)
    )
    axes.plot(episode, mean, color=colour, ls=dash, lw=1.4, label=run.label)
    axes.fill_between(episode, low, high, color=colour, alpha=0.15, lw=0)


def skip_the_start(axes: Axes) -> None:
    """Let the curves' first steep part leave the panel below, so that their ends can be told apart."""
    outlines = [path.vertices for band in axes.collections for path in band.get_paths()]
    points = np.concatenate([np.asarray(outline) for outline in outlines] or [np.zeros((0, 2))])
    later = (
        points[points[:, 0] > 0.03 * points[:, 0].max(initial=0.0), 1] if len(points) else points
    )
    if later.size:
        bottom, top = axes.get_ylim()
        axes.set_ylim(max(bottom, later.min() - 0.05 * np.ptp(later)), top)


def _thousands(value: float, _: object) -> str:
    return f"{value:,.0f}"
