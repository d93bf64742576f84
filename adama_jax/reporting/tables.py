"""Summaries of runs as a table on the screen, CSV or Markdown."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from adama_jax.reporting.summary import Interval, Score, Summary, is_told_apart
from adama_jax.screen.streams import in_one_line
from adama_jax.screen.words import counted
from adama_jax.storage.files import write_text

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


NOT_TOLD_APART = "not told apart"
# A width is that of words which would be cut in two otherwise: in 80 columns there is little room.
COLUMNS = (
    Column("method", ""),
    Column("final", "± sd", wraps=False),
    Column("IQM", "[95% interval]", wraps=False),
    Column("area, IQM", "[95% interval]", wraps=False),
)
# Beside them, where there is something to compare with.
COMPARING = (
    Column("P(above fixed)", "[interval]", least_width=len(NOT_TOLD_APART)),
    Column("episodes to", "fixed's final", least_width=len("episodes")),
)
CAPTION = (
    "Greedy return per episode. final: mean over the last tenth of the evaluations; "
    "area: mean over training."
)
COMPARED = (
    "P(above fixed): chance that a run ends above one of `fixed`, diverged runs below all; "
    "not told apart: the interval of that holds 0.5."
)
FLOOR = (
    "direction_floor={values}, the least part of |l_a| that an actor's rate is steered to, is in "
    "no printed equation (0 is what is printed) and acts in {methods}."
)
# With which a spreadsheet begins a formula.
BEGIN_FORMULAS = ("=", "+", "-", "@")
RANKING_CAPTION = (
    "Greedy return per episode, mean over the last tenth of the evaluations."
)


def caption(summaries: Sequence[Summary]) -> str:
    """What a table's columns are, and what acts in its runs that the paper does not print."""
    floors = [(line.method, line.direction_floor) for line in summaries]
    return caption_of(floors, _is_compared(summaries))


def caption_of(
    floors: Sequence[tuple[str, float | None]], compared: bool = True
) -> str:
    """As `caption`, of runs by their methods and floors: nothing else of them is needed.

    Args:
        floors: a pair for each run.
        compared: whether a run is compared with the baseline.
    """
    said = f"{CAPTION} {COMPARED}" if compared else CAPTION
    floored = [(method, floor) for method, floor in floors if floor]
    if not floored:
        return said
    values = sorted({f"{floor:g}" for _, floor in floored})
    methods = dict.fromkeys(method for method, _ in floored)
    floor = FLOOR.format(values=" and ".join(values), methods=", ".join(methods))
    return f"{said} {floor}"


def _is_compared(summaries: Sequence[Summary]) -> bool:
    """Whether any run is compared with a baseline; of one method alone none is."""
    return any(not np.isnan(line.improvement) for line in summaries)


def _columns(summaries: Sequence[Summary]) -> tuple[Column, ...]:
    return COLUMNS + COMPARING if _is_compared(summaries) else COLUMNS


def table(summaries: Sequence[Summary], title: str, ascii_only: bool = False) -> Table:
    """The summary as a rich table, of 80 columns.

    Args:
        summaries: its lines.
        title: above it.
        ascii_only: whether the screen has no other letters (`console.options.ascii_only`).
    """
    # As texts, for rich would read brackets in a label as markup.
    result = Table(
        title=Text(title),
        caption=Text(caption(summaries)),
        title_justify="left",
        caption_justify="left",
        box=SIMPLE,
        padding=0,
    )
    words = [word for line in summaries for word in line.label.split()]
    longest = max((len(word) for word in words), default=0)
    columns = _columns(summaries)
    for place, column in enumerate(columns):
        is_label = place == 0
        result.add_column(
            _text(f"{column.first}\n{column.second}", ascii_only),
            justify="left" if is_label else "right",
            no_wrap=not column.wraps,
            min_width=longest if is_label else column.least_width,
        )
    for line in summaries:
        cells = [_joined(cell, "\n") for cell in _cells(line)[: len(columns)]]
        result.add_row(*(_text(cell, ascii_only) for cell in cells))
    return result


def ranking(
    summaries: Sequence[Summary], title: str, ascii_only: bool = False
) -> Table:
    """Settings of a sweep, a line each; the arguments are `table`'s."""
    result = Table(
        title=Text(title),
        caption=Text(RANKING_CAPTION),
        title_justify="left",
        caption_justify="left",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
    )
    result.add_column("setting", justify="left")
    for heading in ("final", "± sd", "IQM [95% interval]", "seeds"):
        words = _text(heading, ascii_only)
        result.add_column(words, justify="right", no_wrap=True)
    for line in summaries:
        lost = f" ({line.diverged} div.)" if line.diverged else ""
        final = line.final
        middle = f"{number(final.iqm)} {interval(final.interval)}"
        cells = (
            line.label,
            number(final.mean),
            number(final.deviation),
            middle,
            f"{line.seeds}{lost}",
        )
        result.add_row(*map(Text, cells))
    return result


