"""`adama export RUN|FOLDER`: trained actors as a file for NumPy, or curves for marl-eval."""

from pathlib import Path

from adama_jax.cli.checks import check_folder
from adama_jax.cli.options import ExportCommand
from adama_jax.cli.words import take_run
from adama_jax.config.command_line import parse
from adama_jax.config.labels import labels
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.plugins.registry import without_imports
from adama_jax.screen.console import Screen
from adama_jax.storage.files import write_json
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.many import load_runs
from adama_jax.storage.reader import read_config, within


def export(words: list[str]) -> int:
    """Write the file and say what is in it."""
    path, rest = take_run(words)
    command = parse(ExportCommand, ExportCommand(), rest, "adama export RUN|FOLDER")
    if command.format == "marl_eval":
        return _export_curves(path, command)
    return _export_actors(path, command)


def _export_actors(path: Path, command: ExportCommand) -> int:
    from adama_jax.reporting.export import export_actors

    run = RunFolder.named(path)
    if not run.is_finished():
        raise SettingError(f"run={path}: must be a finished run's folder")
    config = read_config(run.path)
    seed = command.seed
    # Which seed stayed finite is known once the run is read.
    name = f"{config.scenario}-{config.method}"
    target = command.out or Path(f"{name}{'' if seed is None else f'-seed-{seed}'}.npz")
    _check_file(target, ".npz")
    try:
        about = export_actors(run.path, target, seed)
    except (FileNotFoundError, DamagedFile) as error:
        why = within(run.path, error)
        raise SettingError(
            f"run={path}: must be a finished run whose files can be read: {why}"
        ) from error
    screen = Screen()
    screen.say(
        f"{target}: {about['label']}, seed {about['seed']} of {about['run']}, greedy return "
        f"{about['greedy_return']:.4g} after {about['episodes']:,} episodes"
    )
    screen.say(f"to run it: adama_jax.load_policy({str(target)!r})(obs), obs [N, O]")
    screen.say(f"its actors at work: adama play {target}")
    return 0


def _export_curves(path: Path, command: ExportCommand) -> int:
    from adama_jax.reporting.marl_eval import to_marl_eval

    target = command.out or Path("marl_eval.json")
    _check_file(target, ".json")
    screen = Screen()
    try:
        runs = load_runs(path, lambda line: screen.say(line, style="red"))
    except SettingError:
        raise SettingError(f"run={path}: must be a folder with finished runs") from None
    # Runs of one method that differ in a setting have names that say so.
    with without_imports():
        names = labels([run.config for run in runs])
    named = [run._replace(label=name) for run, name in zip(runs, names, strict=True)]
    target.parent.mkdir(parents=True, exist_ok=True)
    write_json(target, to_marl_eval(named))
    screen.say(f"{target}: {len(runs)} runs in the layout of marl-eval")
    for run in named:
        if run.meta["diverged"]:
            seeds = ", ".join(run.meta["diverged"])
            line = f"{run.folder}: seeds {seeds} diverged: their values are null from there on"
            screen.say(line, style="yellow")
    return 0


def _check_file(target: Path, ending: str) -> None:
    """Check a file to write to.

    Raises:
        SettingError: it has another ending, or cannot be written.
    """
    if target.suffix != ending or target.is_dir():
        raise SettingError(f"out={target}: must be a file whose name ends in {ending}")
    check_folder("out", target.parent)
