"""What bounds cannot say of a command: can a folder be written, is there a Slurm."""

import os
import shutil
import tempfile
from pathlib import Path

from adama_jax.config.options import LOGGER_PACKAGES, Launch, Training
from adama_jax.errors import SettingError, check_installed

MOST_DEVICES_PER_CORE = 4


def check_folder(name: str, folder: Path) -> None:
    """Check a folder to write to: one that can be written, or a path at which one can be made.

    Args:
        name: the setting that says which folder.
        folder: its value.

    Raises:
        SettingError: one line with the setting and what is allowed.
    """
    paths = (folder.absolute(), *folder.absolute().parents)
    nearest = next(path for path in paths if os.path.exists(path))
    if not nearest.is_dir():
        raise SettingError(
            f"{name}={folder}: must be a folder, or a path at which one can be made; "
            f"{nearest} is a file"
        )
    try:
        # What rights say is not all: /proc and a full disk take nothing from whoever may write.
        tempfile.TemporaryDirectory(dir=nearest).cleanup()
    except OSError as error:
        raise SettingError(
            f"{name}={folder}: must be writable; {nearest} is not: {error.strerror}"
        ) from error


def check_devices(devices: int | None, cores: int) -> None:
    """Check that there are not many more host devices than cores.

    A few more do for a run that was begun on them; with very many a program compiles for hours.

    Raises:
        SettingError: there are too many.
    """
    most = MOST_DEVICES_PER_CORE * cores
    if devices is not None and devices > most:
        raise SettingError(
            f"devices={devices}: must be at most {most}, {MOST_DEVICES_PER_CORE} for each of the "
            f"{cores} cores that there are"
        )


def check_loggers(training: Training) -> None:
    """Check that the packages of the loggers are installed.

    Raises:
        MissingPackage: one is not; the line names the extra that has it.
    """
    for name in (*training.observers, *training.logger):
        if name in LOGGER_PACKAGES:
            check_installed(LOGGER_PACKAGES[name], f"logger={name}")


def check_launch(launch: Launch, training: Training) -> None:
    """Check that what runs programs is there, and takes the settings that are given.

    Raises:
        SettingError: one line with the setting and what is allowed.
        MissingPackage: what submits jobs is not installed.
    """
    if launch.launcher != "here":
        check_installed("submitit", f"launcher={launch.launcher}")
    if launch.launcher == "local" and training.devices is not None:
        raise SettingError(
            f"devices={training.devices}: must be left out: launcher=local gives each job its "
            "share of the cores"
        )
    if launch.launcher == "slurm" and shutil.which("srun") is None:
        raise SettingError(
            "launcher=slurm: must be here or local on a machine without Slurm (no srun on the PATH)"
        )
