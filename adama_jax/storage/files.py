"""Sha256 of arrays, plain data and files: what was written, and whether it still is."""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from adama_jax.errors import DamagedFile, in_a_line


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Around the reading of a file, and of nothing else: whatever goes wrong there is said of the file.

    Raises:
        DamagedFile: in one line, with the file's name.

    >>> with reading(Path("a.json")):
    ...     {}["seed"]
    Traceback (most recent call last):
    adama_jax.errors.DamagedFile: a.json: cannot be read: KeyError: 'seed'
    """
    try:
        yield
    except (MemoryError, DamagedFile):
        raise
    except Exception as error:
        # JSON, NumPy, zip files, Orbax and tensorstore raise whatever they please on damaged files, and so does
        # whoever takes damaged contents apart.
        raise DamagedFile(f"{path}: cannot be read: {in_a_line(error)}") from error


def digest_of(leaf: np.ndarray) -> str:
    """Sha256 of an array's values, in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(leaf).data).hexdigest()


def seal(value: Mapping[str, Any], under: str = "seal") -> dict[str, Any]:
    """Plain data for a JSON file, with its own sha256 under that key.

    >>> unseal(seal({"seeds": {0: 1.5}}))
    {'seeds': {'0': 1.5}}
    """
    plain = json.loads(json.dumps(value))
    return plain | {under: digest_of_json(plain)}


def unseal(value: Mapping[str, Any], under: str = "seal") -> dict[str, Any]:
    """What was sealed.

    Raises:
        ValueError: it is not what was written.
    """
    plain = {name: each for name, each in value.items() if name != under}
    if digest_of_json(plain) != value.get(under):
        raise ValueError("is not what was written (sha256)")
    return plain


def digest_of_json(value: Mapping[str, Any]) -> str:
    """Sha256 of plain data, however its keys are ordered."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def digest_of_file(path: Path) -> str:
    """Sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def durable(path: Path) -> str:
    """Have the system put a file on the disk itself, so that it outlives a loss of power; its sha256."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a NumPy file.

    Raises:
        DamagedFile: it cannot be read, or has anything else in it.
    """
    with reading(path), np.load(path, allow_pickle=False) as file:
        return dict(file)


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        DamagedFile: it cannot be read, or holds something else.
    """
    with reading(path):
        value = json.loads(path.read_text())
        if not isinstance(value, dict):
            raise ValueError(f"must hold an object, not {type(value).__name__}")
        return value


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], compress: bool = True) -> None:
    """Write a NumPy file of arrays, and of nothing else."""
    write = np.savez_compressed if compress else np.savez
    write(path, allow_pickle=False, **arrays)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file: there whole, or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("w") as file:
        file.write(json.dumps(finite_json(value), indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def finite_json(value: Any) -> Any:
    """JSON has no NaN: null stands for it."""
    if isinstance(value, Mapping):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
