"""A wish to stop: the first signal is one, a second soon after is the same, a later one ends it."""

import os
import signal
import threading

import pytest

from adama_jax.errors import Stopped
from adama_jax.execution import stopping
from adama_jax.execution.stopping import Stop, deaf_to_ctrl_c, stop_on_signals


@pytest.fixture
def left(monkeypatch):
    """The codes with which the process would have ended."""
    codes = []
    monkeypatch.setattr(stopping, "_leave", codes.append)
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
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
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

    def leave(code):
        codes.append(code)
        ended.set()

    monkeypatch.setattr(stopping, "_leave", leave)
    monkeypatch.setattr(stopping, "GRACE", 0.01)
    Stop().set(signal.SIGTERM)
    assert ended.wait(5) and codes == [143]


def test_a_process_that_has_stopped_is_not_ended(left, monkeypatch):
    monkeypatch.setattr(stopping, "GRACE", 0.05)
    stop = Stop()
    stop.set(signal.SIGTERM)
    stop.left()
    assert not threading.Event().wait(0.2)
    assert left == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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
        with stop_on_signals() as stop, deaf_to_ctrl_c():
            found.append((stop(), signal.getsignal(signal.SIGINT) is before))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [(False, True)]


def test_ctrl_c_is_not_heard_for_a_while():
    before = signal.getsignal(signal.SIGINT)
    with deaf_to_ctrl_c():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is before
