"""One process per run, and who it is."""

import os
import subprocess
import sys
import time

import pytest

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


def test_a_holder_without_a_name_is_another_process(path):
    lock = Lock(path)
    path.with_suffix(".holder").unlink()
    assert holder(path) == "another process"
    lock.release()
    assert "by somebody;" in busy_message(path, "somebody")


def test_a_file_that_a_crash_left_holds_nothing(path):
    path.parent.mkdir()
    path.touch()
    path.with_suffix(".holder").write_text("process 1 on host gone\n", encoding="utf-8")
    assert holder(path) is None
    Lock(path).release()


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
    start = time.monotonic()
    Lock(path).release()
    assert time.monotonic() - start < 0.2  # nothing to wait for
