"""An experiment: several methods on one scenario, then the figures, the film and the table.

What draws is imported once training is done: SciPy and Matplotlib would hold it up by seconds.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from adama_jax.config.identity import sweep_hash
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import Config
from adama_jax.envs.worlds import LocomotionWorld
from adama_jax.reporting.labels import machine_of
from adama_jax.storage.cohorts import find
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.reader import Run, find_run, finite_seeds, has_run
from adama_jax.studies.launch import Failure, launch
from adama_jax.studies.sweep import jobs, labels, rejoined

FEW = 8  # settings or runs, each of which gets a line on the screen
SHOWN = 20  # settings in a sweep's table; the CSV has all


def experiment(
    configs: Sequence[Config], out: Path, training: Training, console: Console, figures: Path
) -> int:
    """Train what is not on disk yet, draw, and print the table.

    Args:
        configs: validated configurations of one scenario.
        out: results folder; runs go to `out/<scenario>/<method>-<hash>`.
        training: how; with `force`, what is there too.
        figures: folder for the pictures.

    Returns:
        The exit code: 1 if any seed diverged or a method could not be trained, else 0.
    """
    failures = complete(configs, out, training, Launch(), console)
    runs = [run for config in configs if (run := find_run(out, config))]
    if not runs:
        return 1
    from adama_jax.reporting import figures as plots
    from adama_jax.reporting import film as render
    from adama_jax.reporting import summary, viewer

    paths = [
        plots.learning_curves(runs, figures / "learning_curves.png"),
        plots.rate_curves(runs, figures / "rates.png"),
    ]
    finite = finite_seeds(runs[0])
    if runs[0].rollout is not None and finite.any():
        seed = int(finite.argmax())
        paths.append(render.rollout_gif(runs[0], figures / "rollout.gif", seed))
        if isinstance(configs[0].world, LocomotionWorld) and runs[0].rollout.snapshot is not None:
            paths.append(
                viewer.rollout_page(runs[0], configs[0].world, figures / "rollout.html", seed)
            )
    lines = summary.summarise(runs)
    paths += summary.write(lines, figures / "results")
    console.print(summary.table(lines, f"{lines[0].scenario}, {configs[0].episodes:,} episodes"))
    tell_machines(runs, console)
    for path in paths:
        console.print(f"  {path}", highlight=False, soft_wrap=True)
    return 1 if failures or any(result.meta["diverged"] for result in runs) else 0


def sweep(
    configs: Sequence[Config], out: Path, training: Training, options: Launch, console: Console
) -> int:
    """Train what is not on disk yet, print the best settings, write all as CSV and Markdown; a grid's heat map too.

    Args:
        configs: validated configurations of one scenario.
        out: results folder.
        training: how; with `force`, what is there too.
        options: where the programs run.

    Returns:
        The exit code: 1 if a job failed. A run that diverged is a result.
    """
    failures = complete(configs, out, training, options, console)
    names = dict(zip(configs, labels(configs), strict=True))
    runs = [run for config, name in names.items() if (run := find_run(out, config, name))]
    if runs:
        from adama_jax.reporting import figures as plots
        from adama_jax.reporting import summary

        place = out / configs[0].scenario
        key = sweep_hash(configs)
        lines = summary.ranked(summary.summarise(runs))
        worlds = ", ".join(sorted({line.scenario for line in lines}))
        best = f", the best {SHOWN}" if len(lines) > SHOWN else ""
        title = f"{worlds}, {configs[0].episodes:,} episodes: {len(lines)} settings{best}"
        paths = summary.write(lines, place / f"sweep-{key}")
        console.print(summary.ranking(lines[:SHOWN], title))
        tell_machines(runs[:1], console)
        if plots.is_grid(runs):
            picture = plots.heat_map(
                {configs[0].scenario: runs}, f"{configs[0].episodes:,} episodes"
            )
            paths.append(plots.save(picture, place / f"sweep-{key}.png"))
        for path in paths:
            console.print(f"  {path}", highlight=False, soft_wrap=True)
    return 1 if failures else 0


def complete(
    configs: Sequence[Config], out: Path, training: Training, options: Launch, console: Console
) -> list[Failure]:
    """Train the configurations that are not on disk; with `force`, all of them. What is there is named and kept.

    Raises:
        RunBusy: another process is training one of them.
    """
    names = dict(zip(configs, labels(configs), strict=True))
    if not training.force:
        for config in names:
            RunFolder.of(out, config).finish_renaming()
    missing = [config for config in names if training.force or not has_run(out, config)]
    for config in missing:
        RunFolder.of(out, config).check_free()
    kept = [config for config in names if config not in missing]
    if len(kept) > FEW:
        console.print(
            f"{len(kept)} settings are finished already, {len(missing)} are to be trained."
        )
    for config in kept if len(kept) <= FEW else []:
        folder = run_folder(out, config)
        console.print(
            f"{names[config]}: finished already, {folder} (force=true runs it again)",
            soft_wrap=True,
        )
    to_do = jobs(missing, [names[config] for config in missing], options.parts)
    scenarios = {config.scenario for config in missing} if not training.force else set()
    begun = [
        about.runs for name in sorted(scenarios) for _, about in find(out / name, lambda line: None)
    ]
    to_do = rejoined(to_do, begun)
    return launch(to_do, out, options, console, training)


def tell_machines(runs: Sequence[Run], console: Console) -> None:
    """On what the runs were made, and how fast."""
    for run in runs[:FEW]:
        speed = f"{run.meta['updates_per_second']:,.0f} updates/s"
        console.print(f"{run.label}: {speed} on {machine_of(run)}", highlight=False)
