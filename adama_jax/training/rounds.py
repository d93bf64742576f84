"""A round: the episodes that a member plays at the same time, and the updates that they are for.

Of one of two kinds: updates after whole episodes, or within them, after every few steps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adama_jax import tree
from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.exploring import WarmUp
from adama_jax.envs.env import Env
from adama_jax.training.learner import Learner
from adama_jax.training.normalization import Moments, normalized, shown
from adama_jax.training.replay import Replay, ReplayState, Transitions, UnderWay
from adama_jax.training.rollout import exploring_rollout, joined, rollout_in_pieces
from adama_jax.training.states import LearnerState, UpdateMetrics
from adama_jax.types import Batch, Episode, Params


class Checked(NamedTuple):
    """What must stay finite; of several that break in one update the first leaf is named."""

    td_loss: jax.Array
    params: Params


class FirstNonFinite(NamedTuple):
    """Which update first left something that is not finite, and what; -1 while nothing was."""

    update: jax.Array  # [], int32, from 0
    leaf: jax.Array  # [], int32, an index into `checked_names`


class Progress(NamedTuple):
    """What a round changes."""

    learner: LearnerState
    non_finite: FirstNonFinite
    replay: ReplayState


class Given(NamedTuple):
    """What a round is given beside."""

    keys: jax.Array  # of its episodes
    k_updates: jax.Array
    share: Any  # of exploration, [], or a `WarmUp`
    # Of the observations before it; None: they are shown as they are.
    moments: Moments | None


Carry = tuple[LearnerState, FirstNonFinite]  # of a loop over updates
Learn = Callable[..., tuple[Progress, UpdateMetrics]]
Round = Callable[[Progress, Given], tuple[Progress, Episode, UpdateMetrics]]


def whole_round(
    env: Env,
    algorithm: Algorithm,
    replay: Replay,
    learn: Learn,
    updates: int,
    unroll: int = 1,
) -> Round:
    """Episodes, then so many updates.

    Args:
        env, algorithm, replay: the bundles; the algorithm takes what `shown` gives for actors.
        learn: of `learning`.
        updates: of the round.
        unroll: as `exploring_rollout` has it.

    Returns:
        `(progress, given) -> (progress, episodes, measured)`; the episodes' leaves lead with them,
        those of what was measured with the updates.
    """
    explore = exploring_rollout(env, algorithm, unroll)
    explore_round = jax.vmap(explore, in_axes=(0, None, None))

    def play(
        progress: Progress,
        given: Given,
    ) -> tuple[Progress, Episode, UpdateMetrics]:
        actors = shown(progress.learner.params.actors, given.moments)
        episodes = explore_round(given.keys, actors, given.share)

        def add(
            buffer: ReplayState,
            episode: Episode,
        ) -> tuple[ReplayState, None]:
            return replay.add(buffer, episode), None

        buffer, _ = jax.lax.scan(add, progress.replay, episodes)
        keys = jax.random.split(given.k_updates, updates)
        learned, measured = learn(progress._replace(replay=buffer), given, keys)
        return learned, episodes, measured

    return play


def round_in_pieces(
    env: Env,
    algorithm: Algorithm,
    replay: Replay,
    learn: Learn,
    update_every: int,
    updates_each: int,
    unroll: int = 1,
) -> Round:
    """Episodes with so many updates after every few of their steps, which the next steps act by.

    Args:
        env, algorithm, replay, learn, unroll: as `whole_round` has them.
        update_every: steps, a divisor of T.
        updates_each: after so many steps of all worlds.

    Raises:
        ValueError: the steps do not divide T, or the replay is one of whole episodes.
    """
    pieces = rollout_in_pieces(env, algorithm, update_every, unroll)
    count = env.spec.horizon // update_every
    if replay.write is None:
        raise ValueError(
            f"update_every={update_every}: the replay holds whole episodes only"
        )
    play_piece = jax.vmap(pieces.play, in_axes=(0, 0, 0, None, None))

    def play(
        progress: Progress,
        given: Given,
    ) -> tuple[Progress, Episode, UpdateMetrics]:
        together = len(given.keys)
        starts, inputs = jax.vmap(pieces.begin, out_axes=(0, 1))(given.keys)

        def piece(
            carry: tuple[Any, Progress],
            inputs: tuple[jax.Array, Any, jax.Array],
        ) -> tuple[tuple[Any, Progress], tuple[Episode, UpdateMetrics]]:
            worlds, progress = carry
            number, random, keys = inputs
            actors = shown(progress.learner.params.actors, given.moments)
            worlds, played = play_piece(starts, worlds, random, actors, given.share)
            step = number * update_every
            buffer = _written(replay, progress.replay, played, step)
            under_way = UnderWay(together, step + update_every)
            written = progress._replace(replay=buffer)
            progress, measured = learn(written, given, keys, under_way)
            return (worlds, progress), (played, measured)

        keys = jax.random.split(given.k_updates, (count, updates_each))
        numbered = (jnp.arange(count), inputs, keys)
        (_, progress), (played, measured) = jax.lax.scan(
            piece, (starts, progress), numbered
        )
        added = progress.replay.added + together
        progress = progress._replace(replay=progress.replay._replace(added=added))
        episodes = jax.vmap(joined, in_axes=1)(played)
        return progress, episodes, jax.tree.map(_in_a_row, measured)

    return play


def _written(
    replay: Replay,
    buffer: ReplayState,
    played: Episode,
    step: jax.Array,
) -> ReplayState:
    """The buffer with the next steps of all episodes that are played at the same time."""
    assert replay.write is not None
    write = replay.write

    def add(
        buffer: ReplayState,
        inputs: tuple[jax.Array, Episode],
    ) -> tuple[ReplayState, None]:
        ahead, part = inputs
        return write(buffer, part, ahead, step), None

    together = jnp.arange(len(played.reward))
    buffer, _ = jax.lax.scan(add, buffer, (together, played))
    return buffer


def _in_a_row(leaf: jax.Array) -> jax.Array:
    """[pieces, updates, ...] to [pieces * updates, ...]"""
    return leaf.reshape(-1, *leaf.shape[2:])


def learning(
    env: Env,
    learner: Learner,
    replay: Replay,
    reward_scale: float = 1.0,
) -> Learn:
    """Updates from what the buffer holds.

    Args:
        env, learner, replay: the bundles.
        reward_scale: as `minibatch` has it.

    Returns:
        `(progress, given, keys, under_way=None) -> (progress, measured)`, an update for each key;
        none in a round of random actions, of which everything that is measured is NaN.
    """

    def one_update(
        progress: Progress,
        given: Given,
        key: jax.Array,
        under_way: UnderWay | None,
    ) -> tuple[LearnerState, FirstNonFinite, UpdateMetrics]:
        state, non_finite, buffer = progress
        k_sample, k_update = jax.random.split(key)
        drawn = replay.sample(buffer, k_sample, state.hyper.discount, under_way)
        batch = minibatch(env, drawn, given.moments, reward_scale)
        if replay.on_policy:
            batch = batch._replace(share=given.share)
        learned, measured = learner.update(state, batch, k_update)
        leaf = tree.first_not_finite(Checked(measured.td_loss, learned.params))
        # The first update counts: what follows it is only its consequence.
        newly = (leaf >= 0) & (non_finite.update < 0)
        first = FirstNonFinite(
            update=jnp.where(newly, state.updates, non_finite.update),
            leaf=jnp.where(newly, leaf, non_finite.leaf),
        )
        return learned, first, measured

    def learn(
        progress: Progress,
        given: Given,
        keys: jax.Array,
        under_way: UnderWay | None = None,
    ) -> tuple[Progress, UpdateMetrics]:
        # The buffer is only read: it stays out of what the loop carries.
        buffer = progress.replay

        def update(
            carry: Carry,
            key: jax.Array,
        ) -> tuple[Carry, UpdateMetrics]:
            before = Progress(carry[0], carry[1], buffer)
            learned, first, measured = one_update(before, given, key, under_way)
            return (learned, first), measured

        def all_updates(carry: Carry) -> tuple[Carry, UpdateMetrics]:
            return jax.lax.scan(update, carry, keys)

        carry = (progress.learner, progress.non_finite)
        if isinstance(given.share, WarmUp):
            carry, measured = _unless(given.share.random, all_updates, carry)
        else:
            carry, measured = all_updates(carry)
        learned, first = carry
        return Progress(learned, first, buffer), measured

    return learn


def _unless(
    skipped: jax.Array,
    function: Callable[[Any], tuple[Any, Any]],
    carry: Any,
) -> tuple[Any, Any]:
    """`function(carry)`; where it is skipped, the carry as it is beside NaN."""
    _, shapes = jax.eval_shape(function, carry)

    def skip(carry: Any) -> tuple[Any, Any]:
        nothing = jax.tree.map(
            lambda leaf: jnp.full(leaf.shape, jnp.nan, leaf.dtype), shapes
        )
        return carry, nothing

    # No member's own: under `vmap` it stays a condition, and what is skipped costs nothing.
    return jax.lax.cond(skipped, skip, function, carry)


def checked_names(params: Params) -> list[str]:
    """What the leaves are called that `FirstNonFinite.leaf` counts; the parameters may be shapes.

    >>> checked_names(Params(actors={"w": 0.0}, critic={"b": 0.0}))
    ['td_loss', 'params.actors.w', 'params.critic.b']
    """
    return tree.leaf_names(Checked(jnp.zeros(()), params))


def minibatch(
    env: Env,
    sample: Transitions,
    moments: Moments | None = None,
    reward_scale: float = 1.0,
) -> Batch:
    """Stored transitions as a minibatch: observations are recomputed from the snapshots.

    Args:
        env: whose they are.
        sample: of its replay.
        moments: the networks are shown observations through these; None: as they are.
        reward_scale: what rewards are multiplied by.
    """
    spec = env.spec
    observe = jax.vmap(env.observe, out_axes=1)  # [B, Z] to [N, B, O]
    action = sample.action.reshape(-1, spec.num_agents, spec.action_size)
    obs = observe(sample.snapshot)
    next_obs = observe(sample.next_snapshot)
    if moments is not None:
        obs = normalized(moments, obs)
        next_obs = normalized(moments, next_obs)
    reward = sample.reward
    if reward_scale != 1:
        reward = reward_scale * reward
    return Batch(
        obs=obs,
        action=jnp.swapaxes(action, 0, 1),
        reward=reward,
        next_obs=next_obs,
        terminated=sample.terminated,
    )
