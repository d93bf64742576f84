"""Processes that are told to end, and processes of which nothing can be shown: `make test-faults`.

Nothing here waits for long on an idle machine; the limit is there for what hangs.
"""

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.storage.folder import RunFolder, run_folder
from tests.execution.test_faults import ROBOT, SHORT, lines_of, started, wait_for, words

pytestmark = pytest.mark.slow
HANG = 600  # seconds
LONG = SHORT | {"episodes": 40_000, "seeds": 2}
CONFIG = with_settings(scenario_config("going_together"), LONG)


@pytest.fixture
def start():
    """Starts processes, which end with the test."""
    running = []

    def begin(command, log=None, **options):
        begun = started(command, log) if log else subprocess.Popen(command, **options)
        running.append(begun)
        return begun

    yield begin
    for process in running:
        with process:  # closes the pipe that a test read from
            process.kill()


def has_saved(folder):
    return any(RunFolder(folder).partial.path.glob("checkpoints/*/state/[0-9]*"))


def training(out, settings=LONG):
    return words("train", "going_together", settings, out)


@contextlib.contextmanager
def closed_pipe():
    """Its reader has gone, as a `tee` that was killed."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextlib.contextmanager
def full_pipe():
    """It holds no byte more, and nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    yield writing
    os.close(writing)
    os.close(reading)


@contextlib.contextmanager
def full_disk():
    """That of a log."""
    with open("/dev/full", "w", encoding="utf-8") as file:
        yield file


SCREENS = [closed_pipe, full_pipe]
if os.path.exists("/dev/full"):  # on Linux
    SCREENS.append(full_disk)


@pytest.mark.parametrize("screen", SCREENS)
def test_three_methods_hear_a_stop_though_nothing_can_be_shown(screen, tmp_path, start):
    """None of them waits for somebody who reads, none ends before it has saved."""
    methods = ("adama", "fixed", "balance")
    command = words("experiment", "going_together", LONG, tmp_path)
    command.remove("devices=1")
    command += ["devices=3", f"methods={','.join(methods)}"]
    configs = [with_settings(CONFIG, {"method": method}) for method in methods]
    folders = [run_folder(tmp_path, config) for config in configs]
    with screen() as stream:
        process = start(command, stdout=stream, stderr=stream)
        wait_for(lambda: all(lines_of(folder) >= 2 for folder in folders), process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG) == 143
    assert all(has_saved(folder) for folder in folders)


def test_a_run_ends_well_though_nobody_reads(tmp_path, start):
    with full_pipe() as stream:
        command = training(tmp_path, SHORT | {"seeds": 1, "episodes": 200})
        process = start(command, stdout=stream, stderr=stream)
        assert process.wait(HANG) == 0
    assert len(list(tmp_path.glob("*/*/meta.json"))) == 1


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGHUP, 129), (signal.SIGQUIT, 131)]
)
def test_other_signals_save_and_leave_too(number, code, tmp_path, start):
    process = start(training(tmp_path), tmp_path / "log")
    folder = run_folder(tmp_path, CONFIG)
    wait_for(lambda: lines_of(folder) >= 1, process)
    process.send_signal(number)
    assert process.wait(HANG) == code
    assert has_saved(folder)


def test_nohup_goes_on_when_its_terminal_is_closed(tmp_path, start):
    ignoring = ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *training(tmp_path)]
    process = start(ignoring, tmp_path / "log")
    folder = run_folder(tmp_path, CONFIG)
    wait_for(lambda: lines_of(folder) >= 1, process)
    process.send_signal(signal.SIGHUP)
    before = lines_of(folder)
    wait_for(lambda: lines_of(folder) >= before + 10, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANG) == 143


# A terminal of the process's own, so that the system tells it when that is closed.
TAKING = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_terminal_that_is_closed(tmp_path, start):
    """As by an ssh that is lost: first it takes nothing any more, then it is gone."""
    ours, theirs = os.openpty()
    process = start(
        [sys.executable, "-c", TAKING, *training(tmp_path)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(theirs)
    folder = run_folder(tmp_path, CONFIG)
    # The bar's frames are more than a terminal that nobody reads has room for.
    wait_for(lambda: lines_of(folder) >= 100, process)
    os.close(ours)
    assert process.wait(HANG) == 129
    assert has_saved(folder)


def test_who_is_stopped_while_compiling_is_told_that_there_is_no_checkpoint(
    tmp_path, start
):
    """A robot's program takes longer to compile than anybody waits; another has not begun."""
    command = words("experiment", "halfcheetah_2x3", ROBOT, tmp_path)
    process = start(
        [*command, "methods=adama,fixed"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        # Else the program may be there from another test.
        env=os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false"},
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if "compiling program 1 of 2 ..." in line:
            process.send_signal(signal.SIGINT)
    assert process.wait(HANG) == 130
    text = "".join(said)
    assert "begins again what is not finished: there is no checkpoint yet" in text
    assert "last checkpoint" not in text
    assert "halfcheetah_2x3: fixed" not in text


def test_a_process_that_stood_still_leaves_nothing_beside_its_run(tmp_path, start):
    """Ctrl-Z and fg: what was due meanwhile is saved at once; then it is stopped, and resumed."""
    settings = LONG | {"episodes": 4_000}
    out = tmp_path / "out"
    folder = run_folder(out, with_settings(CONFIG, {"episodes": 4_000}))
    # A checkpoint each second or so.
    command = [*training(out, settings), "checkpoint_minutes=0.02"]
    process = start(command, tmp_path / "log")
    wait_for(lambda: lines_of(folder) >= 2, process)
    process.send_signal(signal.SIGSTOP)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(2)
    process.send_signal(signal.SIGCONT)
    before = lines_of(folder)
    wait_for(lambda: lines_of(folder) >= before + 2, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANG) == 143
    assert start(command, tmp_path / "log").wait(HANG) == 0
    assert [path for path in folder.parent.iterdir() if path != folder] == []
    assert not (folder / "checkpoints").exists()


def test_a_folder_whose_name_the_screen_cannot_show(tmp_path, start):
    out = tmp_path / "Ergebnisse für [alle]"
    process = start(
        training(out, SHORT | {"seeds": 1, "episodes": 100}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    said, _ = process.communicate(timeout=HANG)
    assert process.returncode == 0, said
    assert b"Ergebnisse f\\xfcr [alle]" in said
