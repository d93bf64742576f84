"""One process a run folder: a lock that the system takes back when its process ends, however it ends."""

import fcntl
import os
import socket
from pathlib import Path

from adama_jax.errors import RunBusy


class Lock:
    """Held from construction to `release`, or to the end of the process; after a crash the file may stay, unlocked.

    Raises:
        RunBusy: another process holds it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lock = Lock(Path(folder) / "run.lock")
    ...     try:
    ...         Lock(Path(folder) / "run.lock")
    ...     except RunBusy as error:
    ...         print(str(error).endswith(f"process {os.getpid()} on {socket.gethostname()}"))
    ...     lock.release()
    True
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        while True:
            self._file = path.open("a+")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self._file.seek(0)
                holder = self._file.read().strip() or "another process"
                self._file.close()
                raise RunBusy(f"{path}: is held by {holder}") from error
            if path.exists() and os.path.samestat(os.fstat(self._file.fileno()), path.stat()):
                break  # and not a file that its holder removed while we opened it
            self._file.close()
        self._file.truncate(0)
        self._file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let others have it; a second time nothing happens."""
        if not self._file.closed:
            self._path.unlink(missing_ok=True)
            self._file.close()


def holder(path: Path) -> str | None:
    """Who holds a lock, in words; None if nobody does."""
    if not path.is_file():
        return None
    try:
        Lock(path).release()
    except RunBusy as error:
        return str(error)
    return None
