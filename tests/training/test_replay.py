"""The ring: against a deque, against flashbax, uniform, and in place."""

from collections import deque

import flashbax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from adama_jax.training.replay import UnderWay, on_policy_replay, ring_replay
from adama_jax.training.returns import n_step_returns
from adama_jax.types import Episode

T = 4


def episode(label):
    """Every number in it names the episode and the step."""
    base = 100 * label
    return Episode(
        snapshot=(base + jnp.arange(T + 1.0))[:, None],
        action=(base + jnp.arange(float(T)))[:, None],
        reward=base + jnp.arange(float(T)),
        terminated=jnp.arange(T) == T - 1,
    )


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 7),
    st.lists(st.booleans(), min_size=90, max_size=120),
    st.integers(0, 1000),
)
def test_wraps_around_like_a_deque(room, operations, seed):
    """At least 1000 operations in all: True adds, False samples and looks up every row."""
    replay = ring_replay(room, batch_size=16, snapshot_size=1)
    add, sample = jax.jit(replay.add), jax.jit(replay.sample)
    state, model, label = replay.init(episode(0)), deque(maxlen=room), 0
    for i, adds in enumerate([True, *operations]):
        if adds:
            label += 1
            state = add(state, episode(label))
            model.append(label)
        else:
            rows = sample(state, jax.random.key(seed + i))
            labels, times = np.divmod(np.asarray(rows.reward), 100)
            assert set(labels.astype(int)) <= set(model)
            np.testing.assert_array_equal(rows.snapshot[:, 0], rows.reward)
            np.testing.assert_array_equal(rows.action[:, 0], rows.reward)
            np.testing.assert_array_equal(rows.next_snapshot[:, 0], rows.reward + 1)
            np.testing.assert_array_equal(rows.terminated, times == T - 1)
    assert int(state.added) == label


@pytest.mark.parametrize("added", [3, 8, 13])
def test_samples_uniformly_and_never_an_unwritten_slot(added):
    replay = ring_replay(8, batch_size=40_000, snapshot_size=1)
    state = replay.init(episode(0))
    for label in range(1, added + 1):
        state = replay.add(state, episode(label))
    rewards = np.asarray(replay.sample(state, jax.random.key(added)).reward)
    expected = [
        100 * label + t
        for label in range(max(1, added - 7), added + 1)
        for t in range(T)
    ]
    values, counts = np.unique(rewards, return_counts=True)
    np.testing.assert_array_equal(values, expected)
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_holds_what_flashbax_holds(loose_broadcasting):
    """The same steps in a flashbax ring of the same room give the same set of stored rewards."""
    room, steps = 5, 8
    theirs = flashbax.make_item_buffer(
        max_length=room * T,
        min_length=1,
        sample_batch_size=room * T,
        add_sequences=True,
    )
    their_state = theirs.init({"reward": jnp.zeros(())})
    replay = ring_replay(room, batch_size=4000, snapshot_size=1)
    state = replay.init(episode(0))
    for label in range(1, steps + 1):
        state = replay.add(state, episode(label))
        their_state = theirs.add(their_state, {"reward": episode(label).reward})
    ours = np.unique(replay.sample(state, jax.random.key(0)).reward)
    samples = [
        theirs.sample(their_state, jax.random.key(i)).experience["reward"]
        for i in range(30)
    ]
    their_rewards = np.unique(np.concatenate(samples))
    np.testing.assert_array_equal(ours, their_rewards)


def test_episodes_of_a_round_come_whole_and_in_order():
    """And those of the next round in their place."""
    replay = on_policy_replay(2, snapshot_size=1)
    state = replay.init(episode(0))
    for first in (1, 3):
        for label in (first, first + 1):
            state = replay.add(state, episode(label))
        rows = replay.sample(state, jax.random.key(0))
        one, other = 100 * first + np.arange(T), 100 * (first + 1) + np.arange(T)
        expected = np.concatenate([one, other])
        np.testing.assert_array_equal(rows.reward, expected)
        np.testing.assert_array_equal(rows.snapshot[:, 0], expected)
        np.testing.assert_array_equal(rows.next_snapshot[:, 0], expected + 1)
        np.testing.assert_array_equal(rows.terminated, [0, 0, 0, 1] * 2)


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="num_episodes=0"):
        ring_replay(0, 4, 1)


