"""The paper's exhibits from `experiments/`: train what they lack, draw what the results on disk allow, say the rest."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from adama_jax.cli.options import FiguresCommand, ReproduceCommand
from adama_jax.config.exhibits import Exhibit, Length, load_exhibits
from adama_jax.config.identity import unlike_preset
from adama_jax.config.names import SYMBOLS, setting, short
from adama_jax.config.schema import Config, scenario_config
from adama_jax.reporting import figures as plots
from adama_jax.reporting import summary
from adama_jax.storage.provenance import git_commit
from adama_jax.storage.reader import Run, find_run, has_run
from adama_jax.studies.exhibits import Shown, shown


def reproduce(command: ReproduceCommand, console: Console) -> int:
    """Train every run that the exhibits show and that is not on disk, then draw.

    What waits for other runs (`best_of`) is trained when they are there.

    Returns:
        The exit code: 1 if a job failed.
    """
    from adama_jax.studies.experiment import complete  # drawing needs no JAX, training does

    failures = []
    tried: set[Config] = set()
    while True:
        wanted = dict.fromkeys(
            each.config for each in plan(command.exhibits) if each.config is not None
        )
        new = [config for config in wanted if config not in tried]
        if not new:
            break
        tried |= set(new)
        failures += complete(new, command.exhibits.out, command.training, command.launch, console)
    figures(command.exhibits, console)
    return 1 if failures else 0


def figures(command: FiguresCommand, console: Console) -> int:
    """Draw every exhibit of which any run is on disk; name what is missing.

    Returns:
        The exit code: 1 if nothing could be drawn.
    """
    exhibits, out = load_exhibits(command.experiments), command.out
    folder = command.figures or out / "figures"
    drawn = 0
    for exhibit in exhibits.values():
        rows = shown(exhibit, exhibits, _length(command), out, command.only)
        missing, runs = _missing(rows, out), _runs(rows, out)
        if runs or exhibit.draw == "settings":
            draw(exhibit, runs, missing, folder, _choices(rows, exhibits, command))
            drawn += 1
            console.print(
                f"{exhibit.name}: {folder / exhibit.name}.*", highlight=False, soft_wrap=True
            )
        if exhibit.draw == "results":
            for scenario, members in runs.items():
                console.print(
                    summary.table(summary.summarise(members), f"{scenario}, {_lengths(members)}")
                )
        if missing and rows:
            text = (
                f"{exhibit.name}: {'' if runs else 'nothing drawn; '}missing: {'; '.join(missing)}"
            )
            console.print(text, style="yellow", highlight=False, soft_wrap=True)
    return 0 if drawn else 1


def draw(
    exhibit: Exhibit,
    runs: Mapping[str, Sequence[Run]],
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
    target = folder / exhibit.name
    everything = [run for members in runs.values() for run in members]
    if exhibit.draw == "settings":
        target.with_suffix(".md").write_text(f"{exhibit.title}\n\n{settings_table(exhibit)}")
    elif exhibit.draw == "results":
        lines = summary.summarise(everything)
        summary.write(lines, target, f"{exhibit.title}.")
    else:
        title = f"{exhibit.title}, {_lengths(everything)}" + (", incomplete" if missing else "")
        figure = getattr(plots, exhibit.draw)(runs, title)
        plots.save(figure, target.with_suffix(".png"), target.with_suffix(".pdf"))
    about = {
        "title": exhibit.title,
        "drawn_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "drawn_by_commit": git_commit(),
        "missing": list(missing),
        "runs": [_provenance(run) for run in everything],
        "chosen_from": [_provenance(run) for run in chosen_from],
    }
    target.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n")


def settings_table(exhibit: Exhibit) -> str:
    """What the scenarios' names stand for, as a Markdown table; a symbol of the paper stands beside its setting."""
    configs = [scenario_config(scenario) for scenario in exhibit.scenarios]
    lines = [
        "| setting | " + " | ".join(exhibit.scenarios) + " |",
        "|---|" + "---:|" * len(configs),
    ]
    for name in exhibit.rows:
        symbol = f" ({short(name)})" if short(name) in SYMBOLS else ""
        values = " | ".join(str(setting(config, name)) for config in configs)
        lines.append(f"| `{name}`{symbol} | {values} |")
    return "\n".join(lines) + "\n"


def _provenance(run: Run) -> dict[str, Any]:
    return {
        "label": run.label,
        "folder": f"{run.config.scenario}/{run.folder.name}",
        **{name: run.stored[name] for name in ("method", "episodes", "seeds", "seed")},
        "settings_other_than_the_preset": unlike_preset(run.stored),
        "all_settings": run.stored,
        **{
            name: run.meta[name]
            for name in ("git_commit", "device", "versions", "finished_at", "diverged")
        },
    }


def _choices(
    rows: Sequence[Shown], exhibits: Mapping[str, Exhibit], command: FiguresCommand
) -> list[Run]:
    """The runs by which what is shown was chosen."""
    out, chosen = command.out, [row for row in rows if row.chosen_from and row.config]
    scenarios, names = (
        [row.scenario for row in chosen],
        dict.fromkeys(row.chosen_from for row in chosen),
    )
    grids = [shown(exhibits[name], exhibits, _length(command), out, scenarios) for name in names]
    return [run for grid in grids for members in _runs(grid, out).values() for run in members]


def plan(command: FiguresCommand) -> list[Shown]:
    """Every run of every exhibit, each setting checked.

    Raises:
        SettingError: a description or a setting that is not allowed, in one line.
    """
    exhibits = load_exhibits(command.experiments)
    length, out = _length(command), command.out
    return [
        row
        for exhibit in exhibits.values()
        for row in shown(exhibit, exhibits, length, out, command.only)
    ]


def _length(command: FiguresCommand) -> Length:
    return Length(command.scale, command.episodes)


def _runs(rows: Sequence[Shown], results: Path) -> dict[str, list[Run]]:
    """The finished ones, by scenario."""
    runs: dict[str, list[Run]] = {}
    for row in rows:
        if row.config is not None and (run := find_run(results, row.config, row.label)):
            runs.setdefault(row.scenario, []).append(run)
    return runs


def _missing(rows: Sequence[Shown], results: Path) -> list[str]:
    """What is not on disk, a line a scenario."""
    names: dict[str, list[str]] = {}
    for row in rows:
        if row.config is None:
            names.setdefault(row.scenario, []).append(f"{row.label} (needs {row.waits_for})")
        elif not has_run(results, row.config):
            names.setdefault(row.scenario, []).append(row.label)
    lines = []
    for scenario, found in names.items():
        counts = {name: found.count(name) for name in found}
        parts = [
            name if count == 1 else f"{count} settings of {name}" for name, count in counts.items()
        ]
        everything = len(found) == sum(row.scenario == scenario for row in rows)
        lines.append(f"{scenario}: {f'all {len(found)}' if everything else ', '.join(parts)}")
    return lines


def _lengths(runs: Sequence[Run]) -> str:
    lengths = sorted({run.config.episodes for run in runs})
    return " and ".join(f"{length:,}" for length in lengths) + " episodes"
