"""Figures of runs, drawn from run folders alone, in Okabe & Ito's colours (colour-blind readers tell them apart)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from adama_jax.store import Run, finite_seeds

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#999999")
DASHES = ("-", "--", "-.", ":")  # curves that coincide still show one another


def learning_curves(runs: Sequence[Run], path: Path) -> Path:
    """Greedy return against episodes, mean and standard deviation over seeds, the runs together."""
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for place, run in enumerate(runs):
        _band(axes, run, run.metrics["eval_return"], place)
    config = runs[0].config
    axes.set_xlabel("training episodes")
    axes.set_ylabel("greedy return per episode")
    axes.set_title(f"{config['scenario']}: mean and standard deviation over {_seeds(runs)} seeds", fontsize=10)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=min(4, len(runs)), frameon=False)
    return _save(figure, path)


def rates(runs: Sequence[Run], path: Path) -> Path:
    """Normalised actors' rates, a panel a seed; below, l_c and |l_a| of every run.

    A run whose actors keep equal rates has no panels, unless no run has others.
    """
    columns = max(len(run.metrics["seed"]) for run in runs)
    steered = [run for run in runs if (np.ptp(run.metrics["actor_rates"], axis=-1) > 0).any()] or runs
    width = max(7.0, 2.4 * columns)
    height = 2.3 * len(steered) + 0.6
    figure = plt.figure(figsize=(width, height + 3.2), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[height, 3.2])
    top, bottom = parts
    grid = top.subplots(len(steered), columns, squeeze=False, sharex=True, sharey=True)
    for row, run in zip(grid, steered, strict=True):
        _actor_panels(row, run)
    top.supxlabel("training episodes", fontsize=9)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    top.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    titles = {"critic_rate": "critic's rate, $l_c$", "actor_budget": "norm of the actors' rates, $|l_a|$"}
    for axes, (name, title) in zip(bottom.subplots(1, 2), titles.items(), strict=True):
        for place, run in enumerate(runs):
            _band(axes, run, run.metrics[name], place)
        axes.set_xlabel("training episodes")
        axes.set_title(title, fontsize=10)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    handles, labels = bottom.axes[0].get_legend_handles_labels()
    bottom.legend(handles, labels, loc="outside lower center", ncols=min(4, len(runs)), frameon=False)
    return _save(figure, path)


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


def _band(axes: Axes, run: Run, values: np.ndarray, place: int) -> None:
    """Mean and standard deviation over the seeds that stayed finite; `place` among the runs gives the style."""
    colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
    kept = values[finite_seeds(run)]
    lost = len(values) - len(kept)
    label = f"{run.label} ({lost} of {len(values)} seeds diverged, left out)" if lost else run.label
    if len(kept) == 0:
        axes.plot([], [], color=colour, label=label)
        return
    episode, mean, spread = run.metrics["episode"], kept.mean(axis=0), kept.std(axis=0)
    axes.plot(episode, mean, dash, color=colour, lw=1.4, label=label)
    axes.fill_between(episode, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)


def _seeds(runs: Sequence[Run]) -> str:
    counts = {len(run.metrics["seed"]) for run in runs}
    return str(counts.pop()) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


def _save(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path
