"""Streams that never fail and never wait, whatever is behind them."""

import io
import os
import select
import subprocess
import sys
import threading

import pytest

from adama_jax.screen.streams import (
    MOST_WAITING,
    Writer,
    in_one_line,
    never_wait,
    steady,
    write_error,
    write_line,
)

HANG = 60  # seconds after which something hangs


@pytest.fixture
def pipe():
    """The two ends of a pipe, and a writer to it."""
    reading, writing = os.pipe()
    yield reading, writing, Writer(writing)
    os.close(reading)


def test_what_is_handed_over_is_written_in_order(pipe):
    reading, _, writer = pipe
    for piece in (b"one ", b"two ", b"three"):
        writer.put(piece)
    writer.drain(HANG)
    assert os.read(reading, 100) == b"one two three"


@pytest.fixture
def training(monkeypatch):
    """As while something is trained."""
    monkeypatch.setattr("adama_jax.screen.streams._IMPATIENT", threading.Event())
    never_wait()


@pytest.fixture
def patient(monkeypatch):
    """As in a command that only prints."""
    monkeypatch.setattr("adama_jax.screen.streams._IMPATIENT", threading.Event())


def test_a_reader_who_pauses_loses_nothing_of_a_command_that_only_prints(pipe, patient):
    """As `adama list | less` does: more than the pipe and the queue hold."""
    reading, _, writer = pipe
    count = 3 * MOST_WAITING
    begun = threading.Event()

    def write():
        for number in range(count):
            writer.put(b"%d\n" % number)
            if number == MOST_WAITING - 1:
                begun.set()
        writer.drain()

    writes = threading.Thread(target=write, daemon=True)
    writes.start()
    assert begun.wait(HANG)
    text = b""
    while not text.endswith(b"\n%d\n" % (count - 1)):
        text += os.read(reading, 65536)
    writes.join(HANG)
    assert text.count(b"\n") == count and not writes.is_alive()


def test_nobody_waits_for_a_pipe_that_nobody_reads(pipe, training):
    """More than the pipe holds; the end of the process waits for as long as it is told to."""
    reading, _, writer = pipe
    pieces = 100
    for _ in range(pieces):
        writer.put(b"x" * 4096)
    writer.drain(0.05)
    # Somebody reads after all: nothing was lost, and the rest is waited for.
    read = 0
    while read < pieces * 4096:
        read += len(os.read(reading, 65536))
    writer.drain(HANG)


def test_of_more_than_can_wait_while_training_the_newest_is_kept(pipe, training):
    reading, _, writer = pipe
    # More than the pipe holds: the writer is held up once it has begun.
    writer.put(b"x" * 1_000_000)
    os.read(reading, 1)
    for number in range(2 * MOST_WAITING):
        writer.put(b"%d\n" % number)
    text = b""
    while not text.endswith(b"%d\n" % (2 * MOST_WAITING - 1)):
        text += os.read(reading, 65536)
    assert text.count(b"\n") <= MOST_WAITING


def test_a_slow_reader_is_waited_for_while_it_takes_something(pipe):
    reading, _, writer = pipe
    total = 40 * 65536
    for _ in range(40):
        writer.put(b"x" * 65536)
    read = []

    def work():
        while sum(read) < total:
            read.append(len(os.read(reading, 65536)))

    reader = threading.Thread(target=work)
    reader.start()
    writer.drain(HANG)
    reader.join(HANG)
    assert sum(read) == total


def test_a_pipe_without_a_reader_and_a_full_disk_are_remembered_and_stop_nothing():
    reading, writing = os.pipe()
    os.close(reading)
    writer = Writer(writing)
    for _ in range(3):
        writer.put(b"lost")
        writer.drain(HANG)
    assert isinstance(writer.error, BrokenPipeError)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_is_remembered_and_stops_nothing():
    full = os.open("/dev/full", os.O_WRONLY)
    writer = Writer(full)
    writer.put(b"lost")
    writer.drain(HANG)
    assert writer.error is not None and writer.error.strerror == (
        "No space left on device"
    )


def test_a_pipe_that_another_program_made_non_blocking_loses_nothing(pipe):
    reading, writing, writer = pipe
    os.set_blocking(writing, False)
    writer.put(b"x" * 200_000)
    read = 0
    while read < 200_000:
        assert select.select([reading], [], [], HANG)[0], "the rest was lost"
        read += len(os.read(reading, 65536))


def test_a_forked_process_writes_too(tmp_path):
    """It has none of the threads of the process that it comes from."""
    program = """
import os
from adama_jax.screen.streams import steady_streams, write_line
with steady_streams():
    write_line("before")
    child = os.fork()
    write_line("child" if child == 0 else "parent")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, timeout=HANG
    )
    assert sorted(set(done.stdout.split())) == [b"before", b"child", b"parent"]


def test_what_is_no_stream_of_the_process_is_left_alone(tmp_path):
    text = io.StringIO()
    assert steady(text) is text
    # The number of a file that is closed becomes the next one's, which may be a checkpoint.
    with (tmp_path / "log").open("w", encoding="utf-8") as file:
        assert steady(file) is file


def test_control_characters_move_no_cursor_and_break_no_line(capsys):
    assert in_one_line("a\nb\x1b[2J\x9b") == "a\\nb\\x1b[2J\\x9b"
    write_line("out\nput")
    write_error("err\ror")
    assert capsys.readouterr() == ("out\\nput\n", "err\\ror\n")


PROGRAM = """
import os, sys
from adama_jax.screen.streams import steady_streams, write_error
with steady_streams():
    for _ in range(3):
        print("caf\\u00e9 \\u00b1 \\udcff [x]")
    sys.stdout.flush()
    write_error("done")
    # What is opened now is nobody's stdout or stderr.
    number = os.open(os.devnull, os.O_RDONLY)
    sys.exit(7 if number > 2 else 8)
"""


def run(redirection="", **environment):
    """The program's exit code, and what it wrote to stdout and stderr."""
    command = f'exec "$0" -c "$1" {redirection}'
    done = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, PROGRAM],
        capture_output=True,
        check=False,
        env=os.environ | environment,
    )
    return done.returncode, done.stdout, done.stderr


LINE = "café ± \\udcff [x]\n".encode()


def test_a_program_writes_what_it_always_wrote():
    assert run(PYTHONIOENCODING="utf-8") == (7, 3 * LINE, b"done\n")


def test_letters_that_the_encoding_lacks_are_replaced():
    ascii_line = b"caf\\xe9 +- \\udcff [x]\n"
    assert run(PYTHONIOENCODING="ascii") == (7, 3 * ascii_line, b"done\n")


@pytest.mark.parametrize(
    "redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"]
)
def test_a_stream_that_is_closed_or_full_changes_no_exit_code(redirection):
    assert run(redirection)[0] == 7


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_output_that_was_lost_is_told_where_that_is_possible():
    code, _, said = run(">/dev/full")
    assert code == 7
    assert said == b"done\nadama: output was lost: No space left on device\n"


def test_a_reader_who_has_read_enough_is_no_fault():
    """As `| head` is."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (7, b"done\n")
