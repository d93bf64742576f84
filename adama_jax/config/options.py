"""How runs are trained and launched, as dataclasses. Importable without JAX."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

# Who looks on while runs train, by name: an import path to what makes one of an
# `execution.observer.JobInfo`. Another one is a file of its own and a line here.
OBSERVERS = {
    "progress": "adama_jax.execution.progress:ProgressObserver",
    "jsonl": "adama_jax.execution.log:log_observer",
}

Flat = tyro.conf.arg(name="")  # its fields have no prefix on the command line


@dataclass(frozen=True)
class Training:
    """How runs are trained: on what, and when they are saved."""

    force: bool = False
    """Train again what is finished, and anew what was begun."""
    devices: int | None = None
    """Host devices on a CPU; None: one per core."""
    checkpoint_minutes: float | None = 10.0
    """Minutes between checkpoints; None: only when stopped (Ctrl-C, SIGTERM)."""
    keep_every: int | None = None
    """Also keep checkpoints at least this many episodes apart; None: the newest two only."""
    replay_every: int = 1
    """Checkpoints for each one that has the replay; above 1 a run resumes with an older replay."""
    if_save_fails: Literal["go_on", "stop"] = "go_on"
    """What to do when a checkpoint cannot be written: train on and say so, or stop."""
    observers: tuple[str, ...] = ("progress", "jsonl")
    """Who looks on: progress (bars or lines), jsonl (metrics.jsonl in a run's folder)."""


@dataclass(frozen=True)
class Output:
    """Where results go."""

    out: Path = Path("results")
    """Folder of the results."""
    training: Annotated[Training, Flat] = Training()


@dataclass(frozen=True)
class Launch:
    """Where the programs of a sweep run."""

    launcher: Literal["here", "local", "slurm"] = "here"
    """here: this process; local: processes on this machine's CPU; slurm: a cluster's jobs (both by submitit)."""
    at_once: int | None = None
    """Programs or jobs at a time; None: here one a device, local one a core, slurm all."""
    parts: int = 1
    """Jobs that each program's settings are divided into."""
    minutes: int = 720
    """Time limit of a job (slurm)."""
    gpus: int = 0
    """GPUs a job (slurm)."""
    cores: int = 2
    """CPU cores a job (slurm)."""
    memory_gb: int = 16
    """Memory a job, GB (slurm)."""
    partition: str | None = None
    """Partition (slurm)."""
    account: str | None = None
    """Account (slurm)."""
