"""Running the jobs of a sweep: here, side by side on this process's devices, or on other machines by submitit."""

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

from adama_jax.config.options import Launch, Training
from adama_jax.errors import Interrupted
from adama_jax.execution.build import make_env
from adama_jax.execution.devices import set_up_jax, usable_cores
from adama_jax.execution.loop import Watch
from adama_jax.execution.progress import Reporter, progress_bars
from adama_jax.execution.runner import run
from adama_jax.execution.saver import Saving
from adama_jax.execution.stopping import deaf_to_ctrl_c, stop_on_signals
from adama_jax.storage.folder import RunFolder
from adama_jax.studies.sweep import Job

LOCAL = {"timeout_min": 60 * 24 * 30}  # submitit has no other word for: as long as it takes


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
    failures = (_here if options.launcher == "here" else _submitted)(
        jobs, out, options, console, training
    )
    for job, why in failures:
        console.print(f"{job.name}: failed: {why}", style="red", highlight=False, soft_wrap=True)
    return failures


def _here(
    jobs: Sequence[Job], out: Path, options: Launch, console: Console, training: Training
) -> list[Failure]:
    """One thread a share of the devices: a program runs and compiles on its own share, beside the others."""
    import jax

    devices = jax.local_devices()
    beside = min(len(jobs), options.at_once or len(devices), len(devices))
    shares: queue.Queue[list[Any]] = queue.Queue()
    for place in range(beside):
        shares.put(devices[place::beside])
    for config in {job.configs[0].scenario: job.configs[0] for job in jobs}.values():
        make_env(config)  # what a world imports is imported once, before there are threads

    def work(job: Job, left: int, bars: Progress, stop: Callable[[], bool]) -> str | None:
        share = shares.get()
        reporter = Reporter(job.name, job.configs, job.labels, bars, left)
        try:
            if not stop():
                run(
                    job.configs,
                    out,
                    _watch(reporter, stop),
                    share,
                    saving=saving(training),
                    again=training.force,
                )
        except Interrupted as stopped:
            reporter.tell(str(stopped))
        except (
            Exception
        ) as error:  # a line, and not the exception: its frames would hold the device's memory
            return _in_a_line(error)
        finally:
            reporter.finished()
            shares.put(share)
        return None

    with (
        stop_on_signals() as stop,
        progress_bars(console) as bars,
        ThreadPoolExecutor(beside) as pool,
    ):
        left = -(-len(jobs) // beside)
        futures = [
            pool.submit(work, job, left if place < beside else 1, bars, stop)
            for place, job in enumerate(jobs)
        ]
        wait(futures)
    return [
        Failure(job, why)
        for job, future in zip(jobs, futures, strict=True)
        if (why := future.result())
    ]


def _submitted(
    jobs: Sequence[Job], out: Path, options: Launch, console: Console, training: Training
) -> list[Failure]:
    """Submitit's jobs, `at_once` at a time; what they print is in `out/jobs`. A stop is passed on to them.

    One that was killed goes on once more; what it had saved is not trained again.
    """
    import submitit

    cores = usable_cores()
    local = options.launcher == "local"
    beside = min(len(jobs), options.at_once or (cores if local else len(jobs)))
    executor = submitit.AutoExecutor(folder=out / "jobs", cluster=options.launcher)
    executor.update_parameters(name="adama", **(LOCAL if local else _slurm(options)))
    devices = max(1, cores // beside) if local else None
    training = dataclasses.replace(training, devices=devices or training.devices)
    waiting, running, failures, killed = list(jobs), [], [], []
    begun = time.time()
    with stop_on_signals() as stop:
        while (waiting or running) and not stop():
            while waiting and len(running) < beside:
                job = waiting.pop(0)
                again = training.force and job not in killed
                submitted, failed = _hand_in(
                    executor, job, out, dataclasses.replace(training, force=again), console
                )
                running += [(job, submitted)] if submitted else []
                failures += failed
            ended = [pair for pair in running if pair[1].done()]
            running = [pair for pair in running if pair not in ended]
            for job, submitted in ended:
                if job not in killed and _was_killed(submitted):
                    console.print(
                        f"{job.name}: job {submitted.job_id} was killed; goes on", highlight=False
                    )
                    left = _without_finished(job, out, begun)
                    killed.append(left)
                    waiting += [left] if left.configs else []
                else:
                    failures += _take_back(job, submitted, console)
            time.sleep(0.5)
        for _, submitted in running:
            _stop(submitted, local)
        while not all(submitted.done() for _, submitted in running):
            time.sleep(0.1)  # they save, for as long as a stop is given
    return failures


def _without_finished(job: Job, out: Path, since: float) -> Job:
    """What is left of a job that was killed."""
    metas = [RunFolder.of(out, config).final.meta for config in job.configs]
    left = [
        n for n, meta in enumerate(metas) if not (meta.is_file() and meta.stat().st_mtime >= since)
    ]
    return job._replace(
        configs=tuple(job.configs[n] for n in left), labels=tuple(job.labels[n] for n in left)
    )


def _stop(submitted: Any, local: bool) -> None:
    """Pass a stop on. (submitit's own way of cancelling a local job kills it after a second.)"""
    if local:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(submitted.job_id), signal.SIGTERM)  # which its controller forwards
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
        with deaf_to_ctrl_c():  # it is for us; submitit's controller would kill the job
            submitted = executor.submit(run_job, job, out.absolute(), training)
    except (subprocess.CalledProcessError, FailedJobError) as error:
        return None, [Failure(job, _in_a_line(error))]
    console.print(f"{job.name}: job {submitted.job_id}", highlight=False)
    return submitted, []


def _take_back(job: Job, submitted: Any, console: Console) -> list[Failure]:
    """A job that has ended: nothing, or why it failed."""
    error = submitted.exception()
    if error is not None:
        return [Failure(job, f"{_in_a_line(error)} (log: {submitted.paths.stderr})")]
    console.print(f"{job.name}: finished", highlight=False)
    return []


def run_job(job: Job, out: Path, training: Training) -> None:
    """What a submitted job does, in its own process."""
    set_up_jax(training.devices)
    with stop_on_signals() as stop, progress_bars(Console(width=160)) as bars:
        watch = _watch(Reporter(job.name, job.configs, job.labels, bars), stop)
        run(job.configs, out, watch, saving=saving(training), again=training.force)


def _watch(reporter: Reporter, stop: Callable[[], bool]) -> Watch:
    return Watch(reporter, reporter.moved, reporter.broke, reporter.tell, stop)


def saving(training: Training) -> Saving:
    """When to save, as the command line has it."""
    return Saving(
        training.checkpoint_minutes,
        training.keep_every,
        training.replay_every,
        training.if_save_fails,
    )


def _slurm(options: Launch) -> dict[str, Any]:
    resources = {
        "timeout_min": options.minutes,
        "cpus_per_task": options.cores,
        "mem_gb": options.memory_gb,
        "gpus_per_node": options.gpus,
    }
    named = {"slurm_partition": options.partition, "slurm_account": options.account}
    return resources | {name: value for name, value in named.items() if value is not None}


def _in_a_line(error: BaseException) -> str:
    """The error's last line that says something: submitit ends a job's traceback with rules and the logs' names."""
    lines = [line for line in (line.strip(" -") for line in str(error).splitlines()) if line]
    said = [line for line in lines if not line.startswith("/") and "logs" not in line] or lines
    return f"{type(error).__name__}: {said[-1][:300] if said else 'no message'}"