def with_part(replay, state, label, steps, ahead=0):
    """The first steps of an episode under way, one after the other."""
    whole = episode(label)
    for step in range(steps):
        part = jax.tree.map(lambda leaf, step=step: leaf[step : step + 1], whole)
        part = part._replace(snapshot=whole.snapshot[step : step + 2])
        state = replay.write(state, part, ahead, step)
    return state


@pytest.mark.parametrize("added", [0, 2, 3, 8])
def test_episodes_under_way_are_drawn_beside_whole_ones(added):
    """Two at a time in a ring of four: beside them the newest two, and of the others no step."""
    steps = 3
    replay = ring_replay(4, batch_size=40_000, snapshot_size=1)
    state = replay.init(episode(0))
    for label in range(1, added + 1):
        state = replay.add(state, episode(label))
    for ahead in range(2):
        state = with_part(replay, state, added + 1 + ahead, steps, ahead)
    assert int(state.added) == added
    under_way = UnderWay(2, jnp.asarray(steps))
    found = replay.sample(state, jax.random.key(0), under_way=under_way)
    whole = [
        100 * label + t
        for label in range(max(1, added - 1), added + 1)
        for t in range(T)
    ]
    others = [100 * (added + 1 + ahead) + t for ahead in range(2) for t in range(steps)]
    values, counts = np.unique(np.asarray(found.reward), return_counts=True)
    np.testing.assert_array_equal(values, sorted(whole + others))
    assert scipy.stats.chisquare(counts).pvalue > 1e-3
    np.testing.assert_array_equal(found.snapshot[:, 0], found.reward)
    np.testing.assert_array_equal(found.next_snapshot[:, 0], found.reward + 1)


def test_an_episode_written_step_by_step_is_the_episode_that_is_added():
    replay = ring_replay(2, batch_size=4, snapshot_size=1)
    start = replay.add(replay.init(episode(0)), episode(1))
    added = replay.add(start, episode(2))
    written = with_part(replay, start, 2, T)
    np.testing.assert_array_equal(written.rows, added.rows)


GAMMA = 0.5


def n_step_transition(whole, step, n, played):
    """By hand: the discounted rewards of up to n steps, the snapshot after them, 1 - "ended"."""
    total, factor = 0.0, 1.0
    for at in range(step, min(step + n, played)):
        total += factor * float(whole.reward[at])
        factor *= GAMMA
        if whole.terminated[at]:
            return total, None, 0.0
    # One gamma is the target's own.
    return total, float(whole.snapshot[at + 1, 0]), factor / GAMMA


@pytest.mark.parametrize("n", [2, 3, T])
@pytest.mark.parametrize("ends", [(), (1,), (T - 1,), (0, 2)])
def test_transitions_over_several_steps_are_those_by_hand(n, ends):
    """Of a whole episode, and of one of which the first three steps are played."""
    falls = jnp.isin(jnp.arange(T), jnp.array(ends, jnp.int32))
    episodes = {label: episode(label)._replace(terminated=falls) for label in (1, 2)}
    replay = ring_replay(3, batch_size=200, snapshot_size=1, n_step=n)
    state = replay.add(replay.init(episodes[1]), episodes[1])
    # What lies in the ring beyond the steps that are played must not be read.
    state = state._replace(rows=state.rows.at[1:].set(1e6))
    part = jax.tree.map(lambda leaf: leaf[:3], episodes[2])
    part = part._replace(snapshot=episodes[2].snapshot[:4])
    state = replay.write(state, part, 0, 0)
    under_way = UnderWay(1, jnp.asarray(3))
    found = replay.sample(state, jax.random.key(0), GAMMA, under_way)
    found = jax.tree.map(np.asarray, found)
    seen = set()
    for row in range(200):
        label, step = divmod(int(found.snapshot[row, 0]), 100)
        seen.add((label, step))
        played = T if label == 1 else 3
        total, after, left = n_step_transition(episodes[label], step, n, played)
        assert found.reward[row] == pytest.approx(total)
        assert 1 - found.terminated[row] == pytest.approx(left)
        if after is not None:
            assert found.next_snapshot[row, 0] == after
        assert found.action[row, 0] == float(episodes[label].action[step, 0])
    assert len(seen) == T + 3


def test_over_one_step_it_is_the_transition_itself():
    reward = jnp.array([[2.0], [3.0]])
    ended = jnp.array([[0.0], [1.0]])
    total, terminated = n_step_returns(reward, ended, jnp.ones((2, 1), bool), GAMMA)
    np.testing.assert_array_equal(total, [2.0, 3.0])
    np.testing.assert_array_equal(terminated, [0.0, 1.0])