def _text(words: str, ascii_only: bool) -> Text:
    """A cell as it is written, in letters that the screen has: others would shift the columns."""
    return Text(words.replace("±", "+-") if ascii_only else words)


def markdown(summaries: Sequence[Summary]) -> str:
    """The summary as a Markdown table."""
    return markdown_of(*cells(summaries))


def markdown_of(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts in Markdown: two columns of names, then numbers."""
    rule = ["---", "---", *["---:"] * (len(headings) - 2)]
    # A bar would end a cell.
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in (headings, *rows)]
    lines = [escaped[0], rule, *escaped[1:]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write(
    summaries: Sequence[Summary],
    target: Path,
    head: str = "",
) -> list[Path]:
    """The summary as `target.csv` and `target.md`; `head` goes above the Markdown table."""
    paths = []
    for suffix, text in texts(summaries, head).items():
        path = target.with_name(target.name + suffix)
        write_text(path, text)
        paths.append(path)
    return paths


def texts(summaries: Sequence[Summary], head: str = "") -> dict[str, str]:
    """The summary as the text of each file, by suffix; `head` goes above the Markdown table."""
    above = f"{head} {caption(summaries)}".strip()
    return {".csv": to_csv(summaries), ".md": f"{above}\n\n{markdown(summaries)}"}


def cells(summaries: Sequence[Summary]) -> tuple[list[str], list[list[str]]]:
    """The summary as text: headings, and a row each."""
    columns = _columns(summaries)
    headings = [_joined((column.first, column.second), " ") for column in columns]
    rows = [_row(line)[: 1 + len(columns)] for line in summaries]
    return ["scenario", *headings], rows


def _row(line: Summary) -> list[str]:
    values = [_joined(cell, " ") for cell in _cells(line)]
    return [line.scenario, *values]


def to_csv(summaries: Sequence[Summary]) -> str:
    """The summary as CSV, as `csv_of` writes it."""
    rows = []
    for line in summaries:
        run = [line.scenario, line.label, line.episodes, line.seeds, line.diverged]
        scores = [*_flat(line.final), *_flat(line.area)]
        compared = [
            line.improvement,
            *line.improvement_interval,
            line.episodes_to_baseline,
        ]
        rows.append([*run, *scores, *compared, line.updates_per_second])
    return csv_of(CSV_COLUMNS, rows)


def csv_of(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows as CSV, every number in full; empty where there is none.

    A text that a spreadsheet would run as a formula has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])
    return text.getvalue()


def _csv_cell(value: object) -> object:
    if _is_nothing(value):
        return ""
    if not isinstance(value, str):
        return value
    text = in_one_line(value)
    return f"'{text}" if text.startswith(BEGIN_FORMULAS) else text


def _flat(score: Score) -> list[float]:
    return [score.mean, score.deviation, score.iqm, *score.interval]


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _cells(line: Summary) -> list[tuple[str, ...]]:
    """Each cell in parts, one below the other on the screen."""
    seeds = f"({counted(line.seeds, 'seed')})"
    if line.diverged:
        seeds = f"({line.diverged} of {counted(line.seeds, 'seed')} diverged)"
    reached = "-"
    if line.episodes_to_baseline is not None:
        reached = f"{line.episodes_to_baseline:,}"
    final = line.final
    area = line.area
    deviation = f"± {number(final.deviation)}"
    improvement = _with_interval(line.improvement, line.improvement_interval)
    is_compared = not np.isnan(line.improvement_interval[0])
    if is_compared and not is_told_apart(line):
        improvement = (*improvement, NOT_TOLD_APART)
    return [
        (line.label, seeds),
        (number(final.mean), deviation),
        _with_interval(final.iqm, final.interval),
        _with_interval(area.iqm, area.interval),
        improvement,
        (reached, ""),
    ]


def _with_interval(value: float, ends: Interval) -> tuple[str, str]:
    return number(value), interval(ends)


def _joined(cell: tuple[str, ...], separator: str) -> str:
    return separator.join(part for part in cell if part)


def interval(ends: Interval) -> str:
    """An interval in brackets; nothing where there is none."""
    low, high = ends
    return "" if np.isnan(low) else f"[{number(low)}, {number(high)}]"


def number(value: float) -> str:
    """A score to three digits or one decimal; - where there is none."""
    if np.isnan(value):
        return "-"
    return f"{value:.2f}" if abs(value) < SMALL else f"{value:.1f}"
