"""Jobs in this process: side by side on its devices, or the one job of a submitted process."""

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from rich.progress import Progress

from adama_jax.config.options import Launch, Training, way_out
from adama_jax.errors import Interrupted
from adama_jax.execution.build import make_env
from adama_jax.execution.jax_setup import local_devices, set_up_jax
from adama_jax.execution.observer import Hooks, JobInfo, make_observers
from adama_jax.execution.runner import run
from adama_jax.execution.stopping import stop_on_signals
from adama_jax.screen.console import Screen
from adama_jax.screen.streams import steady_streams
from adama_jax.studies.jobs import Failure, Job, last_line, saved_by

LOG_COLUMNS = 160  # of what a submitted job prints, which goes to a file


def run_here(
    jobs: Sequence[Job],
    out: Path,
    options: Launch,
    console: Screen,
    training: Training,
) -> list[Failure]:
    """One thread per share of the devices: a program compiles and runs on its own share.

    Returns:
        The jobs that failed.

    Raises:
        Stopped: by a signal; the jobs have written checkpoints.
        SettingError: JAX has no devices of the kind that the environment asks for.
    """
    devices = local_devices()
    beside = min(len(jobs), options.at_once or len(devices), len(devices))
    shares: queue.Queue[list[Any]] = queue.Queue()
    for first in range(beside):
        shares.put(devices[first::beside])
    # What a world imports is imported once, before there are threads.
    one_of_each = {job.configs[0].scenario: job.configs[0] for job in jobs}
    for config in one_of_each.values():
        make_env(config)

    def work(
        number: int,
        left: int,
        bars: Progress,
        stop: Callable[[], bool],
    ) -> str | None:
        share = shares.get()
        job = jobs[number]
        info = JobInfo(
            job.name, console, bars, number=number + 1, jobs=len(jobs), programs=left
        )
        try:
            if not stop():
                # Within, for an observer may be anybody's code: one that cannot be made fails its
                # job, and the next job gets the share.
                hooks = _hooks(info, training, stop)
                _train(job, out, hooks, share, training)
        except Exception as error:
            # A line, and not the exception: its frames would hold the device's memory.
            return last_line(error) + way_out(error)
        finally:
            shares.put(share)
        return None

    with (
        stop_on_signals(saved_by(jobs, out)) as stop,
        console.bars() as bars,
        ThreadPoolExecutor(beside) as pool,
    ):
        # Of the jobs that a thread runs one after another, the first estimates the time for all.
        rounds = -(-len(jobs) // beside)
        futures = []
        for number in range(len(jobs)):
            left = rounds if number < beside else 1
            futures.append(pool.submit(work, number, left, bars, stop))
        wait(futures)
    reasons = [future.result() for future in futures]
    ended = zip(jobs, reasons, strict=True)
    return [Failure(job, why) for job, why in ended if why is not None]


def _train(
    job: Job, out: Path, hooks: Hooks, share: Sequence[Any], training: Training
) -> None:
    """Train a job on a share of the devices; where it was stopped, say so."""
    try:
        run(job.configs, out, hooks, share, training=training, labels=job.labels)
    except Interrupted as stopped:
        hooks.report(str(stopped))


def run_job(job: Job, out: Path, training: Training) -> None:
    """What a submitted job does, in its own process."""
    set_up_jax(training.devices)
    with (
        steady_streams(),
        # Whoever submitted it passes on what the terminal sends.
        stop_on_signals(saved_by([job], out), terminal=False) as stop,
    ):
        screen = Screen(width=LOG_COLUMNS)
        with screen.bars() as bars:
            hooks = _hooks(JobInfo(job.name, screen, bars), training, stop)
            run(job.configs, out, hooks, training=training, labels=job.labels)


def _hooks(
    job: JobInfo,
    training: Training,
    stop: Callable[[], bool],
) -> Hooks:
    """The observers that were asked for; what a person should know goes to the console."""

    def report(line: str) -> None:
        job.screen.say(f"{job.name}: {line}", style="yellow")

    return Hooks(make_observers(training.observers, job), report, stop)
