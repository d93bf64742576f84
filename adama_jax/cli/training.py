"""What `train`, `experiment`, `sweep` and `resume` have in common."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adama_jax.cli.checks import check_devices, check_folder, check_loggers
from adama_jax.config.checks import validate
from adama_jax.config.options import Launch, Output, Training
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError, describe
from adama_jax.screen.console import Screen
from adama_jax.screen.streams import write_error, write_line

if TYPE_CHECKING:
    from adama_jax.storage.reader import Run


def prepare(
    configs: Sequence[Config], output: Output, launch: Launch = Launch()
) -> None:
    """Check everything a user can get wrong, and only then import JAX.

    Raises:
        SettingError: a setting that is not allowed.
        MissingPackage: that of a logger is not installed.
    """
    for config in configs:
        validate(config)
    _warn_of_noise(configs)
    check_loggers(output.training)
    check_folder("out", output.out)
    start_jax(output.training.devices, launch)


def _warn_of_noise(configs: Sequence[Config]) -> None:
    """Say it where a world from outside would be left with a preset that does not fit its length.

    The package's own worlds are meant to be cut short: the paper's exploration is 10,000 episodes.
    """
    told: set[str] = set()
    for config in configs:
        lasts = config.exploration.episodes
        short = ":" in config.scenario and config.episodes < lasts
        if short and config.scenario not in told:
            told.add(config.scenario)
            write_line(
                f"{config.scenario}: exploration.episodes={lasts:g} is more than "
                f"episodes={config.episodes}: the actions stay noisy; set it to fall earlier"
            )


def start_jax(devices: int | None, launch: Launch = Launch()) -> None:
    """Import JAX and set it up.

    Args:
        devices: host devices on a CPU; None: one per core.
        launch: where programs run: a job of Slurm has cores of its own.

    Raises:
        SettingError: so many devices would only be in each other's way, or the environment sets
            JAX to something that it does not take.
    """
    # The import takes seconds, on a busy machine a minute: nobody should wait without a word.
    write_line("loading JAX ...")
    try:
        from adama_jax.execution.devices import usable_cores
        from adama_jax.execution.jax_setup import set_up_jax, use_cores
    # A wrong value in one of its variables ends JAX's import, in whatever error it pleases.
    except Exception as error:
        raise SettingError(f"JAX cannot be imported: {describe(error)}") from error

    def note(line: str) -> None:
        write_error(f"adama: {line}")

    slurm = launch.launcher == "slurm"
    if launch.launcher != "here":
        # The programs run in processes of their own, whose the GPUs are.
        use_cores()
    check_devices(devices, launch.cores if slurm else usable_cores())
    set_up_jax(None if slurm else devices, note)


def train_and_show(
    configs: Sequence[Config],
    out: Path,
    training: Training,
    figures: Path,
    console: Screen,
) -> int:
    """Train what is not on disk, draw all of it and print the table.

    Args:
        configs: validated configurations of one scenario.
        out: results folder.
        training: how runs are trained and saved.
        figures: folder for the pictures.
        console: hears of the training.

    Returns:
        The exit code: 1 if a seed diverged or a method could not be trained.
    """
    from adama_jax.reporting.present import show_experiment

    failed, runs = train_and_read(configs, None, out, training, Launch(), console)
    if not runs:
        return 1
    show_experiment(runs, figures, console)
    diverged = any(run.meta["diverged"] for run in runs)
    return 1 if failed or diverged else 0


def train_and_read(
    configs: Sequence[Config],
    labels: Sequence[str] | None,
    out: Path,
    training: Training,
    options: Launch,
    console: Screen,
) -> "tuple[bool, list[Run]]":
    """Train what is not on disk; whether something failed, and the runs that can be read then.

    A run that is there and cannot be read is named, and costs itself alone.

    Args:
        configs: validated configurations.
        labels: what to call their runs; None: as they call themselves.
        out: results folder.
        training: how runs are trained and saved.
        options: where the programs run.
        console: hears of the training.
    """
    from adama_jax.storage.many import look_up, usable
    from adama_jax.studies.missing import complete

    failures = complete(configs, out, training, options, console)
    pairs = zip(configs, labels or [None] * len(configs), strict=True)
    runs, damaged = usable([look_up(out, config, label) for config, label in pairs])
    for line in damaged:
        text = f"left out: {line}; without its folder the same command trains it again"
        console.say(text, style="red")
    return bool(failures or damaged), runs
