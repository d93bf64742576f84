"""Jobs in this process: side by side on its devices, or the one job of a submitted process."""

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, NamedTuple

from rich.progress import Progress

from adama_jax.config.identity import from_dict, to_dict
from adama_jax.config.options import Training, way_out
from adama_jax.errors import Interrupted
from adama_jax.execution.build import make_env
from adama_jax.execution.jax_setup import local_devices, set_up_jax, use_cores
from adama_jax.execution.observer import Hooks, JobInfo, make_observers
from adama_jax.execution.runner import run
from adama_jax.execution.stopping import stop_on_signals
from adama_jax.plugins.loading import Outside
from adama_jax.screen.console import Screen
from adama_jax.screen.streams import steady_streams
from adama_jax.studies.jobs import Failure, Job, Order, last_line, saved_by
from adama_jax.types import Device

LOG_COLUMNS = 160  # of what a submitted job prints, which goes to a file


def run_here(order: Order) -> list[Failure]:
    """One thread per share of the devices: a program compiles and runs on its own share.

    Returns:
        The jobs that failed.

    Raises:
        Stopped: by a signal; the jobs have written checkpoints.
        SettingError: JAX has no devices of the kind that the environment asks for.
    """
    jobs = order.jobs
    shares = _shares(order)
    # What a world imports is imported once, before there are threads.
    one_of_each = {job.configs[0].scenario: job.configs[0] for job in jobs}
    for config in one_of_each.values():
        make_env(config)
    with (
        stop_on_signals(saved_by(jobs, order.out)) as stop,
        order.console.bars() as bars,
        ThreadPoolExecutor(len(shares)) as pool,
    ):
        workers = _Workers(order, bars, stop, queue.Queue())
        for share in shares:
            workers.shares.put(share)
        # Of the jobs that a thread runs one after another, the first estimates the time for all.
        rounds = -(-len(jobs) // len(shares))
        futures = []
        for number in range(len(jobs)):
            left = rounds if number < len(shares) else 1
            futures.append(pool.submit(workers.train, number, left))
        wait(futures)
    reasons = [future.result() for future in futures]
    ended = zip(jobs, reasons, strict=True)
    return [Failure(job, why) for job, why in ended if why is not None]


def _shares(order: Order) -> list[list[Device]]:
    """The devices of each of the programs that run side by side."""
    devices = local_devices()
    most = order.options.at_once or len(devices)
    beside = min(len(order.jobs), most, len(devices))
    return [devices[first::beside] for first in range(beside)]


class _Workers(NamedTuple):
    """What the threads have in common."""

    order: Order
    bars: Progress
    stop: Callable[[], bool]
    shares: queue.Queue[list[Device]]  # the devices that nobody uses

    def train(self, number: int, left: int) -> str | None:
        """Train a job.

        Args:
            number: which of the jobs, from 0.
            left: of how many programs the first one estimates the time.

        Returns:
            Why it failed, in a line; None if it did not.
        """
        jobs = self.order.jobs
        job = jobs[number]
        share = self.shares.get()
        info = JobInfo(
            job.name,
            self.order.console,
            self.bars,
            number=number + 1,
            jobs=len(jobs),
            programs=left,
        )
        try:
            if not self.stop():
                # Within, for an observer may be anybody's code: one that cannot be made fails its
                # job, and the next job gets the share.
                hooks = _hooks(info, self.order.training, self.stop)
                _train(job, self.order, hooks, share)
        except Exception as error:
            # A line, and not the exception: its frames would hold the device's memory.
            return last_line(error) + way_out(error)
        finally:
            self.shares.put(share)
        return None


def _train(job: Job, order: Order, hooks: Hooks, share: Sequence[Device]) -> None:
    """Train a job on a share of the devices; where it was stopped, say so."""
    try:
        run(
            job.configs,
            order.out,
            hooks,
            share,
            training=order.training,
            labels=job.labels,
        )
    except Interrupted as stopped:
        hooks.report(str(stopped))


class Submitted(NamedTuple):
    """A job as it travels to another process: plain data.

    Its settings may be of a user's own classes, whose module must be found before they are made.
    """

    name: str
    settings: tuple[dict[str, Any], ...]  # of each configuration
    labels: tuple[str, ...]
    outside: Outside

    @classmethod
    def of(cls, job: Job) -> "Submitted":
        """A job of this process."""
        return cls(
            job.name, tuple(map(to_dict, job.configs)), job.labels, Outside.here()
        )

    def job(self) -> Job:
        """The job again, in the process that is to do it.

        Raises:
            SettingError: what the settings name from outside cannot be imported here.
        """
        self.outside.enter()
        return Job(self.name, tuple(map(from_dict, self.settings)), self.labels)


def run_submitted_job(
    submitted: Submitted, out: Path, training: Training, on_cores: bool = False
) -> None:
    """What a submitted job does, in its own process.

    Args:
        submitted: what to train.
        out: the results folder.
        training: how.
        on_cores: of this machine, which other jobs share: no GPU, unless `JAX_PLATFORMS` says so.
    """
    if on_cores:
        use_cores(unless_named=True)
    set_up_jax(training.devices)
    job = submitted.job()
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

    # One that is named twice looks on once.
    names = list(dict.fromkeys((*training.observers, *training.logger)))
    return Hooks(make_observers(names, job), report, stop)
