"""A sweep of any size has few files open: the usual limits are 256 and 1024."""

import os

import pytest

from adama_jax.execution.observer import Hooks
from adama_jax.execution.runner import run
from tests.helpers import ALWAYS, ONE, short

WIDTH = 12


def most_open(configs, out):
    """How many files are open while they train, at most, with a checkpoint after each chunk."""
    counts = []

    def count(event):
        counts.append(len(os.listdir("/dev/fd")))

    run(configs, out, Hooks([count]), ONE, width=WIDTH, training=ALWAYS)
    return max(counts)


@pytest.mark.slow
def test_the_files_that_are_open_do_not_grow_with_the_settings(tmp_path):
    """One program as wide as all of them, for two settings and for twelve."""
    changes = {"seeds": 1, "episodes": 50}
    configs = [
        short("fixed", **changes, **{"rates.critic_rate": number / 1000})
        for number in range(1, WIDTH + 1)
    ]
    few = most_open(configs[:2], tmp_path / "few")
    many = most_open(configs, tmp_path / "many")
    print(f"open files: {few} with 2 settings, {many} with {len(configs)}")
    # Ten settings more, and not half as many files.
    assert many < few + 5
