"""The checkpoints of a run: a folder for each group of its seeds that are trained together.

A group's folder is `<run>.partial/checkpoints/<group>`. In it are `state` and `replay`, apart so
that the replay can be saved less often. Each checkpoint of the state says whose it is, and of which
program: how wide that was, and on how many devices. In a program of that width on so many devices
its members go on equal bit for bit, whoever else is in it.
"""

import contextlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from adama_jax.errors import CheckpointError, SettingError, WrongShapes
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.folder import RunFiles, RunFolder

STATE = "state"
REPLAY = "replay"
# A file in the folder of a group of which no member stayed finite.
DIVERGED = "diverged"
# A file in the folder of a group that is finished and keeps its last checkpoint (`keep_last`).
LAST = "last"
BY_OLDER_VERSIONS = "slice.json"  # a file of versions up to VERSION_OF_SLICES
VERSION_OF_SLICES = "da08c89"


class SavedGroup(NamedTuple):
    """Seeds of a run that are trained, saved and resumed together."""

    folder: Path
    seeds: tuple[int, ...]
    width: int  # of their program
    devices: int
    # Of the newest two checkpoints, newest first; none: begins anew.
    episodes: tuple[int, ...]

    def described(self) -> dict[str, Any]:
        """What its checkpoints say of it; `find_groups` reads it."""
        return {"seeds": list(self.seeds), "width": self.width, "devices": self.devices}


def group_folder(partial: Path, seeds: Sequence[int]) -> Path:
    """Where the checkpoints of these seeds are; no two groups of a run have a seed in common."""
    return RunFiles(partial).checkpoints / f"seeds-{min(seeds)}-{max(seeds)}"


def find_groups(partial: Path, report: Callable[[str], None]) -> list[SavedGroup]:
    """The groups whose checkpoints an earlier process left in a run's folder.

    Only for the process that trains the run: checkpoints that cannot be used are set aside.

    Args:
        partial: the run's folder until it is whole.
        report: hears of those.

    Raises:
        WrongShapes: a checkpoint is good, but of another version.
    """
    found = []
    for folder in sorted(RunFiles(partial).checkpoints.glob("*")):
        if folder.is_dir() and not _is_kept(folder):
            group = read_group(folder, report)
            if group is not None:
                found.append(group)
    return found


def last_groups(run: Path) -> list[Path]:
    """The folders of the groups of a finished run that keep their last checkpoints."""
    return sorted(mark.parent for mark in RunFiles(run).checkpoints.glob(f"*/{LAST}"))


def _is_kept(folder: Path) -> bool:
    """Whether nobody resumes from a group's checkpoints, and nobody deletes them."""
    return (folder / DIVERGED).exists() or (folder / LAST).exists()


def read_group(folder: Path, report: Callable[[str], None]) -> SavedGroup | None:
    """What is saved of one group; None if none of its checkpoints can be used. As `find_groups`."""
    group = None
    with Checkpoints(folder / STATE) as checkpoints:
        for step in checkpoints.steps():
            try:
                about = checkpoints.about(step)
            except WrongShapes:
                raise
            except CheckpointError as error:
                report(f"a checkpoint is not used: {error}")
                checkpoints.set_aside(step)
                continue
            # The newest one says whose they are; the others are of the same members.
            if group is None:
                seeds = tuple(about["seeds"])
                group = SavedGroup(folder, seeds, about["width"], about["devices"], ())
            group = group._replace(episodes=(*group.episodes, step))
            # Older ones are kept for people (`keep_every`): to resume there would lose too much.
            if len(group.episodes) == 2:
                break
    return group


def saved_episodes(partial: Path) -> list[int]:
    """The episodes of which any of a run's seeds has a checkpoint; `partial` as in `find_groups`.

    Whether they can be read is not looked at.
    """
    steps = RunFiles(partial).checkpoints.glob(f"*/{STATE}/*")
    return [int(path.name) for path in steps if path.name.isdecimal()]


def has_checkpoints(partial: Path) -> bool:
    """Whether any of a run's seeds has a checkpoint to resume from; as `saved_episodes`."""
    return bool(saved_episodes(partial))


def discard_group(folder: Path) -> None:
    """Delete a group's checkpoints: its seeds are finished."""
    shutil.rmtree(folder, ignore_errors=True)
    _remove_if_empty(folder.parent)


def discard_leftovers(partial: Path) -> None:
    """Delete what is left of checkpoints once all seeds of a run are finished.

    A stop may leave a group without a checkpoint that can be used; its seeds are trained in other
    groups then, whose folders have other names. Groups that diverged stay, and so do last ones.
    """
    checkpoints = RunFiles(partial).checkpoints
    for folder in sorted(checkpoints.glob("*")):
        if folder.is_dir() and not _is_kept(folder):
            discard_group(folder)
    _remove_if_empty(checkpoints)


def _remove_if_empty(folder: Path) -> None:
    # One that has something in it, or is not there, is none to remove.
    with contextlib.suppress(OSError):
        folder.rmdir()


def keep_as_diverged(folder: Path) -> None:
    """Let a group's last checkpoints stay for people to look at; nobody resumes from them."""
    if folder.is_dir():
        (folder / DIVERGED).touch()


def keep_as_last(folder: Path) -> None:
    """Let the checkpoint of a finished group stay, for a longer run to go on from."""
    if folder.is_dir():
        (folder / LAST).touch()


def refuse_older_versions(run: RunFolder) -> None:
    """Check that a version with other checkpoints did not begin a run.

    Those had one checkpoint for members of several runs, in the folder of any of these.

    Raises:
        SettingError: it did.
    """
    partial = run.partial
    if not run.is_begun() or run.is_forced():
        return
    for description in run.path.parent.glob(
        f"*.partial/checkpoints/*/{BY_OLDER_VERSIONS}"
    ):
        own = description.is_relative_to(partial.path)
        # The text is enough: a run's name is too long to be in it by accident.
        if own or run.path.name in description.read_text(
            encoding="utf-8", errors="replace"
        ):
            raise SettingError(
                f"{partial.path}: was begun by an older version, whose checkpoints this one cannot "
                f"read: finish it with version {VERSION_OF_SLICES}, or begin anew (force=true)"
            )
