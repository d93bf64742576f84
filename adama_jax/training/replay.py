"""Experience replay: episodes written in place, transitions sampled in O(batch).

Two kinds: `ring_replay` holds many episodes and draws from all of them, `on_policy_replay` holds
those of one round and gives them whole.

Each episode is stored once: T + 1 snapshots of the compact state, from which observations are
recomputed when they are needed, beside actions, rewards and terminations. All of a step is one row,
so that a transition and the snapshot after it are one stretch of memory: drawing from a full ring
takes a quarter of the time it takes from arrays apart (docs/performance.md). The buffer is always
written, never inside a `lax.cond`, which under `vmap` would copy it whole. `added` carries no
population axis: all members of a population have seen equally many episodes, so under `vmap` the
write stays one contiguous slice.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.experimental.layout import Layout, with_layout_constraint

from adama_jax.types import Episode


class ReplayState(NamedTuple):
    """Buffer contents."""

    # [E, T + 1, Z + N * A + 2]: snapshot, action, reward, terminated; of the last step the first
    # alone.
    rows: jax.Array
    added: jax.Array  # [], int32: episodes ever added


class Transitions(NamedTuple):
    """A sample of B transitions, as stored."""

    snapshot: jax.Array  # [B, Z]
    action: jax.Array  # [B, N * A]
    reward: jax.Array  # [B]
    next_snapshot: jax.Array  # [B, Z]
    terminated: jax.Array  # [B], 0.0 or 1.0


class Replay(NamedTuple):
    """A buffer.

    init: `(example: Episode) -> ReplayState`, zeros, for episodes as long as the example.
    add: `(state, episode) -> ReplayState`, over the oldest episode once the buffer is full.
    sample: `(state, key) -> Transitions`, what an update learns from.
    divisible: whether a sample may be cut into microbatches: not where it is whole episodes.
    """

    init: Callable[[Episode], ReplayState]
    add: Callable[[ReplayState, Episode], ReplayState]
    sample: Callable[[ReplayState, jax.Array], Transitions]
    divisible: bool


def ring_replay(
    num_episodes: int,
    batch_size: int,
    snapshot_size: int,
) -> Replay:
    """A ring of `num_episodes` episodes of equal length T, snapshots of `snapshot_size` numbers.

    A sample is uniform, with replacement, over what is stored. Sampling an empty buffer gives
    zeros; sampling fewer than `batch_size` stored transitions repeats some.

    Raises:
        ValueError: a size below 1.

    >>> import jax, jax.numpy as jnp
    >>> snapshot, action = jnp.arange(3.0)[:, None], jnp.zeros((2, 1))
    >>> episode = Episode(snapshot, action, jnp.array([5.0, 6.0]), jnp.zeros(2, bool))
    >>> replay = ring_replay(num_episodes=10, batch_size=4, snapshot_size=1)
    >>> state = replay.add(replay.init(episode), episode)
    >>> batch = replay.sample(state, jax.random.key(0))
    >>> bool(jnp.all(batch.next_snapshot == batch.snapshot + 1)), batch.reward.shape
    (True, (4,))
    """
    for name, value in (("num_episodes", num_episodes), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{name}={value}: must be at least 1")

    def sample(state: ReplayState, key: jax.Array) -> Transitions:
        _, steps, width = state.rows.shape
        horizon = steps - 1
        # At least one, for an empty buffer too: the shapes are the same, and zeros are drawn.
        stored = jnp.clip(state.added, 1, num_episodes)
        drawn = jax.random.randint(key, (batch_size,), 0, stored * horizon)

        def two_rows(transition: jax.Array) -> jax.Array:
            start = (transition // horizon, transition % horizon, 0)
            return jax.lax.dynamic_slice(state.rows, start, (1, 2, width))[0]

        pairs = jax.vmap(two_rows)(drawn)
        before, after = jnp.moveaxis(pairs, 1, 0)
        return _transitions(before, after, snapshot_size)

    init = _zeros(num_episodes, snapshot_size)
    return Replay(init, _add(num_episodes), sample, divisible=True)


def on_policy_replay(num_episodes: int, snapshot_size: int) -> Replay:
    """The episodes of one round, `num_episodes` of them, for algorithms that learn from their own.

    A sample is all of them, whole and in order: B = `num_episodes` x T, step by step of the first
    episode, then of the second. Its key is not read.

    Raises:
        ValueError: a size below 1.

    >>> import jax, jax.numpy as jnp
    >>> snapshot, action = jnp.arange(3.0)[:, None], jnp.zeros((2, 1))
    >>> episode = Episode(snapshot, action, jnp.array([5.0, 6.0]), jnp.zeros(2, bool))
    >>> replay = on_policy_replay(num_episodes=1, snapshot_size=1)
    >>> state = replay.add(replay.init(episode), episode)
    >>> replay.sample(state, jax.random.key(0)).reward.tolist()
    [5.0, 6.0]
    """
    if num_episodes < 1:
        raise ValueError(f"num_episodes={num_episodes}: must be at least 1")

    def sample(state: ReplayState, key: jax.Array) -> Transitions:
        width = state.rows.shape[-1]
        before = state.rows[:, :-1].reshape(-1, width)
        after = state.rows[:, 1:].reshape(-1, width)
        return _transitions(before, after, snapshot_size)

    # A round fills the buffer exactly, so each round begins at slot 0 again and order is kept.
    init = _zeros(num_episodes, snapshot_size)
    return Replay(init, _add(num_episodes), sample, divisible=False)


def _zeros(num_episodes: int, snapshot_size: int) -> Callable[[Episode], ReplayState]:
    def init(example: Episode) -> ReplayState:
        steps, action_size = example.action.shape
        width = snapshot_size + action_size + 2
        return ReplayState(
            rows=jnp.zeros((num_episodes, steps + 1, width)),
            added=jnp.zeros((), jnp.int32),
        )

    return init


def _add(num_episodes: int) -> Callable[[ReplayState, Episode], ReplayState]:
    def add(state: ReplayState, episode: Episode) -> ReplayState:
        columns = (
            episode.action,
            episode.reward[:, None],
            episode.terminated[:, None],
        )
        numbers = [column.astype(jnp.float32) for column in columns]
        taken = jnp.concatenate(numbers, axis=1)
        # Nothing was done at the last snapshot: its row is filled up with zeros.
        taken = jnp.pad(taken, ((0, 1), (0, 0)))
        rows = jnp.concatenate([episode.snapshot, taken], axis=1)
        # Without this XLA on GPUs transposes the whole buffer to match the rollout's layout.
        rows = with_layout_constraint(rows, Layout(major_to_minor=(0, 1)))
        slot = state.added % num_episodes
        written = jax.lax.dynamic_update_index_in_dim(state.rows, rows, slot, axis=0)
        return ReplayState(written, state.added + 1)

    return add


def _transitions(
    before: jax.Array,
    after: jax.Array,
    snapshot_size: int,
) -> Transitions:
    """Rows and those of the steps after them, [B, Z + N * A + 2] both, in their columns."""
    snapshot, taken = jnp.split(before, [snapshot_size], axis=1)
    return Transitions(
        snapshot=snapshot,
        action=taken[:, :-2],
        reward=taken[:, -2],
        next_snapshot=after[:, :snapshot_size],
        terminated=taken[:, -1],
    )
