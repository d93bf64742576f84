"""The names in a results folder, and the names inside a run's folder.

No other module spells them, but for `lock` those of its files. A run is trained in `<run>.partial`
and gets its final name, `<run>`, when it is whole. A run that is replaced is `<run>.old` for the
moment between the two renamings. `<run>.holder` names the process that trains a run, which holds
`.process-<id>.lock` for all its runs of the folder; `<run>.lock` is held while the holder changes.
"""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from adama_jax.config.identity import as_file_name, config_hash, world_name
from adama_jax.config.schema import Config
from adama_jax.errors import RunBusy, SettingError
from adama_jax.storage.lock import Lock, busy_message, holder

PARTIAL = ".partial"
OLD = ".old"
IN_RESULTS = 3  # parts of a run's path: the results folder, the scenario's, its own
EXAMPLE = "results/predator_prey/adama-0123456789"  # what a run's folder looks like, for errors


@dataclass(frozen=True)
class RunFiles:
    """The files in a run's folder. `path` is the folder, by whichever of its names.

    >>> RunFiles(Path("results/clustering/adama-0123456789")).metrics.name
    'metrics.npz'
    """

    path: Path

    @property
    def config(self) -> Path:
        """The settings."""
        return self.path / "config.json"

    @property
    def meta(self) -> Path:
        """Where, when, how fast, and the digests of the other files. With it the run is whole."""
        return self.path / "meta.json"

    @property
    def metrics(self) -> Path:
        """The curves of all seeds."""
        return self.path / "metrics.npz"

    @property
    def log(self) -> Path:
        """The curves as JSON lines, written while training."""
        return self.path / "metrics.jsonl"

    @property
    def rollout(self) -> Path:
        """Greedy episodes for drawing."""
        return self.path / "rollout.npz"

    @property
    def actors(self) -> Path:
        """The trained actors."""
        return self.path / "actors.npz"

    @property
    def forced(self) -> Path:
        """A file that says that a finished run is being trained again, by force."""
        return self.path / "forced"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def kept(self) -> Path:
        """The folder of the seeds that are finished in a run that is not."""
        return self.path / "kept"

    @property
    def loggers(self) -> Path:
        """The folder of what tools such as TensorBoard have of the run; it is not sealed."""
        return self.path / "loggers"

    def results(self) -> list[Path]:
        """The files of a finished run but `meta.json`, which holds their digests."""
        return [self.config, self.metrics, self.log, self.rollout, self.actors]

    def published(self) -> list[Path]:
        """Those of the results that a published copy has, beside `meta.json`."""
        return [self.config, self.metrics]

    def are_published(self) -> bool:
        """Whether this is a copy of a finished run that was thinned to be published."""
        left_out = set(self.results()) - set(self.published())
        return self.meta.is_file() and not any(path.exists() for path in left_out)

    def checkpoint_folders(self) -> list[Path]:
        """The folders that hold checkpoints, each of one kind of arrays of some of the seeds."""
        return sorted(path for path in self.checkpoints.glob("*/*") if path.is_dir())

    def kept_seed(self, seed: int) -> Path:
        """What is known of a finished seed; its arrays have the same name with `.npz`."""
        return self.kept / f"{seed}.json"

    def kept_seeds(self) -> list[Path]:
        """The files `kept_seed` of all finished seeds."""
        return sorted(self.kept.glob("*.json"))


def _from_here(path: Path) -> Path:
    """A run's folder as its user would write it: from the current folder, if it is below that.

    The results folder above it stays in sight, for others ask for that.
    """
    here = Path.cwd()
    if not path.is_relative_to(here):
        return path
    relative = path.relative_to(here)
    return relative if len(relative.parts) >= IN_RESULTS else path


