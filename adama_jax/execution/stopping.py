"""Being told to stop: Ctrl-C and SIGTERM let the runs write a checkpoint and leave."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adama_jax.errors import Stopped

GRACE = 9.0  # seconds; who has not left by then is made to, and goes on from the last checkpoint on disk
TWICE = 1.5  # seconds; two signals within them are one, sent to a process and to its group


class Stop:
    """Whether to stop, and by which signal."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._at = 0.0
        self._timer: threading.Timer | None = None

    def __call__(self) -> bool:
        """Whether to stop."""
        return self._signal is not None

    def set(self, number: int) -> None:
        """Stop, soon; the process is ended if it has not by then, or at once if it is told again."""
        if self._signal is not None:
            if time.monotonic() - self._at > TWICE:
                _leave(self.code)
            return
        print(
            "adama: stopping; a checkpoint is written at the next chunk's edge",
            file=sys.stderr,
            flush=True,
        )
        self._signal, self._at = number, time.monotonic()
        self._timer = threading.Timer(GRACE, _leave, [self.code])
        self._timer.daemon = True
        self._timer.start()

    def left(self) -> None:
        """Everything has; nobody need be made to."""
        if self._timer is not None:
            self._timer.cancel()

    @property
    def code(self) -> int:
        """The exit code, as shells have it: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + (self._signal or signal.SIGINT)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Take Ctrl-C and SIGTERM as a wish to stop at the next chunk's edge; a second one ends the process at once.

    In a thread that is not the main one, which gets no signals, nothing is changed.

    Raises:
        Stopped: at the end of the block, if there was a signal.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, _: Any) -> None:
        stop.set(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        stop.left()
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop():
        raise Stopped(stop.code)


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started meanwhile do not hear a terminal's Ctrl-C, unless they choose to."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave(code: int) -> None:
    print("adama: left before the next chunk's edge; the same command goes on from the last checkpoint on disk",
          file=sys.stderr, flush=True)  # fmt: skip
    os._exit(code)
