"""Running the jobs of a sweep: in this process, side by side on its devices, or by submitit.

Submitit starts them as processes of this machine or as jobs of a Slurm cluster.
"""

import contextlib
import dataclasses
import os
import queue
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import Progress

from adama_jax.config.options import Launch, Training, way_out
from adama_jax.errors import Interrupted, in_a_line
from adama_jax.execution.build import make_env
from adama_jax.execution.devices import set_up_jax, usable_cores
from adama_jax.execution.observer import Hooks, JobInfo, make_observers
from adama_jax.execution.progress import progress_bars
from adama_jax.execution.runner import run
from adama_jax.execution.stopping import deaf_to_ctrl_c, stop_on_signals
from adama_jax.storage.folder import RunFolder
from adama_jax.studies.sweep import Job

LOCAL = {"timeout_min": 60 * 24 * 30}  # 30 days: submitit requires a time limit
POLL_SECONDS = 0.5  # between two looks at the submitted jobs
MOST_LETTERS = 300  # of an error in one line


class Failure(NamedTuple):
    """A job that did not end well."""

    job: Job
    why: str


def launch(
    jobs: Sequence[Job],
    out: Path,
    options: Launch,
    console: Console,
    training: Training = Training(),
) -> list[Failure]:
    """Run jobs to their end; one that fails does not stop the others.

    Returns:
        What failed, and why, in a line.

    Raises:
        Stopped: by Ctrl-C or SIGTERM; the jobs have written checkpoints.
    """
    if not jobs:
        return []
    if options.launcher == "here":
        failures = _here(jobs, out, options, console, training)
    else:
        failures = _submitted(jobs, out, options, console, training)
    for job, why in failures:
        console.print(f"{job.name}: failed: {why}", style="red", highlight=False, soft_wrap=True)
    return failures


