"""Training the seeds of configurations that share a program, in slices old and new, into their folders."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jax
import numpy as np

from adama_jax.config.identity import config_hash, program_key
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError
from adama_jax.execution.actors import about_actors
from adama_jax.execution.build import make_env
from adama_jax.execution.devices import cohorts_of
from adama_jax.execution.loop import Broken, Lane, Learned, Values, Watch, train_slice
from adama_jax.execution.program import Program, compiled
from adama_jax.execution.saver import SavedSlice, Saving
from adama_jax.storage.cohorts import NOBODY, Owner, Slice, find, slice_folder
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.provenance import machine
from adama_jax.storage.reader import read_config
from adama_jax.storage.writer import Finished, RunWriter


def run(
    configs: Sequence[Config],
    out: Path,
    watch: Watch = Watch(),
    devices: Sequence[Any] | None = None,
    width: int | None = None,
    saving: Saving = Saving(),
    again: bool = False,
) -> list[dict[int, Broken]]:
    """Train all seeds of configurations that share a program, and write their run folders.

    What an earlier process left of them is gone on with, on as many devices and in slices as wide as it had.

    Args:
        configs: validated configurations, equal but for traced settings and seeds.
        out: results folder; a run folder that exists is replaced at the end.
        watch: who looks on.
        devices: JAX devices to share the runs; None: all local ones.
        width: runs at once; None: what is fast and fits in the free memory.
        saving: when checkpoints are written.
        again: begin anew, whatever an earlier process left.

    Returns:
        For each configuration the seeds that diverged, and where.

    Raises:
        ValueError: the configurations need different programs.
        Interrupted: `watch.stop` said so.
        RunBusy: another process trains one of these runs.
        SettingError: what an earlier process left has other settings.
        CheckpointError: a checkpoint could not be written, and `saving` says to stop then.
    """
    if len({program_key(config) for config in configs}) != 1:
        raise ValueError(
            "configurations of one program may differ in traced settings and seeds only"
        )
    devices = list(devices or jax.local_devices())
    with _Job(configs, out, watch, saving, again) as job:
        wanted, old = job.wanted(), job.interrupted()
        job.finish_whole(None)  # what a kill left between its last seed and its name
        begun = {lane for _, lanes in old for lane in lanes}
        fresh = [lane for lane in wanted if lane not in begun]
        shapes = [(saved.about.width, _devices_for(saved, len(devices), watch)) for saved, _ in old]
        programs = {
            (wide, used): compiled(configs[0], wide, devices[:used], wide)
            for wide, used in set(shapes)
        }
        parts = [
            (saved, lanes, programs[shape])
            for (saved, lanes), shape in zip(old, shapes, strict=True)
        ]
        if fresh:
            program = compiled(configs[0], len(fresh), devices, width)
            parts += [
                (job.begin(lanes, program), lanes, program)
                for lanes in cohorts_of(fresh, program.width)
            ]
        for number, (saved, lanes, program) in enumerate(parts):
            _train(job, lanes, program, saved, (number + 1, len(parts)))
        finished = [writer.finished for writer in job.writers[: len(configs)]]
    return [
        {seed: Broken(**f.diverged) for seed, f in seeds.items() if f.diverged}
        for seeds in finished
    ]


class _Job:
    """Configurations, their folders, who looks on, and when to save."""

    def __init__(
        self, configs: Sequence[Config], out: Path, watch: Watch, saving: Saving, again: bool
    ):
        self.configs = list(configs)
        self.scenario = out / configs[0].scenario
        self.out = out
        self.watch = watch
        self.saving = saving
        self.writers: list[RunWriter] = []
        self.runs = 0  # that this process trains
        self._again = again
        self._open = ExitStack()

    def __enter__(self) -> "_Job":
        try:
            for config in self.configs:
                self._write(config, self._again)
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def wanted(self) -> list[Lane]:
        """The seeds asked for that are not on disk."""
        lanes = [
            Lane(index, seed)
            for index, writer in enumerate(self.writers)
            for seed in writer.missing
        ]
        self.runs = len(lanes)
        return lanes

    def interrupted(self) -> list[tuple[SavedSlice, list[Lane]]]:
        """What earlier processes began of these runs. What was begun together goes on together, asked for or not."""
        found = []
        names = {writer.folder.name for writer in self.writers}
        asked = {(writer.folder.name, seed) for writer in self.writers for seed in writer.missing}
        for place, about in find(self.scenario, self.watch.tell):
            saved = SavedSlice(place, about, self.saving, self.watch.tell)
            if asked.intersection(about.lanes):
                lanes = [self._lane(*owner) for owner in about.lanes]
                asked -= set(about.lanes)  # in no second slice, should there be one
                found.append((saved, lanes))
            elif about.runs <= names:
                saved.discard()  # all its lanes are on disk
        return found

    def begin(self, lanes: Sequence[Lane], program: Program) -> SavedSlice:
        """A new slice."""
        owners: list[Owner] = [(self.writers[lane.config].folder.name, lane.seed) for lane in lanes]
        place = slice_folder(self.writers[lanes[0].config].partial, owners)
        about = Slice(owners, program.people.width, program.people.devices)
        return SavedSlice(place, about, self.saving, self.watch.tell)

    def finish_whole(self, program: Program | None) -> None:
        """Give the runs that are whole their names."""
        for config, writer in zip(self.configs, self.writers, strict=True):
            if not writer.missing and not writer.named:
                meta = _meta(config, writer.finished, program, self.runs)
                writer.finish(_entities(config), about_actors(config), meta)

    def _lane(self, run: str, seed: int) -> Lane:
        if (run, seed) == NOBODY:
            return Lane(-1, seed)
        names = [writer.folder.name for writer in self.writers]
        if run not in names:
            folder = RunFolder(self.scenario / run)
            if not folder.is_begun():
                return Lane(-1, seed)  # it was finished, or removed
            try:
                self.configs.append(read_config(folder.partial.path))
            except SettingError as error:
                self.watch.tell(f"goes on without a run of its slice: {error}")
                return Lane(-1, seed)
            self._write(self.configs[-1], again=False)
            names.append(run)
        index = names.index(run)
        return Lane(index if seed in self.writers[index].missing else -1, seed)

    def _write(self, config: Config, again: bool) -> None:
        folder = run_folder(self.out, config)
        self.writers.append(
            self._open.enter_context(RunWriter(folder, config, again, self.watch.tell))
        )


def _train(
    job: _Job, lanes: Sequence[Lane], program: Program, saved: SavedSlice, place: tuple[int, int]
) -> None:
    """Train a slice, keep what it learned, give the runs that are whole their names."""
    places: dict[int, list[int]] = {}
    for row, lane in enumerate(lanes):
        if lane.config >= 0:
            places.setdefault(lane.config, []).append(row)

    def write(episode: int, values: Values) -> None:
        for index, rows in places.items():
            seeds = [lanes[row].seed for row in rows]
            job.writers[index].point(
                episode, seeds, {name: value[rows] for name, value in values.items()}
            )

    try:
        learned = train_slice(job.configs, lanes, program, saved, job.watch, write, place)
    except BaseException:
        saved.close()  # what is being saved is saved
        program.evaluate.wait()  # here, where whoever stops and takes too long is made to leave
        raise
    for row, lane in enumerate(lanes):
        if lane.config >= 0:
            _keep(job.writers[lane.config], lane, row, learned, len(lanes))
    if len(learned.diverged) == len(lanes):
        saved.lose()
    else:
        saved.discard()
    job.finish_whole(program)


def _devices_for(saved: SavedSlice, available: int, watch: Watch) -> int:
    """As many as the slice had, or as near to that as its width can be divided among."""
    width, had = saved.about.width, saved.about.devices
    if had <= available:
        return had
    found = max(count for count in range(1, available + 1) if width % count == 0)
    watch.tell(f"a slice begun on {had} devices goes on on {found}: no longer equal bit for bit")
    return found


def _keep(writer: RunWriter, lane: Lane, row: int, learned: Learned, count: int) -> None:
    broken = learned.diverged.get(lane)
    about = Finished(
        learned.seconds / count, learned.episodes, broken._asdict() if broken else None
    )
    rollout, actors = (
        {n: v[row] for n, v in part.items()} for part in (learned.rollouts, learned.actors)
    )
    writer.keep(lane.seed, rollout, actors, about)


def _meta(
    config: Config, finished: dict[int, Finished], program: Program | None, runs: int
) -> dict[str, Any]:
    """What `meta.json` says; the program is None where an earlier process had finished all seeds."""
    busy = sum(seed.seconds for seed in finished.values())
    episodes = sum(seed.episodes for seed in finished.values())
    diverged = {seed: about.diverged for seed, about in finished.items() if about.diverged}
    return machine(used=program.people.devices if program else None) | {
        "config_hash": config_hash(config),
        "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "wall_seconds": busy,  # this configuration's share, by its number of seeds
        "compile_seconds": program.seconds if program else 0.0,  # until training could begin
        "updates_per_second": episodes * config.learning.updates_per_episode / busy,
        "runs_in_program": runs,
        "runs_at_once": program.width if program else 0,
        "diverged": {seed: about["episode"] for seed, about in diverged.items()},
        "diverged_in": diverged,
    }


def _entities(config: Config) -> dict[str, np.ndarray]:
    """What there is to draw, and how long a step lasts."""
    spec = make_env(config).spec
    entities = spec.entities
    return {
        "kind": np.array([entity.kind for entity in entities]),
        "name": np.array([entity.name for entity in entities]),
        "radius": np.array([entity.radius for entity in entities], np.float32),
        "agent": np.array([entity.agent for entity in entities], np.int32),
        "seconds": np.array(spec.seconds),
    }
