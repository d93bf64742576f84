"""An experiment: several methods on one scenario, then the figures, the film and the table."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from adama_jax import plots, render, summary
from adama_jax.config import Config
from adama_jax.progress import Reporter
from adama_jax.runner import run
from adama_jax.store import Run, finite_seeds, is_finished, load_run, run_folder


def experiment(configs: Sequence[Config], out: Path, force: bool, console: Console, figures: Path) -> int:
    """Train what is not on disk yet, draw, and print the table.

    Args:
        configs: validated configurations of one scenario.
        out: results folder; runs go to `out/<scenario>/<method>-<hash>`.
        force: train again what is there.
        figures: folder for the pictures.

    Returns:
        The exit code: 1 if any seed diverged, else 0.
    """
    missing = [config for config in configs if force or not is_finished(run_folder(out, config))]
    runs = [
        _train(config, out, console, len(missing) - missing.index(config) if config in missing else 0)
        for config in configs
    ]
    paths = [
        plots.learning_curves(runs, figures / "learning_curves.png"),
        plots.rates(runs, figures / "rates.png"),
    ]
    finite = finite_seeds(runs[0])
    if finite.any():
        paths.append(render.rollout_gif(runs[0], figures / "rollout.gif", int(finite.argmax())))
    console.print(summary.table(runs, f"{configs[0].scenario}, {configs[0].episodes:,} episodes"))
    for device in {f"{each.meta['device']['used']} x {each.meta['device']['kind']}" for each in runs}:
        console.print(f"On {device}.", highlight=False)
    for path in paths:
        console.print(f"  {path}", highlight=False, soft_wrap=True)
    return 1 if any(result.meta["diverged"] for result in runs) else 0


def _train(config: Config, out: Path, console: Console, runs_left: int) -> Run:
    folder = run_folder(out, config)
    if runs_left == 0:
        console.print(f"{config.label}: finished already, {folder} (force=true runs it again)", soft_wrap=True)
    else:
        with Reporter(config, console, runs_left) as reporter:
            run(config, folder, reporter)
    return load_run(folder)
