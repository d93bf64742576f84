"""Processes really killed, disks really full, jobs that really fail: minutes long, `make test-
faults`.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.reader import load_run
from tests.helpers import HANG, assert_equal_runs, assert_equal_states, wait_until

pytestmark = pytest.mark.slow
ADAMA = [sys.executable, "-m", "adama_jax"]
SHORT = {
    "seeds": 5,
    "episodes": 600,
    "evaluation.every": 100,
    "learning.batch_size": 64,
    "learning.capacity": 20_000,
    "evaluation.episodes": 10,
}
ROBOT = SHORT | {
    "horizon": 40,
    "episodes": 12,
    "evaluation.every": 4,
    "learning.capacity": 400,
    "evaluation.episodes": 2,
}


def words(command, scenario, settings, out, *more):
    given = [f"{name}={value}" for name, value in settings.items()]
    return [*ADAMA, command, scenario, *given, f"out={out}", "devices=1", *more]


def train(scenario, settings, out, *more):
    return subprocess.run(
        words("train", scenario, settings, out, *more),
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def started(command, log):
    """A process whose output is in a file."""
    with log.open("a", encoding="utf-8") as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)


def adama(*arguments):
    return subprocess.run(
        [*ADAMA, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def wait_for(what, process):
    """Until it is so, or the process has ended before."""
    wait_until(lambda: what() or process.poll() is not None, 10 * HANG)
    assert what()


def lines_of(folder):
    log = RunFolder(folder).partial.log
    return log.read_text(encoding="utf-8").count("\n") if log.is_file() else 0


CASES = [("going_together", method, SHORT) for method in METHODS] + [
    ("halfcheetah_2x3", "adama", ROBOT)
]


@pytest.mark.parametrize(
    ("scenario", "method", "settings"), CASES, ids=[f"{s}-{m}" for s, m, _ in CASES]
)
def test_a_new_process_goes_on_to_the_same_bits(scenario, method, settings, tmp_path):
    """Stopped by SIGTERM somewhere in the middle, finished by the same command."""
    settings = settings | {"method": method}
    if method.endswith("2nd"):
        settings["networks.critic_activation"] = "tanh"
    config = with_settings(scenario_config(scenario), settings)
    command = words("train", scenario, settings, tmp_path / "whole", "keep_last=true")
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    folder = run_folder(tmp_path / "stopped", config)
    process = started(
        words("train", scenario, settings, tmp_path / "stopped"), tmp_path / "log"
    )
    wait_for(lambda: lines_of(folder) >= 2, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANG) == 143
    said = (tmp_path / "log").read_text(encoding="utf-8")
    assert f"adama: stopped; to resume: adama train {scenario}" in said
    command = [
        *ADAMA,
        "resume",
        str(RunFolder(folder).partial.path),
        "devices=1",
        "keep_last=true",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "resumes from episode" in done.stdout
    folders = [run_folder(tmp_path / where, config) for where in ("whole", "stopped")]
    assert_equal_runs(*(load_run(folder) for folder in folders))
    assert_equal_states(*folders, config.episodes)


def test_twenty_kills(tmp_path):
    """SIGKILL at 20 random moments, saving all the time; each start goes on, none far
    behind the kill.
    """
    settings = SHORT | {"episodes": 40_000, "learning.capacity": 400_000}
    config = with_settings(scenario_config("going_together"), settings)
    folder, log = run_folder(tmp_path, config), tmp_path / "log"
    command = words(
        "train", "going_together", settings, tmp_path, "checkpoint_minutes=0"
    )
    rng = random.Random(0)
    reached, lost = 0, []
    for kill in range(20):
        log.write_text("", encoding="utf-8")
        process = started(command, log)
        if kill:
            wait_for(lambda: "resumes from" in log.read_text(encoding="utf-8"), process)
            found = re.search(
                r"resumes from episode ([\d,]+)", log.read_text(encoding="utf-8")
            )
            lost.append(reached - int(found[1].replace(",", "")))
        wait_for(lambda least=reached: lines_of(folder) * 100 > least, process)
        time.sleep(rng.uniform(0, 3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        reached = lines_of(folder) * 100
    print(f"episodes lost at each of {len(lost)} kills, chunks of 100: {lost}")
    # The interval, and what was played while a save was being written.
    assert len(lost) == 19 and max(lost) <= 200


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tmpfs needs root")
@pytest.mark.parametrize("policy", ["go_on", "stop"])
def test_a_disk_that_is_full(tmp_path, policy):
    """A tmpfs with room for two checkpoints, not for three."""
    small = tmp_path / "small"
    small.mkdir()
    settings = SHORT | {"episodes": 4_000, "learning.capacity": 40_000}
    size = 2 * checkpoint_size(settings, tmp_path / "trial") + 400_000
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small], check=False
    ).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        done = train(
            "going_together",
            settings,
            small,
            "checkpoint_minutes=0",
            f"if_save_fails={policy}",
        )
        text = done.stdout + done.stderr
        assert (
            "No space left" in text or "ENOSPC" in text or "RESOURCE_EXHAUSTED" in text
        ), text
        if policy == "go_on":
            assert "training continues" in text
        else:
            assert done.returncode == 1 and "failed: CheckpointError" in text
            config = with_settings(scenario_config("going_together"), settings)
            checked = subprocess.run(
                [*ADAMA, "verify", str(run_folder(small, config))],
                capture_output=True,
                text=True,
                check=False,
                encoding="utf-8",
            )
            assert checked.returncode == 0, checked.stdout
    finally:
        subprocess.run(["umount", small], check=True)


def checkpoint_size(settings, out):
    """Bytes of one checkpoint: a run stopped after its first save."""
    config = with_settings(scenario_config("going_together"), settings)
    folder = run_folder(out, config)
    out.mkdir()
    process = started(words("train", "going_together", settings, out), out / "log")
    wait_for(lambda: lines_of(folder) >= 1, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANG) == 143
    return sum(
        path.stat().st_size
        for path in RunFolder(folder).partial.path.rglob("checkpoints/**/*")
        if path.is_file()
    )


def test_a_sweep_of_local_jobs_with_a_kill_and_a_failure(tmp_path):
    """8 jobs of their own processes; one is killed and goes on, one cannot be written,
    the rest finish.
    """
    rates = [f"0.00{digit}" for digit in range(1, 9)]
    settings = SHORT | {"seeds": 2, "episodes": 3_000, "method": "fixed"}
    configs = [
        with_settings(
            scenario_config("going_together"),
            settings | {"rates.critic_rate": float(rate)},
        )
        for rate in rates
    ]
    folders = [run_folder(tmp_path, config) for config in configs]
    RunFolder(folders[5]).partial.path.parent.mkdir(parents=True)
    # This job raises.
    RunFolder(folders[5]).partial.path.write_text(
        "a file where a folder must be", encoding="utf-8"
    )
    sweep = [
        *words("sweep", "going_together", settings, tmp_path),
        f"l_c={','.join(rates)}",
    ]
    # Each job gets its share of the cores.
    sweep.remove("devices=1")
    sweep += ["launcher=local", "parts=8", "at_once=2", "checkpoint_minutes=0"]
    process = started(sweep, tmp_path / "log")
    wait_for(lambda: lines_of(folders[2]) >= 3, process)
    job = holder_of(folders[2])
    os.kill(job, signal.SIGKILL)
    assert process.wait(20 * HANG) == 1
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert "was killed and is submitted again" in text
    assert len(re.findall(r"failed: ", text)) == 1
    assert [
        folder.is_dir() and (folder / "meta.json").is_file() for folder in folders
    ] == [n != 5 for n in range(8)]
    times = [
        (folder / "meta.json").stat().st_mtime
        for n, folder in enumerate(folders)
        if n != 5
    ]
    RunFolder(folders[5]).partial.path.unlink()
    assert (
        subprocess.run(
            sweep, capture_output=True, text=True, check=False, encoding="utf-8"
        ).returncode
        == 0
    )
    assert (folders[5] / "meta.json").is_file()
    assert times == [
        (folder / "meta.json").stat().st_mtime
        for n, folder in enumerate(folders)
        if n != 5
    ]


def holder_of(folder):
    """The process that trains a run, by its lock."""
    return int(re.search(r"process (\d+)", RunFolder(folder).holder())[1])


def test_two_processes_on_one_run(tmp_path):
    """The second is refused in one line, with exit code 2, and the first is not
    disturbed.
    """
    settings = SHORT | {"episodes": 40_000}
    config = with_settings(scenario_config("going_together"), settings)
    process = started(
        words("train", "going_together", settings, tmp_path), tmp_path / "log"
    )
    wait_for(lambda: lines_of(run_folder(tmp_path, config)) >= 1, process)
    second = train("going_together", settings, tmp_path)
    assert second.returncode == 2
    (line,) = second.stderr.splitlines()
    assert f"is being trained by process {process.pid} on host" in line
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANG) == 143


def test_ctrl_c_saves_and_leaves(tmp_path):
    settings = SHORT | {"episodes": 40_000}
    config = with_settings(scenario_config("going_together"), settings)
    process = started(
        words("train", "going_together", settings, tmp_path), tmp_path / "log"
    )
    wait_for(lambda: lines_of(run_folder(tmp_path, config)) >= 1, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(HANG) == 130
    assert "a checkpoint is written" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_stop_reaches_local_jobs(tmp_path):
    """SIGTERM to a sweep whose jobs are processes of their own: each saves, none is left running;
    the rerun goes on.
    """
    rates = ["0.001", "0.002"]
    settings = SHORT | {"seeds": 2, "episodes": 8_000, "method": "fixed"}
    base = with_settings(scenario_config("going_together"), settings)
    folders = [
        run_folder(tmp_path, with_settings(base, {"rates.critic_rate": float(rate)}))
        for rate in rates
    ]
    sweep = [
        *words("sweep", "going_together", settings, tmp_path),
        f"l_c={','.join(rates)}",
    ]
    sweep.remove("devices=1")
    sweep += ["launcher=local", "parts=2", "at_once=2"]
    process = started(sweep, tmp_path / "log")
    wait_for(lambda: all(lines_of(folder) >= 2 for folder in folders), process)
    jobs = [holder_of(folder) for folder in folders]
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANG) == 143
    wait_until(lambda: not any(Path(f"/proc/{job}").exists() for job in jobs))
    assert all(
        list(RunFolder(folder).partial.path.glob("checkpoints/*/state/[0-9]*"))
        for folder in folders
    )
    assert (
        subprocess.run(
            sweep, capture_output=True, text=True, check=False, encoding="utf-8"
        ).returncode
        == 0
    )
    logs = [
        path.read_text(encoding="utf-8")
        for path in (tmp_path / "jobs").glob("*_log.out")
    ]
    assert sum("resumes from episode" in text for text in logs) == 2
