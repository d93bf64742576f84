"""How one panel of a figure is drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator

from adama_jax.storage.reader import Run, finite_seeds

# Okabe & Ito's colours, which colour-blind readers can tell apart.
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#000000",
    "#999999",
)
INK = "#222222"
PAPER = "#FFFFFF"
# Of a heat map.
NO_VALUE = "#CCCCCC"
FRAME = "#D55E00"
# Curves that coincide still show one another through their gaps.
DASHES = ("-", "--", "-.", ":")
NOTE_SIZE = 6.5  # points
AGENT_WIDTH = 1.2  # of "agent 8" in a legend, with its line, in inches
ROOM_ABOVE = 0.05  # of what a panel shows: a constant rate is not on the edge
START = 0.03  # of the episodes: the first steep part of a curve


def heat(axes: Axes, table: np.ndarray, lost: np.ndarray) -> None:
    """Final returns as colours and numbers; the best is framed. [Y, X] x 2

    Where the return is NaN the cell is grey and says how many seeds diverged; it says nothing where
    `lost` is NaN too: there is no run.
    """
    colours = plt.get_cmap("viridis").with_extremes(bad=NO_VALUE)
    picture = axes.imshow(np.ma.masked_invalid(table), origin="lower", cmap=colours)
    axes.figure.colorbar(picture, ax=axes, shrink=0.75, label="final greedy return")
    any_finite = np.isfinite(table).any()
    middle = 0.0
    if any_finite:
        middle = (np.nanmin(table) + np.nanmax(table)) / 2
        best = np.nanargmax(table)
        row, column = np.unravel_index(best, table.shape)
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=FRAME, lw=2.5))
    size = 8 if len(table) < 6 else 6
    for (row, column), value in np.ndenumerate(table):
        text = _cell_text(value, float(lost[row, column]))
        # The lower half of the colours is dark.
        dark = np.isfinite(value) and value < middle
        ink = "white" if dark else "black"
        axes.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            color=ink,
            fontsize=size,
        )


def _cell_text(value: float, lost: float) -> str:
    if np.isfinite(value):
        return f"{value:#.3g}"
    return "" if np.isnan(lost) else f"{lost:.0f} div."


def actor_grid(figure: Any, runs: Sequence[Run], columns: int) -> None:
    """Normalised actors' rates, a row a run, a column a seed, on a figure or a part of one."""
    grid = figure.subplots(len(runs), columns, squeeze=False, sharex=True, sharey=True)
    for row, run in zip(grid, runs, strict=True):
        _actor_panels(row, run)
    for axes in grid[-1]:
        axes.set_xlabel("training episodes")
        _mark_episodes(axes, runs, most=4)
    handles, names = grid[0, 0].get_legend_handles_labels()
    width = figure.bbox.width / figure.dpi
    fit = max(1, int(width / AGENT_WIDTH))
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncols=min(len(names), fit),
        frameon=False,
    )


def _actor_panels(row: Sequence[Axes], run: Run) -> None:
    """One run: each seed's shares of |l_a|."""
    vectors = run.metrics["actor_rates"]
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    # Where a schedule ends at 0 there is nothing to share.
    shares = np.divide(
        vectors, lengths, out=np.full_like(vectors, np.nan), where=lengths > 0
    )
    seeds = run.metrics["seed"]
    episode = run.metrics["episode"]
    # Runs with fewer seeds than others leave panels over, which are blank.
    for axes, seed, share in zip(row, seeds, shares, strict=False):
        for agent in range(share.shape[1]):
            colour = COLOURS[agent % len(COLOURS)]
            name = f"agent {agent}"
            axes.plot(
                episode,
                share[:, agent],
                color=colour,
                lw=0.9,
                label=name,
                **_as_point(episode),
            )
        axes.set_ylim(0, 1.05)
        axes.set_title(plain(f"{run.label}, seed {seed}"))
        axes.grid(alpha=0.3)
    for axes in row[len(shares) :]:
        axes.set_axis_off()
    row[0].set_ylabel(r"$l_{a,i}\,/\,|l_a|$")


def rate_pair(
    pair: Sequence[Axes],
    runs: Sequence[Run],
    styles: Mapping[str, int],
) -> None:
    """l_c on the first panel, |l_a| on the second."""
    critic, actors = pair
    curves(critic, runs, "critic_rate", styles)
    critic.set_ylabel("critic's rate, $l_c$")
    curves(actors, runs, "actor_budget", styles)
    actors.set_ylabel("norm of actors' rates, $|l_a|$")
    for axes in pair:
        _, top = axes.get_ylim()
        axes.set_ylim(0, (1 + ROOM_ABOVE) * top)
        _, values = _outlines(axes)
        # A mean less a deviation may be.
        if (values < 0).any():
            _say_below(axes, "bands are cut off at 0: no rate is below")


