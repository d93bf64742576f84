"""Matplotlib's style for what the commands draw."""

from collections.abc import Iterator
from contextlib import contextmanager

# In points. All panels of a picture are to be read alike.
SIZES = {
    "figure.titlesize": 11,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "legend.fontsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


@contextmanager
def default_style() -> Iterator[None]:
    """Around drawing, or above a function that draws: a user's matplotlibrc does not count.

    One that sets text by LaTeX, say, would end a run in an error where there is none.
    """
    # Here, for it takes a second to load.
    import matplotlib.style

    with matplotlib.style.context(["default", SIZES]):
        yield
