"""What can be said of somebody's factory before it is called. No JAX of its own."""

import inspect
from collections.abc import Callable, Collection
from typing import Any

from adama_jax.errors import promise


def parameters_of(factory: Callable[..., Any], known: Collection[str]) -> set[str]:
    """Which of the known parameters a factory has.

    Raises:
        AssertionError: it has another one without a default.

    >>> parameters_of(lambda horizon, side=2.0: None, ("world", "horizon"))
    {'horizon'}
    """
    found = inspect.signature(factory).parameters.values()
    for each in found:
        needed = each.default is each.empty and each.kind not in (
            each.VAR_POSITIONAL,
            each.VAR_KEYWORD,
        )
        promise(
            not needed or each.name in known,
            f"must be called with {' and '.join(sorted(known))} at most; its parameter "
            f"{each.name!r} needs a default",
        )
    return {each.name for each in found} & set(known)


def first_line(thing: object, otherwise: str) -> str:
    """The first line of something's own docstring."""
    # A class has that of its base; an instance that of its class.
    text = inspect.cleandoc(getattr(thing, "__doc__", None) or otherwise)
    return text.splitlines()[0].removesuffix(".")
