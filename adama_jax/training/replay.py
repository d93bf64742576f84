"""Uniform experience replay: a ring of episodes, written in place, sampled in O(batch).

Each episode is stored once: T + 1 snapshots of the compact state, from which observations are recomputed when they
are needed, beside actions, rewards and terminations. All of a step is one row, so that a transition and the snapshot
after it are one stretch of memory: drawing from a full ring takes a quarter of the time it takes from arrays apart
(docs/performance.md). The buffer is always written, never inside a
`lax.cond`, which under `vmap` would copy it whole. `added` carries no population axis: all runs of a population have
seen equally many episodes, so under `vmap` the write stays one contiguous slice.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.experimental.layout import Layout, with_layout_constraint

from adama_jax.types import Episode


class ReplayState(NamedTuple):
    """Buffer contents."""

    rows: jax.Array  # [E, T + 1, Z + N * A + 2]: snapshot, action, reward, terminated; of the last step the first alone
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
    add: `(state, episode) -> ReplayState`, over the oldest episode once the ring is full.
    sample: `(state, key) -> Transitions`, uniform, with replacement, over what is stored.
    """

    init: Callable[[Episode], ReplayState]
    add: Callable[[ReplayState, Episode], ReplayState]
    sample: Callable[[ReplayState, jax.Array], Transitions]


def uniform_replay(num_episodes: int, batch_size: int, snapshot_size: int) -> Replay:
    """A uniform ring of `num_episodes` episodes of equal length T, with snapshots of `snapshot_size` numbers.

    Sampling an empty buffer gives zeros; sampling fewer than `batch_size` stored transitions repeats some.

    Raises:
        ValueError: a size below 1.

    >>> import jax, jax.numpy as jnp
    >>> episode = Episode(jnp.arange(3.0)[:, None], jnp.zeros((2, 1)), jnp.array([5.0, 6.0]), jnp.zeros(2, bool))
    >>> replay = uniform_replay(num_episodes=10, batch_size=4, snapshot_size=1)
    >>> state = replay.add(replay.init(episode), episode)
    >>> batch = replay.sample(state, jax.random.key(0))
    >>> bool(jnp.all(batch.next_snapshot == batch.snapshot + 1)), batch.reward.shape
    (True, (4,))
    """
    if num_episodes < 1 or batch_size < 1:
        raise ValueError(
            f"num_episodes={num_episodes}, batch_size={batch_size}: both must be at least 1"
        )

    def init(example: Episode) -> ReplayState:
        steps, size = example.action.shape
        return ReplayState(
            rows=jnp.zeros((num_episodes, steps + 1, snapshot_size + size + 2)),
            added=jnp.zeros((), jnp.int32),
        )

    def add(state: ReplayState, episode: Episode) -> ReplayState:
        columns = (episode.action, episode.reward[:, None], episode.terminated[:, None])
        taken = jnp.concatenate([column.astype(jnp.float32) for column in columns], axis=1)
        rows = jnp.concatenate([episode.snapshot, jnp.pad(taken, ((0, 1), (0, 0)))], axis=1)
        # Else XLA for GPUs turns the whole buffer about, to have it as the rollout left the episode.
        rows = with_layout_constraint(rows, Layout(major_to_minor=(0, 1)))
        slot = state.added % num_episodes
        return ReplayState(
            jax.lax.dynamic_update_index_in_dim(state.rows, rows, slot, axis=0), state.added + 1
        )

    def sample(state: ReplayState, key: jax.Array) -> Transitions:
        _, steps, width = state.rows.shape
        horizon = steps - 1
        stored = jnp.clip(state.added, 1, num_episodes)
        flat = jax.random.randint(key, (batch_size,), 0, stored * horizon)

        def two_rows(flat: jax.Array) -> jax.Array:
            return jax.lax.dynamic_slice(
                state.rows, (flat // horizon, flat % horizon, 0), (1, 2, width)
            )[0]

        row, after = jnp.moveaxis(jax.vmap(two_rows)(flat), 1, 0)
        return Transitions(
            snapshot=row[:, :snapshot_size],
            action=row[:, snapshot_size:-2],
            reward=row[:, -2],
            next_snapshot=after[:, :snapshot_size],
            terminated=row[:, -1],
        )

    return Replay(init, add, sample)
