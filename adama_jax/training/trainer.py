"""Training one member (a seed of a run): episodes, replay and updates in one scan (Algorithm 1).

Pure functions: nothing here loops on the host, logs or saves; `population` trains many members at
once.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.exploring import WarmUp, with_random_start
from adama_jax.envs.env import Env
from adama_jax.keys import key_of
from adama_jax.rates.rules import RateHyper
from adama_jax.training.learner import (
    Learner,
    LearnerHyper,
    LearnerState,
    UpdateMetrics,
)
from adama_jax.training.normalization import (
    Moments,
    exploring_normalized,
    no_moments,
    shown,
    with_observations,
)
from adama_jax.training.replay import Replay, ReplayState
from adama_jax.training.rollout import episode_return, exploring_rollout, greedy_rollout
from adama_jax.training.rounds import (
    FirstNonFinite,
    Given,
    Progress,
    Round,
    learning,
    round_in_pieces,
    whole_round,
)
from adama_jax.training.settings import ExplorationOptions
from adama_jax.types import Episode, Scalar


class Exploration(NamedTuple):
    """The share of exploration falls linearly from `start` to `end` (section 4.6).

    `episodes` is how many that takes. Of Gaussian noise the share is the standard deviation.
    """

    start: Scalar = ExplorationOptions.start
    end: Scalar = ExplorationOptions.end
    episodes: Scalar = ExplorationOptions.episodes


class TrainHyper(NamedTuple):
    """Every float hyperparameter of a member; in a population each may have the axis S in front."""

    rates: RateHyper = RateHyper()
    learner: LearnerHyper = LearnerHyper()
    exploration: Exploration = Exploration()
    # Of the world: those of its options that are numbers, by their names.
    world: Mapping[str, Scalar] = {}


class TrainState(NamedTuple):
    """The whole state of a member."""

    learner: LearnerState
    replay: ReplayState
    exploration: Exploration
    key: jax.Array
    episode: jax.Array  # [], int32: episodes played
    non_finite: FirstNonFinite
    moments: Moments | None = None  # of observations, where they are normalised
    world: Mapping[str, jax.Array] = {}  # its numbers, each []


class _InWorld(NamedTuple):
    """What a member does in a world."""

    env: Env
    greedy: Callable[..., Episode]  # `(keys [E], actors)`, every leaf leading with E
    round: Round


class Metrics(NamedTuple):
    """One point of the learning curves, over a chunk of episodes.

    Means over the chunk: return of the exploring episodes (undiscounted), kappa, delta, J, its
    parts and the contributions. At the chunk's last update: the rates. What updates measure is NaN
    in a chunk of random actions, in which there are none.
    """

    train_return: jax.Array  # []
    critic_term: jax.Array  # []
    td_loss: jax.Array  # []
    value: jax.Array  # []
    contributions: jax.Array  # [N]
    critic_rate: jax.Array  # []
    actor_budget: jax.Array  # []
    actor_rates: jax.Array  # [N]
    parts: Mapping[str, jax.Array] = {}  # of J, each []


# Of a chunk; the other metrics are means over it.
AT_THE_LAST_UPDATE = ("critic_rate", "actor_budget", "actor_rates")


class Trainer(NamedTuple):
    """A member's training as pure functions, to be vmapped over keys and hyperparameters.

    init: `(key, hyper: TrainHyper) -> TrainState`.
    chunk: `(state, length) -> (state, Metrics)`, `length` (static) rounds of `envs_per_run`
        episodes in one scan.
    evaluate: `(state) -> []`, mean return of greedy episodes from fixed starts; NaN for a member
        that diverged.
    play: `(state, keys [E]) -> Episode`, greedy episodes, every leaf leading with E.
    horizon: T.
    divisible: whether devices may share its minibatches, as `replay` has it.
    """

    init: Callable[[jax.Array, TrainHyper], TrainState]
    chunk: Callable[[TrainState, int], tuple[TrainState, Metrics]]
    evaluate: Callable[[TrainState], jax.Array]
    play: Callable[[TrainState, jax.Array], Episode]
    horizon: int
    divisible: bool


def trainer(
    env: Env,
    algorithm: Algorithm,
    learner: Learner,
    replay: Replay,
    updates_per_episode: int = 1,
    envs_per_run: int = 1,
    eval_episodes: int = 100,
    eval_seed: int = 0,
    unroll: int = 1,
    update_every: int | None = None,
    updates_each: int = 1,
    warmup_rounds: int = 0,
    reward_scale: float = 1.0,
    normalize_obs: bool = False,
) -> Trainer:
    """Compose a world, an algorithm, its learner and a buffer into a member's functions.

    Args:
        env, algorithm, learner, replay: the bundles; the learner is the algorithm's. A member is in
            the world with the numbers of its `hyper.world`, if the env has `with_numbers`.
        updates_per_episode: gradient updates for each episode (the paper: one).
        envs_per_run: episodes that a member plays at the same time, before the updates for all of
            them: a round.
        eval_episodes: greedy episodes of an evaluation.
        eval_seed: their starts are drawn from this seed, whatever the member's own.
        unroll: steps of the world in one turn of the compiled loop.
        update_every: steps of each world, a divisor of T, after which updates are made within its
            episode; None: after it, `updates_per_episode` for each.
        updates_each: updates after `update_every` steps, for all worlds together.
        warmup_rounds: the first so many rounds have uniform random actions, and no updates.
        reward_scale: what rewards are multiplied by in minibatches.
        normalize_obs: whether the networks are shown normalised observations (`normalization`).

    Raises:
        ValueError: `update_every` does not divide T, or the replay is one of whole episodes.
    """
    acting = algorithm
    if warmup_rounds:
        acting = with_random_start(acting, env.spec.action_sizes)
    if normalize_obs:
        acting = exploring_normalized(acting)
    warmup_episodes = warmup_rounds * envs_per_run

    def in_world(here: Env) -> _InWorld:
        greedy = greedy_rollout(here, acting.act, unroll)
        learn = learning(here, learner, replay, reward_scale)
        if update_every is None:
            updates = updates_per_episode * envs_per_run
            play_round = whole_round(here, acting, replay, learn, updates, unroll)
        else:
            steps = (update_every, updates_each)
            play_round = round_in_pieces(here, acting, replay, learn, *steps, unroll)
        return _InWorld(here, jax.vmap(greedy, in_axes=(0, None)), play_round)

    usual = in_world(env)

    def world_of(state: TrainState) -> _InWorld:
        # Made while the program is traced: its numbers are arrays of the state.
        if env.with_numbers is None:
            return usual
        return in_world(env.with_numbers(state.world))

    def init(key: jax.Array, hyper: TrainHyper) -> TrainState:
        k_params, k_training = jax.random.split(key)
        state = learner.init(k_params, hyper.learner, hyper.rates)
        explore = exploring_rollout(env, algorithm, unroll)
        example = jax.eval_shape(explore, key, state.params.actors, 0.0)
        numbers = [jnp.asarray(value, jnp.float32) for value in hyper.exploration]
        never = jnp.full((), -1, jnp.int32)
        world = {}
        for name, value in hyper.world.items():
            world[name] = jnp.asarray(value, jnp.float32)
        moments = None
        if normalize_obs:
            moments = no_moments(env.spec.num_agents, env.spec.obs_size)
        return TrainState(
            learner=state,
            replay=replay.init(example),
            exploration=Exploration(*numbers),
            key=k_training,
            episode=jnp.zeros((), jnp.int32),
            non_finite=FirstNonFinite(update=never, leaf=never),
            moments=moments,
            world=world,
        )

    def share_of(state: TrainState) -> jax.Array | WarmUp:
        share = exploration_share(state.exploration, state.episode)
        if not warmup_rounds:
            return share
        return WarmUp(share, random=state.episode < warmup_episodes)

    def one_round(
        world: _InWorld, state: TrainState, _: None
    ) -> tuple[TrainState, Metrics]:
        key, k_rollouts, k_updates = jax.random.split(state.key, 3)
        # A lone world has the round's key itself: the runs in docs/results are drawn so.
        keys = k_rollouts[None]
        if envs_per_run > 1:
            keys = jax.random.split(k_rollouts, envs_per_run)
        given = Given(keys, k_updates, share_of(state), state.moments)
        progress = Progress(state.learner, state.non_finite, state.replay)
        progress, episodes, measured = world.round(progress, given)
        after = TrainState(
            learner=progress.learner,
            replay=progress.replay,
            exploration=state.exploration,
            key=key,
            episode=state.episode + envs_per_run,
            non_finite=progress.non_finite,
            moments=_moments_after(world.env, state.moments, episodes),
            world=state.world,
        )
        train_return = _unless_diverged(after, _mean_return(episodes))
        return after, _round_metrics(train_return, measured)

    def chunk(state: TrainState, length: int) -> tuple[TrainState, Metrics]:
        step = partial(one_round, world_of(state))
        after, rounds = jax.lax.scan(step, state, None, length=length)
        means = jax.tree.map(lambda x: jnp.mean(x, axis=0), rounds)
        if warmup_rounds:
            begun = state.episode + envs_per_run * jnp.arange(length)
            learned = partial(_mean_where, begun >= warmup_episodes)
            of_updates = jax.tree.map(learned, rounds)
            means = of_updates._replace(train_return=means.train_return)
        last = {name: getattr(rounds, name)[-1] for name in AT_THE_LAST_UPDATE}
        return after, means._replace(**last)

    def play(state: TrainState, keys: jax.Array) -> Episode:
        actors = shown(state.learner.params.actors, state.moments)
        return world_of(state).greedy(keys, actors)

    def evaluate(state: TrainState) -> jax.Array:
        # The same starts at every point of every member's curve: differences are the actors'.
        # The member of this very seed has two of these keys too, and only splits them. Other keys
        # would change every published curve; `evaluation.seed` sets them apart for who wants that.
        keys = jax.random.split(key_of(eval_seed), eval_episodes)
        episodes = play(state, keys)
        return _unless_diverged(state, _mean_return(episodes))

    return Trainer(
        init=init,
        chunk=chunk,
        evaluate=evaluate,
        play=play,
        horizon=env.spec.horizon,
        divisible=not replay.on_policy,
    )


def exploration_share(exploration: Exploration, episode: jax.Array | int) -> jax.Array:
    """The share of exploration in that episode, counted from 0. []

    >>> schedule = Exploration(start=1.0, end=0.1, episodes=10_000.0)
    >>> [round(float(exploration_share(schedule, e)), 3) for e in (0, 5_000, 10_000, 50_000)]
    [1.0, 0.55, 0.1, 0.1]
    """
    done = jnp.clip(episode / exploration.episodes, 0.0, 1.0)
    change = exploration.end - exploration.start
    return exploration.start + change * done


def _moments_after(
    env: Env,
    moments: Moments | None,
    episodes: Episode,
) -> Moments | None:
    """Those of the observations of these episodes too, every leaf leading with E."""
    if moments is None:
        return None
    snapshots = episodes.snapshot.reshape(-1, episodes.snapshot.shape[-1])
    return with_observations(moments, jax.vmap(env.observe)(snapshots))


def _mean_where(
    counted: jax.Array,
    values: jax.Array,
) -> jax.Array:
    """The mean of those that count, [R] and [R, ...] to [...]; NaN where none does."""
    rounds = counted.reshape(-1, *[1] * (values.ndim - 1))
    total = jnp.sum(jnp.where(rounds, values, 0.0), axis=0)
    return total / jnp.sum(counted)


def _mean_return(episodes: Episode) -> jax.Array:
    """Of episodes, every leaf leading with E. []"""
    returns = jax.vmap(episode_return)(episodes)
    return jnp.mean(returns)


def _unless_diverged(state: TrainState, value: jax.Array) -> jax.Array:
    """NaN for a member that diverged: a world may well pay a finite reward for NaN actions. []"""
    return jnp.where(state.non_finite.update < 0, value, jnp.nan)


def _round_metrics(train_return: jax.Array, measured: UpdateMetrics) -> Metrics:
    """The mean over a round's updates; the rates of the last."""
    signals = measured.signals
    contributions = jnp.mean(signals.contribution, axis=0)
    rates = jax.tree.map(lambda x: x[-1], measured.rates)
    actor_budget = jnp.linalg.norm(rates.actors)
    parts = jax.tree.map(lambda x: jnp.mean(x, axis=0), measured.parts)
    return Metrics(
        train_return=train_return,
        critic_term=jnp.mean(signals.critic_term),
        td_loss=jnp.mean(measured.td_loss),
        value=jnp.mean(measured.value),
        contributions=contributions,
        critic_rate=rates.critic,
        actor_budget=actor_budget,
        actor_rates=rates.actors,
        parts=parts,
    )
