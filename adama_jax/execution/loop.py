"""The host loop of a slice: jitted chunks, at a chunk's edge divergence, checkpoint and stop, at a point evaluation."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from adama_jax.config.schema import Config
from adama_jax.errors import CheckpointError, Interrupted
from adama_jax.execution.actors import actor_arrays
from adama_jax.execution.build import make_env, make_hypers
from adama_jax.execution.history import Course
from adama_jax.execution.program import Program, points
from adama_jax.execution.saver import SavedSlice
from adama_jax.execution.state import from_host, shapes_of, to_host
from adama_jax.training.population import Population, host
from adama_jax.training.trainer import TrainState, checked_names, joined

DRAWN_EPISODES = 4  # greedy episodes kept for drawing; their starts come from the evaluation's seed
Values = Mapping[str, np.ndarray]  # leading with the lanes


class Lane(NamedTuple):
    """One run: a seed of one of the configurations; of none of them (-1) if its results are on disk already."""

    config: int
    seed: int


class Broken(NamedTuple):
    """Where a lane first was not finite."""

    episode: int
    update: int  # from 0
    leaf: str


class Point(NamedTuple):
    """What an observer is told at a point of the curves."""

    part: int  # this slice, from 1
    parts: int
    episode: int
    total: int
    episodes: int  # since the last point
    seconds: float  # that they took, compilation excluded
    values: Values


class Moved(NamedTuple):
    """What an observer is told at a chunk's edge."""

    part: int  # this slice, from 1
    parts: int
    episode: int
    total: int
    episodes: int  # of the chunk
    seconds: float  # that they took


class Watch(NamedTuple):
    """Who looks on, and who may end it.

    observe: called at each point.
    moved: called at each chunk's edge, before a point there.
    broke: told of lanes that are no longer finite, within a chunk.
    tell: hears in a line what went wrong, and where a slice goes on.
    stop: asked at each chunk's edge; if it says so a checkpoint is written and `Interrupted` raised.
    """

    observe: Callable[[Point], None] = lambda point: None
    moved: Callable[[Moved], None] = lambda moved: None
    broke: Callable[[Mapping[Lane, Broken]], None] = lambda lanes: None
    tell: Callable[[str], None] = lambda line: None
    stop: Callable[[], bool] = lambda: False


class Learned(NamedTuple):
    """A slice at its end; values lead with the lanes."""

    seconds: float
    episodes: int  # advanced
    diverged: Mapping[Lane, Broken]
    rollouts: Values
    actors: Values


def train_slice(
    configs: Sequence[Config],
    lanes: Sequence[Lane],
    program: Program,
    saved: SavedSlice,
    watch: Watch,
    write: Callable[[int, Values], None],
    place: tuple[int, int] = (1, 1),
) -> Learned:
    """Train one slice to its last point, or until every lane has diverged; go on where `saved` says.

    Args:
        configs: the job's.
        lanes: the slice's; a short one is filled up with copies.
        program: theirs.
        saved: the slice's checkpoints.
        watch: who looks on.
        write: given each point's episode and values, those of the checkpoint first.
        place: of the slice among the job's, from 1, and how many there are.

    Raises:
        Interrupted: `watch.stop` said so.
        CheckpointError: a checkpoint could not be written, and that is to stop the run.
    """
    config, count = configs[0], len(lanes)
    state, course = _begin(configs, lanes, program, saved, watch)
    for episode, values in course.points:
        write(episode, values)
    diverged = _broken(config, state, lanes)
    end, before = 0, course
    for chunks in points(config):
        for length in chunks:
            end += length
            if end <= course.episode or len(diverged) == count:
                continue
            state, course, seconds = _advance(program, state, course, length, count)
            found = _broken(config, state, lanes)
            if found.keys() - diverged.keys():
                watch.broke(
                    {lane: broken for lane, broken in found.items() if lane not in diverged}
                )
            diverged = found
            watch.moved(Moved(*place, end, config.episodes, length, seconds))
            _edge(saved, state, course, len(diverged) == count, watch)
            program.evaluate.begin()  # beside the chunks that follow
        if course.points and end <= course.points[-1][0]:
            continue
        course = _point(program, state, course, end, count)
        write(*course.points[-1])
        spent = (course.episode - before.episode, course.seconds - before.seconds)
        watch.observe(Point(*place, end, config.episodes, *spent, course.points[-1][1]))
        before = course
    if course.episode > 0:
        _edge(
            saved, state, course, len(diverged) == count, watch
        )  # what follows may take longer than one can wait
    rollouts = greedy_episodes(program.people, state, config, count)
    actors = {
        name: value[:count] for name, value in actor_arrays(state.learner.params.actors).items()
    }
    return Learned(course.seconds, course.episode, diverged, rollouts, actors)


