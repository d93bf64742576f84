"""What one does with a run's folder: go on with it, verify it, play what it learned."""

import json
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from adama_jax.errors import CheckpointError
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.cohorts import read_description
from adama_jax.storage.files import digest_of_file, unseal
from adama_jax.storage.folder import RunFiles, RunFolder
from adama_jax.storage.reader import read_config
from adama_jax.storage.writer import read_kept


def verify(path: Path, console: Console) -> int:
    """Check a run's files against what was written: results of a finished one, kept seeds and checkpoints of another.

    Returns:
        The exit code: 1 if anything is not what was written.
    """
    folder = RunFolder.named(path)
    whole, place = folder.is_finished(), folder.current.path
    read_config(place)
    bad, good = _finished_files(folder.path) if whole else _kept_seeds(place)
    for description in sorted(place.glob("checkpoints/*/slice.json")):
        bad += _trouble(lambda path=description: read_description(path.parent))
        good += 1
    for state in sorted(place.glob("checkpoints/*/*")):
        if state.is_dir():
            checkpoints = Checkpoints(state, read_only=True)
            for step in checkpoints.steps():
                bad += _trouble(lambda c=checkpoints, s=step: c.read(s))
                good += 1
            checkpoints.close()
    for line in bad:
        console.print(f"bad: {line}", style="red", highlight=False, soft_wrap=True)
    kind = "finished" if whole else "begun, not finished"
    if held := folder.holder():
        console.print(
            f"it is being trained by {held}, and its files change", style="yellow", soft_wrap=True
        )
    console.print(
        f"{place}: {kind}; {good - len(bad)} of {good} parts verified",
        highlight=False,
        soft_wrap=True,
    )
    return 1 if bad else 0


def _finished_files(folder: Path) -> tuple[list[str], int]:
    try:
        meta = json.loads(RunFiles(folder).meta.read_text())
        digests = unseal(meta)["sha256"] if "sha256" in meta else {}
    except (OSError, ValueError, AttributeError) as error:
        return [f"{RunFiles(folder).meta}: {error}"], 1
    bad = []
    for name, digest in digests.items():
        if not (folder / name).is_file():
            bad.append(f"{folder / name}: is missing")
        elif digest_of_file(folder / name) != digest:
            bad.append(f"{folder / name}: is not what was written (sha256)")
    if not digests:
        bad.append(
            f"{RunFiles(folder).meta}: has no digests: the run is of an earlier version, nothing can be verified"
        )
    return bad, len(digests) + 1


def _kept_seeds(partial: Path) -> tuple[list[str], int]:
    bad, count = [], 0
    for about in RunFiles(partial).kept_seeds():
        count += 1
        bad += _trouble(lambda path=about: read_kept(path))
    return bad, count


def _trouble(read: Callable[[], object]) -> list[str]:
    try:
        read()
    except (CheckpointError, ValueError) as error:
        return [str(error)]
    return []
