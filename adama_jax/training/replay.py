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
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.experimental.layout import Layout, with_layout_constraint

from adama_jax.training.returns import n_step_returns
from adama_jax.types import Episode, Scalar


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
    # [B], 0.0 or 1.0; over several steps as `n_step_returns` has it.
    terminated: jax.Array


class UnderWay(NamedTuple):
    """Episodes that are being played: those after the ones added, all with as many steps."""

    episodes: int
    steps: jax.Array  # [], int32, from 1 to T


class Replay(NamedTuple):
    """A buffer.

    init: `(example: Episode) -> ReplayState`, zeros, for episodes as long as the example.
    add: `(state, episode) -> ReplayState`, over the oldest episode once the buffer is full.
    sample: `(state, key, discount=1.0, under_way=None) -> Transitions`, what an update learns from.
        The discount is read where rewards of several steps are added.
    on_policy: whether a sample is what was just played: whole episodes, not to be cut into
        microbatches.
    write: `(state, part, ahead, step) -> ReplayState`, some steps of an episode under way, from
        `step` on; it will be the one that is added after `ahead` others. It counts for `sample`
        with an `UnderWay` alone, until `added` counts it. None: whole episodes only.
    """

    init: Callable[[Episode], ReplayState]
    add: Callable[[ReplayState, Episode], ReplayState]
    sample: Callable[..., Transitions]
    on_policy: bool
    write: Callable[..., ReplayState] | None = None


