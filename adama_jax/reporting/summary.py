"""What runs amount to: a line a run, as a table on the screen, CSV or Markdown."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from adama_jax.reporting.labels import world_of
from adama_jax.reporting.statistics import (
    improvement_interval,
    iqm,
    iqm_interval,
    probability_of_improvement,
)
from adama_jax.storage.reader import Run, finite_seeds


class Summary(NamedTuple):
    """One line of the table. Returns are greedy, per episode, undiscounted, of seeds that stayed finite."""

    scenario: str  # with the physics, where it is a robot's
    label: str
    episodes: int
    seeds: int
    diverged: int
    final: float  # mean over seeds of the mean over the last tenth of the points
    deviation: float  # their standard deviation over seeds (n - 1)
    iqm: float  # interquartile mean over seeds
    interval: tuple[float, float]  # 95% bootstrap interval of the IQM; NaN with one seed
    area: float  # the area under the curve, divided by its length: the mean over training
    area_deviation: float
    area_iqm: float
    area_interval: tuple[float, float]
    improvement: (
        float  # probability that a run ends above one of the baseline; a diverged run is below all
    )
    improvement_interval: tuple[float, float]
    episodes_to_baseline: (
        int | None
    )  # first point at which the mean curve reaches the baseline's final return
    updates_per_second: float


def final_returns(run: Run) -> np.ndarray:
    """Greedy return of each seed, mean over the last tenth of the points; NaN where the seed diverged. [S]"""
    returns = run.metrics["eval_return"]
    last = max(1, returns.shape[1] // 10)
    return np.where(finite_seeds(run), returns[:, -last:].mean(axis=1), np.nan)


def areas(run: Run) -> np.ndarray:
    """Area under each seed's curve of greedy returns over its length, by trapezia; NaN where it diverged. [S]"""
    episode, returns = run.metrics["episode"], run.metrics["eval_return"]
    if len(episode) == 1:
        return np.where(finite_seeds(run), returns[:, 0], np.nan)
    area = np.trapezoid(returns, episode, axis=1) / (episode[-1] - episode[0])
    return np.where(finite_seeds(run), area, np.nan)


def summarise(runs: Sequence[Run], baseline: str = "fixed") -> list[Summary]:
    """One summary a run; the baseline is the world's first run of that method with the same optimiser."""
    baselines: dict[tuple[str, str | None], Run] = {}
    for run in runs:
        plain = run.label == run.stored.get(
            "label", run.label
        )  # not a setting of a sweep, nor one chosen from a grid
        if plain and run.config.method == baseline:
            baselines.setdefault(_rivals(run), run)
    return [_summarise(run, baselines.get(_rivals(run))) for run in runs]


def _rivals(run: Run) -> tuple[str, str | None]:
    """What runs that are compared have in common; rmsprop and its like, whose optimiser is their own, meet SGD."""
    return world_of(run), run.config.optimizer


def ranked(summaries: Sequence[Summary]) -> list[Summary]:
    """Best final return first; those of which a seed diverged last."""
    return sorted(
        summaries,
        key=lambda line: (line.diverged, -line.final if line.final == line.final else 0.0),
    )


def _summarise(run: Run, baseline: Run | None) -> Summary:
    finals, under = final_returns(run), areas(run)
    theirs = None if baseline is None else final_returns(baseline)
    compared = None if baseline is run else theirs
    return Summary(
        scenario=world_of(run),
        label=run.label,
        episodes=int(run.metrics["episode"][-1]),
        seeds=len(finals),
        diverged=int(np.isnan(finals).sum()),
        final=_mean(finals),
        deviation=_deviation(finals),
        iqm=iqm(finals),
        interval=iqm_interval(finals),
        area=_mean(under),
        area_deviation=_deviation(under),
        area_iqm=iqm(under),
        area_interval=iqm_interval(under),
        improvement=np.nan if compared is None else probability_of_improvement(finals, compared),
        improvement_interval=(np.nan, np.nan)
        if compared is None
        else improvement_interval(finals, compared),
        episodes_to_baseline=None if theirs is None else _first_reach(run, _mean(theirs)),
        updates_per_second=run.meta["updates_per_second"],
    )


def _mean(values: np.ndarray) -> float:
    good = values[~np.isnan(values)]
    return float(good.mean()) if good.size else float("nan")


def _deviation(values: np.ndarray) -> float:
    good = values[~np.isnan(values)]
    return float(good.std(ddof=1)) if good.size > 1 else float("nan")


def _first_reach(run: Run, level: float) -> int | None:
    """The first point at which the mean curve of the finite seeds is at `level` or above."""
    kept = run.metrics["eval_return"][finite_seeds(run)]
    reached = np.flatnonzero(kept.mean(axis=0) >= level) if len(kept) else []
    return int(run.metrics["episode"][reached[0]]) if len(reached) else None


