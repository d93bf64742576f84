"""Many runs read at once: one that cannot be read costs itself alone, and is named."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from adama_jax.config.schema import Config
from adama_jax.errors import DamagedFile, OtherSettings, in_a_line
from adama_jax.storage.reader import Run, find_run, load_run


class Unusable(NamedTuple):
    """A run that is there and cannot be read."""

    why: str  # a line, with the file's name


def look_up(
    out: Path, config: Config, label: str | None = None
) -> Run | Unusable | None:
    """As `find_run`, for who reads many runs: one that cannot be read must cost itself alone."""
    find = partial(find_run, out, config, label)
    return _read(find)


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
        return Unusable(in_a_line(error))
