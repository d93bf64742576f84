"""One process per run, and who it is."""

import os
import subprocess
import sys

import pytest
from filelock import FileLock

from adama_jax.errors import RunBusy
from adama_jax.storage.lock import Lock, busy_message, holder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clustering" / "adama-0123456789.lock"


def test_a_lock_makes_its_folder_and_leaves_nothing(path):
    Lock(path).release()
    assert list(path.parent.iterdir()) == []


def test_a_lock_is_held_until_it_is_released_and_can_be_taken_again(path):
    first = Lock(path)
    with pytest.raises(RunBusy):
        Lock(path)
    first.release()
    second = Lock(path)
    # The one that was released before has no hold on what is another's now.
    first.release()
    with pytest.raises(RunBusy):
        Lock(path)
    second.release()


def test_who_holds_a_lock_is_named(path):
    lock = Lock(path)
    named = holder(path)
    assert named is not None and named.startswith(f"process {os.getpid()} on host ")
    lock.release()
    assert holder(path) is None


def test_the_message_names_the_run_and_what_to_do(path):
    lock = Lock(path)
    with pytest.raises(RunBusy) as error:
        Lock(path)
    lock.release()
    run = path.parent / "adama-0123456789"
    words = f"{run}: is being trained by process {os.getpid()} on host "
    assert str(error.value).startswith(words)
    assert str(error.value).endswith("; wait for it, or choose another out=")


def test_the_moment_in_which_another_process_takes_a_run_is_its(path):
    path.parent.mkdir()
    with FileLock(path), pytest.raises(RunBusy, match="by another process;"):
        Lock(path)
    assert "by somebody;" in busy_message(path, "somebody")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "process 1 on host gone\n",  # as versions wrote that locked a file for each run
        "process 1 on host gone\n.process-0123.lock\n",
        "process 1 on host gone\n../../elsewhere\n",
    ],
)
def test_files_that_a_crash_left_hold_nothing(path, words):
    path.parent.mkdir()
    path.touch()
    path.with_suffix(".holder").write_text(words, encoding="utf-8")
    (path.parent / ".process-0123.lock").touch()
    assert holder(path) is None
    Lock(path).release()
    assert list(path.parent.glob("adama-*")) == []


def test_a_run_that_was_freed_by_hand_is_another_s_to_give_back(path):
    first = Lock(path)
    path.with_suffix(".holder").write_text("somebody\n.process-0123.lock\n", "utf-8")
    first.release()
    assert path.with_suffix(".holder").exists()


def test_locks_of_a_sweep_have_one_file_open(path):
    """At a limit of 256 open files a sweep of 600 settings trains."""
    before = len(os.listdir("/dev/fd"))
    locks = [Lock(path.with_name(f"adama-{number}.lock")) for number in range(300)]
    assert len(os.listdir("/dev/fd")) <= before + 1
    for lock in locks[1:]:
        lock.release()
    with pytest.raises(RunBusy):
        Lock(path.with_name("adama-0.lock"))
    locks[0].release()
    assert list(path.parent.iterdir()) == []


def test_somebody_who_looks_does_not_keep_others_out(path):
    path.parent.mkdir()
    path.touch()
    for _ in range(20):
        assert holder(path) is None
        Lock(path).release()


HOLD = """
import sys, time
from pathlib import Path
from adama_jax.storage.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_ends_with_its_process_however_it_ends(path):
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        named = holder(path)
        assert named is not None and f"process {process.pid} " in named
        with pytest.raises(RunBusy, match=f"process {process.pid} "):
            Lock(path)
        process.kill()
    assert holder(path) is None
    Lock(path).release()
