"""Which groups share a cohort, what a history keeps, what is known of a state's leaves."""

import jax
import numpy as np
import pytest

from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.cohort import Group, cohorts_to_resume
from adama_jax.execution.history import (
    History,
    beside,
    history_about,
    history_arrays,
    history_of,
    no_history,
)
from adama_jax.execution.state import leaves_of, named_arrays, on_devices
from adama_jax.storage.groups import SavedGroup, group_folder
from adama_jax.training.population import population
from tests.helpers import ONE, short


def group(tmp_path, run, seeds, *episodes, width=4, devices=1):
    folder = group_folder(tmp_path / str(run), seeds)
    return Group(run, SavedGroup(folder, tuple(seeds), width, devices, episodes))


def planned(groups):
    return [(cohort.episode, cohort.members) for cohort in cohorts_to_resume(groups)]


def test_groups_of_one_episode_share_a_cohort_until_it_is_full(tmp_path):
    groups = [group(tmp_path, run, [0, 1], 50) for run in range(3)]
    assert planned(groups) == [
        (50, [(0, 0), (0, 1), (1, 0), (1, 1)]),
        (50, [(2, 0), (2, 1)]),
    ]
    first, _ = cohorts_to_resume(groups)
    assert (first.width, first.devices, first.rows()) == (
        4,
        1,
        [slice(0, 2), slice(2, 4)],
    )


def test_other_widths_and_devices_are_other_programs(tmp_path):
    groups = [
        group(tmp_path, 0, [0], 50),
        group(tmp_path, 1, [0], 50, width=8),
        group(tmp_path, 2, [0], 50, devices=2),
    ]
    shapes = [(cohort.width, cohort.devices) for cohort in cohorts_to_resume(groups)]
    assert shapes == [(4, 1), (4, 2), (8, 1)]


def test_nobody_goes_back_further_than_one_checkpoint(tmp_path):
    """Nor for a cohort that has no room left."""
    groups = [
        group(tmp_path, 0, [0, 1], 75, 50),
        group(tmp_path, 1, [0, 1], 50, 25),
        group(tmp_path, 2, [0, 1], 100, 75),
        group(tmp_path, 3, [0, 1, 2], 75, 50),
    ]
    assert planned(groups) == [
        (50, [(0, 0), (0, 1), (1, 0), (1, 1)]),
        (75, [(3, 0), (3, 1), (3, 2)]),
        (100, [(2, 0), (2, 1)]),
    ]


def test_what_has_no_checkpoint_begins_at_episode_0(tmp_path):
    assert planned([group(tmp_path, 0, [3, 4])]) == [(0, [(0, 3), (0, 4)])]


def history(episode, first):
    values = {"value": np.array([first, first + 1.0], np.float32)}
    seconds = np.array([1.0, 2.0])
    return History(episode, seconds, [(), ()], [(50, values)], [(25, values)])


def test_a_history_comes_back_from_its_arrays():
    whole = history(75, 0.0)
    arrays = history_arrays(whole) | {"state.x": np.ones(3)}
    back = history_of(75, history_about(whole), arrays)
    for kind in ("points", "chunks"):
        ((episode, values),), ((expected, others),) = (
            getattr(back, kind),
            getattr(whole, kind),
        )
        assert episode == expected and values.keys() == others.keys()
        np.testing.assert_array_equal(values["value"], others["value"])
    none = history_of(0, history_about(no_history(1)), history_arrays(no_history(1)))
    assert (none.points, none.chunks) == ([], [])


def test_histories_are_taken_apart_and_put_together():
    both = beside([history(75, 0.0), history(75, 5.0)])
    assert both.seconds.tolist() == [1.0, 2.0, 1.0, 2.0]
    assert both.chunks[0][1]["value"].tolist() == [0.0, 1.0, 5.0, 6.0]
    assert both.of(slice(2, 4)).points[0][1]["value"].tolist() == [5.0, 6.0]
    other = history(75, 5.0)._replace(points=[(25, {"value": np.ones(2)})])
    with pytest.raises(
        ValueError, match=r"histories that differ: entries at \[25, 50\]"
    ):
        beside([history(75, 0.0), other])


def test_a_states_leaves_say_what_saving_needs_to_know():
    config = short()
    members = population(make_train(config), 2, ONE)
    leaves = leaves_of(members.shapes(make_hyper(config)))
    assert {name for name, leaf in leaves.items() if leaf.replay} == {
        "replay.rows",
        "replay.added",
    }
    parameters = {name for name, leaf in leaves.items() if leaf.parameter}
    assert parameters and all(name.startswith("learner.params.") for name in parameters)
    shared = {name for name, leaf in leaves.items() if not leaf.per_member}
    assert shared == {"learner.updates", "replay.added", "episode"}
    assert all(leaf.shape[0] == 2 for leaf in leaves.values() if leaf.per_member)
    # And they are those of a real state, which comes back to the bit.
    state = members.init([0, 1], make_hyper(config))
    arrays = named_arrays(state)
    assert {name: (leaf.shape, str(leaf.dtype)) for name, leaf in arrays.items()} == {
        name: (leaf.shape, leaf.dtype) for name, leaf in leaves.items()
    }
    again = named_arrays(
        on_devices(arrays, jax.eval_shape(lambda: state), members.layout)
    )
    for name, leaf in arrays.items():
        np.testing.assert_array_equal(again[name], leaf, err_msg=name)


def test_groups_of_a_large_sweep_are_not_compared_with_each_other(
    tmp_path, monkeypatch
):
    """Each is looked at a few times, however many cohorts they make."""
    count = 400
    groups = [group(tmp_path, run, [0]) for run in range(count)]
    looks = 0
    episodes = Group.episodes.fget

    def looked_at(one):
        nonlocal looks
        looks += 1
        return episodes(one)

    monkeypatch.setattr(Group, "episodes", property(looked_at))
    cohorts = cohorts_to_resume(groups)
    assert [len(cohort.groups) for cohort in cohorts] == [4] * (count // 4)
    assert looks <= 5 * count
