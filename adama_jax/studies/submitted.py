"""Jobs by submitit: processes of this machine, or jobs of a Slurm cluster."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adama_jax.config.options import Launch, Training
from adama_jax.execution.devices import usable_cores
from adama_jax.execution.stopping import deaf_to_the_terminal, stop_on_signals
from adama_jax.storage.folder import RunFolder
from adama_jax.studies.here import Submitted, run_submitted_job
from adama_jax.studies.jobs import Failure, Job, Order, last_line, saved_by

LOCAL = {"timeout_min": 60 * 24 * 30}  # 30 days: submitit requires a time limit
# Seconds between two looks at the jobs, while they run and once they were told to stop.
POLL_SECONDS = 0.5
STOPPING_POLL_SECONDS = 0.1
# Of what Slurm tells a job, what holds for the whole cluster.
OF_CLUSTER = ("SLURM_CONF", "SLURM_CLUSTERS")


def run_submitted(order: Order) -> list[Failure]:
    """Run jobs by submitit, `at_once` at a time; what they print is in `out/jobs`.

    A stop is passed on to them. A job that was killed is submitted once more: it resumes from what
    it had saved.

    Returns:
        The jobs that failed.

    Raises:
        Stopped: by a signal; the jobs have written checkpoints.
    """
    import submitit

    jobs = order.jobs
    options = order.options
    cores = usable_cores()
    local = options.launcher == "local"
    most = cores if local else len(jobs)
    at_once = min(len(jobs), options.at_once or most)
    executor = submitit.AutoExecutor(
        folder=order.out / "jobs", cluster=options.launcher
    )
    resources = LOCAL if local else slurm_resources(options)
    executor.update_parameters(name="adama", **resources)
    if local:
        # The jobs share the machine's cores.
        devices = max(1, cores // at_once)
        training = dataclasses.replace(order.training, devices=devices)
        order = order._replace(training=training)
    todo = _Queue(executor, order, list(jobs))
    with stop_on_signals(saved_by(jobs, order.out)) as stop:
        while todo.is_busy() and not stop():
            todo.submit(at_once)
            todo.collect()
            time.sleep(POLL_SECONDS)
        for _, submitted in todo.running:
            _stop(submitted, local)
        # They save, for as long as a stop is given.
        while not all(submitted.done() for _, submitted in todo.running):
            time.sleep(STOPPING_POLL_SECONDS)
    return todo.failures


@dataclass
class _Queue:
    """Which jobs wait, which run, and what became of the others."""

    executor: Any
    order: Order
    waiting: list[Job]
    running: list[tuple[Job, Any]] = field(default_factory=list)
    # What was left of them, submitted again.
    killed: list[Job] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    begun: float = field(default_factory=time.time)

    def is_busy(self) -> bool:
        return bool(self.waiting or self.running)

    def submit(self, at_once: int) -> None:
        """Submit jobs until so many run."""
        while self.waiting and len(self.running) < at_once:
            job = self.waiting.pop(0)
            # By force a second time would throw away what was saved before the kill.
            force = self.order.training.force and job not in self.killed
            training = dataclasses.replace(self.order.training, force=force)
            self._submit_one(job, training)

    def _submit_one(self, job: Job, training: Training) -> None:
        from submitit.core.utils import FailedJobError

        on_cores = self.order.options.launcher == "local"
        try:
            # Ctrl-C is for this process; submitit's controller would kill the job.
            with deaf_to_the_terminal(), outside_of_slurm():
                submitted = self.executor.submit(
                    run_submitted_job,
                    Submitted.of(job),
                    self.order.out.absolute(),
                    training,
                    on_cores,
                )
        except (subprocess.CalledProcessError, FailedJobError) as error:
            self.failures.append(Failure(job, last_line(error)))
            return
        self.running.append((job, submitted))
        self._say(job, f"job {submitted.job_id}")

    def collect(self) -> None:
        """Take the jobs that have ended out of those that run."""
        ended = [pair for pair in self.running if pair[1].done()]
        self.running = [pair for pair in self.running if pair not in ended]
        for job, submitted in ended:
            # Twice is no accident: then the job itself is to blame.
            if job not in self.killed and _was_killed(submitted):
                self._resubmit(job, submitted)
            elif (error := submitted.exception()) is not None:
                why = f"{last_line(error)} (log: {submitted.paths.stderr})"
                self.failures.append(Failure(job, why))
            else:
                self._say(job, "finished")

    def _resubmit(self, job: Job, submitted: Any) -> None:
        self._say(job, f"job {submitted.job_id} was killed and is submitted again")
        left = _without_finished(job, self.order.out, self.begun)
        if left.configs:
            self.killed.append(left)
            self.waiting.append(left)

    def _say(self, job: Job, what: str) -> None:
        self.order.console.say(f"{job.name}: {what}")


def _without_finished(job: Job, out: Path, since: float) -> Job:
    """What is left of a job that was killed: the runs that it did not finish since then."""
    configs = []
    names = []
    for config, name in zip(job.configs, job.labels, strict=True):
        meta = RunFolder.of(out, config).final.meta
        # An older one is of a run that is trained again, by force.
        finished = meta.is_file() and meta.stat().st_mtime >= since
        if not finished:
            configs.append(config)
            names.append(name)
    return job._replace(configs=tuple(configs), labels=tuple(names))


def _stop(submitted: Any, local: bool) -> None:
    """Pass a stop on to a job."""
    if local:
        # Not by submitit's `cancel`, which kills a local job after a second; its controller
        # forwards this signal.
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(submitted.job_id), signal.SIGTERM)
    else:
        submitted.cancel()


def _was_killed(submitted: Any) -> bool:
    """Whether a job ended without a word: by SIGKILL, or with its machine."""
    from submitit.core.utils import FailedJobError, UncompletedJobError

    error = submitted.exception()
    return isinstance(error, UncompletedJobError) and not isinstance(
        error, FailedJobError
    )


@contextlib.contextmanager
def outside_of_slurm() -> Iterator[None]:
    """Jobs that are submitted meanwhile inherit nothing of a job that this process may be in.

    Its memory, tasks and binding would contradict theirs, and a member of an array would hand them
    its number, by which submitit looks for what they are to do.
    """
    from submitit.helpers import clean_env

    # Outside of a job these are the user's own wishes, such as SBATCH_ACCOUNT.
    if "SLURM_JOB_ID" not in os.environ:
        yield
        return
    where = {name: os.environ[name] for name in OF_CLUSTER if name in os.environ}
    with clean_env():
        os.environ.update(where)
        yield


def slurm_resources(options: Launch) -> dict[str, Any]:
    """What submitit asks Slurm for."""
    asked = {
        "timeout_min": options.minutes,
        "cpus_per_task": options.cores,
        "mem_gb": options.memory_gb,
        # A cluster without GPUs refuses to be asked for none of them.
        "gpus_per_node": options.gpus or None,
        "slurm_partition": options.partition,
        "slurm_account": options.account,
    }
    return {name: value for name, value in asked.items() if value is not None}
