"""How runs are trained and launched, as dataclasses. Importable without JAX."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from adama_jax.bounds import (
    UP_TO_BILLION,
    UP_TO_MILLION,
    UP_TO_THOUSAND,
    AtLeast,
    Each,
    OneOf,
    Whole,
)
from adama_jax.errors import AnotherVersion
from adama_jax.fields import Elsewhere, ReadUnless, ReadWith
from adama_jax.plugins.registry import Registry, only_callable

# Who looks on while runs train, by name: an import path to what makes one of an
# `execution.observer.JobInfo`. Another one is a file of its own and a line here.
OBSERVERS = Registry(
    "observer",
    {
        "progress": "adama_jax.execution.progress:ProgressObserver",
        "jsonl": "adama_jax.execution.log:log_observer",
        "tensorboard": "adama_jax.execution.tensorboard:tensorboard",
        "wandb": "adama_jax.execution.wandb:wandb",
    },
    adopt=only_callable("must be a function that makes an observer of a JobInfo"),
    setting="observers",
)

# The packages of those that hand the curves to a tool.
LOGGER_PACKAGES = {"tensorboard": "tensorboardX", "wandb": "wandb"}

FILMED_EPISODES = 4  # the first ones of `adama play`

# The fields of what has this mark have no prefix on the command line.
Flat = tyro.conf.arg(name="")

OF_SLURM = ReadWith("launcher", "slurm")


@dataclass(frozen=True)
class Training:
    """How runs are trained: on what, and when they are saved."""

    force: bool = False
    """Train again what is finished, and anew what was begun."""
    devices: Annotated[int | None, UP_TO_THOUSAND] = None
    """Host devices on a CPU; None: one per core."""
    checkpoint_minutes: Annotated[float | None, AtLeast(0, finite=True)] = 10.0
    """Minutes between checkpoints; None: only when stopped (Ctrl-C, SIGTERM)."""
    keep_every: Annotated[int | None, UP_TO_BILLION] = None
    """Also keep checkpoints at least this many episodes apart; None: the newest two only."""
    keep_last: bool = False
    """Keep the last checkpoint of a finished run, so that it can be trained on to more episodes:
    `adama resume RUN episodes=...`."""
    replay_every: Annotated[
        int, UP_TO_MILLION, ReadUnless("checkpoint_minutes", None)
    ] = 1
    """Checkpoints for each one that has the replay; above 1 a run resumes with an older replay."""
    if_save_fails: Literal["go_on", "stop"] = "go_on"
    """What to do when a checkpoint cannot be written: train on and say so, or stop."""
    observers: Annotated[tuple[str, ...], Each(OneOf(OBSERVERS), or_none=True)] = (
        "progress",
        "jsonl",
    )
    """Who looks on: progress (bars or lines), jsonl (metrics.jsonl in a run's folder)."""
    logger: Annotated[
        tuple[str, ...],
        Each(OneOf(OBSERVERS), or_none=True),
        Elsewhere(("loggers", "log", "use_wandb", "track")),
    ] = ()
    """Tools that have the curves too, beside the observers: tensorboard, wandb, or an import path
    of your own."""


@dataclass(frozen=True)
class Output:
    """Where results go."""

    out: Annotated[Path, Elsewhere(("output", "results", "logdir"))] = Path("results")
    """Folder of the results."""
    training: Annotated[Training, Flat] = Training()


@dataclass(frozen=True)
class Launch:
    """Where the programs of a sweep run."""

    launcher: Literal["here", "local", "slurm"] = "here"
    """here: this process; local: processes on this machine's CPU; slurm: jobs of a cluster."""
    at_once: Annotated[int | None, UP_TO_MILLION] = None
    """Programs or jobs at a time; None: here one per device, local one per core, slurm all."""
    parts: Annotated[int, UP_TO_MILLION] = 1
    """Jobs that each program's settings are divided into."""
    minutes: Annotated[int, UP_TO_MILLION, OF_SLURM] = 720
    """Time limit of a job (slurm)."""
    gpus: Annotated[int, Whole(0, 1_000), OF_SLURM] = 0
    """GPUs per job (slurm)."""
    cores: Annotated[int, UP_TO_THOUSAND, OF_SLURM] = 2
    """CPU cores per job (slurm)."""
    memory_gb: Annotated[int, UP_TO_MILLION, OF_SLURM] = 16
    """Memory per job, GB (slurm)."""
    partition: Annotated[str | None, OF_SLURM] = None
    """Partition (slurm)."""
    account: Annotated[str | None, OF_SLURM] = None
    """Account (slurm)."""


def way_out(error: BaseException) -> str:
    """What to add to an error's line, in the settings' words, where there is a setting that helps.

    >>> from adama_jax.errors import OtherSettings
    >>> way_out(OtherSettings("it was trained with seeds=3"))
    ' (force=true trains it again)'
    >>> way_out(OSError())
    ''
    """
    return " (force=true trains it again)" if isinstance(error, AnotherVersion) else ""
