"""Names for import paths: those that this process registers, and those of installed packages."""

import re
from functools import cache

KINDS = ("scenario", "method", "algorithm", "critic", "optimizer", "observer")
"""What can come from outside. The entry points of a kind are in the group `adama_jax.<kind>`."""

IMPORT_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
PLAIN_NAME = re.compile(r"[^\W\d]\w*")

_registered: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}


def is_import_path(word: str) -> bool:
    """Whether a word is `module:name`, both perhaps with dots.

    >>> is_import_path("mypackage.critics:Mine"), is_import_path("joint")
    (True, False)
    >>> is_import_path("0.001:0.01:0.001")
    False
    """
    return IMPORT_PATH.fullmatch(word) is not None


def register(kind: str, name: str, path: str) -> None:
    """Give an import path a name, in this process and in the jobs that it starts.

    An installed package does the same for everybody, by an entry point in its pyproject.toml:

        [project.entry-points."adama_jax.critic"]
        mine = "mypackage.critics:Mine"

    Nothing is imported before the name is used. A name of the package's own cannot be taken: it
    goes on meaning what it means.

    Args:
        kind: one of `KINDS`.
        name: as `critic=NAME` is to have it: letters, digits and `_`.
        path: what it stands for, as in `critic=mypackage.critics:Mine`.

    Raises:
        ValueError: there is no such kind, or one of the two is not of this form.

    >>> register("critic", "mine", "mypackage.critics:Mine")
    >>> path_of("critic", "mine")
    'mypackage.critics:Mine'
    >>> register("critic", "mine", "mypackage.critics")
    Traceback (most recent call last):
    ValueError: path='mypackage.critics': must be an import path such as mypackage.module:name
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}: must be one of {', '.join(KINDS)}")
    if not PLAIN_NAME.fullmatch(name):
        raise ValueError(f"name={name!r}: must be of letters, digits and _")
    if not is_import_path(path):
        raise ValueError(
            f"path={path!r}: must be an import path such as mypackage.module:name"
        )
    _registered[kind][name] = path


def path_of(kind: str, word: str) -> str | None:
    """The import path that a word is, or stands for; None where it is neither."""
    if is_import_path(word):
        return word
    return _registered[kind].get(word) or _installed(kind).get(word)


def names_of(kind: str) -> dict[str, str]:
    """All names from outside and their import paths."""
    return {**_installed(kind), **_registered[kind]}


def registered() -> list[tuple[str, str, str]]:
    """What `register` was given in this process: kind, name and path."""
    return [
        (kind, name, path)
        for kind, paths in _registered.items()
        for name, path in paths.items()
    ]


@cache
def _installed(kind: str) -> dict[str, str]:
    """The entry points of installed packages; none of them is imported."""
    # Here, for `adama --help` need not wait for it.
    from importlib.metadata import entry_points

    return {each.name: each.value for each in entry_points(group=f"adama_jax.{kind}")}
