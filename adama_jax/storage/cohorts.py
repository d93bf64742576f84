"""Slices that a process left unfinished: whose lanes each holds (`slice.json`), finding them, handing them over.

A slice's folder is `<run>.partial/checkpoints/<slice>`, in that of the run which its first lane belongs to.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from adama_jax.errors import CheckpointError
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.files import Manifest
from adama_jax.storage.folder import RunFiles

LOST = "lost"  # the file that marks a slice of which all lanes diverged
NOBODY = ("", -1)  # a lane that no run has a use for
Owner = tuple[str, int]  # a lane on disk: its run's folder name and its seed


class Slice(NamedTuple):
    """What `slice.json` says."""

    lanes: list[Owner]
    width: int  # of the program
    devices: int

    @property
    def runs(self) -> set[str]:
        """The folder names of the runs that have a lane in it."""
        return {run for run, _ in self.lanes} - {NOBODY[0]}


def slice_folder(partial: Path, lanes: Sequence[Owner]) -> Path:
    """Where the checkpoints of these lanes are; `partial` is the folder of the first one's run."""
    key = hashlib.sha256(json.dumps(list(lanes)).encode()).hexdigest()[:10]
    return RunFiles(partial).checkpoints / key


def describe(place: Path, about: Slice) -> None:
    """Write `slice.json`."""
    place.mkdir(parents=True, exist_ok=True)
    Manifest(about._asdict(), {}).write(place / "slice.json")


def find(folder: Path, tell: Callable[[str], object]) -> list[tuple[Path, Slice]]:
    """The interrupted slices in a scenario's folder.

    Args:
        folder: `out/<scenario>`.
        tell: hears of descriptions that are not what was written.
    """
    found = []
    for place in sorted(folder.glob("*.partial/checkpoints/*")):
        if (place / LOST).exists():
            continue  # all its lanes diverged; it stays for somebody to look at
        about = _described(place, tell)
        if about is not None:
            found.append((place, about))
    return found


def disown(partial: Path, tell: Callable[[str], object]) -> None:
    """Before a run begins anew: its lanes are nobody's, and slices in its folder go to another run that has lanes."""
    run = partial.name.removesuffix(".partial")
    for place, about in find(partial.parent, tell):
        if run not in about.runs:
            continue
        describe(
            place,
            about._replace(lanes=[NOBODY if lane[0] == run else lane for lane in about.lanes]),
        )
        others = [partial.with_name(f"{other}.partial") for other in sorted(about.runs - {run})]
        heirs = [
            heir
            for heir in others
            if RunFiles(heir).config.is_file() and not RunFiles(heir).forced.exists()
        ]
        if heirs and place.parents[1] == partial:
            (heirs[0] / "checkpoints").mkdir(exist_ok=True)
            place.rename(heirs[0] / "checkpoints" / place.name)


def read_description(place: Path) -> Slice:
    """What `slice.json` says.

    Raises:
        ValueError: it is missing, or not what was written.
    """
    try:
        return _slice(Manifest.read(place / "slice.json").about)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{place / 'slice.json'}: cannot be used: {error}") from error


def _described(place: Path, tell: Callable[[str], object]) -> Slice | None:
    """By `slice.json`, or if that is damaged by the newest checkpoint that verifies."""
    try:
        return read_description(place)
    except ValueError as error:
        tell(str(error))
    checkpoints = Checkpoints(place / "state", read_only=True)
    for step in checkpoints.steps():
        try:
            return _slice(checkpoints.read(step).about["slice"])
        except CheckpointError:
            continue  # restoring will say so
        finally:
            checkpoints.close()
    return None


def _slice(about: Mapping[str, Any]) -> Slice:
    return Slice(
        [(run, seed) for run, seed in about["lanes"]], int(about["width"]), int(about["devices"])
    )
