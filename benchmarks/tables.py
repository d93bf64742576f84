"""The tables of docs/performance.md, written from the benchmarks' JSON.

    .venv/bin/python -m benchmarks.tables

Each stands between `<!-- NAME -->` and `<!-- end -->`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.reports import read_report

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
PLACE = re.compile(r"<!-- ([\w ]+) -->\n.*?<!-- end -->", re.DOTALL)


def table(rows: Sequence[Sequence[Any]]) -> str:
    """Markdown, the first row a heading.

    >>> print(table([["", "ms"], ["update", 1.234]]))
    | | ms |
    |---|---|
    | update | 1.23 |
    """
    lines = [
        "|" + "|".join(f" {_text(cell)} " if _text(cell) else " " for cell in row) + "|"
        for row in rows
    ]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return (
            f"{cell:.0f}"
            if abs(cell) >= 100
            else f"{cell:.2f}"
            if abs(cell) >= 0.1
            else f"{cell:.3f}"
        )
    return str(cell)


def _groups(wanted: Mapping[str, str], head: str) -> list[list[Any]]:
    measured = read_report("scaling")["milliseconds"]
    names = list(measured[next(iter(wanted))])
    return [
        [head, *names],
        *([title, *measured[group].values()] for group, title in wanted.items()),
    ]


def episodes() -> str:
    report = read_report("episodes")
    taken = report["milliseconds_per_episode_of_a_run"].items()
    return (
        table([["", "ms an episode of a run"], *map(list, taken)])
        + "\n\n"
        + table([["", "times"], *map(list, report["ratios"].items())])
    )


def train_step() -> str:
    return table([["", "measured"], *map(list, read_report("train_step")["ratios"].items())])


def agents() -> str:
    """Both kinds of observations, and what one agent costs."""
    rows = []
    for kind, title in (
        ("agents", "predator-prey"),
        ("agents, observations of 10", "observations of 10"),
    ):
        wanted = {f"{kind}: update, {m}": f"{title}, `{m}`, ms" for m in ("adama", "adama_2nd")}
        wanted[f"{kind}: MFLOP of an update"] = f"{title}, MFLOP"
        found = _groups(wanted, "N")
        rows += found if not rows else found[1:]
        rows.append(
            [
                f"{title}, `adama`, ms an agent",
                *(ms / int(n) for ms, n in zip(found[1][1:], found[0][1:], strict=True)),
            ]
        )
    return table(rows)


def scaling(group: str, unit: str) -> str:
    """One group of `scaling.json`, a row each."""
    return table([["", unit], *map(list, read_report("scaling")["milliseconds"][group].items())])


def sizes() -> str:
    """A row for each number of agents that was measured."""
    groups = [name for name in read_report("scaling")["milliseconds"] if name.startswith("sizes: ")]
    return table(
        _groups({name: name.removeprefix("sizes: ") for name in groups}, "transitions in a part")
    )


def sweep() -> str:
    """The same 32 runs, four ways."""
    rows = read_report("sweep")["ratios"]
    return table(
        [
            ["", "seconds", "times as fast a run"],
            *([what, *row.values()] for what, row in rows.items()),
        ]
    )


def startup() -> str:
    """Median and worst."""
    seconds = read_report("startup")["seconds"]
    return table(
        [
            ["seconds until", "median", "most"],
            *([what, *found.values()] for what, found in seconds.items()),
        ]
    )


def gpu_program() -> str:
    """A column for each `unroll`."""
    columns = read_report("gpu_program")["unroll"]
    names = [name for name in next(iter(columns.values())) if name not in ("places", "memory")]
    rows = [[name, *(column[name] for column in columns.values())] for name in names]
    kept = ("arguments, GiB", "temporaries, GiB")
    rows += [[name, *(column["memory"][name] for column in columns.values())] for name in kept]
    return table([["unroll", *columns], *rows])


TABLES: dict[str, Callable[[], str]] = {
    "episodes": episodes,
    "train step": train_step,
    "runs": lambda: table(
        _groups(
            {
                "runs: a whole episode of one run": "a whole episode",
                "runs: an episode's 20 steps of one run": "of that, 20 steps of the world, acting",
            },
            "ms a run; runs at once",
        )
    ),
    "agents": agents,
    "replay": lambda: table(
        _groups({"replay: a whole episode, ring full": "a whole episode, ms"}, "transitions")
    ),
    "unroll": lambda: table(
        _groups({"unroll: a whole episode of 2 runs": "a whole episode, ms"}, "unroll")
    ),
    "rules": lambda: scaling("rules: update", "update, ms"),
    "parts": lambda: scaling("an episode's parts", "ms"),
    "roofline": lambda: scaling("roofline", ""),
    "sweep": sweep,
    "sizes": sizes,
    "draw": lambda: table(
        _groups({"draw: of one run": "a draw of 1024, ms"}, "episodes in the ring")
    ),
    "gpu program": gpu_program,
    "startup": startup,
}


def filled(page: str) -> str:
    """The page with every table as its JSON has it."""
    return PLACE.sub(lambda found: f"<!-- {found[1]} -->\n{TABLES[found[1]]()}\n<!-- end -->", page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
