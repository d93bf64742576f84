"""The host loop of runs: jitted chunks, and at each chunk's edge evaluation, the log and the check for divergence."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from adama_jax.compose import make_env, make_hyper, make_hypers, make_train
from adama_jax.config import Config
from adama_jax.population import Population, host, population
from adama_jax.runtime import machine
from adama_jax.settings import config_hash, program_key
from adama_jax.slicing import bytes_needed, fitted, most_in_memory, slice_width, slices_of
from adama_jax.store import RunWriter, run_folder
from adama_jax.train import TrainState

DRAWN_EPISODES = 4  # greedy episodes kept for drawing; their starts come from the evaluation's seed


class Lane(NamedTuple):
    """One run: a seed of one of the configurations."""

    config: int
    seed: int


class Point(NamedTuple):
    """What an observer is told at a chunk's edge."""

    part: int  # this slice, from 1
    parts: int
    episode: int
    total: int
    seconds: float  # of this chunk, compilation excluded
    lanes: Sequence[Lane]
    values: dict[str, np.ndarray]  # leading with the lanes
    diverged: dict[Lane, int]  # first episode that was not finite; only the lanes newly found


class Program(NamedTuple):
    """What the loop calls, compiled: one program serves every slice."""

    people: Population
    width: int  # runs in a slice; `people.width` may be more, to divide evenly over the devices
    advance: dict[int, Callable[[TrainState], Any]]
    evaluate: Callable[[TrainState], jax.Array]
    seconds: float  # that compiling took


def run(
    configs: Sequence[Config],
    out: Path,
    observe: Callable[[Point], None] = lambda point: None,
    devices: Sequence[Any] | None = None,
    width: int | None = None,
) -> list[dict[int, int]]:
    """Train all seeds of configurations that share a program, and write their run folders.

    Args:
        configs: validated configurations, equal but for `settings.TRACED` settings and seeds.
        out: results folder; a run folder that exists is replaced at the end.
        observe: called at each point.
        devices: JAX devices to share the runs; None: all local ones.
        width: runs at once; None: what is fast and fits in the free memory.

    Returns:
        For each configuration the seeds that diverged, with the first episode that was not finite.

    Raises:
        ValueError: the configurations need different programs.
    """
    if len({program_key(config) for config in configs}) != 1:
        raise ValueError("configurations of one program may differ in settings.TRACED and seeds only")
    lanes = [Lane(index, seed) for index, config in enumerate(configs) for seed in config.seed_range]
    program = _compiled(configs[0], len(lanes), list(devices or jax.local_devices()), width)
    parts = slices_of(lanes, program.width)
    last = {lane.config: number for number, part in enumerate(parts) for lane in part}
    busy = [0.0 for _ in configs]
    advanced = [0 for _ in configs]
    diverged: list[dict[int, int]] = [{} for _ in configs]
    writers: dict[int, RunWriter] = {}
    with ExitStack() as stack:
        for number, part in enumerate(parts):
            here = sorted({lane.config for lane in part})
            for index in set(here) - set(writers):
                writers[index] = stack.enter_context(RunWriter(run_folder(out, configs[index]), configs[index]))
            seconds, episodes, found = _train(configs, part, program, writers, observe, (number + 1, len(parts)))
            for lane in part:
                busy[lane.config] += seconds / len(part)
                advanced[lane.config] += episodes
            for lane, episode in found.items():
                diverged[lane.config][lane.seed] = episode
            for index in (index for index in here if last[index] == number):
                meta = _meta(configs[index], program, (busy[index], advanced[index]), len(lanes), diverged[index])
                writers.pop(index).finish(_entities(configs[index]), meta)
    return diverged


