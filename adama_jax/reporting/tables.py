"""Summaries of runs as a table on the screen, CSV or Markdown."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from adama_jax.reporting.summary import Interval, Score, Summary

# A smaller number is written with two decimals, which are then three digits.
SMALL = 9.995
# In the order of `to_csv`, and the same in every version: others read these files.
CSV_COLUMNS = (
    "scenario",
    "label",
    "episodes",
    "seeds",
    "diverged",
    "final",
    "deviation",
    "iqm",
    "interval_low",
    "interval_high",
    "area",
    "area_deviation",
    "area_iqm",
    "area_interval_low",
    "area_interval_high",
    "improvement",
    "improvement_interval_low",
    "improvement_interval_high",
    "episodes_to_baseline",
    "updates_per_second",
)


class Column(NamedTuple):
    """A column of the table on the screen: its heading in two lines, and how it is set."""

    first: str
    second: str
    least_width: int = 0
    wraps: bool = True


# A width is that of words which would be cut in two otherwise: in 80 columns there is little room.
COLUMNS = (
    Column("method", ""),
    Column("final", "± sd", wraps=False),
    Column("IQM", "[95% interval]", wraps=False),
    Column("area, IQM", "[95% interval]", wraps=False),
    Column("P(above fixed)", "[interval]", least_width=len("[0.00, 1.00]")),
    Column("episodes to", "fixed's final", least_width=len("episodes")),
)
CAPTION = (
    "Greedy return per episode. final: mean over the last tenth of the evaluations; "
    "area: mean over training; "
    "P(above fixed): chance that a run ends above one of `fixed`, diverged runs below all."
)
RANKING_CAPTION = (
    "Greedy return per episode, mean over the last tenth of the evaluations."
)


def table(summaries: Sequence[Summary], title: str) -> Table:
    """The summary as a rich table, of 80 columns."""
    result = Table(
        title=title,
        caption=CAPTION,
        title_justify="left",
        caption_justify="left",
        box=SIMPLE,
        padding=0,
    )
    words = [word for line in summaries for word in line.label.split()]
    longest = max((len(word) for word in words), default=0)
    for number, column in enumerate(COLUMNS):
        is_label = number == 0
        result.add_column(
            f"{column.first}\n{column.second}",
            justify="left" if is_label else "right",
            no_wrap=not column.wraps,
            min_width=longest if is_label else column.least_width,
        )
    for line in summaries:
        result.add_row(*(_joined(cell, "\n") for cell in _cells(line)))
    return result


def ranking(summaries: Sequence[Summary], title: str) -> Table:
    """Settings of a sweep, a line each."""
    result = Table(
        title=title,
        caption=RANKING_CAPTION,
        title_justify="left",
        caption_justify="left",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    result.add_column("setting", justify="left")
    for heading in ("final", "± sd", "IQM [95% interval]", "seeds"):
        result.add_column(heading, justify="right", no_wrap=True)
    for line in summaries:
        lost = f" ({line.diverged} div.)" if line.diverged else ""
        final = line.final
        interval = f"{_number(final.iqm)} {_interval(final.interval)}"
        result.add_row(
            line.label,
            _number(final.mean),
            _number(final.deviation),
            interval,
            f"{line.seeds}{lost}",
        )
    return result


def markdown(summaries: Sequence[Summary]) -> str:
    """The summary as a Markdown table."""
    headings, rows = cells(summaries)
    rule = ["---", "---", *["---:"] * (len(headings) - 2)]
    return (
        "\n".join("| " + " | ".join(row) + " |" for row in [headings, rule, *rows])
        + "\n"
    )


def write(
    summaries: Sequence[Summary],
    target: Path,
    head: str = "",
) -> list[Path]:
    """The summary as `target.csv` and `target.md`; `head` goes above the Markdown table."""
    paths = []
    for suffix, text in texts(summaries, head).items():
        path = target.with_name(target.name + suffix)
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def texts(summaries: Sequence[Summary], head: str = "") -> dict[str, str]:
    """The summary as the text of each file, by suffix; `head` goes above the Markdown table."""
    above = f"{head} {CAPTION}".strip()
    return {".csv": to_csv(summaries), ".md": f"{above}\n\n{markdown(summaries)}"}


def cells(summaries: Sequence[Summary]) -> tuple[list[str], list[list[str]]]:
    """The summary as text: headings, and a row each."""
    headings = [_joined((column.first, column.second), " ") for column in COLUMNS]
    rows = [_row(line) for line in summaries]
    return ["scenario", *headings], rows


def _row(line: Summary) -> list[str]:
    values = [_joined(cell, " ") for cell in _cells(line)]
    return [line.scenario, *values]


def to_csv(summaries: Sequence[Summary]) -> str:
    """The summary as CSV, every number in full; empty where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for line in summaries:
        run = [line.scenario, line.label, line.episodes, line.seeds, line.diverged]
        scores = [*_flat(line.final), *_flat(line.area)]
        compared = [
            line.improvement,
            *line.improvement_interval,
            line.episodes_to_baseline,
        ]
        values = [*run, *scores, *compared, line.updates_per_second]
        writer.writerow(["" if _is_nothing(value) else value for value in values])
    return text.getvalue()


def _flat(score: Score) -> list[float]:
    return [score.mean, score.deviation, score.iqm, *score.interval]


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _cells(line: Summary) -> list[tuple[str, str]]:
    """Each cell in two parts, one below the other on the screen."""
    seeds = f"({line.seeds} seeds)"
    if line.diverged:
        seeds = f"({line.diverged} of {line.seeds} seeds diverged)"
    reached = "-"
    if line.episodes_to_baseline is not None:
        reached = f"{line.episodes_to_baseline:,}"
    final = line.final
    area = line.area
    deviation = f"± {_number(final.deviation)}"
    improvement = _with_interval(line.improvement, line.improvement_interval)
    return [
        (line.label, seeds),
        (_number(final.mean), deviation),
        _with_interval(final.iqm, final.interval),
        _with_interval(area.iqm, area.interval),
        improvement,
        (reached, ""),
    ]


def _with_interval(value: float, ends: Interval) -> tuple[str, str]:
    return _number(value), _interval(ends)


def _joined(cell: tuple[str, str], separator: str) -> str:
    return separator.join(part for part in cell if part)


def _interval(ends: Interval) -> str:
    low, high = ends
    return "" if np.isnan(low) else f"[{_number(low)}, {_number(high)}]"


def _number(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.2f}" if abs(value) < SMALL else f"{value:.1f}"
