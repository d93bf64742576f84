"""Which steps of an episode count, after it has ended early. On NumPy's arrays and JAX's alike."""

from typing import Any


def before_the_end(terminated: Any) -> Any:
    """True for the steps up to the first termination, that one included. [..., T] to [..., T]

    An episode is always T steps long: after a termination it starts again (`training/rollout.py`),
    and those rewards are of no episode.

    >>> import numpy as np
    >>> before_the_end(np.array([False, True, False, True])).tolist()
    [True, True, False, False]
    """
    ended = terminated.cumsum(axis=-1)
    return ended - terminated == 0