def _begin(
    configs: Sequence[Config],
    lanes: Sequence[Lane],
    program: Program,
    saved: SavedSlice,
    watch: Watch,
) -> tuple[TrainState, Course]:
    """From the newest checkpoint, or from the beginning."""
    saved.make_room(shapes_of(program.shapes))
    if saved.exists():
        found = saved.restore(shapes_of(program.shapes))
        if found is not None:
            arrays, course = found
            ends = itertools.accumulate(
                length for chunks in points(configs[0]) for length in chunks
            )
            if course.episode not in ends:
                raise CheckpointError(
                    f"{saved.folder}: is of a version with other chunks; force=true begins anew"
                )
            watch.tell(f"goes on from episode {course.episode:,}")
            return from_host(arrays, program.shapes, program.people.layout), course
        watch.tell("no checkpoint can be used, begins anew")
    rows = [lanes[place % len(lanes)] for place in range(program.width)]
    return program.people.init(
        [lane.seed for lane in rows], make_hypers([configs[r.config] for r in rows])
    ), Course()


def _advance(
    program: Program, state: TrainState, course: Course, length: int, count: int
) -> tuple[TrainState, Course, float]:
    """A chunk, and the seconds that it took."""
    start = time.perf_counter()
    state, metrics = program.advance[length](state)
    chunk = (length, host(metrics._asdict(), count))  # waits for it
    seconds = time.perf_counter() - start
    after = Course(
        course.episode + length, course.seconds + seconds, course.points, [*course.chunks, chunk]
    )
    return state, after, seconds


def _edge(saved: SavedSlice, state: TrainState, course: Course, lost: bool, watch: Watch) -> None:
    """Save if it is time to, and leave if told to. A slice that is lost as a whole keeps the last good checkpoint."""
    stop = watch.stop()
    if (stop or saved.due()) and not lost:
        saved.save(to_host(state, saved.room()), course, np.asarray(state.non_finite.update) < 0)
    if stop:
        saved.wait()
        last = (
            "no checkpoint" if saved.newest is None else f"a checkpoint of episode {saved.newest:,}"
        )
        raise Interrupted(f"stopped at episode {course.episode:,}, with {last}")


def _point(program: Program, state: TrainState, course: Course, episode: int, count: int) -> Course:
    """A point of the curves: the chunks since the last, and an evaluation; NaN once all lanes have diverged."""
    if not course.chunks:
        nothing = {
            name: np.full_like(value, np.nan) for name, value in course.points[-1][1].items()
        }
        return course._replace(points=[*course.points, (episode, nothing)])
    evaluate = program.evaluate()
    start = time.perf_counter()
    values = joined(course.chunks) | {"eval_return": host(evaluate(state), count)}
    seconds = course.seconds + time.perf_counter() - start
    return Course(course.episode, seconds, [*course.points, (episode, values)], ())


def _broken(config: Config, state: TrainState, lanes: Sequence[Lane]) -> dict[Lane, Broken]:
    """The lanes that are no longer finite, and since when."""
    first = host(state.non_finite, len(lanes))
    names = checked_names(state.learner.params)
    together = config.learning.envs_per_run
    return {
        lane: Broken(
            int(at) // (config.learning.updates_per_episode * together) * together,
            int(at),
            names[leaf],
        )
        for lane, at, leaf in zip(lanes, first.update, first.leaf, strict=True)
        if at >= 0
    }


def greedy_episodes(
    people: Population, state: TrainState, config: Config, count: int
) -> dict[str, np.ndarray]:
    """Greedy episodes of every lane's actors.

    Returns:
        Positions [S, E, T + 1, entities, 2], snapshot [S, E, T + 1, Z], reward and terminated [S, E, T].
    """
    keys = jax.random.split(jax.random.key(config.evaluation.seed), DRAWN_EPISODES)
    episodes: Any = host(people.play(state, keys), count)
    positions = jax.jit(jax.vmap(jax.vmap(make_env(config).positions)))
    return {
        "positions": np.stack(
            [positions(snapshot) for snapshot in episodes.snapshot]
        ),  # one run's at a time fit
        "snapshot": episodes.snapshot,
        "reward": episodes.reward,
        "terminated": episodes.terminated,
    }
