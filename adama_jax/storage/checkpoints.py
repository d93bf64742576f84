"""Checkpoints of arrays through Orbax's CheckpointManager, and proof that what is read was saved.

Orbax restores a flipped bit without a word. So each checkpoint has a manifest with a sha256 of each
leaf, which is checked on reading. What is saved are flat dictionaries of NumPy arrays and JSON:
data, never code.
"""

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adama_jax.errors import CheckpointError, DamagedFile, WrongShapes, describe
from adama_jax.storage.files import (
    Arrays,
    Manifest,
    digest_of_array,
    make_durable,
    naming,
)

Shapes = Mapping[str, tuple[tuple[int, ...], str]]  # shape and dtype by a leaf's name
FORMAT = 2
# The two items of a checkpoint: its manifest, and its arrays.
MANIFEST = "about"
ARRAYS = "arrays"


class Checkpoint(NamedTuple):
    """One step, read back and verified."""

    step: int
    arrays: dict[str, np.ndarray]
    about: dict[str, Any]


class Checkpoints:
    """The checkpoints in a folder, read only if they verify.

    Args:
        folder: theirs alone.
        keep: how many of the newest stay; None: all.
        keep_every: keep, beside these, checkpoints at least this many steps apart; None: no others.
        read_only: nothing is written, deleted or tidied up: somebody else may be writing.

    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Checkpoints(Path(folder)) as checkpoints:
    ...         checkpoints.save(100, {"x": np.arange(3.0)}, {"seconds": 1.5})
    ...         found = checkpoints.read(100)
    >>> found.arrays["x"].tolist(), found.about
    ([0.0, 1.0, 2.0], {'seconds': 1.5})
    """

    def __init__(
        self,
        folder: Path,
        keep: int | None = 2,
        keep_every: int | None = None,
        read_only: bool = False,
    ):
        self.folder = folder.absolute()
        self._keep = keep
        self._keep_every = keep_every
        self._read_only = read_only
        # Orbax is slow to import and writes on opening: only once there is something to do.
        self._manager: Any = None

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save(self, step: int, arrays: Arrays, about: Mapping[str, Any]) -> None:
        """Write a checkpoint; what is there of that step is replaced.

        Raises:
            CheckpointError: it could not be written; earlier ones are as they were.
        """
        args = _orbax().args
        digests = {name: digest_of_array(leaf) for name, leaf in arrays.items()}
        manifest = Manifest({"format": FORMAT, "about": dict(about)}, digests)
        items = {
            MANIFEST: args.JsonSave(manifest.to_json()),
            ARRAYS: args.PyTreeSave(dict(arrays)),
        }
        try:
            self.remove(step)
            manager = self._open()
            if not manager.save(step, args=args.Composite(**items), force=True):
                raise OSError("Orbax did not save")
            manager.wait_until_finished()
            make_durable(self._folder_of(step))
        except Exception as error:
            self._remove_unfinished()
            message = (
                f"{self._folder_of(step)}: could not be written: {describe(error)}"
            )
            raise CheckpointError(message) from error

    def steps(self) -> list[int]:
        """What is there, newest first."""
        if not self.folder.is_dir():
            return []
        names = [path.name for path in self.folder.iterdir()]
        # Others were set aside, or are being written.
        steps = [int(name) for name in names if name.isdecimal()]
        return sorted(steps, reverse=True)

    def read(self, step: int, shapes: Shapes | None = None) -> Checkpoint:
        """A checkpoint, verified.

        Args:
            step: which one.
            shapes: what the leaves must be; None: whatever was saved.

        Raises:
            CheckpointError: it is not what was saved.
            WrongShapes: it is, but not of these shapes, or of another version.
        """
        folder = self._folder_of(step)
        manifest = self._manifest(step)
        # One by one: this names the leaf that cannot be read, and when several fail at the same
        # time all but the first end in a traceback on the screen. It costs some 5 ms per leaf.
        arrays = {name: self._leaf(step, name) for name in manifest.digests}
        try:
            with naming(folder):
                manifest.check_arrays(arrays)
        except DamagedFile as error:
            raise CheckpointError(str(error)) from error
        if shapes is not None:
            _check_shapes(folder, arrays, shapes)
        return Checkpoint(step, arrays, manifest.about["about"])

    def about(self, step: int) -> dict[str, Any]:
        """What was said of a step, verified; its arrays are not read.

        Raises:
            CheckpointError: it is not what was saved.
            WrongShapes: it is of another version.
        """
        return self._manifest(step).about["about"]

    def remove(self, step: int) -> None:
        """Delete a step, if it is there."""
        folder = self._folder_of(step)
        if folder.exists():
            shutil.rmtree(folder)
            self._reload()

    def set_aside(self, step: int) -> None:
        """Move a step that cannot be used to `<step>.bad`, for people to look at."""
        bad = self.folder / f"{step}.bad"
        shutil.rmtree(bad, ignore_errors=True)
        self._folder_of(step).rename(bad)
        self._reload()

    def close(self) -> None:
        """Nothing more is to be done here."""
        if self._manager is not None:
            self._manager.close()

    def _folder_of(self, step: int) -> Path:
        return self.folder / str(step)

    def _manifest(self, step: int) -> Manifest:
        """What a checkpoint says of itself, verified."""
        folder = self._folder_of(step)
        args = _orbax().args.JsonRestore()
        saved = self._restore(step, MANIFEST, args, "manifest")
        if not isinstance(saved, Mapping):
            raise CheckpointError(f"{folder}: has no manifest")
        # Asked before the digests are, which other formats may lack.
        if saved.get("format", FORMAT) != FORMAT:
            has = saved["format"]
            raise WrongShapes(
                f"{folder}: is of format {has}; this version reads format {FORMAT}"
            )
        try:
            with naming(folder):
                return Manifest.from_json(saved)
        except DamagedFile as error:
            raise CheckpointError(str(error)) from error

    def _leaf(self, step: int, name: str) -> np.ndarray:
        ocp = _orbax()
        as_array = {name: ocp.RestoreArgs(restore_type=np.ndarray)}
        args = ocp.args.PyTreeRestore(
            {name: 0}, restore_args=as_array, partial_restore=True
        )
        leaves = self._restore(step, ARRAYS, args, f"leaf {name}")
        return np.asarray(leaves[name])

    def _restore(self, step: int, item: str, args: Any, what: str) -> Any:
        try:
            composite = _orbax().args.Composite(**{item: args})
            return self._open().restore(step, args=composite)[item]
        except MemoryError:
            raise
        except Exception as error:
            # As in `storage.files.reading`: Orbax and tensorstore raise whatever they please.
            folder = self._folder_of(step)
            message = f"{folder}: {what} cannot be read: {describe(error)}"
            raise CheckpointError(message) from error

    def _reload(self) -> None:
        # Orbax remembers the steps that it has seen.
        if self._manager is not None:
            self._manager.reload()

    def _remove_unfinished(self) -> None:
        """Delete what a failed save left: a full disk needs the room."""
        for path in self.folder.glob("*tmp*"):
            shutil.rmtree(path, ignore_errors=True)

    def _open(self) -> Any:
        if self._manager is None:
            if not self._read_only:
                self.folder.mkdir(parents=True, exist_ok=True)
            ocp = _orbax()
            handlers = {
                MANIFEST: ocp.JsonCheckpointHandler(),
                ARRAYS: ocp.PyTreeCheckpointHandler(use_compression=False),
            }
            with _without_warnings():
                self._manager = ocp.CheckpointManager(
                    self.folder, options=self._options(), item_handlers=handlers
                )
        return self._manager

    def _options(self) -> Any:
        ocp = _orbax()
        policies = [ocp.checkpoint_managers.LatestN(self._keep)]
        if self._keep_every is not None:
            policies.append(
                ocp.checkpoint_managers.EveryNSteps(
                    self._keep_every, exact_interval=False
                )
            )
        return ocp.CheckpointManagerOptions(
            preservation_policy=ocp.checkpoint_managers.AnyPreservationPolicy(policies),
            # Whoever saves has a thread of its own, in which the digests are computed too.
            enable_async_checkpointing=False,
            cleanup_tmp_directories=not self._read_only,
            read_only=self._read_only,
            create=not self._read_only,
            save_interval_steps=0 if self._read_only else 1,
        )


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Orbax warns of a folder that is only read, which is what was asked for."""
    log = logging.getLogger("absl")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _check_shapes(folder: Path, arrays: Arrays, shapes: Shapes) -> None:
    for name, (shape, dtype) in shapes.items():
        if name not in arrays:
            raise WrongShapes(
                f"{folder}: leaf {name} is missing: it is of another version"
            )
        leaf = arrays[name]
        if leaf.shape != tuple(shape) or str(leaf.dtype) != dtype:
            have = f"{leaf.dtype}{list(leaf.shape)}"
            wanted = f"{dtype}{list(shape)}"
            raise WrongShapes(f"{folder}: leaf {name} is {have}, must be {wanted}")


def _orbax() -> Any:
    import orbax.checkpoint

    return orbax.checkpoint
