"""Runs that differ in their seeds alone, joined to the run of all these seeds.

So more seeds can be trained later, or elsewhere, and shown as one run.
"""

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from adama_jax.config.identity import to_dict
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError
from adama_jax.storage.folder import OLD, PARTIAL, RunFolder, run_folder
from adama_jax.storage.glance import glance_at_config
from adama_jax.storage.reader import Run, load_run

# The one curve that has no row a seed.
EPISODE = "episode"


def find_joined(
    out: Path,
    config: Config,
    label: str | None = None,
) -> Run | None:
    """The run of all of a configuration's seeds, joined from finished runs of some of them.

    None where these do not make up all seeds. The joined run has the folder of its first
    part, no rollout, and `meta["parts"]`, which says where each part is and which seeds it has.

    Args:
        out: results folder.
        config: the configuration.
        label: what to call the run; None: as its first part calls itself.

    Raises:
        DamagedFile: a part cannot be read.
    """
    folders = _folders(out, config)
    if len(folders) < config.seeds:
        return None
    parts = {folder: load_run(folder) for folder in dict.fromkeys(folders.values())}
    run = joined({seed: parts[folder] for seed, folder in folders.items()}, config)
    return run if label is None else run._replace(label=label)


def seeds_to_train(out: Path, config: Config) -> list[Config]:
    """What is left to train of a configuration of which other runs have some seeds.

    The configuration itself where none of its seeds is there.
    """
    there = _folders(out, config)
    lacking = [seed for seed in config.seed_range if seed not in there]
    if len(lacking) == config.seeds:
        return [config]
    found: list[Config] = []
    for seed in lacking:
        last = found[-1] if found else None
        if last is not None and seed == last.seed_range.stop:
            found[-1] = dataclasses.replace(last, seeds=last.seeds + 1)
        else:
            found.append(dataclasses.replace(config, seed=seed, seeds=1))
    return found


def joined(parts: Mapping[int, Run], config: Config) -> Run:
    """A run of all seeds.

    Args:
        parts: by seed the run that it is taken from, all of the same settings and points.
        config: that of all seeds.
    """
    runs = list({run.folder: run for run in parts.values()}.values())
    first, last = runs[0], runs[-1]
    # An earlier version may have kept fewer curves.
    names = set.intersection(*(set(run.metrics) for run in runs))
    metrics = {}
    for name in sorted(names):
        if name == EPISODE:
            metrics[name] = first.metrics[name]
        else:
            rows = [_row(run, name, seed) for seed, run in parts.items()]
            metrics[name] = np.stack(rows)
    diverged = {}
    for seed, run in parts.items():
        if str(seed) in run.meta["diverged"]:
            diverged[str(seed)] = run.meta["diverged"][str(seed)]
    meta = last.meta.copy()
    meta["diverged"] = diverged
    meta["parts"] = [_described(run, parts) for run in runs]
    stored = {**to_dict(config), "label": first.label}
    return Run(first.folder, first.label, config, stored, meta, metrics, None)


def _row(run: Run, name: str, seed: int) -> np.ndarray:
    row = list(run.metrics["seed"]).index(seed)
    return run.metrics[name][row]


def _described(run: Run, parts: Mapping[int, Run]) -> dict[str, object]:
    return {
        "folder": f"{run.folder.parent.name}/{run.folder.name}",
        "seeds": [seed for seed, part in parts.items() if part is run],
        "git_commit": run.meta["git_commit"],
        "finished_at": run.meta["finished_at"],
    }


def _folders(out: Path, config: Config) -> dict[int, Path]:
    """By seed the folder of a run that has it, in the seeds' order; seeds that none has are not."""
    found: dict[int, Path] = {}
    beside = _beside(out, config)
    # The run with the most seeds first: as few as can be are read.
    for folder in sorted(beside, key=lambda folder: -beside[folder].seeds):
        for seed in beside[folder].seed_range:
            found.setdefault(seed, folder)
    return dict(sorted(found.items()))


def _beside(out: Path, config: Config) -> Mapping[Path, Config]:
    """Finished runs of the same settings with some of the seeds, and no others."""
    named = run_folder(out, config)
    method, _, _ = named.name.rpartition("-")
    found: dict[Path, Config] = {}
    # Only runs of the method can differ in their seeds alone.
    for settings in sorted(named.parent.glob(f"{method}-*/config.json")):
        folder = settings.parent
        if folder.suffix in (OLD, PARTIAL) or not RunFolder(folder).is_finished():
            continue
        one = _settings_of(folder, settings.stat().st_mtime_ns)
        if one is None:
            continue
        inside = set(one.seed_range) <= set(config.seed_range)
        alike = dataclasses.replace(one, seed=config.seed, seeds=config.seeds)
        if inside and alike == config:
            found[folder] = one
    return found


# Kept, for a figure of a hundred missing runs would read each of those beside them a hundred times.
@cache
def _settings_of(folder: Path, written: int) -> Config | None:
    """A run's settings, as they were written then; None where they cannot be read."""
    try:
        return glance_at_config(folder)
    except SettingError:
        return None
