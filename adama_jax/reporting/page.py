"""One self-contained HTML page about a results folder.

It shows figures, tables, films and settings, and says what ran on what.
"""

import base64
import html
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from adama_jax.config.identity import unlike_preset
from adama_jax.config.names import flat, in_words
from adama_jax.errors import SettingError
from adama_jax.reporting import summary, tables
from adama_jax.reporting.film import run_gif
from adama_jax.reporting.labels import machine_of
from adama_jax.storage.folder import finished_runs
from adama_jax.storage.reader import Run, finite_seeds, load_run

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8886; padding-bottom: .2rem; }
figure { margin: 1.5rem 0; }
figure img { max-width: min(100%, 56rem); max-height: 40rem; }
figure img { background: white; border: 1px solid #8886; }
figcaption, .note { font-size: .88rem; opacity: .8; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #8884; }
th, td { text-align: right; vertical-align: top; white-space: nowrap; }
th:first-child, td:first-child, .text td, .text th { text-align: left; }
code { font-size: .85em; }
"""
# More runs than this of one world and length are a sweep, of which the tables show the best.
MOST_LISTED = 8
BEST_OF_A_SWEEP = 5


def report(results: Path, page: Path) -> Path:
    """Write the page; it loads nothing from elsewhere.

    Args:
        results: a results folder.
        page: the file to write.

    Raises:
        SettingError: no finished run there.
    """
    runs = [load_run(folder) for folder in finished_runs(results)]
    if not runs:
        raise SettingError(
            f"results={results}: must be a folder with finished runs (<scenario>/<run>/meta.json)"
        )
    # By scenario and settings, for many runs of a sweep have the same label.
    runs = [run._replace(label=_label(run)) for run in runs]
    by_scenario: dict[str, list[Run]] = {}
    for run in runs:
        by_scenario.setdefault(run.config.scenario, []).append(run)
    body = [
        f"<h1>AdaMa: {len(runs)} settings in {len(by_scenario)} scenarios</h1>",
        _introduction(results, runs),
        *_exhibits(results / "figures"),
    ]
    for scenario, members in by_scenario.items():
        body += _scenario(scenario, members, results)
    body += ["<h2>All runs</h2>", _all_runs(runs)]
    head = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>AdaMa results</title>"
        f"<style>{STYLE}</style>"
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(head + "\n".join(body) + "</html>\n", encoding="utf-8")
    return page


def _introduction(results: Path, runs: Sequence[Run]) -> str:
    now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    machines = sorted({machine_of(run) for run in runs})
    return (
        f"<p class=note>Written {now} from <code>{_text(results)}</code>. "
        f"Made on {_text(', '.join(machines))}. {_text(tables.CAPTION)}</p>"
    )


def _exhibits(folder: Path) -> list[str]:
    """Each figure of `adama figures` with its description; each table."""
    body = []
    for description in sorted(folder.glob("*.json")):
        about = json.loads(description.read_text(encoding="utf-8"))
        missing = ""
        if about["missing"]:
            missing = f" Missing: {'; '.join(about['missing'])}."
        body.append(f"<h2>{_text(about['title'])}</h2>")
        picture = description.with_suffix(".png")
        table = description.with_suffix(".md")
        if picture.is_file():
            shown = f"Settings shown: {len(about['runs'])}."
            body.append(
                _picture(picture, f"{shown} Drawn {about['drawn_at']}.{missing}")
            )
        elif table.is_file():
            body.append(_from_markdown(table.read_text(encoding="utf-8")))
            body.append(f"<p class=note>{_text(missing)}</p>")
    return body


def _scenario(
    scenario: str,
    runs: Sequence[Run],
    results: Path,
) -> list[str]:
    """Tables, pictures, a film and the common settings of a scenario's runs."""
    body = [f"<h2>{_text(scenario.replace('_', ' '))}</h2>"]
    groups: dict[_Group, list[Run]] = {}
    for run in runs:
        groups.setdefault(_group_of(run), []).append(run)
    for group, members in sorted(groups.items()):
        body += _group_table(group, members)
    # Of an experiment, in the scenario's folder; of `adama train`, in the run's own.
    for picture in sorted((results / scenario).glob("*.png")):
        body.append(_picture(picture, _caption(picture)))
    for run in runs:
        for picture in sorted(run.folder.glob("*.png")):
            body.append(_picture(picture, f"{run.label}: {_caption(picture)}"))
    body += _film(runs)
    body.append(_common_settings(runs))
    return body


class _Group(NamedTuple):
    """What runs have in common that stand in one table: only then are their returns comparable."""

    world: str
    episodes: int
    seeds: int
    first_seed: int


def _group_of(run: Run) -> _Group:
    changed = {
        n: value for n, value in unlike_preset(run.stored).items() if _is_of_world(n)
    }
    config = run.config
    return _Group(in_words(changed, ", "), config.episodes, config.seeds, config.seed)


def _is_of_world(name: str) -> bool:
    return name.startswith("world.") or name == "horizon"


def _group_table(group: _Group, runs: Sequence[Run]) -> list[str]:
    """A heading and a table of the runs, or of the best of them."""
    lines = summary.ranked(summary.summarise(runs))
    note = ""
    shown = lines
    if len(lines) > MOST_LISTED:
        note = f"; the best {BEST_OF_A_SWEEP} of {len(lines)} settings"
        shown = lines[:BEST_OF_A_SWEEP]
    where = f", {group.world}" if group.world else ""
    last_seed = group.first_seed + group.seeds - 1
    heading = f"{group.episodes:,} episodes, seeds {group.first_seed} to {last_seed}{where}{note}"
    headings, rows = tables.cells(shown)
    return [f"<h3>{_text(heading)}</h3>", _table(headings, rows)]


def _film(runs: Sequence[Run]) -> list[str]:
    """One film a scenario: of AdaMa if there is such a run, of the longest of these."""
    films = [run for run in runs if run.rollout is not None and finite_seeds(run).any()]
    if not films:
        return []
    filmed = max(
        films, key=lambda run: (run.config.method == "adama", run.config.episodes)
    )
    row = int(finite_seeds(filmed).argmax())
    caption = f"Greedy episodes of {filmed.label}, {filmed.config.episodes:,} episodes of training."
    with tempfile.TemporaryDirectory() as folder:
        film = run_gif(filmed, Path(folder) / "rollout.gif", row)
        return [_picture(film, caption)]


def _common_settings(runs: Sequence[Run]) -> str:
    """Every setting that all runs of a scenario share.

    In what they differ, the table of all runs says.
    """
    first, *others = (dict(flat(run.stored)) for run in runs)
    # A label is a name made of settings, and no setting.
    first.pop("label", None)
    rows = []
    for name, value in first.items():
        if all(other.get(name) == value for other in others):
            rows.append([name, str(value)])
    table = _table(["setting", "value"], rows)
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


def _all_runs(runs: Sequence[Run]) -> str:
    return _table(ALL_RUNS, [_row(run) for run in runs], "text")


def _row(run: Run) -> list[str]:
    """What the table of all runs says of one, in the order of `ALL_RUNS`."""
    config = run.config
    meta = run.meta
    changed = in_words(unlike_preset(run.stored), ", ")
    lost = "; ".join(f"seed {seed} at {at:,}" for seed, at in meta["diverged"].items())
    last_seed = config.seed + config.seeds - 1
    # None where the code that trained it was in no git repository.
    commit = meta["git_commit"] or "-"
    what = [
        f"{config.scenario}: {run.stored['label']}",
        changed or "-",
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


def _label(run: Run) -> str:
    """A name that tells a run from others of its method: with its settings."""
    return f"{run.stored['label']} {in_words(unlike_preset(run.stored))}".strip()


def _caption(picture: Path) -> str:
    return picture.stem.replace("_", " ")


def _picture(path: Path, caption: str) -> str:
    """The picture itself is in the page: so it can be sent as one file."""
    kind = {".png": "png", ".gif": "gif"}[path.suffix]
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure><img alt="{_text(caption)}" src="data:image/{kind};base64,{data}">'
        f"<figcaption>{_text(caption)}</figcaption></figure>"
    )


def _table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    kind: str = "",
) -> str:
    """A table in HTML; `kind` is a class of the style sheet."""
    top = "".join(f"<th>{_text(cell)}" for cell in head)
    body = []
    for row in rows:
        cells = "".join(f"<td>{_text(cell)}" for cell in row)
        body.append(f"<tr>{cells}")
    return (
        f'<div class=wide><table class="{kind}"><tr>{top}{"".join(body)}</table></div>'
    )


def _from_markdown(text: str) -> str:
    """The table of a file that `tables.markdown` or `exhibits.settings_table` wrote."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    # The second line is the rule below the headings.
    head, _, *body = rows
    return _table(head, body)


def _text(value: object) -> str:
    return html.escape(str(value))
