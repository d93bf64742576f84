"""What can go wrong that a user can do something about: each error is one line that says what and
where.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

# The packages that an extra of adama-jax brings (pyproject.toml), by the names of their modules.
PACKAGES = {
    "train": (
        "chex", "filelock", "flax", "gymnax", "jaxmarl", "matplotlib", "orbax", "PIL", "psutil",
        "rich", "scipy", "six", "tyro",
    ),
    "robots": ("brax", "mujoco"),
    "slurm": ("submitit",),
    "loggers": ("tensorboardX", "wandb"),
    "tables": ("pandas", "xarray"),
}  # fmt: skip
_EXTRA_OF = {name: extra for extra, names in PACKAGES.items() for name in names}


def describe(error: BaseException) -> str:
    """What kind of error it is, and the first line of what it says.

    >>> describe(OSError(28, "No space left on device"))
    'OSError: [Errno 28] No space left on device'
    >>> describe(ValueError())
    'ValueError'
    """
    kind = type(error).__name__
    lines = str(error).strip().splitlines()
    # Some libraries put whole files into their messages.
    return f"{kind}: {lines[0][:300]}" if lines else kind


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """What to add to an error about a name that is none of the choices, if one of them is near.

    >>> did_you_mean("predator-prey", ["clustering", "predator_prey"])
    '; did you mean predator_prey?'
    >>> did_you_mean("chess", ["clustering", "predator_prey"])
    ''
    """
    near = _nearest(word, choices)
    return f"; did you mean {near}?" if near else ""


def must_be(allowed: str, word: str, choices: Iterable[str]) -> str:
    """What to say of a name that is none of the choices: first what was meant, for a list is long.

    Args:
        allowed: what is allowed, in words.
        word: the name that was given.
        choices: the names that there are.

    >>> must_be("one of clustering, predator_prey", "cluster", ["clustering", "predator_prey"])
    'did you mean clustering? It must be one of clustering, predator_prey'
    >>> must_be("one of clustering, predator_prey", "chess", ["clustering", "predator_prey"])
    'must be one of clustering, predator_prey'
    """
    near = _nearest(word, choices)
    return (
        f"did you mean {near}? It must be {allowed}" if near else f"must be {allowed}"
    )


def _nearest(word: str, choices: Iterable[str]) -> str | None:
    # Errors are rare, and `adama --help` has no use for it.
    import difflib

    plain = {_plain(choice): choice for choice in choices}
    # One near miss is worth naming; a list of them would hide it.
    close = difflib.get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else None


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")


def promise(kept: bool, sentence: str) -> None:
    """Say in a sentence which promise somebody's code breaks, if it does.

    Raises:
        AssertionError: it is not kept.
    """
    # No `assert`, which `python -O` leaves out.
    if not kept:
        raise AssertionError(sentence)


def promise_shape(what: str, found: object, axes: str, shape: tuple[int, ...]) -> None:
    """Say that an array has another shape than is promised, if it has.

    Args:
        what: gives it.
        found: the array, or whatever is there in its place.
        axes: the letters of its axes.
        shape: that it must have.

    Raises:
        AssertionError: it has not.

    >>> promise_shape("act", None, "(N, A)", (3, 2))
    Traceback (most recent call last):
    AssertionError: act gives NoneType, and must give (N, A) = (3, 2)
    """
    actual = getattr(found, "shape", type(found).__name__)
    numbers = f" = {shape}" if shape else ""
    promise(actual == shape, f"{what} gives {actual}, and must give {axes}{numbers}")


class AdamaError(Exception):
    """Base of the package's errors."""


class SettingError(AdamaError, ValueError):
    """A setting that is not allowed: the message names the field, its value and what is."""


class MissingPackage(AdamaError, ImportError):
    """A package of an extra is not installed: the message names who needs it, and the extra."""


@contextmanager
def needed_by(who: str) -> Iterator[None]:
    """Within it an import of a package that is not installed ends in one line, with its extra.

    Args:
        who: what needs the package, in a user's words.

    Raises:
        MissingPackage: it is one of `PACKAGES`. Any other that is missing stays as it is.

    >>> with needed_by("a robot"):
    ...     raise ModuleNotFoundError("No module named 'brax.envs'", name="brax.envs")
    Traceback (most recent call last):
    adama_jax.errors.MissingPackage: a robot needs brax: pip install '.[robots]' in the clone
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRA_OF:
            raise
        raise _missing(package, who) from error


def check_installed(package: str, who: str) -> None:
    """Check that one of `PACKAGES` is installed, without importing it.

    Raises:
        MissingPackage: it is not; one line, as `needed_by` says it.

    >>> check_installed("rich", "the screen")
    """
    if find_spec(package) is None:
        raise _missing(package, who)


def _missing(package: str, who: str) -> MissingPackage:
    extra = _EXTRA_OF[package]
    line = f"{who} needs {package}: pip install '.[{extra}]' in the clone"
    return MissingPackage(line, name=package)


class AnotherVersion(AdamaError):
    """What is on disk is whole, but not what this version would write: the run must begin anew."""


class CannotImport(SettingError):
    """Somebody's module that a setting names is not found, or its import fails."""


class OtherSettings(SettingError, AnotherVersion):
    """A run was trained with other settings than its folder's name stands for now."""


class RunBusy(AdamaError):
    """Another process is training this run: the message names it."""


class DamagedFile(AdamaError, ValueError):
    """A file that is missing, cannot be read or is not what was written: the message names it."""


class CheckpointError(AdamaError):
    """A checkpoint that cannot be used, or that could not be written."""


class WrongShapes(CheckpointError, AnotherVersion):
    """A checkpoint that is whole, but of another version or of other shapes than are asked for."""


class Interrupted(AdamaError):
    """Training was stopped as asked: where, and with which checkpoint."""


class Stopped(KeyboardInterrupt):
    """Everything has stopped as it was told to; `code` is the process's exit code."""

    def __init__(self, code: int):
        super().__init__()
        self.code = code
