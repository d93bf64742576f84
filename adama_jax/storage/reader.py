"""Finished runs, read back."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adama_jax.config.checks import validate
from adama_jax.config.identity import from_dict, unlike_stored
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError
from adama_jax.storage.files import arrays_of
from adama_jax.storage.folder import RunFiles, RunFolder, run_folder


class Run(NamedTuple):
    """A finished run, read back."""

    folder: Path
    label: str
    config: dict[str, Any]
    meta: dict[str, Any]
    metrics: dict[str, np.ndarray]
    rollout: dict[str, np.ndarray]  # empty where only the curves were kept (docs/results)


def has_run(out: Path, config: Config) -> bool:
    """Whether a configuration's whole run is in a results folder, and not being trained again by force.

    Raises:
        SettingError: the run there was trained with other settings, by a version with other defaults.
    """
    folder = RunFolder.of(out, config)
    if not folder.is_finished() or folder.is_forced():
        return False
    check_settings(folder.path, config)
    return True


def read_config(folder: Path) -> Config:
    """The configuration of a run, begun or finished.

    Raises:
        SettingError: none is there, it is damaged, or not one that this version takes.
    """
    try:
        config = from_dict(json.loads(RunFiles(folder).config.read_text()))
        validate(config)  # which takes the types for granted
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingError(
            f"run={folder}: must be a run's folder; config.json: {error!r}"
        ) from error
    return config


def config_of(folder: RunFolder) -> Config:
    """The settings of a run, begun or finished.

    Raises:
        SettingError: they are damaged, or those of a run of another name.
    """
    config = read_config(folder.current.path)
    path = run_folder(Path(), config)
    if (path.parent.name, path.name) != (folder.path.parent.name, folder.path.name):
        raise SettingError(
            f"run={folder.path}: must have the name that its settings give it, {path}"
        )
    return config


def check_settings(folder: Path, config: Config) -> None:
    """Check that what a run's folder says of its settings is this configuration.

    Raises:
        SettingError: it is another version's, or damaged.
    """
    try:
        other = unlike_stored(json.loads(RunFiles(folder).config.read_text()), config)
    except (OSError, ValueError) as error:
        raise SettingError(
            f"{folder}: must be moved away or trained again (force=true): config.json: {error}"
        ) from error
    if other:
        name, value = next(iter(other.items()))
        raise SettingError(
            f"{folder}: must be moved away or trained again (force=true): it was trained with {name}={value} by "
            "another version of adama-jax"
        )


def finite_seeds(run: Run) -> np.ndarray:
    """Which seeds did not diverge. [S], bool"""
    return ~np.isin(run.metrics["seed"], [int(seed) for seed in run.meta["diverged"]])


def load_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        FileNotFoundError: no finished run there.
    """
    files = RunFiles(folder)
    if not files.meta.is_file():
        raise FileNotFoundError(f"{folder}: no finished run (meta.json is missing)")
    config = json.loads(files.config.read_text())
    meta = json.loads(files.meta.read_text())
    rollout = arrays_of(files.rollout) if files.rollout.is_file() else {}
    return Run(folder, config["label"], config, meta, arrays_of(files.metrics), rollout)


def find_run(out: Path, config: Config, label: str | None = None) -> Run | None:
    """The finished run of a configuration, under another label where one is given; None if it is not there.

    Raises:
        SettingError: as `has_run`.
    """
    if not has_run(out, config):
        return None
    run = load_run(run_folder(out, config))
    return run if label is None else run._replace(label=label)
