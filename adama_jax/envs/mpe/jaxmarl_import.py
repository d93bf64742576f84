"""JaxMARL, imported without its side effects: the base of its MPE worlds alone, or all of it.

`import jaxmarl` imports every one of its worlds (some compute at import, MABrax brings Brax), 4 seconds on one core
where the base takes 0.1, prints, and leaves `sys.stdout` and `sys.stderr` pointing at other streams.
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

PACKAGES = ("jaxmarl", "jaxmarl.environments", "jaxmarl.environments.mpe")


@contextlib.contextmanager
def _shut() -> Iterator[None]:
    """These packages' own code is not run, so that a module in them comes alone; nothing of them stays imported.

    A later `import jaxmarl` is thus whole, with classes of its own. Where JaxMARL is imported already, that is used.
    """
    if "jaxmarl" in sys.modules:
        yield
        return
    spec = find_spec("jaxmarl")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'jaxmarl'", name="jaxmarl")
    for name in PACKAGES:
        package = ModuleType(name)
        package.__path__ = [str(Path(spec.origin).parent.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "jaxmarl"]:
            del sys.modules[name]


def whole_jaxmarl() -> Any:
    """The package `jaxmarl`, with the streams and the warnings as they were.

    >>> whole_jaxmarl().make("MPE_simple_spread_v3").num_agents
    3
    """
    if "jaxmarl" in sys.modules:
        return import_module("jaxmarl")
    kept = sys.stdout, sys.stderr, sys.__stdout__
    sys.stdout = sys.__stdout__ = io.StringIO()  # pyright: ignore[reportAttributeAccessIssue]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # Brax says what else could be installed and what is old
            return import_module("jaxmarl")
    finally:
        sys.stdout, sys.stderr, sys.__stdout__ = kept  # pyright: ignore[reportAttributeAccessIssue]


if TYPE_CHECKING:
    from jaxmarl.environments.mpe.simple import SimpleMPE, State
else:
    with _shut():
        from jaxmarl.environments.mpe.simple import SimpleMPE, State

__all__ = ["SimpleMPE", "State", "whole_jaxmarl"]
