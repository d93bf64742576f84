"""Finished runs, read back, and what run folders say of their settings."""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, TypedDict, cast

import numpy as np

from adama_jax.config.checks import validate
from adama_jax.config.identity import from_dict, unlike_stored
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config
from adama_jax.errors import CannotImport, DamagedFile, OtherSettings, SettingError
from adama_jax.plugins.registry import without_imports
from adama_jax.screen.streams import in_one_line
from adama_jax.storage.contents import (
    check_curves,
    check_meta,
    check_rollout,
    check_stored,
)
from adama_jax.storage.files import (
    SEAL,
    Manifest,
    naming,
    read_arrays,
    read_json,
    reading,
)
from adama_jax.storage.folder import RunFiles, RunFolder, run_folder


class Rollout(NamedTuple):
    """Greedy episodes of every seed's trained actors, with the things that there are to draw.

    A thing is an agent, a landmark, a limb ... Earlier versions kept less: then nothing terminates,
    nobody drives a thing, and there are no snapshots.
    """

    positions: np.ndarray  # [S, E, T + 1, things, 2]
    reward: np.ndarray  # [S, E, T]
    terminated: np.ndarray  # [S, E, T], bool
    snapshot: np.ndarray | None  # [S, E, T + 1, Z], the state of the world
    kind: np.ndarray  # [things], names such as "agent", "landmark", "limb"
    name: np.ndarray  # [things]
    radius: np.ndarray  # [things]
    agent: np.ndarray  # [things], int: who drives it; -1: nobody
    seconds: float  # that a step lasts; 0: the world has no clock


class Meta(TypedDict):
    """What `meta.json` says of a finished run: on what it was trained, how fast, how it ended."""

    device: dict[str, Any]  # platform, kind, count, used
    processor: NotRequired[str]
    versions: dict[str, str]  # of Python and packages
    git_commit: str | None
    jax_settings: NotRequired[dict[str, Any]]
    # Modules of a user's own by name: module, file, sha256. Only of runs that have some.
    outside: NotRequired[dict[str, dict[str, str]]]
    # All machines, where the fields above are of the last: of which seeds, from which episode.
    stretches: NotRequired[list[dict[str, Any]]]
    config_hash: NotRequired[str]
    finished_at: str
    wall_seconds: float
    compile_seconds: NotRequired[float]
    updates_per_second: float
    runs_in_program: NotRequired[int]
    runs_at_once: NotRequired[int]
    diverged: dict[str, int]  # by seed the episode
    diverged_in: NotRequired[dict[str, Any]]
    sha256: NotRequired[dict[str, str]]  # of the other files, by name
    # Never on disk: the runs that this one was joined from.
    parts: NotRequired[list[dict[str, object]]]


class Run(NamedTuple):
    """A finished run, read back."""

    folder: Path
    label: str
    config: Config
    # `config.json` as it is, which another version may have written.
    stored: dict[str, Any]
    meta: Meta
    metrics: dict[str, np.ndarray]
    rollout: Rollout | None  # None where only the curves were kept (docs/results)


def has_run(out: Path, config: Config) -> bool:
    """Whether a configuration's finished run is there, and not being trained again by force.

    Raises:
        SettingError: the run there was trained with other settings, by a version whose defaults
            were others.
    """
    folder = RunFolder.of(out, config)
    if not folder.is_finished() or folder.is_forced():
        return False
    check_settings(folder.path, config)
    return True


def check_place(out: Path, config: Config) -> None:
    """Check that in a configuration's folder is nothing, or a run of these settings, or a part.

    Raises:
        OtherSettings: it is another version's, or damaged.
    """
    if not has_run(out, config) and RunFolder.of(out, config).is_begun():
        check_settings(RunFolder.of(out, config).partial.path, config)


def read_config(folder: Path) -> Config:
    """The configuration of a run, begun or finished.

    Raises:
        SettingError: none is there, it is damaged, or not one that this version takes.
        CannotImport: it is a SettingError too: what it names from outside is not found here.
    """
    path = RunFiles(folder).config
    try:
        with reading(path):
            # All of it within, for types are taken for granted, and what is damaged can be of any.
            config = _read_settings(read_json(path))
    except DamagedFile as error:
        why = within(folder, error)
        raise SettingError(f"run={folder}: must be a run's folder: {why}") from error
    if isinstance(config, CannotImport):
        # The run is whole, its code is elsewhere.
        raise CannotImport(f"run={folder}: {config}")
    if isinstance(config, SettingError):
        # The file is whole: what it says is not allowed any more, or was edited.
        why = f"{path.name}: {config}"
        raise SettingError(f"run={folder}: must be a run's folder: {why}")
    return config


def within(folder: Path, error: Exception) -> str:
    """What is wrong with a file of a folder, for a line that has named the folder already.

    >>> within(Path("results/x"), DamagedFile("results/x/meta.json: cannot be read"))
    'meta.json: cannot be read'
    """
    return str(error).removeprefix(f"{folder}{os.sep}")


def _read_settings(stored: Mapping[str, Any]) -> Config | SettingError:
    """A configuration, or what in it is not allowed."""
    try:
        config = from_dict(stored)
        validate(config)
    except SettingError as error:
        return error
    return config


def config_of(folder: RunFolder) -> Config:
    """The settings of a run, begun or finished.

    Raises:
        SettingError: they are damaged, or those of a run of another name.
    """
    config = read_config(folder.current.path)
    named = run_folder(folder.path.parents[1], config)
    # A folder that was renamed, or settings that were edited: training would write elsewhere.
    if named != folder.path:
        name = f"{named.parent.name}/{named.name}"
        raise SettingError(
            f"run={folder.path}: must have the name of its settings, {name}"
        )
    return config