def ring_replay(
    num_episodes: int,
    batch_size: int,
    snapshot_size: int,
    n_step: int = 1,
) -> Replay:
    """A ring of `num_episodes` episodes of equal length T, snapshots of `snapshot_size` numbers.

    A sample is uniform, with replacement, over what is stored. Sampling an empty buffer gives
    zeros; sampling fewer than `batch_size` stored transitions repeats some.

    With `n_step` above 1, at most T, a transition goes from a step to the n-th after it, or to the
    last of its episode that there is, and its reward is the discounted sum in between.

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

    def sample(
        state: ReplayState,
        key: jax.Array,
        discount: Scalar = 1.0,
        under_way: UnderWay | None = None,
    ) -> Transitions:
        if under_way is None:
            drawn = _drawn_of_whole(state, key, batch_size)
        else:
            drawn = _drawn_beside(state, key, batch_size, under_way)
        if n_step > 1:
            return _several_steps(state, drawn, n_step, discount, snapshot_size)

        def two_rows(
            slot: jax.Array,
            step: jax.Array,
        ) -> jax.Array:
            return _stretch(state, slot, step, 2)

        pairs = jax.vmap(two_rows)(drawn.slot, drawn.step)
        before, after = jnp.moveaxis(pairs, 1, 0)
        return _transitions(before, after, snapshot_size)

    return Replay(
        init=_zeros(num_episodes, snapshot_size),
        add=_add(num_episodes),
        sample=sample,
        on_policy=False,
        write=_write(num_episodes),
    )


class _Drawn(NamedTuple):
    """Which transitions were drawn."""

    slot: jax.Array  # [B], int32: of its episode in the ring
    step: jax.Array  # [B], int32: in the episode
    played: jax.Array  # [B], int32: the steps that the episode has


def _drawn_of_whole(
    state: ReplayState,
    key: jax.Array,
    batch_size: int,
) -> _Drawn:
    """Of the episodes that were added."""
    num_episodes, rows, _ = state.rows.shape
    horizon = rows - 1
    # At least one, for an empty buffer too: the shapes are the same, and zeros are drawn.
    stored = jnp.clip(state.added, 1, num_episodes)
    drawn = jax.random.randint(key, (batch_size,), 0, stored * horizon)
    return _Drawn(drawn // horizon, drawn % horizon, jnp.full_like(drawn, horizon))


def _drawn_beside(
    state: ReplayState,
    key: jax.Array,
    batch_size: int,
    under_way: UnderWay,
) -> _Drawn:
    """Of the episodes that were added and are not written over yet, and of those under way."""
    num_episodes, rows, _ = state.rows.shape
    horizon = rows - 1
    whole = jnp.minimum(state.added, num_episodes - under_way.episodes)
    of_whole = whole * horizon
    of_others = under_way.episodes * under_way.steps
    drawn = jax.random.randint(key, (batch_size,), 0, of_whole + of_others)
    is_whole = drawn < of_whole
    # Back from the newest whole episode, or on from the first that is under way.
    rest = drawn - of_whole
    back = state.added - 1 - drawn // horizon
    on = state.added + rest // under_way.steps
    return _Drawn(
        slot=jnp.where(is_whole, back, on) % num_episodes,
        step=jnp.where(is_whole, drawn % horizon, rest % under_way.steps),
        played=jnp.where(is_whole, horizon, under_way.steps),
    )


def _several_steps(
    state: ReplayState,
    drawn: _Drawn,
    n_step: int,
    discount: Scalar,
    snapshot_size: int,
) -> Transitions:
    """Transitions over up to `n_step` steps."""
    # Never beyond the last row that is written: near the end a stretch begins before its step.
    start = jnp.clip(drawn.played - n_step, 0, drawn.step)

    def rows_of(
        slot: jax.Array,
        start: jax.Array,
    ) -> jax.Array:
        return _stretch(state, slot, start, n_step + 1)

    rows = jax.vmap(rows_of)(drawn.slot, start)  # [B, n + 1, Z + N * A + 2]
    own = drawn.step - start
    end = jnp.minimum(drawn.played - start, n_step)
    place = jnp.arange(n_step)[None]
    counted = (place >= own[:, None]) & (place < end[:, None])
    each = jnp.arange(len(rows))
    found = _transitions(rows[each, own], rows[each, end], snapshot_size)
    steps = rows[:, :n_step]
    total, ended = n_step_returns(steps[..., -2], steps[..., -1], counted, discount)
    return found._replace(reward=total, terminated=ended)


def _stretch(
    state: ReplayState,
    slot: jax.Array,
    step: jax.Array,
    length: int,
) -> jax.Array:
    """So many rows of an episode. [length, Z + N * A + 2]"""
    width = state.rows.shape[-1]
    return jax.lax.dynamic_slice(state.rows, (slot, step, 0), (1, length, width))[0]


def on_policy_replay(num_episodes: int, snapshot_size: int) -> Replay:
    """The episodes of one round, `num_episodes` of them, for algorithms that learn from their own.

    A sample is all of them, whole and in order: B = `num_episodes` x T, step by step of the first
    episode, then of the second. Neither its key nor the discount is read.

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

    def sample(state: ReplayState, key: jax.Array, *unread: Any) -> Transitions:
        width = state.rows.shape[-1]
        before = state.rows[:, :-1].reshape(-1, width)
        after = state.rows[:, 1:].reshape(-1, width)
        return _transitions(before, after, snapshot_size)

    # A round fills the buffer exactly, so each round begins at slot 0 again and order is kept.
    init = _zeros(num_episodes, snapshot_size)
    return Replay(init, _add(num_episodes), sample, on_policy=True)


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
        rows = _rows(episode)
        slot = state.added % num_episodes
        written = jax.lax.dynamic_update_index_in_dim(state.rows, rows, slot, axis=0)
        return ReplayState(written, state.added + 1)

    return add


def _write(num_episodes: int) -> Callable[..., ReplayState]:
    def write(
        state: ReplayState,
        part: Episode,
        ahead: jax.Array,
        step: jax.Array,
    ) -> ReplayState:
        slot = (state.added + ahead) % num_episodes
        place = (slot, step, 0)
        written = jax.lax.dynamic_update_slice(state.rows, _rows(part)[None], place)
        return state._replace(rows=written)

    return write


def _rows(episode: Episode) -> jax.Array:
    """An episode as it is stored, or some steps of it. [T + 1, Z + N * A + 2]"""
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
    return with_layout_constraint(rows, Layout(major_to_minor=(0, 1)))


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
