"""The names in a results folder."""

from pathlib import Path

from adama_jax.config.identity import config_hash
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError
from adama_jax.storage.lock import holder

FORCED = "forced"  # the file in a partial folder that says that a finished run is trained again


KEPT = "kept"  # the folder of the seeds that are finished in a run that is not


def run_folder(out: Path, config: Config) -> Path:
    """`out/<scenario>/<method>-<hash>`."""
    return out / config.scenario / f"{config.method}-{config_hash(config)}"


def is_finished(folder: Path) -> bool:
    """Whether a whole run is there. One whose process was killed before the last renaming is given its name."""
    partial = partial_folder(folder)
    if not folder.exists() and (partial / "meta.json").is_file() and not holder(lock_of(folder)):
        partial.rename(folder)
    return (folder / "meta.json").is_file()


def finished_runs(out: Path) -> list[Path]:
    """The folders of all whole runs of a results folder."""
    folders = sorted(meta.parent for meta in out.glob("*/*/meta.json"))
    return [folder for folder in folders if folder.suffix not in (".partial", ".old")]


def lock_of(folder: Path) -> Path:
    """The lock of whoever is training a run."""
    return folder.with_name(folder.name + ".lock")


def check_free(out: Path, config: Config) -> None:
    """Check that nobody is training a run.

    Raises:
        SettingError: another process is.
    """
    held = holder(lock_of(run_folder(out, config)))
    if held:
        raise SettingError(
            f"out={out}: must be left alone until the process ends that trains this run there: {held}"
        )


def partial_folder(folder: Path) -> Path:
    """Where a run is until it is whole."""
    return folder.with_name(folder.name + ".partial")