@dataclass(frozen=True)
class RunFolder:
    """A run's folder, whatever its name is at the moment.

    Its methods only look, but for the two verbs, `finish_renaming` and `give_final_name`.

    Args:
        path: the folder by its final name, `<out>/<scenario>/<method>-<hash>`.
    """

    path: Path

    @classmethod
    def of(cls, out: Path, config: Config) -> "RunFolder":
        """The folder of a configuration in a results folder."""
        return cls(run_folder(out, config))

    @classmethod
    def named(cls, path: Path) -> "RunFolder":
        """The folder that a user named, with or without `.partial`.

        Raises:
            SettingError: no run, begun or finished, is there.
        """
        folder = cls.at(path)
        if folder is None:
            raise SettingError(f"run={path}: must be a run's folder, such as {EXAMPLE}")
        return folder

    @classmethod
    def at(cls, path: Path) -> "RunFolder | None":
        """The run, begun or finished, whose folder this is, with or without `.partial`."""
        # `.` and `..` have no name of a run.
        real = path.resolve()
        if not real.name:
            # The root of the file system, which has no name to take anything from.
            return None
        final = real.with_name(real.name.removesuffix(PARTIAL))
        # As it was given: from the current folder, or whole.
        folder = cls(final if path.is_absolute() else _from_here(final))
        return folder if folder.is_finished() or folder.is_begun() else None

    @property
    def final(self) -> RunFiles:
        """The files of the finished run."""
        return RunFiles(self.path)

    @property
    def partial(self) -> RunFiles:
        """The files of the run until it is whole."""
        return RunFiles(self.path.with_name(self.path.name + PARTIAL))

    @property
    def current(self) -> RunFiles:
        """The files of the finished run if there is one, else those of the run that was begun."""
        return self.final if self.is_finished() else self.partial

    @property
    def old(self) -> Path:
        """Where the run that is being replaced goes for a moment."""
        return self.path.with_name(self.path.name + OLD)

    @property
    def lock(self) -> Path:
        """The lock of the process that trains the run."""
        return self.path.with_name(self.path.name + ".lock")

    def is_finished(self) -> bool:
        """Whether a whole run has the final name."""
        return self.final.meta.is_file()

    def is_begun(self) -> bool:
        """Whether a run that is not finished is there."""
        return self.partial.config.is_file()

    def is_forced(self) -> bool:
        """Whether a finished run is being trained again, by force: its result no longer counts."""
        return self.partial.forced.exists()

    def is_whole(self) -> bool:
        """Whether a run is whole but for its name: its process was killed before the renaming."""
        return self.partial.meta.is_file()

    def holder(self) -> str | None:
        """The process that trains the run, in words; None if there is none."""
        return holder(self.lock)

    def check_free(self) -> None:
        """Check that nobody is training the run.

        Raises:
            RunBusy: another process is.
        """
        held = self.holder()
        if held:
            raise RunBusy(busy_message(self.lock, held))

    def finish_renaming(self) -> bool:
        """Give a run that is whole its name, if its process was killed before it could.

        Nothing happens while another process is training the run: then it is about to do so itself.

        Returns:
            Whether the run got its name here.
        """
        if not self.is_whole():
            return False
        try:
            lock = Lock(self.lock)
        except RunBusy:
            return False
        try:
            # Whoever held the lock may have renamed it since we looked.
            whole = self.is_whole()
            if whole:
                self.give_final_name()
            return whole
        finally:
            lock.release()

    def give_final_name(self) -> None:
        """Rename a run that is whole; it replaces an earlier one. Only for who holds the lock."""
        # Left by a process that was killed between the two renamings.
        shutil.rmtree(self.old, ignore_errors=True)
        if self.path.exists():
            self.path.rename(self.old)
        self.partial.path.rename(self.path)
        shutil.rmtree(self.old, ignore_errors=True)
        # Last, for until the folder has its name a kill must be able to lose nothing.
        shutil.rmtree(self.final.kept, ignore_errors=True)


def run_folder(out: Path, config: Config) -> Path:
    """The folder of a finished run: `out/<scenario>/<method>-<hash>`.

    A robot that is not its scenario's has a folder of its own in the place of the scenario's.
    """
    name = f"{as_file_name(config.method)}-{config_hash(config)}"
    folder = out / world_name(config) / name
    # Earlier versions had those in the scenario's folder too: what is there is found again.
    earlier = RunFolder(out / config.scenario / name)
    if earlier.path != folder and (earlier.is_finished() or earlier.is_begun()):
        return earlier.path
    return folder


def runs_below(folder: Path) -> list[RunFolder]:
    """The runs, begun or finished, of a results folder or a scenario's; of a run's, that run."""
    found = {}
    for above in ("", "*/", "*/*/"):
        # Either is enough: a run that has lost the other is one that is to be named.
        settings = folder.resolve().glob(f"{above}config.json")
        results = folder.resolve().glob(f"{above}meta.json")
        for file in sorted([*settings, *results]):
            path = file.parent
            # One that was replaced no longer counts.
            if path.suffix != OLD:
                run = RunFolder(path.with_name(path.name.removesuffix(PARTIAL)))
                found[run.path] = run
    return [run for run in found.values() if run.is_finished() or run.is_begun()]


def finish_renamings(out: Path) -> None:
    """Give every whole run of a results folder its name, where a kill came before it had it.

    Where that cannot be, in a folder that is only read, the run stays as it is.
    """
    for meta in sorted(out.glob(f"*/*{PARTIAL}/meta.json")):
        folder = meta.parent
        final = folder.with_name(folder.name.removesuffix(PARTIAL))
        with contextlib.suppress(OSError):
            RunFolder(final).finish_renaming()


def finished_runs(out: Path) -> list[Path]:
    """The folders of all finished runs of a results folder, by scenario and name."""
    folders = [meta.parent for meta in sorted(out.glob("*/*/meta.json"))]
    # A run without its final name is not finished, and one that was replaced no longer counts.
    return [folder for folder in folders if folder.suffix not in (PARTIAL, OLD)]


def leads_out(folder: Path, path: Path) -> bool:
    """Whether a path that lies in a folder leads out of it, by a link somewhere on its way.

    What others can write to a folder must not make a reader of the folder show other files.
    """
    try:
        return not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        # A link that leads to itself.
        return True
