"""Importing what an import path names, from the current folder too, in an error of one line."""

import hashlib
import importlib
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from adama_jax.errors import (
    AdamaError,
    CannotImport,
    SettingError,
    describe,
    did_you_mean,
)
from adama_jax.plugins.names import PLAIN_NAME, register, registered


class Source(NamedTuple):
    """Where code from outside was found. `file` and `sha256` are "" where it is in no file."""

    module: str
    file: str
    sha256: str


class Outside(NamedTuple):
    """What another process needs in order to find the same code: plain data."""

    folders: tuple[str, ...]  # where modules are looked for
    names: tuple[tuple[str, str, str], ...]  # as `register` takes them

    @classmethod
    def here(cls) -> "Outside":
        """This process's: its current folder, and where Python looks before its own libraries."""
        folders = [os.getcwd()]
        folders += [folder or os.getcwd() for folder in sys.path if _is_a_users(folder)]
        return cls(tuple(dict.fromkeys(folders)), tuple(registered()))

    def enter(self) -> None:
        """Have this process find what the other one does."""
        for folder in reversed(self.folders):
            look_in(folder)
        for kind, name, path in self.names:
            register(kind, name, path)


def load(setting: str, path: str) -> Any:
    """What an import path names.

    The current folder is looked in first, as `python -m` does.

    Args:
        setting: whose value the path is, for errors.
        path: `module:name`.

    Raises:
        CannotImport: in one line: there is no such module, or its import fails.
        SettingError: nothing in it has the name.

    >>> load("critic", "pathlib:Path.home").__name__
    'home'
    >>> load("critic", "nowhere:Mine")
    Traceback (most recent call last):
    adama_jax.errors.CannotImport: critic=nowhere:Mine: no module nowhere is found: run it in ...
    """
    module_name, _, name = path.partition(":")
    look_in(os.getcwd())
    found: Any = import_users(setting, path, module_name)
    for part in name.split("."):
        if not hasattr(found, part):
            near = did_you_mean(part, [each for each in dir(found) if each[0] != "_"])
            raise SettingError(
                f"{setting}={path}: must be the name of something in {module_name}, "
                f"which has no {part}{near}"
            )
        found = getattr(found, part)
    return found


def import_users(setting: str, path: str, module: str) -> ModuleType:
    """A user's module.

    Raises:
        CannotImport: as `load`.
    """
    try:
        return importlib.import_module(module)
    # It is anybody's code, which may raise anything, or be a script that ends the process.
    except (Exception, SystemExit) as error:
        raise CannotImport(f"{setting}={path}: {_why(module, error)}") from error


def _why(module: str, error: BaseException) -> str:
    """Why a module cannot be imported, and what to do where it is not found."""
    if not isinstance(error, ModuleNotFoundError):
        return f"cannot be imported: {_line_of(error)}"
    package, dot, _ = module.partition(".")
    if error.name != package:
        # What is missing is another: one within the package, or one that the module imports.
        return f"cannot be imported: {describe(error)}"
    file = package + (os.sep if dot else ".py")
    return (
        f"no module {package} is found: "
        f"run it in the folder of {file}, or put that on PYTHONPATH"
    )


def look_in(folder: str) -> None:
    """Have Python look for modules in a folder, before it looks anywhere else."""
    if folder not in (entry or os.getcwd() for entry in sys.path):
        sys.path.insert(0, folder)
    # A module that was written a moment ago is found too.
    importlib.invalidate_caches()


def users_file(module: str) -> str | None:
    """The file of a user's module, which is not imported; None where there is none.

    Python's own modules and those within packages are not looked for.

    >>> users_file("no_such_module")
    """
    if module in sys.stdlib_module_names or not PLAIN_NAME.fullmatch(module):
        return None
    spec = PathFinder.find_spec(module, [os.getcwd(), *sys.path])
    # A folder without `__init__.py` counts as a module, and has no file.
    return spec.origin if spec is not None else None


def source_of(module: str) -> Source:
    """Where a module that is imported came from, and the digest of its file as it is now."""
    file = _file_of(module)
    if file is None or not Path(file).is_file():
        return Source(module, "", "")
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return Source(module, str(Path(file).absolute()), digest)


def _file_of(module: str) -> str | None:
    if module in sys.modules:
        return getattr(sys.modules[module], "__file__", None)
    spec = find_spec(module)
    return None if spec is None else spec.origin


@contextmanager
def speaking_of(setting: str, value: str) -> Iterator[None]:
    """An error that somebody's code raises in this block is one line about the setting.

    Raises:
        SettingError: with the kind of error, and the place in a user's file where it was raised.

    >>> with speaking_of("critic", "mine:Critic"):
    ...     raise ValueError("no")
    Traceback (most recent call last):
    adama_jax.errors.SettingError: critic=mine:Critic: ValueError: no
    """
    try:
        yield
    except AdamaError:
        raise
    except AssertionError as error:
        # A promise that is broken, in a sentence.
        what = f"{error}{_place_of(error)}" if str(error) else _line_of(error)
        raise SettingError(f"{setting}={value}: {what}") from error
    except Exception as error:
        raise SettingError(f"{setting}={value}: {_line_of(error)}") from error


def _line_of(error: BaseException) -> str:
    return describe(error) + _place_of(error)


def _place_of(error: BaseException) -> str:
    """The user's line that an error came through last; "" where there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return ""  # its message has the place
    frames: Sequence[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if not _is_of_libraries(frame.filename):
            return f" ({Path(frame.filename).name}, line {frame.lineno})"
    return ""


def _is_of_libraries(file: str) -> bool:
    """Whether a file is Python's own, an installed package's or this one's."""
    ours = str(Path(__file__).parents[1])
    library = os.path.dirname(os.__file__)
    installed = "site-packages" in file or "dist-packages" in file
    return installed or file.startswith(("<", ours, library))


def _is_a_users(folder: str) -> bool:
    """Whether a folder where Python looks is neither its own nor one of installed packages."""
    return os.path.isdir(folder or ".") and not _is_of_libraries(folder + os.sep)
