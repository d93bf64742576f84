"""What the commands of the command line take, as dataclasses: `--help` shows the docstrings. Importable without JAX."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from adama_jax.bounds import Each, OneOf
from adama_jax.config.methods import METHODS
from adama_jax.config.options import OBSERVERS, Flat, Launch, Output, Training
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError


@dataclass(frozen=True)
class TrainCommand:
    """Train one method on a scenario; figures go to the run's own folder."""

    config: Annotated[Config, Flat]
    output: Annotated[Output, Flat] = Output()


@dataclass(frozen=True)
class ExperimentCommand:
    """Train several methods on a scenario; figures of all of them go to the scenario's folder."""

    config: Annotated[Config, Flat]
    methods: Annotated[tuple[str, ...], Each(OneOf(METHODS))] = ("adama", "fixed")
    """Methods to compare; the first is filmed."""
    output: Annotated[Output, Flat] = Output()


@dataclass(frozen=True)
class SweepCommand:
    """Train every combination of settings: key=a,b,c or key=start:stop:step makes an axis.

    Of any setting but seeds, seed and hidden.
    """

    config: Annotated[Config, Flat]
    preset: Literal["grid"] | None = None
    """grid: method=fixed, l_c and l_a each 0.001 to 0.010 (section 4.1), unless given otherwise."""
    output: Annotated[Output, Flat] = Output()
    launch: Annotated[Launch, Flat] = Launch()


@dataclass(frozen=True)
class FiguresCommand:
    """Draw the figures and tables of `experiments/` from what is on disk, and say what is missing."""

    experiments: Path = Path("experiments")
    """Folder of the figures' descriptions (TOML), or one of them."""
    figures: Path | None = None
    """Where the pictures go; None: figures/ in the results folder."""
    scale: float = 1.0
    """Part of the full lengths."""
    episodes: int | None = None
    """No run longer than this."""
    only: tuple[str, ...] = ()
    """Scenarios to keep to; none: all."""
    out: Path = Path("results")
    """Folder of the results."""


@dataclass(frozen=True)
class ReproduceCommand:
    """Train what the figures lack, then draw them. Stop it at any time; the same command goes on."""

    exhibits: Annotated[FiguresCommand, Flat] = FiguresCommand()
    training: Annotated[Training, Flat] = Training()
    launch: Annotated[Launch, Flat] = Launch()


@dataclass(frozen=True)
class ResumeCommand:
    """Resume a run that was interrupted."""

    training: Annotated[Training, Flat] = Training()


@dataclass(frozen=True)
class PlayCommand:
    """Play a finished run's trained actors: the greedy return, a film, and for a robot a page."""

    seed: int | None = None
    """Which of the run's seeds; None: the first that stayed finite."""
    episodes: int = 100
    """Greedy episodes for the return; the first four are filmed."""
    start_seed: int = 0
    """Their starts are drawn from this seed."""
    out: Path | None = None
    """Folder of the film; None: play/ in the run's folder."""


@dataclass(frozen=True)
class ReportCommand:
    """Write one self-contained HTML page about all results of a folder."""

    results: Path = Path("results")
    """The results folder."""
    page: Path | None = None
    """The page; None: report.html in the results folder."""


@dataclass(frozen=True)
class CalibrateCommand:
    """A trial run that tells m (section 4.4.1): kappa over the first `rates.trial_updates` updates."""

    config: Annotated[Config, Flat]
    devices: int | None = None
    """Host devices on a CPU; None: one a core."""


def check_output(output: Output) -> None:
    """Check the results folder, the devices and the times of checkpoints.

    Raises:
        SettingError: one line with the setting and what is allowed.
    """
    check_training(output.training)
    check_folder("out", output.out)


def check_training(training: Training) -> None:
    """Check the number of devices and the times of checkpoints.

    Raises:
        SettingError: one line with the setting and what is allowed.
    """
    minutes = training.checkpoint_minutes
    if minutes is not None and not 0 <= minutes < float("inf"):
        raise SettingError(f"checkpoint_minutes={minutes}: must be at least 0 and finite, or None")
    for observer in training.observers:
        if observer not in OBSERVERS:
            raise SettingError(f"observers={observer}: must be among {', '.join(OBSERVERS)}")
    for name in ("devices", "keep_every", "replay_every"):
        value = getattr(training, name)
        if value is not None and value < 1:
            raise SettingError(f"{name}={value}: must be at least 1")


def check_play(command: PlayCommand) -> None:
    """Check what is to be played.

    Raises:
        SettingError: one line with the setting and what is allowed.
    """
    if command.episodes < 4:
        raise SettingError(f"episodes={command.episodes}: must be at least 4, which are filmed")
    if not 0 <= command.start_seed < 2**31:
        raise SettingError(f"start_seed={command.start_seed}: must be from 0 to 2^31 - 1")
    if command.out is not None:
        check_folder("out", command.out)


def check_folder(name: str, folder: Path) -> None:
    """Check a folder to write to: one that can be written, or a path at which one can be made.

    Raises:
        SettingError: one line with the setting and what is allowed.
    """
    nearest = next(
        path for path in (folder.absolute(), *folder.absolute().parents) if os.path.exists(path)
    )
    if not nearest.is_dir():
        raise SettingError(
            f"{name}={folder}: must be a folder, or a path at which one can be made; {nearest} is a file"
        )
    if not os.access(nearest, os.W_OK):
        raise SettingError(f"{name}={folder}: must be writable; {nearest} is not")


def check_launch(launch: Launch) -> None:
    """Check where a sweep runs, and that there is a Slurm to run it where it is asked for.

    Raises:
        SettingError: one line with the setting and what is allowed.
    """
    for name in ("at_once", "parts", "minutes", "cores", "memory_gb"):
        value = getattr(launch, name)
        if value is not None and value < 1:
            raise SettingError(f"{name}={value}: must be at least 1")
    if launch.gpus < 0:
        raise SettingError(f"gpus={launch.gpus}: must be at least 0")
    if launch.launcher == "slurm" and shutil.which("srun") is None:
        raise SettingError(
            "launcher=slurm: must be here or local on a machine without Slurm (no srun on the PATH)"
        )


def check_exhibits(command: FiguresCommand) -> None:
    """Check the length and the scenarios of a pass over the exhibits.

    Raises:
        SettingError: one line with the setting and what is allowed.
    """
    if not 0 < command.scale <= 100:
        raise SettingError(f"scale={command.scale}: must be above 0 and at most 100")
    if command.episodes is not None and command.episodes < 1:
        raise SettingError(f"episodes={command.episodes}: must be at least 1")
    for scenario in command.only:
        if scenario not in SCENARIOS:
            raise SettingError(f"only={scenario}: must be one or more of {', '.join(SCENARIOS)}")
    if command.figures is not None:
        check_folder("figures", command.figures)
    else:
        check_folder("out", command.out)
