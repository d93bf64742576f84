"""One process per run: a lock that the system takes back when its process ends, however it ends."""

import fcntl
import os
import socket
from pathlib import Path

from filelock import FileLock, Timeout

from adama_jax.errors import RunBusy

# Long enough that somebody who only looks (`holder`) cannot make one who takes the lock fail.
PATIENCE = 0.2  # seconds


class Lock:
    """Held from construction to `release`, or to the end of the process.

    After a crash the file may stay, unlocked. Who holds the lock stands in a file beside it.

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
        # Whichever thread ends the run releases it.
        self._lock = FileLock(
            path, timeout=PATIENCE, poll_interval=0.02, thread_local=False
        )
        try:
            self._lock.acquire()
        except Timeout as error:
            raise RunBusy(busy_message(path, _name_beside(path))) from error
        _holder_file(path).write_text(
            f"process {os.getpid()} on host {socket.gethostname()}\n", encoding="utf-8"
        )

    def release(self) -> None:
        """Let others have it; a second time nothing happens."""
        if self._lock.is_locked:
            _holder_file(self._path).unlink(missing_ok=True)
            # While it is held, so that nobody can hold the file that is removed. Those who wait
            # for it find that out: filelock looks whether the file still has its name.
            self._path.unlink(missing_ok=True)
            self._lock.release()


def holder(path: Path) -> str | None:
    """Who holds a lock, in words; None if nobody does. Nothing is written or removed.

    >>> holder(Path("nowhere.lock")) is None
    True
    """
    try:
        with path.open("rb") as file:
            # Only the system knows: the file with the holder's name outlives a crash. A shared
            # lock asks it, and is gone when the file is closed.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _name_beside(path)
    except OSError:
        # No such file, or a file system without locks: whoever takes the lock will see.
        return None
    return None


def busy_message(path: Path, held_by: str) -> str:
    """What to say when another process is training a run; `path` is the lock's."""
    run = path.with_suffix("")
    return f"{run}: is being trained by {held_by}; wait for it, or choose another out="


def _name_beside(path: Path) -> str:
    try:
        name = _holder_file(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        name = ""
    # Empty for a moment after the lock was taken.
    return name or "another process"


def _holder_file(path: Path) -> Path:
    return path.with_suffix(".holder")
