"""The paper's figures and tables, drawn from finished runs.

A JSON beside each says what it shows.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from adama_jax.config.exhibits import DRAWINGS, Exhibit
from adama_jax.config.identity import unlike_preset
from adama_jax.config.names import SYMBOLS, setting, short
from adama_jax.config.schema import scenario_config
from adama_jax.reporting import figures, summary, tables
from adama_jax.reporting.grids import edge_note
from adama_jax.reporting.labels import lengths
from adama_jax.reporting.settings_tables import in_short
from adama_jax.reporting.style import default_style
from adama_jax.screen.console import Screen
from adama_jax.storage.files import write_json, write_text
from adama_jax.storage.provenance import git_commit
from adama_jax.storage.reader import Run

RunsByScenario = Mapping[str, Sequence[Run]]


def show(
    exhibit: Exhibit,
    runs: RunsByScenario,
    missing: Sequence[str],
    folder: Path,
    chosen_from: Sequence[Run],
    console: Screen,
) -> bool:
    """Draw an exhibit if there is anything to draw, and say what is missing.

    Args:
        exhibit: what to draw.
        runs: its finished runs, by scenario.
        missing: what is not there, a line a scenario.
        folder: where the files go.
        chosen_from: the runs by which settings were chosen (`best_of`).
        console: hears what was written and what is missing.

    Returns:
        Whether it was drawn.
    """
    drawing = DRAWINGS[exhibit.draw]
    drawn = bool(runs) or not drawing.of_runs
    if drawn:
        draw(exhibit, runs, missing, folder, chosen_from)
        files = folder / exhibit.name
        console.say(f"{exhibit.name}: {files}.*")
    if exhibit.draw == "results":
        for scenario, members in runs.items():
            heading = f"{scenario}, {lengths(members)}"
            lines = summary.summarise(members)
            console.show(tables.table(lines, heading, console.options.ascii_only))
    if missing:
        nothing = "" if runs else "nothing drawn; "
        text = f"{exhibit.name}: {nothing}missing: {'; '.join(missing)}"
        console.say(text, style="yellow")
    return drawn


@default_style()
def draw(
    exhibit: Exhibit,
    runs: RunsByScenario,
    missing: Sequence[str],
    folder: Path,
    chosen_from: Sequence[Run] = (),
) -> None:
    """One exhibit: PNG and PDF, or CSV and Markdown, and a JSON that says from what it was drawn.

    Args:
        exhibit: what to draw.
        runs: its runs, by scenario.
        missing: what is not there, in words.
        folder: where the files go.
        chosen_from: the runs by which settings were chosen (`best_of`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    all_runs = [run for members in runs.values() for run in members]
    notes = [exhibit.title, *_choices(exhibit, chosen_from)]
    drawing = DRAWINGS[exhibit.draw]
    function = resolve_name(drawing.function)
    choice = (chosen_from,) if drawing.of_choice else ()
    if drawing.is_table:
        titled = replace(exhibit, title=". ".join(notes))
        for suffix, text in function(titled, all_runs, *choice).items():
            write_text(_file(folder, exhibit, suffix), text)
    else:
        incomplete = ", incomplete" if missing else ""
        notes[0] += f", {lengths(all_runs)}{incomplete}"
        figure = function(runs, "\n".join(notes), *choice)
        png, pdf = (_file(folder, exhibit, suffix) for suffix in (".png", ".pdf"))
        figures.save(figure, png, pdf)
    about = {
        "title": exhibit.title,
        "drawn_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "drawn_by_commit": git_commit(),
        "missing": list(missing),
        "runs": [provenance(run) for run in all_runs],
        "chosen_from": [provenance(run) for run in chosen_from],
    }
    write_json(_file(folder, exhibit, ".json"), about)


def _choices(exhibit: Exhibit, chosen_from: Sequence[Run]) -> list[str]:
    """What is to be said of the curves whose rates were chosen from a grid."""
    grids: dict[str, list[Run]] = {}
    for run in chosen_from:
        grids.setdefault(run.config.scenario, []).append(run)
    note = edge_note(grids)
    lines = []
    for curve in exhibit.curves:
        if curve.best_of and note:
            name = curve.label or curve.method
            lines.append(f"{name}: the best of a grid{note}")
    return lines


def _file(folder: Path, exhibit: Exhibit, suffix: str) -> Path:
    # Not `with_suffix`: a name may hold a dot.
    return folder / (exhibit.name + suffix)


def results_table(exhibit: Exhibit, runs: Sequence[Run]) -> dict[str, str]:
    """What the runs amount to, a line each, as the texts of a CSV and a Markdown file."""
    return tables.texts(summary.summarise(runs), f"{exhibit.title}.")


def settings_table(exhibit: Exhibit, runs: Sequence[Run] = ()) -> dict[str, str]:
    """What the scenarios' names stand for, as a Markdown table.

    A symbol of the paper stands beside its setting. No runs are needed.
    """
    configs = [scenario_config(scenario) for scenario in exhibit.scenarios]
    lines = [
        "| setting | " + " | ".join(exhibit.scenarios) + " |",
        "|---|" + "---:|" * len(configs),
    ]
    for name in exhibit.rows:
        symbol = f" ({short(name)})" if short(name) in SYMBOLS else ""
        values = " | ".join(in_short(setting(config, name)) for config in configs)
        lines.append(f"| `{name}`{symbol} | {values} |")
    return {".md": f"{exhibit.title}\n\n" + "\n".join(lines) + "\n"}


def provenance(run: Run) -> dict[str, Any]:
    """Where a run's numbers come from: its settings, the code and the machine."""
    described = {
        name: run.stored[name] for name in ("method", "episodes", "seeds", "seed")
    }
    made: dict[str, Any] = {
        name: run.meta[name]
        for name in ("git_commit", "device", "versions", "finished_at", "diverged")
    }
    # Of a run that was joined from several: each of them.
    if "parts" in run.meta:
        made["parts"] = run.meta["parts"]
    return {
        "label": run.label,
        "folder": f"{run.folder.parent.name}/{run.folder.name}",
        **described,
        "settings_other_than_the_preset": unlike_preset(run.stored),
        "all_settings": run.stored,
        **made,
    }
