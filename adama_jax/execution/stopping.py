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

# Seconds before a stopping process is killed; it resumes from its last checkpoint. Schedulers send
# SIGKILL some ten seconds after SIGTERM: a line that says so must come before.
GRACE = 9.0
# Seconds within which two signals are one: a terminal sends Ctrl-C to a process and to its group.
SAME_SIGNAL = 1.5


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
        """Stop, soon. A process that does not is ended, after a while or when it is told again."""
        if self._signal is not None:
            if time.monotonic() - self._at > SAME_SIGNAL:
                _leave(self.code)
            return
        _say("stopping; a checkpoint is written after this chunk of episodes")
        self._signal = number
        self._at = time.monotonic()
        # A compilation or a long chunk may take longer than anybody waits.
        self._timer = threading.Timer(GRACE, _leave, [self.code])
        self._timer.daemon = True
        self._timer.start()

    def left(self) -> None:
        """Everything has stopped: the process need not be ended."""
        if self._timer is not None:
            self._timer.cancel()

    @property
    def code(self) -> int:
        """The exit code, as shells have it: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + (self._signal or signal.SIGINT)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Take Ctrl-C and SIGTERM as a wish to stop after the chunk; a second one ends the process.

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

    before = {
        number: signal.signal(number, handle)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
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
    """Processes that are started meanwhile ignore a terminal's Ctrl-C, unless they decide to."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave(code: int) -> None:
    """End the process, whatever its threads are doing."""
    _say(
        "ended before the chunk was over; the same command resumes from the last checkpoint"
    )
    # Not sys.exit: this runs in a timer's thread, and threads that compile would be waited for.
    os._exit(code)


def _say(line: str) -> None:
    print(f"adama: {line}", file=sys.stderr, flush=True)
