"""A wish to stop: the first signal is one, a second soon after is the same, a later one ends it."""

import io
import os
import signal
import sys
import threading

import pytest

from adama_jax.errors import Stopped
from adama_jax.execution import stopping
from adama_jax.execution.stopping import Stop, deaf_to_the_terminal, stop_on_signals
from tests.helpers import HANG


@pytest.fixture
def left(monkeypatch):
    """The codes with which the process would have ended."""
    codes = []
    monkeypatch.setattr(stopping, "_leave", lambda code, saved: codes.append(code))
    return codes


@pytest.fixture
def clock(monkeypatch):
    """Seconds, set by hand."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_nobody_has_asked_to_stop():
    stop = Stop()
    assert not stop()
    stop.left()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGQUIT, 131),
    ],
)
def test_the_code_is_that_of_the_signal(left, clock, number, code, capsys):
    stop = Stop()
    stop.set(number)
    stop.left()
    assert stop() and stop.code == code
    assert capsys.readouterr().err.startswith("adama: stopping; ")
    assert left == []


def test_two_signals_at_once_are_one(left, clock):
    """A terminal sends Ctrl-C to a process and to its group."""
    stop = Stop()
    stop.set(signal.SIGINT)
    clock[0] += stopping.SAME_SIGNAL
    stop.set(signal.SIGINT)
    stop.left()
    assert left == []


def test_a_second_signal_ends_the_process_with_the_first_one_s_code(left, clock):
    stop = Stop()
    stop.set(signal.SIGTERM)
    clock[0] += stopping.SAME_SIGNAL + 0.1
    stop.set(signal.SIGINT)
    stop.left()
    assert left == [143]


def test_a_process_that_does_not_stop_is_ended(monkeypatch):
    ended = threading.Event()
    codes = []

    def leave(code, saved):
        codes.append(code)
        ended.set()

    monkeypatch.setattr(stopping, "_leave", leave)
    monkeypatch.setattr(stopping, "GRACE", 0.01)
    Stop().set(signal.SIGTERM)
    assert ended.wait(HANG) and codes == [143]


def test_a_process_that_has_stopped_is_not_ended(left, monkeypatch):
    monkeypatch.setattr(stopping, "GRACE", 0.05)
    stop = Stop()
    stop.set(signal.SIGTERM)
    stop.left()
    assert not threading.Event().wait(0.2)
    assert left == []


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
)
def test_a_signal_is_heard_within_the_block_and_raised_at_its_end(number):
    before = signal.getsignal(number)
    with pytest.raises(Stopped) as stopped, stop_on_signals() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
    assert stopped.value.code == 128 + number
    assert signal.getsignal(number) is before


def test_without_a_signal_nothing_is_raised_and_handlers_are_as_before():
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals() as stop:
        assert signal.getsignal(signal.SIGINT) is not before
    assert not stop() and signal.getsignal(signal.SIGINT) is before


def test_an_error_within_the_block_is_that_error():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="mine"), stop_on_signals():
        raise ValueError("mine")
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_nothing_is_changed():
    before = signal.getsignal(signal.SIGINT)
    found = []

    def work():
        with stop_on_signals() as stop, deaf_to_the_terminal():
            found.append((stop(), signal.getsignal(signal.SIGINT) is before))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [(False, True)]


def test_the_terminal_is_not_heard_for_a_while():
    numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
    before = [signal.getsignal(number) for number in numbers]
    with deaf_to_the_terminal():
        assert {signal.getsignal(number) for number in numbers} == {signal.SIG_IGN}
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_was_ignored_stays_ignored(number):
    """As by `nohup`, which is there to let a run go on when its terminal is closed."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with stop_on_signals() as stop:
            os.kill(os.getpid(), number)
            assert not stop()
            assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_submitted_job_leaves_the_terminal_to_who_submitted_it(number):
    before = signal.getsignal(number)
    with stop_on_signals(terminal=False):
        assert signal.getsignal(number) is before
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL


def test_the_wish_to_stop_is_heard_before_anything_is_said(left, monkeypatch):
    """So that no fault of the screen, and nobody who does not read it, keeps it from the runs."""

    def broken(line):
        raise OSError("the screen is gone")

    monkeypatch.setattr(stopping, "write_error", broken)
    stop = Stop()
    with pytest.raises(OSError, match="gone"):
        stop.set(signal.SIGHUP)
    assert stop() and stop.code == 129
    stop.left()


def test_who_is_ended_has_a_cursor_again(monkeypatch):
    """A bar hides it."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(os, "_exit", lambda code: None)
    stopping._leave(130, lambda: False)
    assert "\x1b[?25h" in terminal.getvalue()


def test_nothing_keeps_a_process_that_is_ended(monkeypatch):
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)

    def broken():
        raise OSError("the folder cannot be read")

    with pytest.raises(OSError, match="cannot be read"):
        stopping._leave(143, broken)
    assert codes == [143]


@pytest.mark.parametrize(
    ("saved", "words"),
    [(True, "resumes from the last checkpoint"), (False, "there is no checkpoint yet")],
)
def test_last_words_name_a_checkpoint_where_there_is_one(
    saved, words, monkeypatch, capsys
):
    codes = []
    monkeypatch.setattr(os, "_exit", codes.append)
    stop = Stop(lambda: saved)
    stop.set(signal.SIGTERM)
    stop.left()
    monkeypatch.setattr(stopping, "SAME_SIGNAL", -1)
    stop.set(signal.SIGTERM)
    last = capsys.readouterr().err.splitlines()[-1]
    assert words in last
    assert codes == [143]
