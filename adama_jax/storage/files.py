"""Files of plain data and arrays: written whole, read strictly, and proved to be what was written.

A `Manifest` holds the sha256 of what it describes, and on disk its own. There are three:
`meta.json` of a finished run (of the other files), `kept/<seed>.json` of a seed that is finished
in a run that is not (of its arrays' file), and what a checkpoint says of itself (of its leaves).
"""

import hashlib
import json
import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from adama_jax.errors import AdamaError, DamagedFile, describe
from adama_jax.screen.streams import in_one_line

Arrays = Mapping[str, np.ndarray]
DIGESTS = "sha256"  # where a manifest on disk has the digests
SEAL = "seal"  # where it has its own
PART = ".part"  # the end of a file's name until it is written whole
MOST_LETTERS = 300  # of what is said of a file
MOST_NESTED = 32  # objects and lists in one another, in JSON that is read


class Manifest(NamedTuple):
    """What is said of some files or arrays, and the sha256 of each by its name.

    >>> written = Manifest({"seconds": 1.5}, {"0.npz": "ab12"})
    >>> Manifest.from_json(written.to_json()) == written
    True
    >>> Manifest.from_json(written.to_json() | {"seconds": 2.5})
    Traceback (most recent call last):
    adama_jax.errors.DamagedFile: is not what was written (sha256)
    """

    about: dict[str, Any]  # plain data, for JSON
    digests: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """As plain data, with its own sha256."""
        everything = {**self.about, DIGESTS: self.digests}
        # JSON turns tuples into lists and numbers that are keys into strings, and knows no NaN:
        # the digest must be that of what will be read.
        plain = json.loads(json.dumps(finite_json(everything)))
        plain[SEAL] = _digest_of_json(plain)
        return plain

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Manifest":
        """A manifest that was written.

        Raises:
            DamagedFile: it is not what was written, or of a version that wrote no digests.
        """
        if SEAL not in value or DIGESTS not in value:
            raise DamagedFile("has no digests: nothing can be verified")
        about = {name: each for name, each in value.items() if name != SEAL}
        if _digest_of_json(about) != value[SEAL]:
            raise DamagedFile("is not what was written (sha256)")
        digests = about.pop(DIGESTS)
        return cls(about, digests)

    def write(self, path: Path) -> None:
        """Write it as a JSON file."""
        write_json(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read it from a JSON file.

        Raises:
            DamagedFile: as `from_json`; the message names the file.
        """
        value = read_json(path)
        with naming(path):
            return cls.from_json(value)

    def damaged_files(
        self, folder: Path, names: Collection[str] | None = None
    ) -> list[str]:
        """What is wrong with the files of a folder that the manifest is about, in a line each.

        Args:
            folder: theirs.
            names: those to look at; None: all that the manifest is about.
        """
        lines = []
        for name in self.digests if names is None else names:
            path = folder / name
            digest = self.digests.get(name)
            if not path.is_file():
                lines.append(f"{path}: is missing")
            elif digest is None:
                lines.append(f"{path}: has no digest: it was not written with the rest")
            elif digest_of_file(path) != digest:
                lines.append(f"{path}: is not what was written (sha256)")
        return lines

    def check_arrays(self, arrays: Arrays) -> None:
        """Check that arrays are those that the manifest is about, to the bit.

        Raises:
            DamagedFile: they are not; the message names one.
        """
        for name in arrays:
            if name not in self.digests:
                raise DamagedFile(f"leaf {name} was never written")
        for name, digest in self.digests.items():
            if name not in arrays:
                raise DamagedFile(f"leaf {name} is missing")
            if digest_of_array(arrays[name]) != digest:
                raise DamagedFile(f"leaf {name} is not what was written (sha256)")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Around the reading of a file, and of nothing else: whatever fails there is said of the file.

    Raises:
        DamagedFile: in one line, with the file's name.

    >>> with reading(Path("a.json")):
    ...     {}["seed"]
    Traceback (most recent call last):
    adama_jax.errors.DamagedFile: a.json: cannot be read: seed is missing
    """
    try:
        yield
    except (MemoryError, DamagedFile):
        raise
    except AdamaError as error:
        raise DamagedFile(_said_of(path, error)) from error
    except Exception as error:
        # JSON, NumPy, zip files, Orbax and tensorstore raise whatever they please on damaged
        # files, and so does what takes damaged contents apart.
        raise DamagedFile(f"{path}: cannot be read: {_why(error)}") from error


def _why(error: Exception) -> str:
    """Why a file cannot be read, for who knows the file and not Python."""
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, OSError) and error.strerror:
        # Its message has the path once more.
        return error.strerror
    if isinstance(error, ValueError | BadZipFile) and str(error):
        return in_one_line(str(error))
    return describe(error)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Around a check that does not know whose contents it checks: puts the file's name before.

    Raises:
        DamagedFile: as raised within, with the file's name.
    """
    try:
        yield
    except DamagedFile as error:
        raise DamagedFile(_said_of(path, error)) from error


def _said_of(path: Path, error: AdamaError) -> str:
    """An error of a file in a line. What the file holds is in it, which may be long or no line."""
    return f"{path}: {in_one_line(str(error))[:MOST_LETTERS]}"


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds, each key once, every number finite.

    Raises:
        DamagedFile: it cannot be read, or holds something else.
    """
    with reading(path):
        value = json.loads(
            path.read_text(encoding="utf-8"),
            object_pairs_hook=_without_twins,
            parse_float=_finite,
            parse_constant=_finite,
        )
        if not isinstance(value, dict):
            raise ValueError(f"must hold an object, not {type(value).__name__}")
        _check_depth(value)
        # JSON can spell halves of letters, which no file and no screen takes.
        json.dumps(value, ensure_ascii=False).encode()
        return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file: there whole, or not at all."""
    write_text(path, json.dumps(finite_json(value), indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file: there whole, or not at all.

    A link that has the name is replaced, and not followed.
    """
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)
    part.write_text(text, encoding="utf-8")
    # Before the renaming: else a loss of power can leave the name without the text.
    make_durable(part)
    part.rename(path)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a NumPy file.

    Raises:
        DamagedFile: it cannot be read, or has anything else in it.
    """
    # Opened here: NumPy leaves a file open that it cannot read.
    with (
        reading(path),
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return dict(arrays)


def write_arrays(path: Path, arrays: Arrays, compress: bool = True) -> None:
    """Write a NumPy file of arrays, and of nothing else."""
    write = np.savez_compressed if compress else np.savez
    write(path, allow_pickle=False, **arrays)


def make_durable(path: Path) -> None:
    """Have the system put a file, or all files of a folder, on the disk itself.

    What was merely written can be lost when the power is.
    """
    files = [path, *path.rglob("*")]
    for each in files:
        if each.is_file():
            with each.open("rb") as file:
                os.fsync(file.fileno())


def finite_json(value: Any) -> Any:
    """JSON has no NaN: null stands for it.

    >>> finite_json({"returns": [1.5, float("nan")]})
    {'returns': [1.5, None]}
    """
    if isinstance(value, Mapping):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def digest_of_file(path: Path) -> str:
    """Sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_array(array: np.ndarray) -> str:
    """Sha256 of an array's type, shape and values, in hexadecimal.

    >>> zeros = np.zeros((2, 3), np.float32)
    >>> digest_of_array(zeros) == digest_of_array(zeros.reshape(3, 2))
    False
    """
    kind = f"{array.dtype} {array.shape} "
    digest = hashlib.sha256(kind.encode())
    # Only memory without gaps can be read as bytes.
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; `json` would take the last of several values of one key."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"has the key {name!r} twice")
        found[name] = value
    return found


def _finite(number: str) -> float:
    """A number; `json` would take NaN, Infinity and 1e999, which are none."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"holds {number}, which is no number of JSON")
    return value


def _check_depth(value: object) -> None:
    """Check that objects and lists are not so deep in one another that a recursion cannot end."""
    level = [value]
    for _ in range(MOST_NESTED):
        level = [inner for each in level for inner in _items(each)]
        if not level:
            return
    raise ValueError(f"is nested deeper than {MOST_NESTED} levels")


def _items(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _digest_of_json(value: Mapping[str, Any]) -> str:
    """Sha256 of plain data, however its keys are ordered."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
