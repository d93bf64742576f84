"""Training of one run as pure functions: episodes, replay and updates in one scan (Algorithm 1).

Nothing here loops on the host, logs or saves; `population` runs many of these at once.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from adama_jax import tree
from adama_jax.envs.base import Env
from adama_jax.learner import Learner, LearnerHyper, LearnerState, UpdateMetrics
from adama_jax.rates import RateHyper
from adama_jax.replay import Replay, ReplayState, Transitions
from adama_jax.rollout import Act, episode_return, make_rollout
from adama_jax.types import Batch, Episode, Scalar


class Exploration(NamedTuple):
    """The share of uniform noise in an action falls linearly from `start` to `end` over `episodes` (section 4.6)."""

    start: Scalar = 1.0
    end: Scalar = 0.1
    episodes: Scalar = 1e4


class TrainHyper(NamedTuple):
    """Every float hyperparameter of a run. A grid of runs has arrays here, with the population axis in front."""

    rates: RateHyper = RateHyper()
    learner: LearnerHyper = LearnerHyper()
    exploration: Exploration = Exploration()


class TrainState(NamedTuple):
    """The whole state of a run."""

    learner: LearnerState
    replay: ReplayState
    exploration: Exploration
    key: jax.Array
    episode: jax.Array  # [], int32: episodes played
    diverged_at: jax.Array  # [], int32: first episode of the round that left a parameter not finite; -1 for none


class Metrics(NamedTuple):
    """One point of the learning curves, over a chunk of episodes.

    Means over the chunk: return of the exploring episodes (undiscounted), kappa, delta, J and the contributions.
    At the chunk's last update: the rates.
    """

    train_return: jax.Array  # []
    critic_term: jax.Array  # []
    td_loss: jax.Array  # []
    value: jax.Array  # []
    contributions: jax.Array  # [N]
    critic_rate: jax.Array  # []
    actor_budget: jax.Array  # []
    actor_rates: jax.Array  # [N]


class Trainer(NamedTuple):
    """A run as pure functions, to be vmapped over keys and hyperparameters.

    init: `(key, hyper: TrainHyper) -> TrainState`.
    chunk: `(state, length) -> (state, Metrics)`, `length` (static) rounds of `envs_per_run` episodes in one scan.
    evaluate: `(state) -> []`, mean return of greedy episodes from fixed starts; NaN for a run that diverged.
    play: `(state, keys [E]) -> Episode`, greedy episodes, every leaf leading with E.
    """

    init: Callable[[jax.Array, TrainHyper], TrainState]
    chunk: Callable[[TrainState, int], tuple[TrainState, Metrics]]
    evaluate: Callable[[TrainState], jax.Array]
    play: Callable[[TrainState, jax.Array], Episode]


def trainer(
    env: Env,
    act: Act,
    learner: Learner,
    replay: Replay,
    updates_per_episode: int = 1,
    envs_per_run: int = 1,
    eval_episodes: int = 100,
    eval_seed: int = 0,
) -> Trainer:
    """Compose a world, a policy, a learner and a buffer into the functions of a run.

    Args:
        env, act, learner, replay: the bundles; `act` is the algorithm's.
        updates_per_episode: gradient updates for each episode (the paper: one).
        envs_per_run: episodes that are played at the same time, before the updates for all of them.
        eval_episodes: greedy episodes of an evaluation.
        eval_seed: their starts are drawn from this seed, whatever the run's own.
    """
    rollout = make_rollout(env, act)
    play_together = jax.vmap(rollout, in_axes=(0, None, None))

    def init(key: jax.Array, hyper: TrainHyper) -> TrainState:
        k_params, k_run = jax.random.split(key)
        state = learner.init(k_params, hyper.learner, hyper.rates)
        example = jax.eval_shape(rollout, key, state.params.actors, 0.0)
        exploration = Exploration(*(jnp.asarray(value, jnp.float32) for value in hyper.exploration))
        return TrainState(
            state, replay.init(example), exploration, k_run, jnp.zeros((), jnp.int32), jnp.full((), -1, jnp.int32)
        )

    def one_update(state: LearnerState, key: jax.Array, buffer: ReplayState) -> tuple[LearnerState, UpdateMetrics]:
        k_sample, k_update = jax.random.split(key)
        return learner.update(state, minibatch(env, replay.sample(buffer, k_sample)), k_update)

    def one_round(state: TrainState, _: None) -> tuple[TrainState, Metrics]:
        key, k_rollouts, k_updates = jax.random.split(state.key, 3)
        epsilon = exploration_share(state.exploration, state.episode)
        # A lone world has the round's key itself: the runs in docs/results are drawn so.
        keys = jax.random.split(k_rollouts, envs_per_run) if envs_per_run > 1 else k_rollouts[None]
        episodes = play_together(keys, state.learner.params.actors, epsilon)
        buffer, _ = jax.lax.scan(lambda buffer, episode: (replay.add(buffer, episode), None), state.replay, episodes)
        learned, measured = jax.lax.scan(
            lambda learning, key: one_update(learning, key, buffer),
            state.learner,
            jax.random.split(k_updates, updates_per_episode * envs_per_run),
        )
        broken = ~tree.all_finite((learned.params, measured.td_loss))
        first = jnp.where(broken & (state.diverged_at < 0), state.episode, state.diverged_at)
        state = TrainState(learned, buffer, state.exploration, key, state.episode + envs_per_run, first)
        train_return = jnp.mean(jax.vmap(episode_return)(episodes))
        return state, _round_metrics(_unless_diverged(state, train_return), measured)

    def chunk(state: TrainState, length: int) -> tuple[TrainState, Metrics]:
        state, course = jax.lax.scan(one_round, state, None, length=length)
        mean = jax.tree.map(lambda x: jnp.mean(x, axis=0), course)
        return state, mean._replace(
            critic_rate=course.critic_rate[-1],
            actor_budget=course.actor_budget[-1],
            actor_rates=course.actor_rates[-1],
        )

    def play(state: TrainState, keys: jax.Array) -> Episode:
        return play_together(keys, state.learner.params.actors, jnp.zeros(()))

    def evaluate(state: TrainState) -> jax.Array:
        episodes = play(state, jax.random.split(jax.random.key(eval_seed), eval_episodes))
        return _unless_diverged(state, jnp.mean(jax.vmap(episode_return)(episodes)))

    return Trainer(init, chunk, evaluate, play)


def minibatch(env: Env, sample: Transitions) -> Batch:
    """Stored transitions as a minibatch: observations are recomputed from the snapshots."""
    observe = jax.vmap(env.observe, out_axes=1)  # [B, Z] to [N, B, O]
    action = sample.action.reshape(-1, env.spec.num_agents, env.spec.action_size)
    return Batch(
        obs=observe(sample.snapshot),
        action=jnp.swapaxes(action, 0, 1),
        reward=sample.reward,
        next_obs=observe(sample.next_snapshot),
        terminated=sample.terminated,
    )


def exploration_share(exploration: Exploration, episode: jax.Array | int) -> jax.Array:
    """epsilon of that episode, counted from 0. []

    >>> [round(float(exploration_share(Exploration(1.0, 0.1, 10_000.0), e)), 3) for e in (0, 5_000, 10_000, 50_000)]
    [1.0, 0.55, 0.1, 0.1]
    """
    done = jnp.clip(episode / exploration.episodes, 0.0, 1.0)
    return exploration.start + (exploration.end - exploration.start) * done


def _unless_diverged(state: TrainState, value: jax.Array) -> jax.Array:
    """NaN for a run that diverged: a world may well pay a finite reward for NaN actions. []"""
    return jnp.where(state.diverged_at < 0, value, jnp.nan)


def _round_metrics(train_return: jax.Array, measured: UpdateMetrics) -> Metrics:
    """The mean over a round's updates; the rates of the last."""
    rates = jax.tree.map(lambda x: x[-1], measured.rates)
    return Metrics(
        train_return=train_return,
        critic_term=jnp.mean(measured.signals.critic_term),
        td_loss=jnp.mean(measured.td_loss),
        value=jnp.mean(measured.value),
        contributions=jnp.mean(measured.signals.contribution, axis=0),
        critic_rate=rates.critic,
        actor_budget=jnp.linalg.norm(rates.actors),
        actor_rates=rates.actors,
    )
