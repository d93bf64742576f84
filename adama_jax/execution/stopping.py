"""Being told to stop: Ctrl-C, SIGTERM, SIGQUIT and a closed terminal let runs save and leave."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from adama_jax.errors import Stopped
from adama_jax.screen.console import Screen
from adama_jax.screen.streams import drain, never_wait, write_error

# Seconds before a stopping process is killed; it resumes from its last checkpoint. Schedulers send
# SIGKILL some ten seconds after SIGTERM: a line that says so must come before.
GRACE = 9.0
# Seconds within which two signals are one: a terminal sends Ctrl-C to a process and to its group.
SAME_SIGNAL = 1.5
# Seconds in which a process that is ended gets its last line out.
LAST_WORDS = 0.3
FROM_THE_TERMINAL = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


class Stop:
    """Whether to stop, and by which signal.

    Args:
        saved: says whether there is a checkpoint to resume from, once the process must be ended.
    """

    def __init__(self, saved: Callable[[], bool] = lambda: False) -> None:
        self._saved = saved
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
                self._leave()
            return
        self._signal = number
        self._at = time.monotonic()
        # A compilation or a long chunk may take longer than anybody waits.
        self._timer = threading.Timer(GRACE, self._leave)
        self._timer.daemon = True
        self._timer.start()
        write_error(
            "adama: stopping; a checkpoint is written after this chunk of episodes, unless the "
            "program is still being compiled"
        )

    def left(self) -> None:
        """Everything has stopped: the process need not be ended."""
        if self._timer is not None:
            self._timer.cancel()

    @property
    def code(self) -> int:
        """The exit code, as shells have it: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + (self._signal or signal.SIGINT)

    def _leave(self) -> None:
        _leave(self.code, self._saved)


@contextmanager
def stop_on_signals(
    saved: Callable[[], bool] = lambda: False, terminal: bool = True
) -> Iterator[Stop]:
    """Take a signal as a wish to stop after the chunk; a second one ends the process.

    Whoever asks for it trains: from then on the process waits for no reader of what it prints.

    Ctrl-C, SIGTERM, SIGHUP (the terminal is closed) and SIGQUIT. SIGHUP and SIGQUIT that were
    ignored before stay so: `nohup` and shells ask for that. In a thread that is not the main one,
    which gets no signals, nothing is changed.

    Args:
        saved: as `Stop` has it.
        terminal: whether to hear what a terminal sends; else SIGTERM alone is heard.

    Raises:
        Stopped: at the end of the block, if there was a signal.
    """
    never_wait()
    stop = Stop(saved)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, _: Any) -> None:
        stop.set(number)

    before = {number: signal.signal(number, handle) for number in _heard(terminal)}
    try:
        yield stop
    finally:
        stop.left()
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop():
        raise Stopped(stop.code)


def _heard(terminal: bool) -> list[signal.Signals]:
    """The signals that are taken as a wish to stop."""
    if not terminal:
        return [signal.SIGTERM]
    ignored = signal.SIG_IGN
    own = [
        number
        for number in (signal.SIGHUP, signal.SIGQUIT)
        if signal.getsignal(number) is not ignored
    ]
    return [signal.SIGTERM, signal.SIGINT, *own]


@contextmanager
def deaf_to_the_terminal() -> Iterator[None]:
    """Processes that are started meanwhile ignore what a terminal sends, unless they decide to."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in FROM_THE_TERMINAL
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(code: int, saved: Callable[[], bool]) -> None:
    """End the process, whatever its threads are doing."""
    try:
        then = "begins again what is not finished: there is no checkpoint yet"
        if saved():
            then = "resumes from the last checkpoint"
        # A bar hides it.
        Screen().show_cursor()
        write_error(
            f"adama: ended before a checkpoint could be written; the same command {then}"
        )
        drain(LAST_WORDS)
    finally:
        # Not sys.exit: this runs in a timer's thread, and threads that compile would be waited for.
        os._exit(code)