HEADINGS = (
    ("method", ""),
    ("final", "± sd"),
    ("IQM", "[95% interval]"),
    ("area, IQM", "[95% interval]"),
    ("P(above fixed)", "[interval]"),
    ("episodes to", "fixed's final"),
)
CAPTION = (
    "Greedy return per episode. final: mean over the last tenth of the evaluations; area: mean over training; "
    "P(above fixed): chance that a run ends above one of `fixed`, diverged runs below all."
)


def table(summaries: Sequence[Summary], title: str) -> Table:
    """The summary as a rich table, of 80 columns."""
    result = Table(title=title, title_justify="left", caption_justify="left", box=SIMPLE, padding=0)
    words = [word for line in summaries for word in line.label.split()]
    widths = (
        max(map(len, words), default=0),
        0,
        0,
        0,
        len("[0.00, 1.00]"),
        len("episodes"),
    )  # never less
    for number, ((first, second), width) in enumerate(zip(HEADINGS, widths, strict=True)):
        justify, no_wrap = "right" if number else "left", number in (1, 2, 3)
        result.add_column(f"{first}\n{second}", justify=justify, no_wrap=no_wrap, min_width=width)
    for line in summaries:
        result.add_row(*("\n".join(filter(None, cell)) for cell in _cells(line)))
    result.caption = CAPTION
    return result


def ranking(summaries: Sequence[Summary], title: str) -> Table:
    """Settings of a sweep, a line each."""
    result = Table(
        title=title, title_justify="left", caption_justify="left", box=SIMPLE, padding=(0, 1, 0, 0)
    )
    for heading in ("setting", "final", "± sd", "IQM [95% interval]", "seeds"):
        result.add_column(heading, justify="left" if heading == "setting" else "right")
    for line in summaries:
        lost = f" ({line.diverged} div.)" if line.diverged else ""
        interval = f"{_number(line.iqm)} {_interval(line.interval)}"
        result.add_row(
            line.label,
            _number(line.final),
            _number(line.deviation),
            interval,
            f"{line.seeds}{lost}",
        )
    result.caption = "Greedy return per episode, mean over the last tenth of the evaluations."
    return result


def markdown(summaries: Sequence[Summary]) -> str:
    """The summary as a Markdown table."""
    headings, rows = cells(summaries)
    rule = ["---", "---", *["---:"] * (len(headings) - 2)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [headings, rule, *rows]) + "\n"


def write(summaries: Sequence[Summary], target: Path, head: str = "") -> list[Path]:
    """The summary as `target.csv` and `target.md`; `head` goes above the Markdown table."""
    paths = []
    for suffix, text in texts(summaries, head).items():
        path = target.with_name(target.name + suffix)
        path.write_text(text)
        paths.append(path)
    return paths


def texts(summaries: Sequence[Summary], head: str = "") -> dict[str, str]:
    """The summary as the text of each file, by suffix; `head` goes above the Markdown table."""
    above = f"{head} {CAPTION}".strip()
    return {".csv": to_csv(summaries), ".md": f"{above}\n\n{markdown(summaries)}"}


def cells(summaries: Sequence[Summary]) -> tuple[list[str], list[list[str]]]:
    """The summary as text: headings, and a row each."""
    headings = ["scenario", *(" ".join(filter(None, heading)) for heading in HEADINGS)]
    return headings, [
        [line.scenario, *(" ".join(filter(None, cell)) for cell in _cells(line))]
        for line in summaries
    ]


def to_csv(summaries: Sequence[Summary]) -> str:
    """The summary as CSV, every number in full; empty where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    pairs = ("interval", "area_interval", "improvement_interval")
    names = [
        n
        for field in Summary._fields
        for n in ([f"{field}_low", f"{field}_high"] if field in pairs else [field])
    ]
    writer.writerow(names)
    for line in summaries:
        flat = [
            v
            for field, value in line._asdict().items()
            for v in (value if field in pairs else [value])
        ]
        writer.writerow(["" if value is None or value != value else value for value in flat])
    return text.getvalue()


def _cells(line: Summary) -> list[tuple[str, str]]:
    """Each cell in two parts, one below the other on the screen."""
    seeds = (
        f"({line.diverged} of {line.seeds} seeds diverged)"
        if line.diverged
        else f"({line.seeds} seeds)"
    )
    return [
        (line.label, seeds),
        (_number(line.final), f"± {_number(line.deviation)}"),
        (_number(line.iqm), _interval(line.interval)),
        (_number(line.area_iqm), _interval(line.area_interval)),
        (_number(line.improvement), _interval(line.improvement_interval)),
        ("-" if line.episodes_to_baseline is None else f"{line.episodes_to_baseline:,}", ""),
    ]


def _interval(ends: tuple[float, float]) -> str:
    return "" if np.isnan(ends[0]) else f"[{_number(ends[0])}, {_number(ends[1])}]"


def _number(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.2f}" if abs(value) < 9.995 else f"{value:.1f}"
