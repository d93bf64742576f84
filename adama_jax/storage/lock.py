"""One process per run: a lock that the system takes back when its process ends, however it ends.

A lock of the system costs an open file for as long as it is held, and a sweep has thousands of
runs. So a process locks one file for all its runs in a folder, its *sign of life*, and beside each
of these runs the file `<run>.holder` says whose it is: the process in words, and its sign of life.
`<run>.lock` is locked for the moment in which that file changes.
"""

import fcntl
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from adama_jax.errors import RunBusy
from adama_jax.storage.files import PART

# Long enough that somebody who only looks (`holder`) cannot make one who takes the lock fail.
PATIENCE = 0.2  # seconds
UNKNOWN = "another process"


class Lock:
    """Held from construction to `release`, or to the end of the process.

    After a crash its files may stay, and hold nothing.

    Raises:
        RunBusy: another process holds it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lock = Lock(Path(folder) / "adama-0123456789.lock")
    ...     try:
    ...         Lock(Path(folder) / "adama-0123456789.lock")
    ...     except RunBusy as error:
    ...         print(f"is being trained by process {os.getpid()} on" in str(error))
    ...     lock.release()
    True
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._sign: Path | None = None
        with _changing(path):
            name, sign = _read(path)
            if sign is not None and _is_alive(sign):
                raise RunBusy(busy_message(path, name))
            own = _sign_of(path.parent)
            try:
                process = f"process {os.getpid()} on host {socket.gethostname()}"
                _write(path, f"{process}\n{own.name}\n")
            except BaseException:
                _give_back(path.parent)
                raise
        self._sign = own

    def release(self) -> None:
        """Let others have it; a second time nothing happens."""
        if self._sign is None:
            return
        # Unless somebody deleted it by hand, and another process has the run now.
        if _read(self._path)[1] == self._sign:
            _holder_file(self._path).unlink(missing_ok=True)
        self._sign = None
        _give_back(self._path.parent)


def holder(path: Path) -> str | None:
    """Who holds a lock, in words; None if nobody does. Nothing is written or removed.

    >>> holder(Path("nowhere.lock")) is None
    True
    """
    name, sign = _read(path)
    if sign is None:
        return None
    try:
        with sign.open("rb") as file:
            # Only the system knows: the file with the holder's name outlives a crash. A shared
            # lock asks it, and is gone when the file is closed.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return name
    except OSError:
        # No such file, or a file system without locks: whoever takes the lock will see.
        return None
    return None


def busy_message(path: Path, held_by: str) -> str:
    """What to say when another process is training a run; `path` is the lock's."""
    run = path.with_suffix("")
    return f"{run}: is being trained by {held_by}; wait for it, or choose another out="


@dataclass
class _Sign:
    """This process's sign of life in a folder."""

    path: Path
    lock: FileLock
    runs: int = 0  # that name it


_SIGNS: dict[Path, _Sign] = {}  # by the folder
# Jobs in several threads may hold runs of one folder.
_SIGNS_CHANGE = threading.Lock()


def _sign_of(folder: Path) -> Path:
    """The file of this process's sign of life in a folder, for one run more."""
    with _SIGNS_CHANGE:
        if folder not in _SIGNS:
            # A name that no other process has, on whatever machine.
            path = folder / f".process-{uuid.uuid4().hex}.lock"
            lock = _file_lock(path)
            lock.acquire()
            _SIGNS[folder] = _Sign(path, lock)
        sign = _SIGNS[folder]
        sign.runs += 1
        return sign.path


def _give_back(folder: Path) -> None:
    """One run less needs the sign of life; with the last it goes."""
    with _SIGNS_CHANGE:
        sign = _SIGNS[folder]
        sign.runs -= 1
        if sign.runs == 0:
            del _SIGNS[folder]
            _remove(sign.path, sign.lock)


def _is_alive(sign: Path) -> bool:
    """Whether its process is; the sign of life of one that is not goes."""
    if not sign.exists():
        return False
    lock = _file_lock(sign)
    try:
        lock.acquire()
    except Timeout:
        return True
    _remove(sign, lock)
    return False


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """The moment in which a run's holder changes: one process at a time."""
    lock = _file_lock(path)
    try:
        lock.acquire()
    except Timeout as error:
        name, _ = _read(path)
        raise RunBusy(busy_message(path, name)) from error
    try:
        yield
    finally:
        _remove(path, lock)


def _file_lock(path: Path) -> FileLock:
    # Whichever thread ends the run releases it.
    return FileLock(path, timeout=PATIENCE, poll_interval=0.02, thread_local=False)


def _remove(path: Path, lock: FileLock) -> None:
    """Delete a file that is locked, and then release it.

    Those who wait for it find that out: filelock looks whether the file still has its name.
    """
    path.unlink(missing_ok=True)
    lock.release()


def _holder_file(path: Path) -> Path:
    return path.with_suffix(".holder")


def _read(path: Path) -> tuple[str, Path | None]:
    """Who holds a run, in words, and the sign of life of that process; None: nobody does."""
    with suppress(OSError, ValueError):
        words = _holder_file(path).read_text(encoding="utf-8").splitlines()
        if len(words) == 2:
            name, sign = words
            return name, path.parent / Path(sign).name
    return UNKNOWN, None


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for those who look meanwhile."""
    target = _holder_file(path)
    part = target.with_name(target.name + PART)
    part.write_text(text, encoding="utf-8")
    part.replace(target)
