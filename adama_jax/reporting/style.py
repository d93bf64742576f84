"""Matplotlib's own style for what the commands draw."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def default_style() -> Iterator[None]:
    """Around drawing, or above a function that draws: a user's matplotlibrc does not count.

    One that sets text by LaTeX, say, would end a run in an error where there is none.
    """
    # Here, for it takes a second to load.
    import matplotlib.style

    with matplotlib.style.context("default"):
        yield
