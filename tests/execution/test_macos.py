"""Commands start where there is no affinity, no /proc and no control groups, as on macOS."""

import subprocess
import sys

import pytest

from adama_jax.execution import devices
from adama_jax.storage import provenance

# What a Mac lacks is taken away before anything of ours is imported. psutil is let through: it has
# its own code for each system, and here that is the code for Linux.
ADAMA_WITHOUT_LINUX = """
import os, sys

del os.sched_getaffinity
del os.sched_setaffinity


def refuse(event, arguments):
    if event != "open" or not str(arguments[0]).startswith(("/proc", "/sys/")):
        return
    if not any("/psutil/" in name for name in calling_files()):
        raise FileNotFoundError(arguments[0])


def calling_files():
    frame = sys._getframe()
    while frame is not None:
        yield frame.f_code.co_filename
        frame = frame.f_back


sys.addaudithook(refuse)
from adama_jax.cli.main import main

sys.exit(main(sys.argv[1:]))
"""
TINY = [
    "seeds=1",
    "episodes=4",
    "horizon=5",
    "learning.batch_size=8",
    "learning.capacity=100",
    "evaluation.episodes=2",
]


def adama(*words):
    command = [sys.executable, "-c", ADAMA_WITHOUT_LINUX, *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, encoding="utf-8"
    )


@pytest.mark.slow
def test_train_sweep_and_figures_start(tmp_path):
    out = f"out={tmp_path}"
    done = adama("train", "going_together", *TINY, out)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("meta.json"))) == 1
    done = adama(
        "sweep", "going_together", *TINY, "alpha=0.9,0.95", out, "launcher=local"
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("meta.json"))) == 3
    done = adama("figures", "only=going_together", out)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "figures").iterdir())


def test_all_cores_count_where_there_is_no_affinity(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    assert devices.usable_cores() == 7


def test_files_that_cannot_be_read_are_no_limit(tmp_path):
    """A control group whose files are folders: every read fails."""
    own = tmp_path / "own"
    own.write_text("0::/job\n", encoding="utf-8")
    (tmp_path / "job" / "memory.max").mkdir(parents=True)
    assert devices.free_in_groups(tmp_path, own) == []
    assert devices.free_in_groups(tmp_path, tmp_path) == []


def test_a_processor_has_a_name_without_proc(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "CPUS", tmp_path / "none")
    monkeypatch.setattr(provenance, "CPU_NAME_ON_MACOS", ("echo", "Apple M2"))
    assert provenance.processor() == "Apple M2"
    monkeypatch.setattr(
        provenance, "CPU_NAME_ON_MACOS", (str(tmp_path / "no such command"),)
    )
    assert provenance.processor()
