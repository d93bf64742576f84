"""Writing a run's folder: results of its seeds, gathered in any order and over several starts."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from adama_jax.config.identity import to_dict
from adama_jax.config.schema import Config
from adama_jax.errors import DamagedFile
from adama_jax.storage.files import (
    PART,
    Arrays,
    Manifest,
    digest_of_file,
    make_durable,
    read_arrays,
    reading,
    write_arrays,
    write_json,
)
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.lock import Lock
from adama_jax.storage.provenance import Stretches
from adama_jax.storage.reader import check_settings

Report = Callable[[str], object]
Point = tuple[int, Arrays]  # of a curve: the episode, and the values there


class FinishedSeed(NamedTuple):
    """What is known of a seed that has been trained to its end."""

    seconds: float  # its share of the training time
    episodes: int  # that it advanced
    # Episode, update and leaf that first were not finite.
    diverged: dict[str, Any] | None
    # On which machines it was trained; earlier versions did not write it down.
    stretches: Stretches = ()


class Kept(NamedTuple):
    """A seed that has been trained to its end, as it lies on disk until the whole run is."""

    episode: np.ndarray  # of the points. [P]
    curves: dict[str, np.ndarray]  # [P, ...]
    rollout: dict[str, np.ndarray]
    actors: dict[str, np.ndarray]
    about: FinishedSeed

    def write(self, path: Path) -> None:
        """Write the arrays and then the JSON file `path`, with which the seed counts."""
        parts = {"curves": self.curves, "rollout": self.rollout, "actors": self.actors}
        arrays = {"episode": self.episode}
        for kind, part in parts.items():
            for name, value in part.items():
                arrays[f"{kind}.{name}"] = value
        target = path.with_suffix(".npz")
        # For some minutes or hours, so not worth the time to compress them.
        write_arrays(target, arrays, compress=False)
        make_durable(target)
        digests = {target.name: digest_of_file(target)}
        Manifest(self.about._asdict(), digests).write(path)

    @classmethod
    def read(cls, path: Path) -> "Kept":
        """Read it; `path` is the JSON file's.

        Raises:
            DamagedFile: it is not what was written; the message names the file.
        """
        about = check_kept(path)
        arrays = read_arrays(path.with_suffix(".npz"))
        curves: dict[str, np.ndarray] = {}
        rollout: dict[str, np.ndarray] = {}
        actors: dict[str, np.ndarray] = {}
        parts = {"curves": curves, "rollout": rollout, "actors": actors}
        with reading(path):
            episode = arrays.pop("episode")
            for name, value in arrays.items():
                kind, _, rest = name.partition(".")
                parts[kind][rest] = value
        return cls(episode, curves, rollout, actors, about)


def check_kept(path: Path) -> FinishedSeed:
    """Check a kept seed's files without reading its arrays; `path` is the JSON file's.

    Raises:
        DamagedFile: they are not what was written; the message names the file.
    """
    manifest = Manifest.read(path)
    for line in manifest.damaged_files(path.parent):
        raise DamagedFile(line)
    with reading(path):
        about = manifest.about
        stretches = tuple(about.get("stretches", ()))
        return FinishedSeed(**{**about, "stretches": stretches})


class RunWriter:
    """Gathers one configuration's results, seeds in any order, and writes its folder.

    Use as a context manager, or `open` and `close` it: meanwhile nobody else writes to the folder.
    Only `finish` gives the folder its final name. Seeds that an earlier process kept are there
    again.

    Args:
        folder: the run's, by its final name.
        config: the run's.
        again: begin anew, whatever an earlier process left.
        report: hears of kept seeds that are not what was written, and so are trained again.
    """

    def __init__(
        self,
        folder: Path,
        config: Config,
        again: bool = False,
        report: Report = lambda line: None,
    ):
        self.folder = folder
        self.named = False  # whether the folder has its final name
        self._run = RunFolder(folder)
        self._files = self._run.partial
        self._config = config
        self._again = again
        self._report = report
        self._seeds = list(config.seed_range)
        self._kept: dict[int, Kept] = {}
        self._lock: Lock | None = None

    @property
    def partial(self) -> Path:
        """The folder until the run is whole."""
        return self._files.path

    @property
    def missing(self) -> list[int]:
        """Seeds that are still to be trained."""
        return [seed for seed in self._seeds if seed not in self._kept]

    @property
    def finished(self) -> dict[int, FinishedSeed]:
        """What is known of the seeds that are at their end."""
        return {seed: kept.about for seed, kept in self._kept.items()}

    def open(self) -> Self:
        """Lock the folder, make it if need be, and take back what an earlier process kept.

        Raises:
            RunBusy: another process is training this run.
            SettingError: what an earlier process left has other settings.
        """
        self._lock = Lock(self._run.lock)
        try:
            if self._again:
                shutil.rmtree(self.partial, ignore_errors=True)
            self._prepare_folder()
            for seed in self._seeds:
                self._take_back(seed)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Let others have the folder."""
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def keep(self, seed: int, kept: Kept) -> None:
        """A seed has come to its end: all that it learned is on disk from here on."""
        self._files.kept.mkdir(exist_ok=True)
        kept.write(self._files.kept_seed(seed))
        self._kept[seed] = kept

    def points(self, seed: int) -> list[Point]:
        """The curves of a seed that is at its end, point by point; values lead with this seed."""
        kept = self._kept[seed]
        found = []
        for index, episode in enumerate(kept.episode.tolist()):
            # A slice, not an index: a point's values lead with the seeds.
            row = slice(index, index + 1)
            values = {name: curve[row] for name, curve in kept.curves.items()}
            found.append((episode, values))
        return found

    def curves(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The curves of all seeds, once they are at their end: episodes [P], values [S, P, ...]."""
        in_order = self._in_order()
        # Every seed has the same points.
        return in_order[0].episode, _stacked([kept.curves for kept in in_order])

    def finish(
        self,
        constants: Arrays,
        about_actors: Mapping[str, Any],
        meta: Mapping[str, Any],
    ) -> Path:
        """Write the arrays and rename; an earlier run of this configuration is replaced only now.

        Args:
            constants: what is the same for all seeds' greedy episodes, for `rollout.npz`.
            about_actors: what one needs to know to use `actors.npz`.
            meta: for `meta.json`.
        """
        seeds = np.array(self._seeds)
        in_order = self._in_order()
        episode, curves = self.curves()
        write_arrays(self._files.metrics, {"episode": episode, "seed": seeds} | curves)
        rollouts = _stacked([kept.rollout for kept in in_order])
        write_arrays(self._files.rollout, {**constants, **rollouts})
        actors = _stacked([kept.actors for kept in in_order])
        about = np.array(json.dumps(about_actors))
        write_arrays(self._files.actors, {"about": about, "seed": seeds} | actors)
        # Before `meta.json`: with that the new result counts.
        self._files.forced.unlink(missing_ok=True)
        self._write_meta(meta)
        self._give_name()
        self.close()
        return self.folder

    def _prepare_folder(self) -> None:
        if self._files.config.is_file():
            check_settings(self.partial, self._config)
        else:
            self.partial.mkdir(parents=True, exist_ok=True)
            stored = to_dict(self._config) | {"label": self._config.label}
            write_json(self._files.config, stored)
        # All files but the settings are written anew, the last at the end: the run is not whole.
        self._files.meta.unlink(missing_ok=True)
        if self._again:
            self._files.forced.touch()

    def _take_back(self, seed: int) -> None:
        """Read what an earlier process kept of a seed."""
        path = self._files.kept_seed(seed)
        if not path.is_file():
            return
        try:
            self._kept[seed] = Kept.read(path)
        except DamagedFile as error:
            self._report(f"{error}; seed {seed} is trained again")

    def _write_meta(self, meta: Mapping[str, Any]) -> None:
        """Write `meta.json`, with which the run is whole."""
        digests = {}
        for path in sorted(self.partial.iterdir()):
            if path.is_file() and path.suffix != PART and path != self._files.meta:
                make_durable(path)
                digests[path.name] = digest_of_file(path)
        Manifest(dict(meta), digests).write(self._files.meta)

    def _give_name(self) -> None:
        self._run.give_final_name()
        self.named = True

    def _in_order(self) -> list[Kept]:
        return [self._kept[seed] for seed in self._seeds]


def _stacked(seeds: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """The arrays of all seeds as one of each name, [S, ...]."""
    return {name: np.stack([own[name] for own in seeds]) for name in seeds[0]}
