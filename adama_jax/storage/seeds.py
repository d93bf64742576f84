"""Runs that differ in their seeds alone, joined to the run of all these seeds.

So more seeds can be trained later, or elsewhere, and shown as one run.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from adama_jax.config.identity import to_dict
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError
from adama_jax.storage.folder import RunFiles, run_folder, runs_below
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

    None where these do not make up all seeds, each once. The joined run has the folder of its first
    part, no rollout, and `meta["parts"]`, which says where each part is and which seeds it has.

    Args:
        out: results folder.
        config: the configuration.
        label: what to call the run; None: as its first part calls itself.

    Raises:
        DamagedFile: a part cannot be read.
    """
    folders = _parts(out, config)
    if not folders:
        return None
    run = joined([load_run(folder) for folder in folders], config)
    return run if label is None else run._replace(label=label)


def seeds_to_train(out: Path, config: Config) -> list[Config]:
    """What is left to train of a configuration of which other runs have some seeds.

    The configuration itself where none of its seeds is there.
    """
    covered = {seed for one in _beside(out, config).values() for seed in one.seed_range}
    lacking = [seed for seed in config.seed_range if seed not in covered]
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


def joined(parts: Sequence[Run], config: Config) -> Run:
    """Runs of consecutive seeds as one, in that order.

    Args:
        parts: of the same settings and the same points.
        config: that of all seeds.
    """
    first, last = parts[0], parts[-1]
    metrics = {}
    for name, array in first.metrics.items():
        if name == EPISODE:
            metrics[name] = array
        else:
            metrics[name] = np.concatenate([part.metrics[name] for part in parts])
    diverged: dict[str, int] = {}
    for part in parts:
        diverged |= part.meta["diverged"]
    meta = last.meta.copy()
    meta["diverged"] = diverged
    meta["parts"] = [_described(part) for part in parts]
    stored = {**to_dict(config), "label": first.label}
    return Run(first.folder, first.label, config, stored, meta, metrics, None)


def _described(part: Run) -> dict[str, object]:
    return {
        "folder": f"{part.folder.parent.name}/{part.folder.name}",
        "seeds": [int(seed) for seed in part.metrics["seed"]],
        "git_commit": part.meta["git_commit"],
        "finished_at": part.meta["finished_at"],
    }


def _parts(out: Path, config: Config) -> list[Path]:
    """Folders of runs that make up all seeds, each once; none if they do not."""
    by_first_seed: dict[int, tuple[int, Path]] = {}
    for folder, one in _beside(out, config).items():
        longest = by_first_seed.get(one.seed)
        if longest is None or one.seeds > longest[0]:
            by_first_seed[one.seed] = (one.seeds, folder)
    found = []
    seed = config.seed
    while seed in by_first_seed:
        count, folder = by_first_seed[seed]
        found.append(folder)
        seed += count
    return found if seed == config.seed_range.stop else []


def _beside(out: Path, config: Config) -> Mapping[Path, Config]:
    """Finished runs of the same settings with some of the seeds, and no others."""
    folder = run_folder(out, config).parent
    found: dict[Path, Config] = {}
    for run in runs_below(folder):
        if not run.is_finished():
            continue
        try:
            one = glance_at_config(RunFiles(run.path).path)
        except SettingError:
            continue
        inside = set(one.seed_range) <= set(config.seed_range)
        alike = dataclasses.replace(one, seed=config.seed, seeds=config.seeds)
        if inside and alike == config:
            found[run.path] = one
    return found
