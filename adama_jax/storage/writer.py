"""Writing a run's folder: what each seed learned, gathered in any order and over several starts, renamed when whole."""

import contextlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from adama_jax.config.identity import to_dict
from adama_jax.config.schema import Config
from adama_jax.storage.cohorts import disown
from adama_jax.storage.files import (
    arrays_of,
    digest_of_file,
    durable,
    finite_json,
    seal,
    unseal,
    write_arrays,
    write_json,
)
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.lock import Lock
from adama_jax.storage.reader import check_settings

Values = Mapping[str, np.ndarray]


class Finished(NamedTuple):
    """What is known of a seed that has been trained to its end."""

    seconds: float  # its share of the training time
    episodes: int  # that it advanced
    diverged: dict[str, Any] | None  # episode, update and leaf that first were not finite


def read_kept(path: Path) -> Finished:
    """What is known of a seed that was kept, once its arrays are verified; `path` is the JSON file's.

    Raises:
        ValueError: it is not what was written; the message names the file.
    """
    try:
        about = unseal(json.loads(path.read_text()))
        digest, finished = about.pop("sha256"), Finished(**about)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error
    arrays = path.with_suffix(".npz")
    if not arrays.is_file() or digest_of_file(arrays) != digest:
        raise ValueError(f"{arrays}: is not what was written (sha256)")
    return finished


