"""Searches among the runs of a results folder, and what a page shows of them.

A search is a sweep that was trained on two sets of seeds: its best trial is chosen on one, and
reported on the other, beside methods that nobody tuned.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

from adama_jax.config.schema import Config
from adama_jax.reporting import html, tuning
from adama_jax.reporting.figures import save
from adama_jax.reporting.style import default_style
from adama_jax.storage.reader import Run

# Fewer trials are a comparison, not a search.
LEAST_TRIALS = 4


class Search(NamedTuple):
    """One that `tuning` can draw."""

    name: str  # what was swept
    runs: list[Run]  # trials and methods, on the seeds that are reported
    chosen_from: list[Run]  # the trials, on other seeds


def searches(tables: Iterable[Sequence[Run]]) -> list[Search]:
    """The searches of a scenario.

    Args:
        tables: its runs, by what makes returns comparable: world, episodes and seeds.

    Of two sets of seeds that is reported which has more beside the trials; of equal ones the first.
    """
    found: dict[Kind, Search] = {}
    for report, choice in permutations(tables, 2):
        if not _are_comparable(report, choice):
            continue
        for kind, trials in _in_both(report, choice).items():
            # Of a method that is called as its optimizer one name is enough.
            name = " on ".join(dict.fromkeys(kind[:2]))
            runs = [
                run
                for run in report
                if tuning.but_seeds(run) in trials or _is_beside(run, kind)
            ]
            search = Search(name, runs, list(trials.values()))
            before = found.get(kind)
            if before is None or len(search.runs) > len(before.runs):
                found[kind] = search
    return list(found.values())


def _are_comparable(report: Sequence[Run], choice: Sequence[Run]) -> bool:
    """Whether two tables differ in seeds alone, and have none in common."""
    first, other = report[0].config, choice[0].config
    same = (
        first.world.as_rewarded == other.world.as_rewarded
        and first.episodes == other.episodes
    )
    return same and not set(first.seed_range) & set(other.seed_range)


Kind = tuple[str, str, str]  # method, optimizer, algorithm


def _kind_of(run: Run) -> Kind:
    config = run.config
    return config.method, config.optimizer_name, config.algorithm


def _is_beside(run: Run, kind: Kind) -> bool:
    """Whether a run is another method's, of the same algorithm: more settings are no rivals."""
    method, _, algorithm = kind
    return run.config.method != method and run.config.algorithm == algorithm


Trials = dict[Config, Run]  # on the seeds of the choice, by their settings but seeds


def _in_both(report: Sequence[Run], choice: Sequence[Run]) -> Mapping[Kind, Trials]:
    """What is on both sets of seeds, by its kind, where it is enough of a search."""
    reported = {tuning.but_seeds(run) for run in report}
    found: dict[Kind, Trials] = {}
    for run in choice:
        settings = tuning.but_seeds(run)
        if settings in reported:
            found.setdefault(_kind_of(run), {})[settings] = run
    return {kind: each for kind, each in found.items() if len(each) >= LEAST_TRIALS}


def shown(search: Search) -> list[str]:
    """HTML of a search: its tuning curve, and what the methods beside it are worth."""
    scenario = search.runs[0].config.scenario
    title = f"The best of k settings of {search.name}"
    with tempfile.TemporaryDirectory() as folder, default_style():
        figure = tuning.tuning_curves(
            {scenario: search.runs}, title, search.chosen_from
        )
        picture = save(figure, Path(folder) / "tuning_curve.png")
        body = [html.picture(picture, f"{title}, expected, against k")]
    rows = tuning.lines(search.runs, search.chosen_from)
    if rows:
        body.append(html.from_markdown(tuning.markdown_rows(rows)))
        body.append(html.note(tuning.HEAD))
    return body
