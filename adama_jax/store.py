"""Run folders: what a run leaves on disk, written so that a folder of the final name is always a whole run.

A run writes to `<folder>.partial` and is renamed at the end. Files: `config.json`, `meta.json`, `metrics.npz` (arrays,
S seeds x P points), `metrics.jsonl` (readable, one line a point), `rollout.npz` (greedy episodes, to draw).
"""

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adama_jax.config import Config, ConfigError
from adama_jax.scenarios import SCENARIOS
from adama_jax.settings import config_hash, differing, to_dict


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
    """Whether a configuration's whole run is in a results folder.

    Raises:
        ConfigError: the run there was trained with other settings, by a version with other defaults.
    """
    folder = run_folder(out, config)
    if not is_finished(folder):
        return False
    stored = json.loads((folder / "config.json").read_text())
    if other := differing(stored, config):
        name, value = next(iter(other.items()))
        raise ConfigError(
            f"{folder}: must be moved away or trained again (force=true): it was trained with {name}={value} by "
            "another version of adama-jax"
        )
    return True


def is_finished(folder: Path) -> bool:
    """Whether a whole run is there. One whose process was killed before the last renaming is given its name."""
    partial = _partial(folder)
    if not folder.exists() and (partial / "meta.json").is_file():
        partial.rename(folder)
    return (folder / "meta.json").is_file()


def finished_runs(out: Path) -> list[Path]:
    """The folders of all whole runs of a results folder."""
    folders = sorted(meta.parent for meta in out.glob("*/*/meta.json"))
    return [folder for folder in folders if folder.suffix not in (".partial", ".old")]


def _partial(folder: Path) -> Path:
    return folder.with_name(folder.name + ".partial")


class RunWriter:
    """Gathers one configuration's results, seeds in any order and in any slices, and writes its folder.

    Use as a context manager; only `finish` gives the folder its final name.
    """

    def __init__(self, folder: Path, config: Config):
        self.folder = folder
        self.partial = _partial(folder)
        if self.partial.exists():
            shutil.rmtree(self.partial)  # left by an interrupted run of this very configuration
        self.partial.mkdir(parents=True)
        _write_json(self.partial / "config.json", to_dict(config) | {"label": config.label})
        self._log = (self.partial / "metrics.jsonl").open("w")
        self._seeds = list(config.seed_range)
        self._episodes: list[int] = []
        self._curves: dict[int, list[dict[str, np.ndarray]]] = {seed: [] for seed in self._seeds}
        self._rollouts: dict[int, dict[str, np.ndarray]] = {}

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()

    def point(self, episode: int, seeds: Sequence[int], values: Mapping[str, np.ndarray]) -> None:
        """Add a point of these seeds' curves, and a line to the log; leaves of `values` lead with the seeds."""
        if episode not in self._episodes:
            self._episodes.append(episode)
        for row, seed in enumerate(seeds):
            self._curves[seed].append({name: value[row] for name, value in values.items()})
        line = {"episode": episode, "seed": list(seeds)} | {name: value.tolist() for name, value in values.items()}
        self._log.write(json.dumps(_finite(line)) + "\n")
        self._log.flush()

    def rollout(self, seeds: Sequence[int], arrays: Mapping[str, np.ndarray]) -> None:
        """Add these seeds' greedy episodes, leading with the seeds."""
        for row, seed in enumerate(seeds):
            self._rollouts[seed] = {name: value[row] for name, value in arrays.items()}

    def finish(self, constants: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Path:
        """Write the arrays and rename; an earlier run of this configuration is replaced only now.

        Args:
            constants: what is the same for all seeds' greedy episodes, for `rollout.npz`.
            meta: for `meta.json`.
        """
        self._log.close()
        first = self._seeds[0]
        curves = {
            name: np.stack([[point[name] for point in self._curves[seed]] for seed in self._seeds])
            for name in self._curves[first][0]
        }
        played = {
            name: np.stack([self._rollouts[seed][name] for seed in self._seeds]) for name in self._rollouts[first]
        }
        about = {"episode": np.array(self._episodes), "seed": np.array(self._seeds)}
        np.savez_compressed(self.partial / "metrics.npz", allow_pickle=False, **about, **curves)
        np.savez_compressed(self.partial / "rollout.npz", allow_pickle=False, **constants, **played)
        _write_json(self.partial / "meta.json", meta)
        old = self.folder.with_name(self.folder.name + ".old")
        shutil.rmtree(old, ignore_errors=True)  # left by a process that was killed at this very place
        if self.folder.exists():
            self.folder.rename(old)
        self.partial.rename(self.folder)
        shutil.rmtree(old, ignore_errors=True)
        return self.folder


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
    rollout = _arrays(played) if played.is_file() else {}
    return Run(folder, config["label"], config, meta, _arrays(folder / "metrics.npz"), rollout)


def find_run(out: Path, config: Config, label: str | None = None) -> Run | None:
    """The finished run of a configuration, under another label where one is given; None if it is not there.

    Raises:
        ConfigError: as `has_run`.
    """
    if not has_run(out, config):
        return None
    run = load_run(run_folder(out, config))
    return run if label is None else run._replace(label=label)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(_finite(value), indent=2) + "\n")
    part.rename(path)  # there whole, or not at all


def _finite(value: Any) -> Any:
    """JSON has no NaN: null stands for it."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
