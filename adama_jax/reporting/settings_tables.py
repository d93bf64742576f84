"""What a page says of the settings of runs: which they share, and in which they differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from adama_jax.config.identity import unlike_preset
from adama_jax.config.names import flat, short
from adama_jax.reporting import html
from adama_jax.reporting.html import Section
from adama_jax.reporting.labels import machine_of
from adama_jax.storage.reader import Run

MOST_LETTERS = 10  # of a number that is written in full


def common(runs: Sequence[Run]) -> str:
    """Every setting that all runs of a scenario share.

    In what they differ, the table of all runs says.
    """
    first, *others = (dict(flat(run.stored)) for run in runs)
    # A label is a name made of settings, and no setting.
    first.pop("label", None)
    rows = []
    for name, value in first.items():
        if all(other.get(name) == value for other in others):
            rows.append([name, in_short(value)])
    table = html.table(["setting", "value"], rows)
    return (
        f"<details><summary>Settings that these runs share</summary>{table}</details>"
    )


ALL_RUNS = (
    "run",
    "settings other than the preset",
    "episodes",
    "seeds",
    "diverged",
    "updates/s",
    "device",
    "commit",
    "jax",
    "finished",
    "folder",
)


def of_all(scenario: str, runs: Sequence[Run]) -> Section:
    """The table of all runs of a scenario, with their settings."""
    rows = [_row(run) for run in runs]
    heading = f"All runs of {scenario.replace('_', ' ')}: {len(runs)}"
    return Section(heading, [html.table(ALL_RUNS, rows, "text")])


def _row(run: Run) -> list[str]:
    """What the table of all runs says of one, in the order of `ALL_RUNS`."""
    config = run.config
    meta = run.meta
    lost = "; ".join(f"seed {seed} at {at:,}" for seed, at in meta["diverged"].items())
    last_seed = config.seed + config.seeds - 1
    # None where the code that trained it was in no git repository.
    commit = meta["git_commit"] or "-"
    what = [
        run.label,
        in_words(unlike_preset(run.stored)) or "-",
        f"{config.episodes:,}",
        f"{config.seed} to {last_seed}",
        lost or "-",
    ]
    how = [
        f"{meta['updates_per_second']:,.0f}",
        machine_of(run),
        commit[:8],
        meta["versions"]["jax"],
        meta["finished_at"],
        run.folder.name,
    ]
    return what + how


def with_label(run: Run) -> str:
    """The label that a run has on disk, with its settings where they are not the preset's."""
    return f"{run.stored['label']} {in_words(unlike_preset(run.stored))}".strip()


def in_words(values: Mapping[str, Any]) -> str:
    """Settings by their short names, for a table's cell."""
    return ", ".join(
        f"{short(name)}={in_short(value)}" for name, value in values.items()
    )


def in_short(value: object) -> str:
    """A setting's value; of a long fraction six digits are enough to know it by.

    >>> in_short(0.0014142135623730952), in_short(40.0), in_short("auto")
    ('0.00141421', '40.0', 'auto')
    """
    text = str(value)
    if isinstance(value, float) and len(text) > MOST_LETTERS:
        return f"{value:.6g}"
    return text
