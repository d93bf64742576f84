"""JaxMARL, imported without its side effects: the base of its MPE worlds alone, or all of it.

`import jaxmarl` imports every one of its worlds (some compute at import, MABrax brings Brax), 4
seconds on one core where the base takes 0.1, prints, and leaves `sys.stdout` and `sys.stderr`
pointing at other streams.
"""

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from adama_jax.envs.mujoco_import import import_mujoco
from adama_jax.errors import MissingPackage

PACKAGES = ("jaxmarl", "jaxmarl.environments", "jaxmarl.environments.mpe")


@contextlib.contextmanager
def _shut() -> Iterator[None]:
    """These packages' own code is not run, so that a module in them comes alone.

    Nothing of them stays imported, so that a later `import jaxmarl` is whole, with classes of its
    own. Where JaxMARL is imported already, that is used.

    Raises:
        ModuleNotFoundError: JaxMARL is not installed.
    """
    if "jaxmarl" in sys.modules:
        yield
        return
    spec = find_spec("jaxmarl")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'jaxmarl'", name="jaxmarl")
    folder = Path(spec.origin).parent
    for name in PACKAGES:
        below = name.split(".")[1:]
        # An empty package with the real one's path: Python finds its modules, and runs no __init__.
        package = ModuleType(name)
        package.__path__ = [str(folder.joinpath(*below))]
        sys.modules[name] = package
    try:
        yield
    finally:
        imported = [name for name in sys.modules if name.partition(".")[0] == "jaxmarl"]
        for name in imported:
            del sys.modules[name]


def whole_jaxmarl() -> Any:
    """The package `jaxmarl`, with the streams and the warnings as they were.

    >>> whole_jaxmarl().make("MPE_simple_spread_v3").num_agents
    3
    """
    if "jaxmarl" in sys.modules:
        return import_module("jaxmarl")
    streams = sys.stdout, sys.stderr, sys.__stdout__
    # MABrax ends by setting `sys.stdout` to `sys.__stdout__`, so that both must be silent.
    sys.stdout = sys.__stdout__ = io.StringIO()  # pyright: ignore[reportAttributeAccessIssue]
    try:
        with warnings.catch_warnings():
            # Brax says what else could be installed and what is old.
            warnings.simplefilter("ignore")
            # Before its MABrax does, which needs it for robots, and no OpenGL. JaxMARL does without
            # these where Brax is not installed.
            with contextlib.suppress(MissingPackage):
                import_mujoco()
            return import_module("jaxmarl")
    finally:
        sys.stdout, sys.stderr = streams[:2]
        sys.__stdout__ = streams[2]  # pyright: ignore[reportAttributeAccessIssue]


if TYPE_CHECKING:
    from jaxmarl.environments.mpe.simple import SimpleMPE, State
else:
    with _shut():
        from jaxmarl.environments.mpe.simple import SimpleMPE, State

__all__ = ["SimpleMPE", "State", "whole_jaxmarl"]