def check_settings(folder: Path, config: Config) -> None:
    """Check that what a run's folder says of its settings is this configuration.

    Raises:
        SettingError: it is another version's, or damaged.
    """
    path = RunFiles(folder).config
    try:
        with reading(path):
            other = unlike_stored(read_json(path), config)
    except DamagedFile as error:
        raise OtherSettings(
            f"{folder}: must be moved away or trained again: {error}"
        ) from error
    if other:
        # One is enough: it is another run.
        name, value = next(iter(other.items()))
        raise OtherSettings(
            f"{folder}: must be moved away or trained again: it was trained with {name}={value}"
            " by another version of adama-jax"
        )


def finite_seeds(run: Run) -> np.ndarray:
    """Which seeds did not diverge. [S], bool"""
    return ~np.isin(run.metrics["seed"], diverged_seeds(run))


def diverged_seeds(run: Run) -> list[int]:
    """The seeds that diverged."""
    return [int(seed) for seed in run.meta["diverged"]]


def load_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        FileNotFoundError: no finished run there.
        DamagedFile: a file of it cannot be read.
    """
    files = RunFiles(folder)
    if not files.meta.is_file():
        raise FileNotFoundError(f"{folder}: no finished run (meta.json is missing)")
    meta = read_meta(files)
    _check_digests(files, meta)
    stored, config = _read_stored(files)
    metrics = read_arrays(files.metrics)
    with naming(files.metrics):
        check_curves(metrics, config.seed, config.seeds)
    rollout = None
    if files.rollout.is_file():
        rollout = read_rollout(files.rollout)
        with naming(files.rollout):
            _check_seeds(rollout, config)
    # For tables and screens: a terminal must not take it for a command.
    label = in_one_line(stored["label"])
    return Run(folder, label, config, stored, meta, metrics, rollout)


def read_meta(files: RunFiles) -> Meta:
    """What `meta.json` says."""
    meta = read_json(files.meta)
    with naming(files.meta):
        check_meta(meta)
        if SEAL in meta:
            Manifest.from_json(meta)
    # Later versions may say more.
    return cast(Meta, meta)


def _check_digests(files: RunFiles, meta: Mapping[str, Any]) -> None:
    """Check that the files that are read with `meta.json` are what was written.

    Earlier versions wrote no digests: of their runs only the contents are checked.
    """
    if SEAL not in meta:
        return
    read = (files.config, files.metrics, files.rollout)
    # What is not there was not published; what must be there is missed when it is read.
    names = {path.name for path in read if path.is_file()}
    for line in Manifest.from_json(meta).damaged_files(files.path, names):
        raise DamagedFile(line)


def _read_stored(files: RunFiles) -> tuple[dict[str, Any], Config]:
    """`config.json` as it is, and as this version's settings."""
    stored = read_json(files.config)
    with naming(files.config):
        check_stored(stored)
    with reading(files.config):
        return stored, config_as_stored(stored)


def _check_seeds(rollout: Rollout, config: Config) -> None:
    rows = len(rollout.reward)
    if rows != config.seeds:
        raise DamagedFile(f"holds {rows} seeds, not the {config.seeds} of config.json")


def config_as_stored(stored: Mapping[str, Any]) -> Config:
    """The settings of a run that need not be trainable any more: nothing is checked.

    A scenario that this version does not have keeps its name; of its world only `stored` can tell.

    >>> config_as_stored({"scenario": "a world of another version", "seeds": 3}).seeds
    3
    """
    scenario = stored["scenario"]
    # What is read may be anybody's, and is to run no code.
    with without_imports():
        if scenario in SCENARIOS:
            return from_dict(stored)
        # Settings are read on top of a scenario's. Which one matters only for those not stored.
        known = next(iter(SCENARIOS))
        config = from_dict({**stored, "scenario": known})
        return dataclasses.replace(config, scenario=scenario)


def read_rollout(path: Path) -> Rollout:
    """Read `rollout.npz`.

    Raises:
        DamagedFile: it cannot be read.
    """
    arrays = read_arrays(path)
    with naming(path):
        check_rollout(arrays)
    return rollout_of(arrays)


def rollout_of(arrays: Mapping[str, np.ndarray]) -> Rollout:
    """A rollout from its arrays by name; what earlier versions did not keep is filled in."""
    reward = arrays["reward"]
    kind = arrays["kind"]
    nothing_terminates = np.zeros(reward.shape, bool)
    nobody = np.full(kind.shape, -1)
    no_clock = np.zeros(())
    seconds = arrays.get("seconds", no_clock)
    return Rollout(
        positions=arrays["positions"],
        reward=reward,
        terminated=arrays.get("terminated", nothing_terminates),
        snapshot=arrays.get("snapshot"),
        kind=kind,
        name=arrays["name"],
        radius=arrays["radius"],
        agent=arrays.get("agent", nobody),
        seconds=float(seconds),
    )


def find_run(out: Path, config: Config, label: str | None = None) -> Run | None:
    """The finished run of a configuration; None if it is not there.

    Args:
        out: results folder.
        config: the configuration.
        label: what to call the run; None: as it calls itself.

    Raises:
        SettingError: as `has_run`.
        DamagedFile: as `load_run`.
    """
    if not has_run(out, config):
        return None
    run = load_run(run_folder(out, config))
    return run if label is None else run._replace(label=label)
