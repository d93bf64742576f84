"""What a cohort has measured: cut, put side by side, saved and read again, on small numbers."""

import json

import numpy as np
import pytest

from adama_jax.execution.history import (
    History,
    beside,
    continued,
    history_about,
    history_arrays,
    history_of,
    joined,
    no_history,
)


def values(*numbers):
    """Of as many members; rates have a number for each of two agents."""
    rates = np.array([[number, -number] for number in numbers], np.float32)
    return {"value": np.array(numbers, np.float32), "actor_rates": rates}


def history(*members):
    """At episode 30, with points at 10 and 20 and a chunk of 5 since."""
    seconds = np.array([float(member) for member in members])
    stretches = [[{"from_episode": 0, "git_commit": str(each)}] for each in members]
    points = [
        (10, values(*members)),
        (20, values(*(10 * member for member in members))),
    ]
    return History(30, seconds, stretches, points, [(5, values(*members))])


def assert_equal(one, other):
    assert one.episode == other.episode
    np.testing.assert_array_equal(one.seconds, other.seconds)
    assert list(one.stretches) == list(other.stretches)
    for mine, theirs in ((one.points, other.points), (one.chunks, other.chunks)):
        assert [episode for episode, _ in mine] == [episode for episode, _ in theirs]
        for (_, left), (_, right) in zip(mine, theirs, strict=True):
            assert set(left) == set(right)
            for name in left:
                assert left[name].dtype == right[name].dtype
                np.testing.assert_array_equal(left[name], right[name])


def test_members_that_have_not_been_trained_have_measured_nothing():
    found = no_history(3)
    assert (found.episode, found.seconds.tolist()) == (0, [0.0, 0.0, 0.0])
    assert (list(found.points), list(found.chunks)) == ([], [])


def test_some_members_take_their_own_with_them():
    assert_equal(history(1, 2, 3).of(slice(1, 3)), history(2, 3))


def test_members_side_by_side_are_in_the_order_of_their_histories():
    assert_equal(beside([history(3), history(1, 2)]), history(3, 1, 2))


def test_cut_apart_and_put_together_again():
    whole = history(1, 2, 3)
    parts = [whole.of(slice(0, 1)), whole.of(slice(1, 3))]
    assert_equal(beside(parts), whole)


def test_histories_that_are_not_equally_far_are_not_put_together():
    other = history(2)._replace(points=[(10, values(2)), (25, values(2))])
    with pytest.raises(ValueError, match="entries at"):
        beside([history(1), other])
    with pytest.raises(ValueError):
        beside([history(1), history(2)._replace(points=[(10, values(2))])])


def test_a_history_is_read_again_from_its_arrays():
    whole = history(1, 2)
    arrays = history_arrays(whole) | {"learner.params.w": np.ones(3)}
    # As JSON, in a checkpoint's manifest.
    about = json.loads(json.dumps(history_about(whole)))
    assert_equal(history_of(30, about, arrays), whole)


def test_of_a_checkpoint_of_old_it_is_not_known_where_it_was_begun():
    whole = history(1, 2)._replace(stretches=[(), ()])
    assert_equal(history_of(30, {"seconds": [1.0, 2.0]}, history_arrays(whole)), whole)
    later = continued(whole, {"git_commit": "a"})
    assert list(later.stretches) == [[{"from_episode": 30, "git_commit": "a"}]] * 2


def test_nothing_measured_needs_no_arrays():
    assert history_arrays(no_history(2)) == {}
    assert_equal(history_of(0, history_about(no_history(2)), {}), no_history(2))


def test_points_and_chunks_are_told_apart():
    only_chunks = history(1)._replace(points=[])
    about = history_about(only_chunks)
    assert_equal(history_of(30, about, history_arrays(only_chunks)), only_chunks)


def test_chunks_are_averaged_by_their_lengths():
    chunks = [
        (3, {"value": np.array([1.0, 8.0])}),
        (1, {"value": np.array([5.0, 0.0])}),
    ]
    assert joined(chunks)["value"].tolist() == [2.0, 6.0]


def test_what_is_taken_at_the_last_update_is_not_averaged():
    """Rates are those of the last update, not a mean of many."""
    first = {"value": np.array([1.0]), "actor_rates": np.array([[0.1, 0.2]])}
    last = {"value": np.array([3.0]), "actor_rates": np.array([[0.3, 0.4]])}
    found = joined([(1, first), (1, last)])
    assert found["value"].tolist() == [2.0]
    assert found["actor_rates"].tolist() == [[0.3, 0.4]]


def test_an_average_has_the_precision_of_its_chunks():
    chunks = [(1, {"value": np.array([0.1], np.float32)})] * 3
    assert joined(chunks)["value"].dtype == np.float32


def test_one_chunk_is_itself_to_the_bit():
    values = np.array([0.1, np.nan], np.float32)
    np.testing.assert_array_equal(joined([(7, {"value": values})])["value"], values)
