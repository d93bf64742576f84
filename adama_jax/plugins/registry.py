"""Registries: names and what they stand for, where an import path stands for itself."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from adama_jax.errors import promise
from adama_jax.plugins.loading import Source, load, source_of, speaking_of
from adama_jax.plugins.names import path_of

Entry = TypeVar("Entry")
_imports: ContextVar[bool] = ContextVar("_imports", default=True)


@contextmanager
def without_imports() -> Iterator[None]:
    """In this block nobody's module is imported: registries have what they have.

    For whoever reads results, which may be another's: they must not make their reader run code.
    """
    token = _imports.set(False)
    try:
        yield
    finally:
        _imports.reset(token)


def nothing_else(entry: object) -> tuple[str, ...]:
    """The paths of an entry that uses nothing else."""
    return ()


class Registry(dict[str, Entry]):
    """Names and their entries. What somebody names from outside is imported, and then is one too.

    Args:
        kind: one of `names.KINDS`.
        entries: the package's own.
        adopt: `(path, object) -> entry`, of what an import path names.
        paths: of an entry, the import paths of what it uses, whose sources count too.
        setting: what errors call it; None: as the kind.

    >>> shapes = Registry("critic", {"round": 1}, adopt=lambda path, found: found)
    >>> shapes["round"], shapes["math:pi"], "square" in shapes
    (1, 3.141592653589793, False)
    """

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, Entry],
        adopt: Callable[[str, Any], Entry],
        paths: Callable[[Entry], tuple[str, ...]] = nothing_else,
        setting: str | None = None,
    ):
        super().__init__(entries)
        self.kind = kind
        self.setting = setting or kind
        self._adopt = adopt
        self._paths = paths
        self._outside: dict[str, str] = {}  # import paths, by the names that were used

    def __missing__(self, name: str) -> Entry:
        path = path_of(self.kind, name) if _imports.get() else None
        if path is None:
            raise KeyError(name)
        found = load(self.setting, path)
        with speaking_of(self.setting, path):
            entry = self._adopt(path, found)
        self._outside[name] = path
        self[name] = entry
        return entry

    def __contains__(self, name: object) -> bool:
        """Whether there is such an entry.

        Raises:
            SettingError: it is an import path of what cannot be imported, or will not do.
        """
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """The entry of a name; the default where there is none. Raises as `in` does."""
        try:
            return self[name]
        except KeyError:
            return default

    def is_outside(self, name: str) -> bool:
        """Whether a name's entry is from outside the package. Raises as `in` does."""
        return name in self and name in self._outside

    def sources(self, name: str) -> list[Source]:
        """The modules from outside that a name stands for: none for the package's own names."""
        if not self.is_outside(name):
            return []
        paths = (self._outside[name], *self._paths(self[name]))
        modules = dict.fromkeys(path.partition(":")[0] for path in paths)
        return [source_of(each) for each in modules if not _is_ours(each)]


def only_callable(otherwise: str) -> Callable[[str, Any], str]:
    """An `adopt` of registries that hold import paths: what they name must be callable."""

    def adopt(path: str, found: Any) -> str:
        promise(callable(found), otherwise)
        return path

    return adopt


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "adama_jax"
