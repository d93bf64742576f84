"""Streams for people to read: writing to them never fails, and what trains never waits for them.

A terminal can be closed, the disk behind a log be full, a pipe be read by nobody, a name have
letters that the screen's encoding lacks. None of that is worth a run. So what is written is handed
to a thread of its own, and what that cannot write is lost. A reader who pauses, such as `less`, is
waited for until something is trained (`never_wait`): then the oldest of what waits is lost.
"""

import atexit
import codecs
import errno
import io
import os
import re
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Seconds that an ending process which has trained waits for a reader who takes nothing.
PATIENCE = 2.0
# Pieces of text that wait for a reader.
MOST_WAITING = 10_000
POLL = 0.01  # seconds between two looks whether there is room for more
# What stands in for letters that an encoding lacks; others become \xe9 and the like.
LOOK_ALIKES = {"±": "+-", "█": "#", "…": "..."}
# Some would break a line in two or steer the terminal; surrogates, bytes of an argument that are no
# text, cannot be written at all.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


_IMPATIENT = Event()


def never_wait() -> None:
    """From now on nothing waits for a reader: something is being trained, which is worth more."""
    _IMPATIENT.set()


class Writer:
    """Writes to a file descriptor, in a thread of its own.

    Handing over never raises, and after `never_wait` it never waits, not even in a signal handler.
    """

    def __init__(self, number: int):
        self.error: OSError | None = None  # the first one
        self._number = number
        # Not `Queue`: a signal handler would wait for a lock that its own thread may hold.
        self._pieces: SimpleQueue[bytes | Event] = SimpleQueue()
        self._done = 0
        # A daemon, for a process must be able to end while nobody reads.
        thread = Thread(target=self._work, name=f"writer-{number}", daemon=True)
        thread.start()

    def put(self, piece: bytes) -> None:
        """Hand over what is to be written."""
        while self._pieces.qsize() >= MOST_WAITING:
            if _IMPATIENT.is_set():
                self._drop_oldest()
            else:
                time.sleep(POLL)
        self._pieces.put(piece)

    def drain(self, patience: float | None = None) -> None:
        """Wait until all is written, or nothing was taken for so many seconds.

        None: for as long as it takes, or after `never_wait` for two seconds.
        """
        if patience is None and _IMPATIENT.is_set():
            patience = PATIENCE
        reached = Event()
        self._pieces.put(reached)
        before = -1
        while before != self._done:
            before = self._done
            if reached.wait(patience):
                return

    def _drop_oldest(self) -> None:
        with suppress(Empty):
            oldest = self._pieces.get_nowait()
            if isinstance(oldest, Event):
                oldest.set()

    def _work(self) -> None:
        while True:
            piece = self._pieces.get()
            if isinstance(piece, Event):
                piece.set()
            else:
                self._write(piece)
            self._done += 1

    def _write(self, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            try:
                rest = rest[self._write_some(rest) :]
            except OSError as error:
                self.error = self.error or error
                return

    def _write_some(self, rest: memoryview) -> int:
        """How many bytes were written."""
        try:
            return os.write(self._number, rest)
        except BlockingIOError:
            # A program that shares the terminal or the pipe may have made it non-blocking.
            select.select([], [self._number], [])
            return 0


_WRITERS: dict[int, Writer] = {}  # by the file descriptor


def _writer_of(number: int) -> Writer:
    if number not in _WRITERS:
        _WRITERS[number] = Writer(number)
    return _WRITERS[number]


def drain(patience: float | None = None) -> None:
    """Wait until everything is written, as `Writer.drain` does."""
    for writer in list(_WRITERS.values()):
        writer.drain(patience)


# For programs that use the package without its command line.
atexit.register(drain)
# A process that is forked has none of the threads.
os.register_at_fork(after_in_child=_WRITERS.clear)


class _Handover(io.RawIOBase):
    """A file that hands what is written to it to the writer of a descriptor."""

    def __init__(self, number: int):
        self.name = number  # as Python names a file of which it knows no path
        self._number = number

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def write(self, data: "ReadableBuffer", /) -> int:
        # A copy: the caller may use its buffer again.
        piece = bytes(data)
        _writer_of(self._number).put(piece)
        return len(piece)


def steady(stream: TextIO | None) -> TextIO:
    """A stream to the same place as the process's stdout or stderr, which never fails.

    Args:
        stream: `sys.stdout` or `sys.stderr`. What is put in their place (by a test, a notebook) is
            returned as it is. None, which they are where the process was started with them closed,
            leads nowhere.
    """
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8", errors="replace")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return stream
    # The number of any other file may become another file's before all is written.
    if number not in (1, 2):
        return stream
    with suppress(OSError, ValueError):
        stream.flush()
    return io.TextIOWrapper(
        _Handover(number),
        encoding=stream.encoding,
        errors=_look_alike.__name__,
        write_through=True,
    )


@contextmanager
def steady_streams() -> Iterator[None]:
    """Within the block `sys.stdout` and `sys.stderr` are steady, whoever writes to them."""
    _open_closed_ones()
    before = sys.stdout, sys.stderr
    sys.stdout = steady(sys.stdout)
    sys.stderr = steady(sys.stderr)
    try:
        yield
    finally:
        # Who has had enough of waiting for a reader leaves.
        with suppress(KeyboardInterrupt):
            drain()
            _report_lost_output()
        sys.stdout, sys.stderr = before


def write_line(text: str) -> None:
    """A line on stdout."""
    _write_line(sys.stdout, text)


def write_error(text: str) -> None:
    """A line on stderr."""
    _write_line(sys.stderr, text)


def in_one_line(text: str) -> str:
    r"""A text whose control characters are escaped: they would break a line, or move the cursor.

    >>> in_one_line("two\nlines")
    'two\\nlines'
    """
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def _write_line(stream: TextIO | None, text: str) -> None:
    steady_one = steady(stream)
    steady_one.write(in_one_line(text) + "\n")
    steady_one.flush()


def _open_closed_ones() -> None:
    """Open descriptors 0 to 2 to nowhere where the process was started with them closed.

    Else the next file that is opened would get the number, and all that any library writes to
    stderr.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _report_lost_output() -> None:
    """Say on stderr that stdout lost something, where a reader did not just stop reading."""
    writer = _WRITERS.get(1)
    if writer is None or writer.error is None or writer.error.errno == errno.EPIPE:
        return
    write_error(f"adama: output was lost: {writer.error.strerror}")
    drain()


def _look_alike(error: UnicodeError) -> tuple[str, int]:
    """What to write instead of letters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    found = ""
    for letter in letters:
        escaped = letter.encode("ascii", "backslashreplace").decode()
        found += LOOK_ALIKES.get(letter, escaped)
    return found, error.end


codecs.register_error(_look_alike.__name__, _look_alike)
