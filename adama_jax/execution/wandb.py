"""Weights & Biases as an observer: a run of theirs for each seed, in a group for each of our runs.

Theirs is resumed with ours: its id is in our run's folder. Where it goes, and whether it goes there
at once, is said to wandb as always: WANDB_PROJECT, WANDB_ENTITY, WANDB_MODE=offline, `wandb login`.
"""

import os
import uuid
from collections.abc import Mapping
from typing import Any

from adama_jax.errors import check_installed
from adama_jax.execution.events import Member
from adama_jax.execution.logger import Logger, hyperparameters
from adama_jax.execution.observer import JobInfo
from adama_jax.storage.files import write_text
from adama_jax.storage.folder import PARTIAL, RunFiles

NAME = "wandb"
PROJECT = "adama-jax"  # unless WANDB_PROJECT says another
PATIENCE = 30.0  # seconds for their server to answer


def wandb(job: JobInfo) -> Logger:
    """The observer `wandb`.

    Raises:
        MissingPackage: wandb is not installed.
    """
    check_installed("wandb", f"logger={NAME}")
    return Logger(job, NAME, _Stream)


class _Stream:
    """The run of one member at wandb."""

    def __init__(self, member: Member):
        import wandb as package

        # What we print is ours, and so is the folder that git would be asked of.
        settings = package.Settings(
            silent=True, console="off", disable_git=True, init_timeout=PATIENCE
        )
        out = str(member.folder.parents[1])
        group, name = _names_of(member)
        self._run: Any = package.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            dir=os.environ.get("WANDB_DIR", out),
            id=_id_of(member),
            resume="allow",
            # Beside those of the other members.
            reinit="create_new",
            settings=settings,
            group=group,
            name=name,
            config=hyperparameters(member),
        )
        # A step is an episode; of one that goes on at the server the last step is known.
        self.last = self._run.step - 1 if self._run.resumed else -1

    def write(self, episode: int, numbers: Mapping[str, float]) -> None:
        """All numbers of an episode at once, as wandb wants them."""
        self._run.log(dict(numbers), step=episode)

    def close(self) -> None:
        """Wait until what was written is on the disk, or at the server."""
        self._run.finish()


def _names_of(member: Member) -> tuple[str, str]:
    """What wandb's pages call the run that a member is of, and the member."""
    run = member.folder.name.removesuffix(PARTIAL)
    name = f"{member.config.scenario}, {member.label}, seed {member.seed}"
    return f"{member.folder.parent.name}/{run}", name


def _id_of(member: Member) -> str:
    """The id of a member's run at wandb: a new one, unless an earlier process began the member."""
    path = RunFiles(member.folder).loggers / NAME / f"seed-{member.seed}.txt"
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    name = uuid.uuid4().hex[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, f"{name}\n")
    return name
