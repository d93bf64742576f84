"""Run folders: what a run leaves on disk, written so that a folder of the final name is always a whole run.

A run writes to `<folder>.partial` and is renamed at the end. Files: `config.json`, `meta.json`, `metrics.npz` (arrays,
S seeds x P points), `metrics.jsonl` (readable, one line a point), `rollout.npz` (greedy episodes, to draw).
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adama_jax.config import Config, ConfigError
from adama_jax.lock import holder
from adama_jax.scenarios import SCENARIOS
from adama_jax.settings import config_hash, differing, from_dict
from adama_jax.validation import validate

FORCED = "forced"  # the file in a partial folder that says that a finished run is trained again
KEPT = "kept"  # the folder of the seeds that are finished in a run that is not


class Run(NamedTuple):
    """A finished run, read back."""

    folder: Path
    label: str
    config: dict[str, Any]
    meta: dict[str, Any]
    metrics: dict[str, np.ndarray]
    rollout: dict[str, np.ndarray]  # empty where only the curves were kept (docs/results)


def run_folder(out: Path, config: Config) -> Path:
    """`out/<scenario>/<method>-<hash>`."""
    return out / config.scenario / f"{config.method}-{config_hash(config)}"


def has_run(out: Path, config: Config) -> bool:
    """Whether a configuration's whole run is in a results folder, and not being trained again by force.

    Raises:
        ConfigError: the run there was trained with other settings, by a version with other defaults.
    """
    folder = run_folder(out, config)
    if not is_finished(folder) or (partial_folder(folder) / FORCED).exists():
        return False
    check_settings(folder, config)
    return True


def read_config(folder: Path) -> Config:
    """The configuration of a run, begun or finished.

    Raises:
        ConfigError: none is there, it is damaged, or not one that this version takes.
    """
    try:
        config = from_dict(json.loads((folder / "config.json").read_text()))
        validate(config)  # which takes the types for granted
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"run={folder}: must be a run's folder; config.json: {error!r}") from error
    return config


def check_settings(folder: Path, config: Config) -> None:
    """Check that what a run's folder says of its settings is this configuration.

    Raises:
        ConfigError: it is another version's, or damaged.
    """
    try:
        other = differing(json.loads((folder / "config.json").read_text()), config)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{folder}: must be moved away or trained again (force=true): config.json: {error}"
        ) from error
    if other:
        name, value = next(iter(other.items()))
        raise ConfigError(
            f"{folder}: must be moved away or trained again (force=true): it was trained with {name}={value} by "
            "another version of adama-jax"
        )


def is_finished(folder: Path) -> bool:
    """Whether a whole run is there. One whose process was killed before the last renaming is given its name."""
    partial = partial_folder(folder)
    if not folder.exists() and (partial / "meta.json").is_file() and not holder(lock_of(folder)):
        partial.rename(folder)
    return (folder / "meta.json").is_file()


def finished_runs(out: Path) -> list[Path]:
    """The folders of all whole runs of a results folder."""
    folders = sorted(meta.parent for meta in out.glob("*/*/meta.json"))
    return [folder for folder in folders if folder.suffix not in (".partial", ".old")]


def lock_of(folder: Path) -> Path:
    """The lock of whoever is training a run."""
    return folder.with_name(folder.name + ".lock")


def check_free(out: Path, config: Config) -> None:
    """Check that nobody is training a run.

    Raises:
        ConfigError: another process is.
    """
    held = holder(lock_of(run_folder(out, config)))
    if held:
        raise ConfigError(f"out={out}: must be left alone until the process ends that trains this run there: {held}")


def partial_folder(folder: Path) -> Path:
    """Where a run is until it is whole."""
    return folder.with_name(folder.name + ".partial")


def machine_of(run: Run) -> str:
    """On what a run was made.

    >>> machine_of(Run(Path(), "", {}, {"device": {"used": 2, "kind": "cpu"}}, {}, {}))
    '2 x cpu'
    """
    device = run.meta["device"]
    return f"{device['used']} x {device['kind']}" if "used" in device else device["kind"]  # none before 2026-11-22


def world_of(run: Run) -> str:
    """In which world a run was made: its scenario, and for a robot the physics, and who it is if not the preset's.

    >>> ant = {"robot": "ant", "partition": "2x4", "backend": "mjx"}
    >>> world_of(Run(Path(), "", {"scenario": "ant_4x2", "world": ant}, {}, {}, {}))
    'ant_4x2 (2x4 mjx)'
    """
    world, scenario = run.config["world"], SCENARIOS.get(run.config["scenario"])  # None: another version's
    preset = scenario and scenario.world
    words = [world[name] for name in ("robot", "partition") if world.get(name) != getattr(preset, name, None)]
    words += [world["backend"]] if "backend" in world else []
    return run.config["scenario"] + (f" ({' '.join(words)})" if words else "")


def title(run: Run, seed_index: int) -> str:
    """Of a film or a page of one seed's episodes."""
    return f"{world_of(run)}, {run.label}, seed {run.metrics['seed'][seed_index]}"


def finite_seeds(run: Run) -> np.ndarray:
    """Which seeds did not diverge. [S], bool"""
    return ~np.isin(run.metrics["seed"], [int(seed) for seed in run.meta["diverged"]])


def load_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        FileNotFoundError: no finished run there.
    """
    if not is_finished(folder):
        raise FileNotFoundError(f"{folder}: no finished run (meta.json is missing)")
    config = json.loads((folder / "config.json").read_text())
    meta = json.loads((folder / "meta.json").read_text())
    played = folder / "rollout.npz"
    rollout = arrays_of(played) if played.is_file() else {}
    return Run(folder, config["label"], config, meta, arrays_of(folder / "metrics.npz"), rollout)


def find_run(out: Path, config: Config, label: str | None = None) -> Run | None:
    """The finished run of a configuration, under another label where one is given; None if it is not there.

    Raises:
        ConfigError: as `has_run`.
    """
    if not has_run(out, config):
        return None
    run = load_run(run_folder(out, config))
    return run if label is None else run._replace(label=label)


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a NumPy file; one with anything else in it is refused."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file: there whole, or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("w") as file:
        file.write(json.dumps(finite_json(value), indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def finite_json(value: Any) -> Any:
    """JSON has no NaN: null stands for it."""
    if isinstance(value, Mapping):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
