"""What is handed to Slurm, as stand-ins for its programs see it: there is no cluster here."""

import contextlib
import os

import pytest

from adama_jax.config.options import Launch
from adama_jax.storage.folder import RunFolder
from adama_jax.studies import submitted
from adama_jax.studies.jobs import Job, Order
from adama_jax.studies.submitted import run_submitted, slurm_resources
from tests.helpers import QUIET, fake_config

# Refuses, so that nothing waits for a job: what it was given is what counts.
SBATCH = """#!/bin/sh
env > "$RECORD/environment"
cat "$1" > "$RECORD/script"
echo "sbatch: error: no such cluster" >&2
exit 1
"""


@pytest.fixture
def submit(tmp_path, monkeypatch):
    """Submits a job; gives the script that sbatch got, its environment, and why it failed."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("sbatch", SBATCH), ("srun", "#!/bin/sh\n")):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(tmp_path))

    def submit(**options):
        job = Job("a job", (fake_config("adama"),), ("adama",))
        launch = Launch("slurm", **options)
        out = tmp_path / "my results"
        (failure,) = run_submitted(Order([job], out, launch, QUIET))
        lines = (tmp_path / "environment").read_text(encoding="utf-8").splitlines()
        variables = dict(line.split("=", 1) for line in lines if "=" in line)
        return (tmp_path / "script").read_text(encoding="utf-8"), variables, failure.why

    return submit


def test_a_cluster_without_gpus_is_not_asked_for_any(submit):
    script, _, why = submit(cores=4, memory_gb=8, partition="cpu")
    assert "--gpus" not in script and "--gres" not in script
    for line in ("cpus-per-task=4", "mem=8GB", "partition=cpu", "time=720"):
        assert f"#SBATCH --{line}\n" in script
    assert "sbatch" in why
    script, _, _ = submit(gpus=2)
    assert "#SBATCH --gpus-per-node=2\n" in script


def test_a_job_inherits_nothing_of_the_job_that_submits_it(submit, monkeypatch):
    """Here a member of an array, in an allocation with limits of its own."""
    outer = {
        "SLURM_JOB_ID": "5",
        "SLURM_ARRAY_JOB_ID": "4",
        "SLURM_ARRAY_TASK_ID": "2",
        "SLURM_MEM_PER_CPU": "1000",
        "SLURM_NTASKS": "16",
        "SLURM_CPU_BIND": "quiet,mask_cpu:0xF",
        "SUBMITIT_EXECUTOR": "slurm",
        "SUBMITIT_FOLDER": "/elsewhere",
    }
    for name, value in outer.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLURM_CONF", "/etc/here/slurm.conf")
    _, variables, _ = submit()
    assert outer.keys().isdisjoint(variables)
    # Where the cluster is stays said, and this process is as it was.
    assert variables["SLURM_CONF"] == "/etc/here/slurm.conf"
    assert outer.items() <= os.environ.items()


def test_outside_of_a_job_the_user_s_wishes_stay(submit, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("SBATCH_ACCOUNT", "mine")
    _, variables, _ = submit()
    assert variables["SBATCH_ACCOUNT"] == "mine"


def test_who_is_ended_before_the_jobs_are_is_told_of_their_checkpoints(
    submit, monkeypatch, tmp_path
):
    given = []

    @contextlib.contextmanager
    def instead(saved):
        given.append(saved)
        yield lambda: False

    monkeypatch.setattr(submitted, "stop_on_signals", instead)
    submit()
    (saved,) = given
    assert not saved()
    folder = RunFolder.of(tmp_path / "my results", fake_config("adama"))
    (folder.partial.checkpoints / "seed-0" / "state" / "10").mkdir(parents=True)
    assert saved()


def test_what_is_not_said_is_not_asked_for():
    asked = slurm_resources(Launch("slurm"))
    assert asked == {"timeout_min": 720, "cpus_per_task": 2, "mem_gb": 16}