def curves(
    axes: Axes,
    runs: Sequence[Run],
    name: str,
    styles: Mapping[str, int],
) -> None:
    """A metric against episodes: mean and standard deviation over the seeds that stayed finite.

    On a logarithmic scale, mean and range. How many seeds diverged stands in the panel.

    Args:
        axes: the panel.
        runs: its curves.
        name: the metric, of `Run.metrics`.
        styles: a number for each label, that decides its colour and dashes.
    """
    notes = []
    for run in runs:
        _curve_and_band(axes, run, run.metrics[name], styles[run.label])
        finite = finite_seeds(run)
        if not finite.all():
            lost = f"{sum(~finite)} of {len(finite)} seeds diverged, left out"
            notes.append(plain(f"{run.label}: {lost}"))
    axes.text(
        0.02,
        0.02,
        "\n".join(notes),
        transform=axes.transAxes,
        fontsize=NOTE_SIZE,
        va="bottom",
    )
    axes.set_xlabel("training episodes")
    _mark_episodes(axes, runs, most=5)
    axes.grid(alpha=0.3)


def _curve_and_band(axes: Axes, run: Run, values: np.ndarray, style: int) -> None:
    """One run of a panel."""
    colour = COLOURS[style % len(COLOURS)]
    dash = dashes_of(style)
    kept = values[finite_seeds(run)]
    episode = run.metrics["episode"]
    if len(kept) == 0:
        # No curve, but the legend names the run: its absence means that every seed diverged.
        episode = np.zeros(0)
        mean = np.zeros(0)
    else:
        mean = kept.mean(axis=0)
    axes.plot(
        episode,
        mean,
        color=colour,
        ls=dash,
        lw=1.4,
        label=plain(run.label),
        **_as_point(episode),
    )
    if len(kept) == 0:
        return
    low, high = _spread(kept, axes.get_yscale() == "log")
    if len(episode) == 1:
        # A band that is as long as one point cannot be seen.
        axes.vlines(episode, low, high, color=colour, alpha=0.4, lw=3)
    else:
        axes.fill_between(episode, low, high, color=colour, alpha=0.15, lw=0)


def _spread(kept: np.ndarray, logarithmic: bool) -> tuple[np.ndarray, np.ndarray]:
    """A deviation below and above the mean over seeds, or the least and the most. [S, P] to [P]"""
    if logarithmic:
        # A deviation below the mean may reach under zero, which a logarithm cannot show.
        return kept.min(axis=0), kept.max(axis=0)
    mean = kept.mean(axis=0)
    # One seed has no deviation.
    deviation = kept.std(axis=0, ddof=1) if len(kept) > 1 else np.zeros_like(mean)
    return mean - deviation, mean + deviation


def dashes_of(style: int) -> str:
    """The dashes of a curve, such that curves of colours that are much alike have different ones.

    >>> [dashes_of(style) for style in (0, 4)], [dashes_of(style) for style in (1, 5)]
    (['-', '--'], ['--', '-.'])
    """
    # Blue and light blue are half of the colours apart, and so are the oranges. The second time
    # round the colours each has other dashes than the first.
    half_turns = style // (len(COLOURS) // 2)
    turns = style // len(COLOURS)
    return DASHES[(style + half_turns + turns) % len(DASHES)]


def plain(text: str) -> str:
    r"""A text that a user wrote, for Matplotlib, which would read dollars as formulas.

    >>> plain("$l_c$ = 0.01")
    '\\$l_c\\$ = 0.01'
    """
    return text.replace("$", r"\$")


def _as_point(episodes: np.ndarray) -> dict[str, Any]:
    """How a line is drawn that may have one point alone, which would be no line."""
    if len(episodes) > 1:
        return {}
    # On an edge of the panel, at a rate of 0 say, half of it would be cut off.
    return {"marker": "o", "clip_on": False, "zorder": 3}


def _mark_episodes(axes: Axes, runs: Sequence[Run], most: int) -> None:
    """Put ticks where the curves' episodes are, at most so many and a space, no two alike."""
    axes.xaxis.set_major_formatter(_with_commas)
    episodes = np.unique(np.concatenate([run.metrics["episode"] for run in runs]))
    if len(episodes) == 1:
        axes.xaxis.set_major_locator(FixedLocator(episodes.tolist()))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(most, integer=True))


def skip_the_start(axes: Axes) -> None:
    """Let the curves' first steep part leave the panel below, so that their ends are apart.

    What is cut off is said in the panel.
    """
    episodes, values = _outlines(axes)
    start = START * episodes.max(initial=0.0)
    later = values[episodes > start]
    # No curve, no end of one.
    if later.size:
        top = axes.get_ylim()[1]
        room = 0.05 * np.ptp(later)
        cut = later.min() - room
        if cut > values.min():
            axes.set_ylim(cut, top)
            lowest = values.min()
            _say_below(
                axes, f"cut off: before episode {start:,.0f} down to {lowest:.3g}"
            )


def _outlines(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Episodes and values of the points around which a panel's bands are drawn. [points] x 2"""
    outlines = [np.zeros((0, 2))]
    for band in axes.collections:
        outlines += [np.asarray(path.vertices) for path in band.get_paths()]
    points = np.concatenate(outlines)
    return points[:, 0], points[:, 1]


def _say_below(axes: Axes, words: str) -> None:
    """A note at the lower right of a panel."""
    axes.text(
        0.98,
        0.02,
        words,
        transform=axes.transAxes,
        fontsize=NOTE_SIZE,
        ha="right",
        va="bottom",
    )


def _with_commas(value: float, _: object) -> str:
    return f"{value:,.0f}"
