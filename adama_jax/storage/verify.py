"""Whether a run's files are what was written: results, kept seeds, checkpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from adama_jax.errors import CannotImport, CheckpointError, DamagedFile, SettingError
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.files import SEAL, Manifest, read_json
from adama_jax.storage.folder import RunFiles, RunFolder
from adama_jax.storage.reader import config_of, load_run, read_config
from adama_jax.storage.writer import check_kept


class Verified(NamedTuple):
    """What was found in a run's folder."""

    folder: Path
    finished: bool
    published: bool  # a copy with settings and curves alone, of which no more is missed
    sealed: bool  # whether digests were written with it: earlier versions wrote none
    checked: int  # files and checkpoints
    damage: list[str]  # a line for each that is not what was written
    trained_by: str | None  # the process that changes the files meanwhile


def verify(run: RunFolder) -> Verified:
    """Check a run's files against their digests; nothing is written.

    Of a finished run its results are checked, of a published copy what was published, of another
    run the seeds that are finished in it; of all the checkpoints that are there.

    Raises:
        SettingError: its settings cannot be read.
    """
    files = run.current
    try:
        read_config(files.path)
    except CannotImport:
        # Its code is elsewhere: what is finished is known by its digests alone.
        if not run.is_finished():
            raise
    published = files.are_published()
    sealed = True
    if published and not _is_sealed(files):
        # Of a version that wrote no digests: what it holds is all that can be checked.
        sealed = False
        checked = 1 + len(files.published())
        damage = _damage(lambda: load_run(files.path))
    elif files.meta.is_file():
        checked, damage = _results(files, published)
    else:
        checked, damage = _kept_seeds(files)
        # The settings of a run that is not finished are sealed by its name alone.
        checked += 1
        damage += _damage(lambda: config_of(run))
    for folder in files.checkpoint_folders():
        with Checkpoints(folder, read_only=True) as checkpoints:
            for step in checkpoints.steps():
                checked += 1
                damage += _damage(lambda c=checkpoints, s=step: c.read(s))
    return Verified(
        folder=files.path,
        finished=run.is_finished(),
        published=published,
        sealed=sealed,
        checked=checked,
        damage=damage,
        trained_by=run.holder(),
    )


def _is_sealed(files: RunFiles) -> bool:
    try:
        return SEAL in read_json(files.meta)
    except DamagedFile:
        # What is wrong with it is for the check to say.
        return True


def _results(files: RunFiles, published: bool) -> tuple[int, list[str]]:
    try:
        manifest = Manifest.read(files.meta)
    except DamagedFile as error:
        return 1, [str(error)]
    # The run's own files must be sealed, those of observers may be.
    own = {path.name for path in files.results() if path.is_file()}
    names = sorted(own | set(manifest.digests))
    if published:
        names = [path.name for path in files.published()]
    damage = manifest.damaged_files(files.path, names)
    if not damage:
        # What was written may still not be what a run must hold.
        damage = _damage(lambda: load_run(files.path))
    # One more than the files: the manifest's own figures are sealed too.
    return 1 + len(names), damage


def _kept_seeds(files: RunFiles) -> tuple[int, list[str]]:
    kept = files.kept_seeds()
    damage = []
    for path in kept:
        damage += _damage(lambda path=path: check_kept(path))
    return len(kept), damage


def _damage(read: Callable[[], object]) -> list[str]:
    """What is wrong with something that can be read, in a line; nothing if it can be used."""
    try:
        read()
    except (CheckpointError, DamagedFile, SettingError) as error:
        return [str(error)]
    return []