class RunWriter:
    """Gathers one configuration's results, seeds in any order and in any slices, and writes its folder.

    Use as a context manager; only `finish` gives the folder its final name. A seed that was kept by an earlier process
    is there again. Nobody else writes to the folder meanwhile.

    Args:
        folder: the run's, by its final name.
        config: the run's.
        again: begin anew, whatever an earlier process left.
        tell: hears of kept seeds that are not what was written, and so are trained again.

    Raises:
        RunBusy: another process is training this run.
        SettingError: what an earlier process left has other settings.
    """

    def __init__(
        self,
        folder: Path,
        config: Config,
        again: bool = False,
        tell: Callable[[str], None] = lambda line: None,
    ):
        self.folder = folder
        self._run = RunFolder(folder)
        self._files = self._run.partial
        self.partial = self._files.path
        self._seeds = list(config.seed_range)
        self._curves: dict[int, list[Values]] = {seed: [] for seed in self._seeds}
        self._rollouts: dict[int, Values] = {}
        self._actors: dict[int, Values] = {}
        self._episodes: list[int] = []
        self.finished: dict[int, Finished] = {}
        self._tell = tell
        self._log_failed = False
        self.named = False  # whether the folder has its final name
        self._lock = Lock(self._run.lock)
        try:
            if again:
                disown(self.partial, tell)
                shutil.rmtree(self.partial, ignore_errors=True)
            # Seeds and log are written anew below: until `finish` the run is not whole.
            self._files.meta.unlink(missing_ok=True)
            if self._files.config.is_file():
                check_settings(self.partial, config)
            else:
                self.partial.mkdir(parents=True, exist_ok=True)
                write_json(self._files.config, to_dict(config) | {"label": config.label})
            if again:
                self._files.forced.touch()
            self._log = self._files.log.open("w")  # whole again below, and by the points restored
            for seed in self._seeds:
                self._take_back(seed, tell)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()
        self._lock.release()

    @property
    def missing(self) -> list[int]:
        """Seeds that are still to be trained."""
        return [seed for seed in self._seeds if seed not in self.finished]

    def point(self, episode: int, seeds: Sequence[int], values: Values) -> None:
        """Add a point of these seeds' curves, and a line to the log; leaves of `values` lead with the seeds."""
        if episode not in self._episodes:
            self._episodes.append(episode)
        for row, seed in enumerate(seeds):
            self._curves[seed].append({name: value[row] for name, value in values.items()})
        line = {"episode": episode, "seed": list(seeds)} | {
            name: values[name].tolist() for name in sorted(values)
        }
        self._write_line(line)

    def keep(self, seed: int, rollout: Values, actors: Values, about: Finished) -> None:
        """A seed has come to its end: its curves, its greedy episodes and its actors are on disk from here on."""
        self._rollouts[seed], self._actors[seed], self.finished[seed] = rollout, actors, about
        parts = {"curves": self._stacked(seed), "rollout": rollout, "actors": actors}
        self._files.kept.mkdir(exist_ok=True)
        record = self._files.kept_seed(seed)
        kept = record.with_suffix(".npz")
        arrays = {
            f"{kind}.{name}": value for kind, part in parts.items() for name, value in part.items()
        }
        arrays["episode"] = np.array(self._episodes)
        write_arrays(kept, arrays, compress=False)
        write_json(record, seal({"sha256": durable(kept)} | about._asdict()))

    def finish(
        self, constants: Values, about_actors: Mapping[str, Any], meta: Mapping[str, Any]
    ) -> Path:
        """Write the arrays and rename; an earlier run of this configuration is replaced only now.

        Args:
            constants: what is the same for all seeds' greedy episodes, for `rollout.npz`.
            about_actors: what one needs to know to use `actors.npz`.
            meta: for `meta.json`.
        """
        self._write_log_again()
        self._log.close()
        seeds = np.array(self._seeds)
        curves = {
            name: self._over_seeds({s: self._stacked(s) for s in self._seeds}, name)
            for name in self._names()
        }
        played = {
            name: self._over_seeds(self._rollouts, name) for name in self._rollouts[self._seeds[0]]
        }
        actors = {
            name: self._over_seeds(self._actors, name) for name in self._actors[self._seeds[0]]
        }
        episodes = np.array(self._episodes)
        about = np.array(json.dumps(about_actors))
        write_arrays(self._files.metrics, {"episode": episodes, "seed": seeds} | curves)
        write_arrays(self._files.rollout, {**constants, **played})
        write_arrays(self._files.actors, {"about": about, "seed": seeds} | actors)
        self._files.forced.unlink(missing_ok=True)
        files = [
            path
            for path in sorted(self.partial.iterdir())
            if path.is_file() and path.suffix != ".part"
        ]
        digests = {path.name: durable(path) for path in files if path != self._files.meta}
        write_json(self._files.meta, seal(finite_json(dict(meta) | {"sha256": digests})))
        self._give_name()
        self._lock.release()
        return self.folder

    def _give_name(self) -> None:
        self._run.give_final_name()
        self.named = True

    def _take_back(self, seed: int, tell: Callable[[str], None]) -> None:
        """What an earlier process kept of a seed."""
        place = self._files.kept_seed(seed)
        if not place.is_file():
            return
        try:
            finished = read_kept(place)
            arrays = arrays_of(place.with_suffix(".npz"))
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            tell(f"{error}; seed {seed} is trained again")
            return
        parts: dict[str, dict[str, np.ndarray]] = {"curves": {}, "rollout": {}, "actors": {}}
        for name, value in arrays.items():
            kind, _, rest = name.partition(".")
            if kind in parts:
                parts[kind][rest] = value
        for index, episode in enumerate(arrays["episode"].tolist()):
            self.point(
                episode,
                [seed],
                {name: value[index : index + 1] for name, value in parts["curves"].items()},
            )
        self._rollouts[seed], self._actors[seed] = parts["rollout"], parts["actors"]
        self.finished[seed] = finished

    def _write_line(self, line: Mapping[str, Any]) -> None:
        """Of the log, which can be written again at the end: a full disk does not stop a run here."""
        try:
            self._log.write(json.dumps(finite_json(line)) + "\n")
            self._log.flush()
        except OSError as error:
            if not self._log_failed:
                self._tell(f"metrics.jsonl cannot be written now, and is at the end: {error}")
            self._log_failed = True

    def _write_log_again(self) -> None:
        """A line a point, with all seeds, whatever slices and starts they came in."""
        with contextlib.suppress(OSError):
            self._log.close()  # flushes what could not be written
        self._log = self._files.log.open("w")
        for index, episode in enumerate(self._episodes):
            values = {
                name: [self._curves[seed][index][name].tolist() for seed in self._seeds]
                for name in self._names()
            }
            self._log.write(
                json.dumps(finite_json({"episode": episode, "seed": self._seeds} | values)) + "\n"
            )

    def _names(self) -> list[str]:
        return sorted(self._curves[self._seeds[0]][0])

    def _stacked(self, seed: int) -> dict[str, np.ndarray]:
        """A seed's curves, every value [P, ...]."""
        return {
            name: np.stack([point[name] for point in self._curves[seed]])
            for name in self._curves[seed][0]
        }

    def _over_seeds(self, values: Mapping[int, Values], name: str) -> np.ndarray:
        return np.stack([values[seed][name] for seed in self._seeds])
