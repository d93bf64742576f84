"""Writing a run's folder: results of its seeds, gathered in any order and over several starts."""

import contextlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TextIO

import numpy as np

from adama_jax.config.identity import to_dict
from adama_jax.config.schema import Config
from adama_jax.errors import DamagedFile
from adama_jax.storage.cohorts import disown
from adama_jax.storage.files import (
    PART,
    Arrays,
    Manifest,
    digest_of_file,
    finite_json,
    make_durable,
    read_arrays,
    reading,
    write_arrays,
    write_json,
)
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.lock import Lock
from adama_jax.storage.reader import check_settings

Report = Callable[[str], object]


class Finished(NamedTuple):
    """What is known of a seed that has been trained to its end."""

    seconds: float  # its share of the training time
    episodes: int  # that it advanced
    diverged: dict[str, Any] | None  # episode, update and leaf that first were not finite


class Kept(NamedTuple):
    """A seed that has been trained to its end, as it lies on disk until the whole run is."""

    episode: np.ndarray  # of the points. [P]
    curves: dict[str, np.ndarray]  # [P, ...]
    rollout: dict[str, np.ndarray]
    actors: dict[str, np.ndarray]
    about: Finished

    def write(self, path: Path) -> None:
        """Write the arrays and then the JSON file `path`, with which the seed counts."""
        arrays = {"episode": self.episode}
        for kind in ("curves", "rollout", "actors"):
            for name, value in getattr(self, kind).items():
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
        parts: dict[str, dict[str, np.ndarray]] = {"curves": {}, "rollout": {}, "actors": {}}
        with reading(path):
            episode = arrays.pop("episode")
            for name, value in arrays.items():
                kind, _, rest = name.partition(".")
                parts[kind][rest] = value
        return cls(episode, **parts, about=about)


def check_kept(path: Path) -> Finished:
    """Check a kept seed's files without reading its arrays; `path` is the JSON file's.

    Raises:
        DamagedFile: they are not what was written; the message names the file.
    """
    manifest = Manifest.read(path)
    for line in manifest.damaged_files(path.parent):
        raise DamagedFile(line)
    with reading(path):
        return Finished(**manifest.about)


