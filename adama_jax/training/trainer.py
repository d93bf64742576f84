"""Training of one run as pure functions: episodes, replay and updates in one scan (Algorithm 1).

Nothing here loops on the host, logs or saves; `population` runs many of these at once.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax import tree
from adama_jax.envs.env import Env
from adama_jax.rates.rules import RateHyper
from adama_jax.training.learner import Learner, LearnerHyper, LearnerState, UpdateMetrics
from adama_jax.training.replay import Replay, ReplayState, Transitions
from adama_jax.training.rollout import Act, episode_return, make_rollout
from adama_jax.training.settings import ExplorationOptions
from adama_jax.types import Batch, Episode, Params, Scalar


class Exploration(NamedTuple):
    """The share of uniform noise in an action falls linearly from `start` to `end` over `episodes` (section 4.6)."""

    start: Scalar = ExplorationOptions.start
    end: Scalar = ExplorationOptions.end
    episodes: Scalar = ExplorationOptions.episodes


class TrainHyper(NamedTuple):
    """Every float hyperparameter of a run. A grid of runs has arrays here, with the population axis in front."""

    rates: RateHyper = RateHyper()
    learner: LearnerHyper = LearnerHyper()
    exploration: Exploration = Exploration()


class Health(NamedTuple):
    """Which update first left something not finite, and what; -1 while nothing was."""

    update: jax.Array  # [], int32: from 0
    leaf: jax.Array  # [], int32: place in `Watched`, by `tree.leaf_names`


class Watched(NamedTuple):
    """What must stay finite; of several that break in one update the first is named."""

    td_loss: jax.Array
    params: Params


class TrainState(NamedTuple):
    """The whole state of a run."""

    learner: LearnerState
    replay: ReplayState
    exploration: Exploration
    key: jax.Array
    episode: jax.Array  # [], int32: episodes played
    health: Health


Course = tuple[LearnerState, Health]  # what an update changes


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


AT_THE_LAST_UPDATE = (
    "critic_rate",
    "actor_budget",
    "actor_rates",
)  # of a chunk; the others are means


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
    unroll: int = 1,
) -> Trainer:
    """Compose a world, a policy, a learner and a buffer into the functions of a run.

    Args:
        env, act, learner, replay: the bundles; `act` is the algorithm's.
        updates_per_episode: gradient updates for each episode (the paper: one).
        envs_per_run: episodes that are played at the same time, before the updates for all of them.
        eval_episodes: greedy episodes of an evaluation.
        eval_seed: their starts are drawn from this seed, whatever the run's own.
        unroll: steps of the world in one turn of the compiled loop.
    """
    rollout = make_rollout(env, act, unroll)
    play_together = jax.vmap(rollout, in_axes=(0, None, None))

    def init(key: jax.Array, hyper: TrainHyper) -> TrainState:
        k_params, k_run = jax.random.split(key)
        state = learner.init(k_params, hyper.learner, hyper.rates)
        example = jax.eval_shape(rollout, key, state.params.actors, 0.0)
        exploration = Exploration(*(jnp.asarray(value, jnp.float32) for value in hyper.exploration))
        well = Health(*(jnp.full((), -1, jnp.int32) for _ in Health._fields))
        return TrainState(
            state, replay.init(example), exploration, k_run, jnp.zeros((), jnp.int32), well
        )

    def one_update(
        course: Course, key: jax.Array, buffer: ReplayState
    ) -> tuple[Course, UpdateMetrics]:
        state, health = course
        k_sample, k_update = jax.random.split(key)
        learned, measured = learner.update(
            state, minibatch(env, replay.sample(buffer, k_sample)), k_update
        )
        broken = tree.first_not_finite(Watched(measured.td_loss, learned.params))
        newly = (broken >= 0) & (health.update < 0)
        now = Health(state.updates, broken)
        return (
            learned,
            jax.tree.map(lambda new, old: jnp.where(newly, new, old), now, health),
        ), measured

    def one_round(state: TrainState, _: None) -> tuple[TrainState, Metrics]:
        key, k_rollouts, k_updates = jax.random.split(state.key, 3)
        epsilon = exploration_share(state.exploration, state.episode)
        # A lone world has the round's key itself: the runs in docs/results are drawn so.
        keys = jax.random.split(k_rollouts, envs_per_run) if envs_per_run > 1 else k_rollouts[None]
        episodes = play_together(keys, state.learner.params.actors, epsilon)
        buffer, _ = jax.lax.scan(
            lambda buffer, episode: (replay.add(buffer, episode), None), state.replay, episodes
        )
        (learned, health), measured = jax.lax.scan(
            lambda course, key: one_update(course, key, buffer),
            (state.learner, state.health),
            jax.random.split(k_updates, updates_per_episode * envs_per_run),
        )
        state = TrainState(
            learned, buffer, state.exploration, key, state.episode + envs_per_run, health
        )
        train_return = jnp.mean(jax.vmap(episode_return)(episodes))
        return state, _round_metrics(_unless_diverged(state, train_return), measured)

    def chunk(state: TrainState, length: int) -> tuple[TrainState, Metrics]:
        state, course = jax.lax.scan(one_round, state, None, length=length)
        mean = jax.tree.map(lambda x: jnp.mean(x, axis=0), course)
        return state, mean._replace(
            **{name: getattr(course, name)[-1] for name in AT_THE_LAST_UPDATE}
        )

    def play(state: TrainState, keys: jax.Array) -> Episode:
        return play_together(keys, state.learner.params.actors, jnp.zeros(()))

    def evaluate(state: TrainState) -> jax.Array:
        episodes = play(state, jax.random.split(jax.random.key(eval_seed), eval_episodes))
        return _unless_diverged(state, jnp.mean(jax.vmap(episode_return)(episodes)))

    return Trainer(init, chunk, evaluate, play)


def joined(chunks: Sequence[tuple[int, Mapping[str, np.ndarray]]]) -> dict[str, np.ndarray]:
    """The metrics of consecutive chunks as of one; each comes with its number of episodes.

    >>> one, other = ({"value": np.array([v]), "critic_rate": np.array([r])} for v, r in ((1.0, 0.5), (4.0, 0.25)))
    >>> {name: value.tolist() for name, value in joined([(2, one), (1, other)]).items()}
    {'value': [2.0], 'critic_rate': [0.25]}
    """
    lengths = [length for length, _ in chunks]
    last = chunks[-1][1]
    if len(chunks) == 1:
        return dict(last)
    return {
        name: value
        if name in AT_THE_LAST_UPDATE
        else np.average([values[name] for _, values in chunks], axis=0, weights=lengths).astype(
            value.dtype
        )
        for name, value in last.items()
    }


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
    return jnp.where(state.health.update < 0, value, jnp.nan)


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
