"""Running jobs: in this process, or by submitit as processes of this machine or Slurm's jobs."""

from collections.abc import Sequence
from pathlib import Path

from adama_jax.config.options import Launch, Training
from adama_jax.screen.console import Screen
from adama_jax.studies.here import run_here
from adama_jax.studies.jobs import Failure, Job, Order
from adama_jax.studies.submitted import run_submitted


def launch(
    jobs: Sequence[Job],
    out: Path,
    options: Launch,
    console: Screen,
    training: Training = Training(),
) -> list[Failure]:
    """Run jobs to their end; one that fails does not stop the others.

    Returns:
        What failed, and why, in a line.

    Raises:
        Stopped: by a signal; the jobs have written checkpoints.
    """
    if not jobs:
        return []
    run = run_here if options.launcher == "here" else run_submitted
    failures = run(Order(jobs, out, options, console, training))
    for job, why in failures:
        console.say(f"{job.name}: failed: {why}", style="red")
    return failures
