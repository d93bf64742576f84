"""The folders of a run's checkpoints, without what is in them."""

import pytest

from adama_jax.storage.groups import (
    discard_group,
    discard_leftovers,
    group_folder,
    has_checkpoints,
    keep_as_diverged,
)


@pytest.fixture
def partial(tmp_path):
    """The folder of a run that was begun."""
    folder = tmp_path / "adama-0123456789.partial"
    folder.mkdir()
    return folder


def saved(partial, seeds, step="100"):
    folder = group_folder(partial, seeds)
    (folder / "state" / step).mkdir(parents=True)
    return folder


def test_whether_there_is_a_checkpoint(partial):
    assert not has_checkpoints(partial)
    saved(partial, [0, 1], "100.bad")
    (group_folder(partial, [0, 1]) / "state" / "120.orbax-checkpoint-tmp").mkdir()
    assert not has_checkpoints(partial)
    saved(partial, [2], "100")
    assert has_checkpoints(partial)


def test_with_the_last_group_the_folder_of_checkpoints_goes(partial):
    one, other = saved(partial, [0, 1]), saved(partial, [2])
    discard_group(one)
    assert other.is_dir()
    discard_group(other)
    assert list(partial.iterdir()) == []


def test_a_finished_run_keeps_no_checkpoint_but_of_seeds_that_diverged(partial):
    saved(partial, [0, 1])
    saved(partial, [0, 1, 2], "50.bad")
    diverged = saved(partial, [3])
    keep_as_diverged(diverged)
    discard_leftovers(partial)
    assert list(partial.glob("checkpoints/*")) == [diverged]


def test_where_nothing_is_left_nothing_happens(partial):
    discard_leftovers(partial)
    (partial / "checkpoints").mkdir()
    discard_leftovers(partial)
    assert list(partial.iterdir()) == []
