"""TensorBoard as an observer: event files in the run's folder, a folder for each seed.

`tensorboard --logdir results` finds them. Each process writes them anew, with all points so far, so
that a resumed run has one stream with each point once.
"""

import shutil
from collections.abc import Mapping
from typing import Any

from adama_jax.errors import check_installed
from adama_jax.execution.events import Member
from adama_jax.execution.logger import Logger, hyperparameters
from adama_jax.execution.observer import JobInfo
from adama_jax.storage.folder import RunFiles

NAME = "tensorboard"
SHOWN = "eval_return"  # beside the hyperparameters, in the tab that compares runs


def tensorboard(job: JobInfo) -> Logger:
    """The observer `tensorboard`.

    Raises:
        MissingPackage: tensorboardX is not installed.
    """
    check_installed("tensorboardX", f"logger={NAME}")
    return Logger(job, NAME, _Stream)


class _Stream:
    """The event file of one member."""

    def __init__(self, member: Member):
        from tensorboardX import SummaryWriter
        from tensorboardX.summary import hparams

        self.last = -1
        folder = RunFiles(member.folder).loggers / NAME / f"seed-{member.seed}"
        shutil.rmtree(folder, ignore_errors=True)
        self._writer: Any = SummaryWriter(str(folder))
        experiment, start, self._end = hparams(hyperparameters(member), {SHOWN: 0.0})
        self._writer.file_writer.add_summary(experiment)
        self._writer.file_writer.add_summary(start)

    def write(self, episode: int, numbers: Mapping[str, float]) -> None:
        """Points are seconds apart: whoever looks sees each at once."""
        for name, number in numbers.items():
            self._writer.add_scalar(name, number, episode)
        self._writer.flush()

    def close(self) -> None:
        """Also says that the member is at its end."""
        self._writer.file_writer.add_summary(self._end)
        self._writer.close()
