"""Checkpoints of arrays through Orbax's CheckpointManager, and proof that what comes back is what was saved.

Orbax restores a flipped bit without a word. So each checkpoint carries a sha256 of every leaf, which is checked with
its dtype and shape on reading, and has a list of its files with theirs beside it (`sha256sum -c` reads it), which names
the file that is bad. What is saved are flat dictionaries of NumPy arrays and JSON: data, never code.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[str, tuple[tuple[int, ...], str]]  # shape and dtype by a leaf's name
FORMAT = 1
KEPT = 2  # newest checkpoints


class CheckpointError(Exception):
    """A checkpoint that cannot be used, or that could not be written: one line that says which and why."""


class Checkpoint(NamedTuple):
    """One step, read back and verified."""

    step: int
    arrays: dict[str, np.ndarray]
    about: dict[str, Any]


class Checkpoints:
    """The checkpoints in a folder, read only if they verify.

    Args:
        folder: theirs alone.
        keep_every: keep, beside the newest two, checkpoints at least this many steps apart; None: no others.

    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Checkpoints(Path(folder)) as checkpoints:
    ...         checkpoints.save(100, {"x": np.arange(3.0)}, {"seconds": 1.5})
    ...         found = checkpoints.read(100)
    >>> found.arrays["x"].tolist(), found.about
    ([0.0, 1.0, 2.0], {'seconds': 1.5})
    """

    def __init__(self, folder: Path, keep_every: int | None = None):
        self.folder = folder.absolute()
        self._keep_every = keep_every
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
            "leaves": {name: [_digest(leaf), str(leaf.dtype), list(leaf.shape)] for name, leaf in arrays.items()},
        }
        saved["sha256"] = _digest_of_json(saved)
        try:
            manager = self._open()
            manager.save(step, args=args.Composite(about=args.JsonSave(saved), arrays=args.PyTreeSave(dict(arrays))))
            manager.wait_until_finished()
            self._write_list(step)
        except Exception as error:
            self._sweep_up()
            raise CheckpointError(f"{self.folder / str(step)}: could not be written: {_in_a_line(error)}") from error

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
                step, args=args.Composite(about=args.JsonRestore(), arrays=args.PyTreeRestore(restore_args=None))
            )
            saved, arrays = dict(found["about"]), {name: np.asarray(leaf) for name, leaf in found["arrays"].items()}
        except Exception as error:  # Orbax and tensorstore raise whatever they please on damaged files
            raise CheckpointError(f"{self.folder / str(step)}: cannot be read: {_in_a_line(error)}") from error
        _check_leaves(self.folder / str(step), saved, arrays, shapes)
        return Checkpoint(step, arrays, saved["about"])

    def remove(self, step: int) -> None:
        """Delete a step, damaged ones too."""
        shutil.rmtree(self.folder / str(step), ignore_errors=True)
        self._list_of(step).unlink(missing_ok=True)
        if self._manager is not None:
            self._manager.reload()

    def close(self) -> None:
        """Nothing more is to be done here."""
        if self._manager is not None:
            self._manager.close()

    def _write_list(self, step: int) -> None:
        files = sorted(path for path in (self.folder / str(step)).rglob("*") if path.is_file())
        lines = [f"{digest_of_file(path)}  {path.relative_to(self.folder)}\n" for path in files]
        part = self.folder / f"{step}.part"
        part.write_text("".join(lines))
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
            policies = [kept.LatestN(KEPT)]
            if self._keep_every is not None:
                policies.append(kept.EveryNSteps(self._keep_every, exact_interval=False))
            options = ocp.CheckpointManagerOptions(
                preservation_policy=kept.AnyPreservationPolicy(policies),
                enable_async_checkpointing=False,  # this class has its own thread, which hashes as well
                cleanup_tmp_directories=True,
            )
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


def _check_leaves(place: Path, saved: Mapping[str, Any], arrays: Arrays, shapes: Shapes | None) -> None:
    """Against their own digests, and against what they must be."""
    if saved.get("format") != FORMAT:
        raise CheckpointError(f"{place}: is of format {saved.get('format')}; this version reads format {FORMAT}")
    if saved.get("sha256") != _digest_of_json({key: value for key, value in saved.items() if key != "sha256"}):
        raise CheckpointError(f"{place}/about: is not what was written (sha256)")
    if set(saved["leaves"]) != set(arrays):
        raise CheckpointError(f"{place}: has other leaves than were written: {set(saved['leaves']) ^ set(arrays)}")
    for name, (digest, dtype, shape) in saved["leaves"].items():
        leaf = arrays[name]
        if str(leaf.dtype) != dtype or list(leaf.shape) != shape or _digest(leaf) != digest:
            raise CheckpointError(f"{place}: leaf {name} is not what was written (sha256)")
    for name, (shape, dtype) in (shapes or {}).items():
        if name not in arrays:
            raise CheckpointError(f"{place}: leaf {name} is missing; another version's checkpoint?")
        if arrays[name].shape != tuple(shape) or str(arrays[name].dtype) != dtype:
            have = f"{arrays[name].dtype}{list(arrays[name].shape)}"
            raise CheckpointError(f"{place}: leaf {name} is {have}, must be {dtype}{list(shape)}")


def _digest(leaf: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(leaf).data).hexdigest()


def _digest_of_json(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def digest_of_file(path: Path) -> str:
    """Sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _in_a_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300] if str(error).strip() else 'no message'}"


def _orbax() -> Any:
    import orbax.checkpoint

    return orbax.checkpoint