def _compiled(config: Config, runs: int, devices: list[Any], width: int | None) -> Program:
    """Compile for a width that fits: what the compiled program says it needs may make it narrower."""
    start = time.perf_counter()
    train, hyper = make_train(config), make_hyper(config)
    fixed_width = width is not None
    width = width or slice_width(runs, len(devices), most_in_memory(train, hyper, devices[0]), devices[0].platform)
    while True:
        people = population(train, width, devices)
        state = people.shapes(hyper)
        together = config.learning.envs_per_run
        advance = {
            length: people.chunk.lower(state, length // together).compile()  # pyright: ignore[reportFunctionMemberAccess]
            for length in set(_lengths(config))
        }
        evaluate = people.evaluate.lower(state).compile()  # pyright: ignore[reportFunctionMemberAccess]
        needed = max(bytes_needed(program) for program in (*advance.values(), evaluate))
        narrower = width if fixed_width else fitted(width, needed, devices[0])
        if narrower == width:
            return Program(people, width, advance, evaluate, time.perf_counter() - start)
        width = narrower


def _train(
    configs: Sequence[Config],
    lanes: Sequence[Lane],
    program: Program,
    writers: dict[int, RunWriter],
    observe: Callable[[Point], None],
    place_of_slice: tuple[int, int],
) -> tuple[float, int, dict[Lane, int]]:
    """Train one slice, to its last point or until every lane has diverged.

    Returns:
        Its seconds, the episodes that each lane advanced, and what diverged when.
    """
    people, config = program.people, configs[0]
    rows = [lanes[place % len(lanes)] for place in range(program.width)]  # a short slice is filled up with copies
    state = people.init([lane.seed for lane in rows], make_hypers([configs[lane.config] for lane in rows]))
    by_config = _by_config(lanes)
    diverged: dict[Lane, int] = {}
    episode, advanced, busy = 0, 0, 0.0
    values: dict[str, np.ndarray] = {}
    for length in _lengths(config):
        episode += length
        if len(diverged) < len(lanes):
            start = time.perf_counter()
            state, metrics = program.advance[length](state)
            values = host(metrics._asdict() | {"eval_return": program.evaluate(state)}, len(lanes))
            seconds = time.perf_counter() - start
            busy += seconds
            advanced = episode
            first = host(state.diverged_at, len(lanes)).tolist()
            found = {lane: at for lane, at in zip(lanes, first, strict=True) if at >= 0 and lane not in diverged}
            diverged |= found
            observe(Point(*place_of_slice, episode, config.episodes, seconds, lanes, values, found))
        else:
            values = {name: np.full_like(value, np.nan) for name, value in values.items()}
        for index, places in by_config.items():
            writers[index].point(episode, [lanes[i].seed for i in places], {k: v[places] for k, v in values.items()})
    played = _greedy_episodes(people, state, config, len(lanes))
    for index, places in by_config.items():
        writers[index].rollout([lanes[i].seed for i in places], {k: v[places] for k, v in played.items()})
    return busy, advanced, diverged


def _by_config(lanes: Sequence[Lane]) -> dict[int, list[int]]:
    """The places of each configuration's lanes."""
    places: dict[int, list[int]] = {}
    for place, lane in enumerate(lanes):
        places.setdefault(lane.config, []).append(place)
    return places


def _lengths(config: Config) -> list[int]:
    """Episodes of each chunk; only the last may be shorter."""
    whole, rest = divmod(config.episodes, config.points_every)
    return [config.points_every] * whole + [rest] * (rest > 0)


def _meta(
    config: Config, program: Program, spent: tuple[float, int], runs: int, diverged: dict[int, int]
) -> dict[str, Any]:
    """What `meta.json` says; `spent` is the seconds and the episodes of all seeds together."""
    busy, episodes = spent
    return machine(used=program.people.devices) | {
        "config_hash": config_hash(config),
        "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "wall_seconds": busy,  # this configuration's share, by its number of seeds
        "compile_seconds": program.seconds,
        "updates_per_second": episodes * config.learning.updates_per_episode / busy,
        "runs_in_program": runs,
        "runs_at_once": program.width,
        "diverged": diverged,
    }


def _entities(config: Config) -> dict[str, np.ndarray]:
    """What there is to draw, and how long a step lasts."""
    spec = make_env(config).spec
    entities = spec.entities
    return {
        "kind": np.array([entity.kind for entity in entities]),
        "name": np.array([entity.name for entity in entities]),
        "radius": np.array([entity.radius for entity in entities], np.float32),
        "agent": np.array([entity.agent for entity in entities], np.int32),
        "seconds": np.array(spec.seconds),
    }


def _greedy_episodes(people: Population, state: TrainState, config: Config, runs: int) -> dict[str, np.ndarray]:
    """Greedy episodes of every run's actors.

    Returns:
        Positions [S, E, T + 1, entities, 2], snapshot [S, E, T + 1, Z], reward and terminated [S, E, T].
    """
    keys = jax.random.split(jax.random.key(config.evaluation.seed), DRAWN_EPISODES)
    episodes = host(people.play(state, keys), runs)
    positions = jax.jit(jax.vmap(jax.vmap(make_env(config).positions)))
    return {
        "positions": np.stack([positions(snapshot) for snapshot in episodes.snapshot]),  # one run's at a time fit
        "snapshot": episodes.snapshot,
        "reward": episodes.reward,
        "terminated": episodes.terminated,
    }
