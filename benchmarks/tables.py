"""The tables of docs/performance.md, written from the benchmarks' JSON.

    .venv/bin/python -m benchmarks.tables

Each stands between `<!-- NAME -->` and `<!-- end -->`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
PLACE = re.compile(r"<!-- ([\w ]+) -->\n.*?<!-- end -->", re.DOTALL)


def read(name: str) -> dict[str, Any]:
    """A benchmark's result."""
    return json.loads((HERE / f"{name}.json").read_text())


def table(rows: Sequence[Sequence[Any]]) -> str:
    """Markdown, the first row a heading.

    >>> print(table([["", "ms"], ["update", 1.234]]))
    | | ms |
    |---|---|
    | update | 1.23 |
    """
    lines = ["|" + "|".join(f" {_text(cell)} " if _text(cell) else " " for cell in row) + "|" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.2f}" if abs(cell) >= 0.1 else f"{cell:.3f}"
    return str(cell)


def _groups(wanted: Mapping[str, str], head: str) -> list[list[Any]]:
    measured = read("scaling")["milliseconds"]
    names = list(measured[next(iter(wanted))])
    return [[head, *names], *([title, *measured[group].values()] for group, title in wanted.items())]


def episodes() -> str:
    report = read("episodes")
    taken = report["milliseconds_per_episode_of_a_run"].items()
    return (
        table([["", "ms an episode of a run"], *map(list, taken)])
        + "\n\n"
        + table([["", "times"], *map(list, report["ratios"].items())])
    )


def train_step() -> str:
    return table([["", "measured"], *map(list, read("train_step")["ratios"].items())])


def agents() -> str:
    """Both kinds of observations, and what one agent costs."""
    rows = []
    for kind, title in (("agents", "predator-prey"), ("agents, observations of 10", "observations of 10")):
        wanted = {f"{kind}: update, {m}": f"{title}, `{m}`, ms" for m in ("adama", "adama_2nd")}
        wanted[f"{kind}: MFLOP of an update"] = f"{title}, MFLOP"
        found = _groups(wanted, "N")
        rows += found if not rows else found[1:]
        rows.append(
            [f"{title}, `adama`, ms an agent", *(ms / int(n) for ms, n in zip(found[1][1:], found[0][1:], strict=True))]
        )
    return table(rows)


TABLES: dict[str, Callable[[], str]] = {
    "episodes": episodes,
    "train step": train_step,
    "roofline": lambda: table([["", ""], *map(list, read("scaling")["milliseconds"]["roofline"].items())]),
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
    "replay": lambda: table(_groups({"replay: a whole episode, ring full": "a whole episode, ms"}, "transitions")),
    "unroll": lambda: table(_groups({"unroll: a whole episode of 2 runs": "a whole episode, ms"}, "unroll")),
    "rules": lambda: table([["", "update, ms"], *map(list, read("scaling")["milliseconds"]["rules: update"].items())]),
    "parts": lambda: table([["", "ms"], *map(list, read("scaling")["milliseconds"]["an episode's parts"].items())]),
}


def filled(page: str) -> str:
    """The page with every table as its JSON has it."""
    return PLACE.sub(lambda found: f"<!-- {found[1]} -->\n{TABLES[found[1]]()}\n<!-- end -->", page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