class RunWriter:
    """Gathers one configuration's results, seeds in any order, and writes its folder.

    Use as a context manager, or `open` and `close` it: meanwhile nobody else writes to the folder.
    Only `finish` gives the folder its final name. A seed that an earlier process kept is there again.

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
        self.finished: dict[int, Finished] = {}
        self.named = False  # whether the folder has its final name
        self._run = RunFolder(folder)
        self._files = self._run.partial
        self._config = config
        self._again = again
        self._report = report
        self._seeds = list(config.seed_range)
        self._episodes: list[int] = []
        self._curves: dict[int, list[Arrays]] = {seed: [] for seed in self._seeds}
        self._rollouts: dict[int, Arrays] = {}
        self._actors: dict[int, Arrays] = {}
        self._lock: Lock | None = None
        self._log: TextIO | None = None
        self._log_failed = False

    @property
    def partial(self) -> Path:
        """The folder until the run is whole."""
        return self._files.path

    @property
    def missing(self) -> list[int]:
        """Seeds that are still to be trained."""
        return [seed for seed in self._seeds if seed not in self.finished]

    def open(self) -> Self:
        """Lock the folder, make it if need be, and take back what an earlier process kept.

        Raises:
            RunBusy: another process is training this run.
            SettingError: what an earlier process left has other settings.
        """
        self._lock = Lock(self._run.lock)
        try:
            if self._again:
                disown(self.partial, self._report)
                shutil.rmtree(self.partial, ignore_errors=True)
            self._prepare_folder()
            self._log = self._files.log.open("w")
            for seed in self._seeds:
                self._take_back(seed)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Let others have the folder."""
        if self._log is not None:
            self._log.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def point(self, episode: int, seeds: Sequence[int], values: Arrays) -> None:
        """Add a point of these seeds' curves, and a line to the log.

        Args:
            episode: of the point.
            seeds: whose.
            values: leading with the seeds.
        """
        if episode not in self._episodes:
            self._episodes.append(episode)
        for row, seed in enumerate(seeds):
            self._curves[seed].append({name: value[row] for name, value in values.items()})
        named = {name: values[name].tolist() for name in sorted(values)}
        self._write_line({"episode": episode, "seed": list(seeds)} | named)

    def keep(self, seed: int, rollout: Arrays, actors: Arrays, about: Finished) -> None:
        """A seed has come to its end: all that it learned is on disk from here on."""
        self._rollouts[seed] = rollout
        self._actors[seed] = actors
        self.finished[seed] = about
        self._files.kept.mkdir(exist_ok=True)
        episode = np.array(self._episodes)
        kept = Kept(episode, self._curves_of(seed), dict(rollout), dict(actors), about)
        kept.write(self._files.kept_seed(seed))

    def finish(
        self, constants: Arrays, about_actors: Mapping[str, Any], meta: Mapping[str, Any]
    ) -> Path:
        """Write the arrays and rename; an earlier run of this configuration is replaced only now.

        Args:
            constants: what is the same for all seeds' greedy episodes, for `rollout.npz`.
            about_actors: what one needs to know to use `actors.npz`.
            meta: for `meta.json`.
        """
        self._write_log_again()
        seeds = np.array(self._seeds)
        curves = self._over_seeds({seed: self._curves_of(seed) for seed in self._seeds})
        points = {"episode": np.array(self._episodes), "seed": seeds}
        write_arrays(self._files.metrics, points | curves)
        write_arrays(self._files.rollout, {**constants, **self._over_seeds(self._rollouts)})
        about = {"about": np.array(json.dumps(about_actors)), "seed": seeds}
        write_arrays(self._files.actors, about | self._over_seeds(self._actors))
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
        # The log is written anew, and the other files are at the end: the run is not whole.
        self._files.meta.unlink(missing_ok=True)
        if self._again:
            self._files.forced.touch()

    def _take_back(self, seed: int) -> None:
        """Read what an earlier process kept of a seed."""
        path = self._files.kept_seed(seed)
        if not path.is_file():
            return
        try:
            kept = Kept.read(path)
        except DamagedFile as error:
            self._report(f"{error}; seed {seed} is trained again")
            return
        for index, episode in enumerate(kept.episode.tolist()):
            row = slice(index, index + 1)
            self.point(episode, [seed], {name: curve[row] for name, curve in kept.curves.items()})
        self._rollouts[seed] = kept.rollout
        self._actors[seed] = kept.actors
        self.finished[seed] = kept.about

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

    def _write_line(self, line: Mapping[str, Any]) -> None:
        """Append to the log. It is written again at the end: a full disk does not stop a run here."""
        if self._log is None:
            raise ValueError("a run's folder must be open to be written")
        try:
            self._log.write(json.dumps(finite_json(line)) + "\n")
            self._log.flush()
        except OSError as error:
            if not self._log_failed:
                self._report(f"metrics.jsonl cannot be written now, and is at the end: {error}")
            self._log_failed = True

    def _write_log_again(self) -> None:
        """Write a line for each point, with all seeds, however many starts they came in."""
        if self._log is not None:
            # Closing flushes what could not be written.
            with contextlib.suppress(OSError):
                self._log.close()
        with self._files.log.open("w") as log:
            for index, episode in enumerate(self._episodes):
                points = [self._curves[seed][index] for seed in self._seeds]
                line = {"episode": episode, "seed": self._seeds}
                for name in sorted(points[0]):
                    line[name] = [point[name].tolist() for point in points]
                log.write(json.dumps(finite_json(line)) + "\n")

    def _curves_of(self, seed: int) -> dict[str, np.ndarray]:
        """A seed's curves, every value [P, ...]."""
        points = self._curves[seed]
        return {name: np.stack([point[name] for point in points]) for name in sorted(points[0])}

    def _over_seeds(self, values: Mapping[int, Arrays]) -> dict[str, np.ndarray]:
        """Every value of every seed, [S, ...]."""
        first = values[self._seeds[0]]
        return {name: np.stack([values[s][name] for s in self._seeds]) for name in first}
