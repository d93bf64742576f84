"""Checkpoints of arrays through Orbax's CheckpointManager, and proof that what comes back is what was saved.

Orbax restores a flipped bit without a word. So each checkpoint carries a sha256 of every leaf, which is checked with
its dtype and shape on reading, and has a list of its files with theirs beside it (`sha256sum -c` reads it), which names
the file that is bad. What is saved are flat dictionaries of NumPy arrays and JSON: data, never code.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adama_jax.errors import CheckpointError, WrongShapes, in_a_line
from adama_jax.storage.files import digest_of, digest_of_file, durable, seal, unseal

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[str, tuple[tuple[int, ...], str]]  # shape and dtype by a leaf's name
FORMAT = 1


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
        self._manager: Any = None  # Orbax is slow to import and writes on opening: only once there is something to do

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save(self, step: int, arrays: Arrays, about: Mapping[str, Any]) -> None:
        """Write a checkpoint.

        Raises:
            CheckpointError: it could not be written; earlier ones are as they were.
        """
        args = _orbax().args
        saved = {
            "format": FORMAT,
            "about": dict(about),
            "leaves": {
                name: [digest_of(leaf), str(leaf.dtype), list(leaf.shape)]
                for name, leaf in arrays.items()
            },
        }
        try:
            self.remove(step)  # one that was not used
            manager = self._open()
            items = args.Composite(
                about=args.JsonSave(seal(saved, "sha256")), arrays=args.PyTreeSave(dict(arrays))
            )
            if not manager.save(step, args=items, force=True):
                raise OSError("Orbax did not save")
            manager.wait_until_finished()
            self._write_list(step)
        except Exception as error:
            self._sweep_up()
            raise CheckpointError(
                f"{self.folder / str(step)}: could not be written: {in_a_line(error)}"
            ) from error

    def steps(self) -> list[int]:
        """What is there, newest first."""
        names = [path.name for path in self.folder.iterdir()] if self.folder.is_dir() else []
        return sorted((int(name) for name in names if name.isdecimal()), reverse=True)

    def read(self, step: int, shapes: Shapes | None = None) -> Checkpoint:
        """A checkpoint, verified.

        Args:
            step: which one.
            shapes: what the leaves must be; None: whatever was saved.

        Raises:
            CheckpointError: it is not what was saved, or not of these shapes.
        """
        self._check_files(step)
        args = _orbax().args
        try:
            found = self._open().restore(
                step,
                args=args.Composite(
                    about=args.JsonRestore(), arrays=args.PyTreeRestore(restore_args=None)
                ),
            )
            saved, arrays = (
                dict(found["about"]),
                {name: np.asarray(leaf) for name, leaf in found["arrays"].items()},
            )
        except MemoryError:
            raise
        except (
            Exception
        ) as error:  # Orbax and tensorstore raise whatever they please on damaged files
            raise CheckpointError(
                f"{self.folder / str(step)}: cannot be read: {in_a_line(error)}"
            ) from error
        _check_leaves(self.folder / str(step), saved, arrays, shapes)
        return Checkpoint(step, arrays, saved["about"])

    def about(self, step: int) -> dict[str, Any]:
        """What was said of a step; nothing if that cannot be read."""
        args = _orbax().args
        try:
            return dict(
                self._open().restore(step, args=args.Composite(about=args.JsonRestore()))["about"][
                    "about"
                ]
            )
        except Exception:  # as in `read`
            return {}

    def remove(self, step: int) -> None:
        """Delete a step, if it is there."""
        if (self.folder / str(step)).exists():
            shutil.rmtree(self.folder / str(step))
            self._list_of(step).unlink(missing_ok=True)
            self._reload()

    def set_aside(self, step: int) -> None:
        """Take a step that cannot be used out of the way, to `<step>.bad`, for somebody to look at."""
        bad = self.folder / f"{step}.bad"
        shutil.rmtree(bad, ignore_errors=True)
        (self.folder / str(step)).rename(bad)
        self._list_of(step).unlink(missing_ok=True)
        self._reload()

    def close(self) -> None:
        """Nothing more is to be done here."""
        if self._manager is not None:
            self._manager.close()

    def _reload(self) -> None:
        if self._manager is not None:
            self._manager.reload()

    def _write_list(self, step: int) -> None:
        files = sorted(path for path in (self.folder / str(step)).rglob("*") if path.is_file())
        lines = [f"{durable(path)}  {path.relative_to(self.folder)}\n" for path in files]
        part = self.folder / f"{step}.part"
        part.write_text("".join(lines))
        durable(part)
        part.rename(self._list_of(step))
        for path in self.folder.glob("*.sha256"):
            if not (self.folder / path.stem).is_dir():
                path.unlink()

    def _check_files(self, step: int) -> None:
        """Name the first file that is not as it was written. Without a list (a kill came before it) the leaves tell."""
        if not self._list_of(step).is_file():
            return
        for line in self._list_of(step).read_bytes().decode(errors="replace").splitlines():
            digest, _, name = line.partition("  ")
            path = self.folder / name
            if not path.is_file():
                raise CheckpointError(f"{path}: is missing, by {step}.sha256")
            if digest_of_file(path) != digest:
                raise CheckpointError(f"{path}: is not what was written, by {step}.sha256")

    def _list_of(self, step: int) -> Path:
        return self.folder / f"{step}.sha256"

    def _sweep_up(self) -> None:
        """What a failed save left, which a full disk cannot spare."""
        for path in self.folder.glob("*tmp*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.folder.glob("*.part"):
            path.unlink(missing_ok=True)

    def _open(self) -> Any:
        if self._manager is None:
            ocp = _orbax()
            kept = ocp.checkpoint_managers
            policies = [kept.LatestN(self._keep)]
            if self._keep_every is not None:
                policies.append(kept.EveryNSteps(self._keep_every, exact_interval=False))
            options = ocp.CheckpointManagerOptions(
                preservation_policy=kept.AnyPreservationPolicy(policies),
                enable_async_checkpointing=False,  # `saved` has its own thread, in which this class hashes too
                cleanup_tmp_directories=not self._read_only,
                read_only=self._read_only,
                save_interval_steps=0 if self._read_only else 1,
            )
            if not self._read_only:
                self.folder.mkdir(parents=True, exist_ok=True)
            self._manager = ocp.CheckpointManager(
                self.folder,
                options=options,
                item_handlers={
                    "about": ocp.JsonCheckpointHandler(),
                    "arrays": ocp.PyTreeCheckpointHandler(use_compression=False),
                },
            )
        return self._manager


def _check_leaves(
    place: Path, saved: Mapping[str, Any], arrays: Arrays, shapes: Shapes | None
) -> None:
    """Against their own digests, and against what they must be."""
    if saved.get("format") != FORMAT and "format" in saved:
        raise WrongShapes(
            f"{place}: is of format {saved.get('format')}; this version reads format {FORMAT}"
        )
    try:
        unseal(saved, "sha256")
    except ValueError as error:
        raise CheckpointError(f"{place}/about: {error}") from error
    if set(saved["leaves"]) != set(arrays):
        raise CheckpointError(
            f"{place}: has other leaves than were written: {set(saved['leaves']) ^ set(arrays)}"
        )
    for name, (digest, dtype, shape) in saved["leaves"].items():
        leaf = arrays[name]
        if str(leaf.dtype) != dtype or list(leaf.shape) != shape or digest_of(leaf) != digest:
            raise CheckpointError(f"{place}: leaf {name} is not what was written (sha256)")
    for name, (shape, dtype) in (shapes or {}).items():
        if name not in arrays:
            raise WrongShapes(
                f"{place}: leaf {name} is missing: of another version? force=true begins anew"
            )
        if arrays[name].shape != tuple(shape) or str(arrays[name].dtype) != dtype:
            have = f"{arrays[name].dtype}{list(arrays[name].shape)}"
            raise WrongShapes(f"{place}: leaf {name} is {have}, must be {dtype}{list(shape)}")


def _orbax() -> Any:
    import orbax.checkpoint

    return orbax.checkpoint