def _here(
    jobs: Sequence[Job], out: Path, options: Launch, console: Console, training: Training
) -> list[Failure]:
    """One thread per share of the devices: a program compiles and runs on its own share."""
    import jax

    devices = jax.local_devices()
    beside = min(len(jobs), options.at_once or len(devices), len(devices))
    shares: queue.Queue[list[Any]] = queue.Queue()
    for first in range(beside):
        shares.put(devices[first::beside])
    # What a world imports is imported once, before there are threads.
    for config in {job.configs[0].scenario: job.configs[0] for job in jobs}.values():
        make_env(config)

    def work(job: Job, left: int, bars: Progress, stop: Callable[[], bool]) -> str | None:
        share = shares.get()
        info = JobInfo(job.name, bars, left)
        hooks = _hooks(info, training, stop)
        try:
            if not stop():
                run(job.configs, out, hooks, share, training=training, labels=job.labels)
        except Interrupted as stopped:
            hooks.report(str(stopped))
        except Exception as error:
            # A line, and not the exception: its frames would hold the device's memory.
            return in_a_line(error) + way_out(error)
        finally:
            shares.put(share)
        return None

    with (
        stop_on_signals() as stop,
        progress_bars(console) as bars,
        ThreadPoolExecutor(beside) as pool,
    ):
        # How many jobs a thread has, for the time that is left: only its first tells.
        rounds = -(-len(jobs) // beside)
        futures = []
        for number, job in enumerate(jobs):
            left = rounds if number < beside else 1
            futures.append(pool.submit(work, job, left, bars, stop))
        wait(futures)
    reasons = [future.result() for future in futures]
    ended = zip(jobs, reasons, strict=True)
    return [Failure(job, why) for job, why in ended if why is not None]


def _submitted(
    jobs: Sequence[Job], out: Path, options: Launch, console: Console, training: Training
) -> list[Failure]:
    """Submitit's jobs, `at_once` at a time; what they print is in `out/jobs`.

    A stop is passed on to them. A job that was killed is submitted once more: it resumes from what
    it had saved.
    """
    import submitit

    cores = usable_cores()
    local = options.launcher == "local"
    beside = min(len(jobs), options.at_once or (cores if local else len(jobs)))
    executor = submitit.AutoExecutor(folder=out / "jobs", cluster=options.launcher)
    executor.update_parameters(name="adama", **(LOCAL if local else _slurm(options)))
    if local:
        # The jobs share the machine's cores.
        training = dataclasses.replace(training, devices=max(1, cores // beside))
    submissions = _Submissions(jobs, executor, out, training, console)
    with stop_on_signals() as stop:
        while submissions.unfinished() and not stop():
            submissions.submit_waiting(beside)
            submissions.take_back_ended()
            time.sleep(POLL_SECONDS)
        submissions.stop_running(local)
    return submissions.failures


class _Submissions:
    """Jobs that wait, run and end; `failures` are those that ended badly."""

    def __init__(
        self, jobs: Sequence[Job], executor: Any, out: Path, training: Training, console: Console
    ):
        self.failures: list[Failure] = []
        self._waiting = list(jobs)
        self._running: list[tuple[Job, Any]] = []
        self._resubmitted: list[Job] = []  # what is left of jobs that were killed
        self._executor = executor
        self._out = out
        self._training = training
        self._console = console
        self._begun = time.time()

    def unfinished(self) -> bool:
        """Whether a job waits or runs."""
        return bool(self._waiting or self._running)

    def submit_waiting(self, at_once: int) -> None:
        """Submit jobs until so many run."""
        while self._waiting and len(self._running) < at_once:
            job = self._waiting.pop(0)
            # By force a second time would throw away what was saved before the kill.
            force = self._training.force and job not in self._resubmitted
            how = dataclasses.replace(self._training, force=force)
            submitted, failed = _hand_in(self._executor, job, self._out, how, self._console)
            if submitted is not None:
                self._running.append((job, submitted))
            self.failures += failed

    def take_back_ended(self) -> None:
        """Look after the jobs that have ended: well, badly, or killed."""
        ended = [pair for pair in self._running if pair[1].done()]
        self._running = [pair for pair in self._running if pair not in ended]
        for job, submitted in ended:
            if _was_killed(submitted) and job not in self._resubmitted:
                self._wait_again(job, submitted)
            else:
                self.failures += _take_back(job, submitted, self._console)

    def stop_running(self, local: bool) -> None:
        """Pass a stop on; the jobs then save, for as long as a stop is given."""
        for _, submitted in self._running:
            _stop(submitted, local)
        while not all(submitted.done() for _, submitted in self._running):
            time.sleep(0.1)

    def _wait_again(self, job: Job, submitted: Any) -> None:
        restarted = f"job {submitted.job_id} was killed and is submitted again"
        self._console.print(f"{job.name}: {restarted}", highlight=False)
        left = _without_finished(job, self._out, self._begun)
        if left.configs:
            self._resubmitted.append(left)
            self._waiting.append(left)


def _without_finished(job: Job, out: Path, since: float) -> Job:
    """What is left of a job that was killed: the runs that it did not finish since then."""
    configs, names = [], []
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
    return isinstance(error, UncompletedJobError) and not isinstance(error, FailedJobError)


def _hand_in(
    executor: Any, job: Job, out: Path, training: Training, console: Console
) -> tuple[Any, list[Failure]]:
    """The submitted job, or None and why it was refused."""
    from submitit.core.utils import FailedJobError

    try:
        # Ctrl-C is for this process; submitit's controller would kill the job.
        with deaf_to_ctrl_c():
            submitted = executor.submit(run_job, job, out.absolute(), training)
    except (subprocess.CalledProcessError, FailedJobError) as error:
        return None, [Failure(job, _own_last_line(error))]
    console.print(f"{job.name}: job {submitted.job_id}", highlight=False)
    return submitted, []


def _take_back(job: Job, submitted: Any, console: Console) -> list[Failure]:
    """A job that has ended: nothing, or why it failed."""
    error = submitted.exception()
    if error is not None:
        return [Failure(job, f"{_own_last_line(error)} (log: {submitted.paths.stderr})")]
    console.print(f"{job.name}: finished", highlight=False)
    return []


def run_job(job: Job, out: Path, training: Training) -> None:
    """What a submitted job does, in its own process."""
    set_up_jax(training.devices)
    with stop_on_signals() as stop, progress_bars(Console(width=160)) as bars:
        hooks = _hooks(JobInfo(job.name, bars), training, stop)
        run(job.configs, out, hooks, training=training, labels=job.labels)


def _hooks(job: JobInfo, training: Training, stop: Callable[[], bool]) -> Hooks:
    """The observers that were asked for; what a person should know goes to the console."""

    def report(line: str) -> None:
        console = job.bars.console
        console.print(f"{job.name}: {line}", style="yellow", highlight=False, soft_wrap=True)

    return Hooks(make_observers(training.observers, job), report, stop)


def _slurm(options: Launch) -> dict[str, Any]:
    resources = {
        "timeout_min": options.minutes,
        "cpus_per_task": options.cores,
        "mem_gb": options.memory_gb,
        "gpus_per_node": options.gpus,
    }
    named = {"slurm_partition": options.partition, "slurm_account": options.account}
    return resources | {name: value for name, value in named.items() if value is not None}


def _own_last_line(error: BaseException) -> str:
    """The last line of an error that says something."""
    stripped = [line.strip(" -") for line in str(error).splitlines()]
    lines = [line for line in stripped if line]
    # Submitit ends a job's traceback with rules and the names of its logs.
    said = [line for line in lines if not line.startswith("/") and "logs" not in line]
    last = (said or lines or ["no message"])[-1]
    return f"{type(error).__name__}: {last[:MOST_LETTERS]}"
