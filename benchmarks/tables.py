"""The tables of docs/performance.md, written from the benchmarks' JSON.

    .venv/bin/python -m benchmarks.tables

Each stands between `<!-- NAME -->` and `<!-- end -->`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.reports import read_report

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
MARKED = re.compile(r"<!-- ([\w ]+) -->\n.*?<!-- end -->", re.DOTALL)


def table(rows: Sequence[Sequence[Any]]) -> str:
    """Markdown, the first row a heading.

    >>> print(table([["", "ms"], ["update", 1.234]]))
    | | ms |
    |---|---|
    | update | 1.23 |
    """
    heading, *lines = [_line(row) for row in rows]
    rule = "|" + "---|" * len(rows[0])
    return "\n".join([heading, rule, *lines])


def _line(row: Sequence[Any]) -> str:
    cells = [_text(cell) for cell in row]
    padded = [f" {cell} " if cell else " " for cell in cells]
    return "|" + "|".join(padded) + "|"


def _text(cell: Any) -> str:
    if not isinstance(cell, float):
        return str(cell)
    if abs(cell) >= 100:
        return f"{cell:.0f}"
    if abs(cell) >= 0.1:
        return f"{cell:.2f}"
    return f"{cell:.3f}"


def _pairs(found: Mapping[str, float], unit: str) -> str:
    """A row for each name."""
    rows = [[name, value] for name, value in found.items()]
    return table([["", unit], *rows])


def _records(found: Mapping[str, Mapping[str, float]], heading: Sequence[str]) -> str:
    """A row for each name, a column for each of its figures."""
    rows = [[name, *figures.values()] for name, figures in found.items()]
    return table([heading, *rows])


def _groups(wanted: Mapping[str, str], head: str) -> list[list[Any]]:
    """Rows of `scaling.json`'s groups, by the titles that they get."""
    measured = read_report("scaling")["milliseconds"]
    first = next(iter(wanted))
    rows = [[head, *measured[first]]]
    for group, title in wanted.items():
        rows.append([title, *measured[group].values()])
    return rows


def episodes() -> str:
    report = read_report("episodes")
    taken = report["milliseconds_per_episode_of_a_run"]
    ratios = _pairs(report["ratios"], "times")
    return _pairs(taken, "ms an episode of a run") + "\n\n" + ratios


def train_step() -> str:
    return _pairs(read_report("train_step")["ratios"], "measured")


def agents() -> str:
    """Both kinds of observations, and what one agent costs."""
    heading, *rows = _agents("agents", "predator-prey")
    _, *more = _agents("agents, observations of 10", "observations of 10")
    return table([heading, *rows, *more])


def _agents(kind: str, title: str) -> list[list[Any]]:
    found = _groups(
        {
            f"{kind}: update, adama": f"{title}, `adama`, ms",
            f"{kind}: update, adama_2nd": f"{title}, `adama_2nd`, ms",
            f"{kind}: MFLOP of an update": f"{title}, MFLOP",
        },
        "N",
    )
    _, *numbers = found[0]
    _, *adama = found[1]
    an_agent = [
        value / int(number) for value, number in zip(adama, numbers, strict=True)
    ]
    return [*found, [f"{title}, `adama`, ms an agent", *an_agent]]


def runs() -> str:
    wanted = {
        "runs: a whole episode of one run": "a whole episode",
        "runs: an episode's 20 steps of one run": "of that, 20 steps of the world, acting",
    }
    return table(_groups(wanted, "ms a run; runs at once"))


def scaling(group: str, unit: str) -> str:
    """One group of `scaling.json`, a row each."""
    return _pairs(read_report("scaling")["milliseconds"][group], unit)


def one_row(group: str, title: str, head: str) -> str:
    """One group of `scaling.json`, in a row."""
    return table(_groups({group: title}, head))


def sizes() -> str:
    """A row for each number of agents that was measured."""
    wanted = {}
    for group in read_report("scaling")["milliseconds"]:
        if group.startswith("sizes: "):
            wanted[group] = group.removeprefix("sizes: ")
    return table(_groups(wanted, "transitions in a part"))


def sweep() -> str:
    """The same 32 runs, four ways."""
    heading = ["", "seconds", "times as fast a run"]
    return _records(read_report("sweep")["ratios"], heading)


def large_sweep() -> str:
    """Each part, and the whole."""
    return _pairs(read_report("large_sweep")["seconds"], "seconds of a processor")


def startup() -> str:
    """Median and worst."""
    heading = ["seconds until", "median", "most"]
    return _records(read_report("startup")["seconds"], heading)


def gpu_program() -> str:
    """A column for each `unroll`."""
    columns = read_report("gpu_program")["unroll"]
    first = next(iter(columns.values()))
    measured = [name for name in first if name not in ("loops", "memory")]
    of_memory = ("arguments, GiB", "temporaries, GiB")
    rows = [[name, *(column[name] for column in columns.values())] for name in measured]
    memories = [column["memory"] for column in columns.values()]
    rows += [[name, *(memory[name] for memory in memories)] for name in of_memory]
    return table([["unroll", *columns], *rows])


TABLES: dict[str, Callable[[], str]] = {
    "episodes": episodes,
    "train step": train_step,
    "runs": runs,
    "agents": agents,
    "replay": partial(
        one_row,
        "replay: a whole episode, ring full",
        "a whole episode, ms",
        "transitions",
    ),
    "unroll": partial(
        one_row, "unroll: a whole episode of 2 runs", "a whole episode, ms", "unroll"
    ),
    "rules": partial(scaling, "rules: update", "update, ms"),
    "parts": partial(scaling, "an episode's parts", "ms"),
    "roofline": partial(scaling, "roofline", ""),
    "sweep": sweep,
    "sizes": sizes,
    "draw": partial(
        one_row, "draw: of one run", "a draw of 1024, ms", "episodes in the ring"
    ),
    "gpu program": gpu_program,
    "large sweep": large_sweep,
    "startup": startup,
}


def filled(page: str) -> str:
    """The page with every table as its JSON has it."""

    def one(found: re.Match[str]) -> str:
        name = found[1]
        return f"<!-- {name} -->\n{TABLES[name]()}\n<!-- end -->"

    return MARKED.sub(one, page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
