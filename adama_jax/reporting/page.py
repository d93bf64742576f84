"""One self-contained HTML page about a results folder: figures, tables, rollouts, settings, and what ran on what."""

import base64
import html
import json
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from adama_jax.config.identity import unlike_preset
from adama_jax.config.names import flat, in_words
from adama_jax.errors import SettingError
from adama_jax.reporting import summary
from adama_jax.reporting.film import run_gif
from adama_jax.reporting.labels import machine_of
from adama_jax.storage.folder import finished_runs
from adama_jax.storage.reader import Run, finite_seeds, load_run

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #8886; padding-bottom: .2rem; }
figure { margin: 1.5rem 0; }
figure img { max-width: min(100%, 56rem); max-height: 40rem; background: white; border: 1px solid #8886; }
figcaption, .note { font-size: .88rem; opacity: .8; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #8884; text-align: right; vertical-align: top; }
th, td { white-space: nowrap; }
th:first-child, td:first-child, .text td, .text th { text-align: left; }
code { font-size: .85em; }
"""
MANY = 8  # runs of one method, episodes and seeds: a sweep, of which the tables show the best
BEST = 5


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
    runs = [run._replace(label=_label(run)) for run in runs]
    scenarios = list(dict.fromkeys(run.config.scenario for run in runs))
    parts = [
        f"<h1>AdaMa: {len(runs)} settings in {len(scenarios)} scenarios</h1>",
        f"<p class=note>Written {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())} from "
        f"<code>{_text(results)}</code>. Made on {_text(', '.join(_machines(runs)))}. {_text(summary.CAPTION)}</p>",
        *_exhibits(results / "figures"),
        *(part for scenario in scenarios for part in _scenario(scenario, runs, results)),
        "<h2>All runs</h2>",
        _all_runs(runs),
    ]
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>AdaMa results</title><style>{STYLE}</style>"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(head + "\n".join(parts) + "</html>\n")
    return page


def _exhibits(folder: Path) -> list[str]:
    """Each figure with its description; each table."""
    parts = []
    for description in sorted(folder.glob("*.json")):
        about = json.loads(description.read_text())
        missing = f" Missing: {'; '.join(about['missing'])}." if about["missing"] else ""
        parts.append(f"<h2>{_text(about['title'])}</h2>")
        picture, table = description.with_suffix(".png"), description.with_suffix(".md")
        if picture.is_file():
            parts.append(
                _picture(
                    picture,
                    f"Settings shown: {len(about['runs'])}. Drawn {about['drawn_at']}.{missing}",
                )
            )
        elif table.is_file():
            parts += [_from_markdown(table.read_text()), f"<p class=note>{_text(missing)}</p>"]
    return parts


def _scenario(scenario: str, runs: Sequence[Run], results: Path) -> list[str]:
    here = [run for run in runs if run.config.scenario == scenario]
    parts = [f"<h2>{_text(scenario.replace('_', ' '))}</h2>"]
    groups: dict[tuple[str, int, int, int], list[Run]] = {}
    for run in here:
        world = in_words(
            {name: value for name, value in unlike_preset(run.stored).items() if _of_world(name)},
            ", ",
        )
        key = (world, run.config.episodes, run.config.seeds, run.config.seed)
        groups.setdefault(key, []).append(run)
    for (world, episodes, seeds, seed), members in sorted(groups.items()):
        lines = summary.ranked(summary.summarise(members))
        note = f"; the best {BEST} of {len(lines)} settings" if len(lines) > MANY else ""
        where = f", {world}" if world else ""
        parts.append(
            f"<h3>{_text(f'{episodes:,} episodes, seeds {seed} to {seed + seeds - 1}{where}{note}')}</h3>"
        )
        parts.append(_table(*summary.cells(lines[: BEST if note else None])))
    pictures = [(picture, "") for picture in sorted((results / scenario).glob("*.png"))]
    pictures += [
        (picture, f"{run.label}: ") for run in here for picture in sorted(run.folder.glob("*.png"))
    ]
    parts += [
        _picture(picture, whose + picture.stem.replace("_", " ")) for picture, whose in pictures
    ]
    films = [run for run in here if run.rollout is not None and finite_seeds(run).any()]
    filmed = max(
        films,
        key=lambda run: (run.config.method == "adama", run.config.episodes),
        default=None,
    )
    if filmed is not None:
        with tempfile.TemporaryDirectory() as folder:
            film = run_gif(filmed, Path(folder) / "rollout.gif", int(finite_seeds(filmed).argmax()))
            caption = f"Greedy episodes of {filmed.label}, {filmed.config.episodes:,} episodes of training."
            parts.append(_picture(film, caption))
    return [*parts, _common_settings(here)]


def _common_settings(runs: Sequence[Run]) -> str:
    """Every setting that all runs of a scenario share; in what they differ, the table of all runs says."""
    first, *others = (dict(flat(run.stored)) for run in runs)
    common = {
        n: v
        for n, v in first.items()
        if n != "label" and all(other.get(n) == v for other in others)
    }
    rows = [[name, str(value)] for name, value in common.items()]
    return f"<details><summary>Settings that these runs share</summary>{_table(['setting', 'value'], rows)}</details>"


def _of_world(name: str) -> bool:
    return name.startswith("world.") or name == "horizon"


def _all_runs(runs: Sequence[Run]) -> str:
    head = [
        "run",
        "settings other than the preset",
        "episodes",
        "seeds",
        "diverged",
        "updates/s",
        "device",
        "commit",
    ]
    head += ["jax", "finished", "folder"]
    rows = []
    for run in runs:
        config, meta = run.config, run.meta
        changed = in_words(unlike_preset(run.stored), ", ")
        lost = "; ".join(f"seed {seed} at {at:,}" for seed, at in meta["diverged"].items())
        rows.append([
            f"{config.scenario}: {run.stored['label']}", changed or "-", f"{config.episodes:,}",
            f"{config.seed} to {config.seed + config.seeds - 1}", lost or "-",
            f"{meta['updates_per_second']:,.0f}", machine_of(run),
            (meta["git_commit"] or "-")[:8], meta["versions"]["jax"], meta["finished_at"], run.folder.name,
        ])  # fmt: skip
    return _table(head, rows, "text")


def _label(run: Run) -> str:
    return f"{run.stored['label']} {in_words(unlike_preset(run.stored))}".strip()


def _machines(runs: Iterable[Run]) -> list[str]:
    return sorted(set(map(machine_of, runs)))


def _picture(path: Path, caption: str) -> str:
    kind = {".png": "png", ".gif": "gif"}[path.suffix]
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure><img alt="{_text(caption)}" src="data:image/{kind};base64,{data}">'
        f"<figcaption>{_text(caption)}</figcaption></figure>"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    top = "".join(f"<th>{_text(cell)}" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}" for cell in row) for row in rows)
    return f'<div class=wide><table class="{kind}"><tr>{top}{body}</table></div>'


def _from_markdown(text: str) -> str:
    """The table of a file that `summary.markdown` or `exhibits.settings_table` wrote."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines)
    return _table(head, rows)


def _text(value: object) -> str:
    return html.escape(str(value))
