"""Many runs read at once: one that cannot be read costs itself alone, and is named."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from adama_jax.config.schema import Config
from adama_jax.errors import DamagedFile, OtherSettings, SettingError, describe
from adama_jax.storage.folder import runs_below
from adama_jax.storage.reader import Run, find_run, load_run
from adama_jax.storage.seeds import find_joined


class Unusable(NamedTuple):
    """A run that is there and cannot be read."""

    why: str  # a line, with the file's name


def look_up(
    out: Path, config: Config, label: str | None = None
) -> Run | Unusable | None:
    """As `find_run`, for who reads many runs: one that cannot be read must cost itself alone.

    Where there is none, the one that runs of some of the seeds each make up together.
    """
    find = partial(find_run, out, config, label)
    join = partial(find_joined, out, config, label)
    return _read(find) or _read(join)


def load_runs(
    folder: Path | str, report: Callable[[str], object] | None = None
) -> list[Run]:
    """All finished runs of a results folder, of a scenario's folder, or the one of a run's own.

    Args:
        folder: `results`, `results/predator_prey` or `results/predator_prey/adama-0123456789`.
        report: hears, in a line each, of runs that cannot be read, and they are left out; None:
            the first ends in the error.

    Raises:
        SettingError: there is no finished run.
        DamagedFile: one cannot be read, and there is no `report`.

    >>> runs = load_runs("docs/results/runs/ant_4x2")
    >>> [(run.label, run.metrics["eval_return"].shape) for run in runs]
    [('adama', (5, 15)), ('fixed', (5, 15))]
    """
    folders = [run.path for run in runs_below(Path(folder)) if run.is_finished()]
    if not folders:
        raise SettingError(f"folder={folder}: must be a folder with finished runs")
    runs, damaged = load_all(folders)
    if damaged and report is None:
        raise DamagedFile(damaged[0])
    for line in damaged:
        assert report is not None
        report(line)
    return runs


def load_all(folders: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """Finished runs, and a line for each of the folders whose run cannot be read."""
    found = []
    for folder in folders:
        read = partial(load_run, folder)
        found.append(_read(read))
    return usable(found)


def usable(found: Iterable[Run | Unusable | None]) -> tuple[list[Run], list[str]]:
    """The runs among what was looked up, and a line for each that cannot be read, once."""
    runs: list[Run] = []
    lines: dict[str, None] = {}
    for each in found:
        if isinstance(each, Run):
            runs.append(each)
        elif each is not None:
            lines[each.why] = None
    return runs, list(lines)


def _read(read: Callable[[], Run | None]) -> Run | Unusable | None:
    try:
        return read()
    except (DamagedFile, OtherSettings) as error:
        return Unusable(str(error))
    except OSError as error:
        # Such as a folder that only others may read, or one that was deleted meanwhile.
        return Unusable(describe(error))
