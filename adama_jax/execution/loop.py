"""The host's loop over one cohort: chunk after chunk, and between them what is not training.

After each chunk: look for members that diverged, save if it is time, stop if asked. After the last
chunk of a point: an evaluation.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from adama_jax.config.schema import Config
from adama_jax.errors import Interrupted
from adama_jax.execution.actors import actor_arrays
from adama_jax.execution.build import make_env, stacked_hypers
from adama_jax.execution.events import (
    Advanced,
    Diverged,
    Divergence,
    Evaluated,
    Member,
    Resumed,
    Values,
    Where,
)
from adama_jax.execution.history import (
    History,
    by_name,
    continued,
    joined,
    no_history,
)
from adama_jax.execution.observer import Hooks
from adama_jax.execution.program import Program, schedule
from adama_jax.execution.saver import CohortSaver, Saved
from adama_jax.execution.state import named_arrays, on_devices, to_numpy
from adama_jax.keys import key_of
from adama_jax.storage.provenance import moved
from adama_jax.training.population import Population
from adama_jax.training.rounds import checked_names
from adama_jax.training.trainer import TrainState

# Greedy episodes kept for drawing; their starts come from the evaluation's seed.
DRAWN_EPISODES = 4


class Learned(NamedTuple):
    """A cohort at its end; values lead with the members."""

    history: History
    diverged: Mapping[int, Divergence]  # by the row of the member
    rollouts: Values
    actors: Values


def train_cohort(
    members: Sequence[Member],
    program: Program,
    saver: CohortSaver,
    hooks: Hooks,
    number: tuple[int, int] = (1, 1),
    restored: Saved | None = None,
) -> Learned:
    """Train one cohort to its last point, or until every member has diverged.

    Args:
        members: of the cohort, row by row; a population that is wider is filled up with copies.
        program: theirs.
        saver: of the cohort.
        hooks: told what happens, and asked whether to stop.
        number: of the cohort among the job's, from 1, and how many there are.
        restored: where the members resume; None: from the beginning.

    Raises:
        Interrupted: `hooks.stop` said so.
        CheckpointError: a checkpoint could not be written, and that is to stop training.
    """
    cohort = _Cohort(members, program, saver, hooks, number)
    cohort.begin(restored)
    episode = 0
    for chunks in schedule(cohort.config):
        for length in chunks:
            episode += length
            if episode > cohort.history.episode and not cohort.has_diverged():
                cohort.advance(length)
                cohort.save_or_stop()
                # Compiled beside the chunks that follow, not before the first.
                program.evaluate.begin()
        if episode > cohort.last_point():
            cohort.evaluate(episode)
    if cohort.history.episode:
        # What follows may take longer than one who stops can wait.
        cohort.save_or_stop()
    cohort.save_last()
    return cohort.learned()


class _Cohort:
    """Members while they train: their state and history, which change with each step."""

    state: TrainState
    history: History

    def __init__(
        self,
        members: Sequence[Member],
        program: Program,
        saver: CohortSaver,
        hooks: Hooks,
        number: tuple[int, int],
    ):
        self.config = members[0].config
        self.diverged: dict[int, Divergence] = {}
        self._members = members
        self._program = program
        self._saver = saver
        self._hooks = hooks
        self._number = number
        # Since the last point, in this process.
        self._seconds = 0.0
        self._episodes = 0

    def begin(self, restored: Saved | None) -> None:
        """From checkpoints, or from the beginning."""
        program = self._program
        members = self._members
        if restored is None:
            rows = [members[row % len(members)] for row in range(program.width)]
            seeds = [member.seed for member in rows]
            configs = [member.config for member in rows]
            self.state = program.population.init(seeds, stacked_hypers(configs))
            self.history = no_history(len(members))
        else:
            arrays, history = restored
            layout = program.population.layout
            self.state = on_devices(arrays, program.shapes, layout)
            self.history = history
            self._hooks.report(f"resumes from episode {history.episode:,}")
            for line in moved(history.stretches, program.machine):
                self._hooks.report(line)
            self._hooks.tell(Resumed(members, history.points))
        self.history = continued(self.history, program.machine)
        self._at_the_chunks_end = self.history
        # A checkpoint may hold members that diverged beside others: those were named before.
        self.diverged = _divergences(self.config, self.state, len(members))

    def has_diverged(self) -> bool:
        """Whether no member is finite any more: training them on would change nothing."""
        return len(self.diverged) == len(self._members)

    def last_point(self) -> int:
        """The episode of the last point of the curves, 0 before the first."""
        points = self.history.points
        if not points:
            return 0
        episode, _ = points[-1]
        return episode

    def advance(self, length: int) -> None:
        """Train a chunk of episodes."""
        advance = self._program.advance[length]
        start = time.perf_counter()
        self.state, metrics = advance(self.state)
        # Reading the metrics waits for them: only then is the chunk over.
        measured = to_numpy(by_name(metrics), len(self._members))
        seconds = time.perf_counter() - start
        self._spent(seconds)
        self._episodes += length
        history = self.history
        episode = history.episode + length
        chunks = [*history.chunks, (length, measured)]
        self.history = history._replace(episode=episode, chunks=chunks)
        self._at_the_chunks_end = self.history
        self._look_for_divergence()
        event = Advanced(
            members=self._members,
            where=self._where(episode),
            chunk=length,
            seconds=seconds,
        )
        self._hooks.tell(event)

    def _look_for_divergence(self) -> None:
        found = _divergences(self.config, self.state, len(self._members))
        new = [row for row in found if row not in self.diverged]
        self.diverged = found
        if new:
            members = [self._members[row] for row in new]
            divergences = [found[row] for row in new]
            self._hooks.tell(Diverged(members, divergences))

    def save_or_stop(self) -> None:
        """Save if it is time to, and leave if asked to."""
        stop = self._hooks.stop()
        saver = self._saver
        if stop or saver.due():
            self._save()
        if stop:
            saver.wait()
            last = "no checkpoint"
            if saver.newest is not None:
                last = f"a checkpoint of episode {saver.newest:,}"
            raise Interrupted(
                f"stopped at episode {self.history.episode:,}, with {last}"
            )

    def save_last(self) -> None:
        """Save the end of training, if it is to be kept."""
        if self._saver.keeps_last:
            self._save(with_replay=True)
            self._saver.wait()

    def _save(self, with_replay: bool = False) -> None:
        # Members that have all diverged keep their last good checkpoint.
        if self.has_diverged():
            return
        arrays = named_arrays(self.state, self._saver.room())
        rows = range(len(self._members))
        finite = np.array([row not in self.diverged for row in rows])
        # Always as it was before an evaluation, which is repeated on resuming: then members at
        # the same episode have the same points, whenever they were saved.
        self._saver.save(arrays, self._at_the_chunks_end, finite, with_replay)

    def evaluate(self, episode: int) -> None:
        """Add a point to the curves: the chunks since the last one, and an evaluation."""
        values = self._measured() if self.history.chunks else self._nothing_measured()
        points = [*self.history.points, (episode, values)]
        self.history = self.history._replace(points=points, chunks=())
        event = Evaluated(
            members=self._members,
            where=self._where(episode),
            since=self._episodes,
            seconds=self._seconds,
            values=values,
        )
        self._hooks.tell(event)
        self._seconds = 0.0
        self._episodes = 0

    def _measured(self) -> Values:
        """Over the chunks since the last point, and in an evaluation."""
        # Waited for apart from the seconds: that it is compiled says nothing of training.
        evaluate = self._program.evaluate.result()
        start = time.perf_counter()
        returns = to_numpy(evaluate(self.state), len(self._members))
        self._spent(time.perf_counter() - start)
        return joined(self.history.chunks) | {"eval_return": returns}

    def _nothing_measured(self) -> Values:
        """All have diverged before: the curves go on to the same end, without values."""
        _, last = self.history.points[-1]
        return {name: np.full_like(value, np.nan) for name, value in last.items()}

    def learned(self) -> Learned:
        """What there is to keep at the end."""
        count = len(self._members)
        population = self._program.population
        rollouts = greedy_episodes(population, self.state, self.config, count)
        acting = (self.state.learner.params.actors, self.state.moments)
        actors, moments = to_numpy(acting, count)
        return Learned(
            history=self.history,
            diverged=self.diverged,
            rollouts=rollouts,
            actors=actor_arrays(actors, moments),
        )

    def _where(self, episode: int) -> Where:
        cohort, cohorts = self._number
        return Where(cohort, cohorts, episode, self.config.episodes)

    def _spent(self, seconds: float) -> None:
        shares = self.history.seconds + seconds / len(self._members)
        self.history = self.history._replace(seconds=shares)
        self._seconds += seconds


def _divergences(
    config: Config, state: TrainState, members: int
) -> dict[int, Divergence]:
    """The rows that are no longer finite, and since when."""
    first = to_numpy(state.non_finite, members)
    names = checked_names(state.learner.params)
    per_round = config.learning.envs_per_run
    found = {}
    for row, update in enumerate(first.update.tolist()):
        if update < 0:
            continue
        rounds = config.warmup_rounds + update // config.updates_per_round
        leaf = names[first.leaf[row]]
        found[row] = Divergence(rounds * per_round, update, leaf)
    return found


def greedy_episodes(
    population: Population, state: TrainState, config: Config, members: int
) -> dict[str, np.ndarray]:
    """Greedy episodes of every member's actors.

    Returns:
        Positions [S, E, T + 1, entities, 2], snapshot [S, E, T + 1, Z], reward and terminated
        [S, E, T].
    """
    keys = jax.random.split(key_of(config.evaluation.seed), DRAWN_EPISODES)
    episodes: Any = to_numpy(population.play(state, keys), members)
    positions_of = jax.jit(jax.vmap(jax.vmap(make_env(config).positions)))
    # One member's at a time fit in memory.
    positions = [positions_of(snapshot) for snapshot in episodes.snapshot]
    return {
        "positions": np.stack(positions),
        "snapshot": episodes.snapshot,
        "reward": episodes.reward,
        "terminated": episodes.terminated,
    }
