"""The host loop of a run: jitted chunks, and at each chunk's edge evaluation, the log and the check for divergence."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from adama_jax.compose import make_env, make_hyper, make_train
from adama_jax.config import Config, config_hash
from adama_jax.population import Population, host, population
from adama_jax.runtime import machine
from adama_jax.store import RunWriter
from adama_jax.train import TrainState

DRAWN_EPISODES = 4  # greedy episodes kept for drawing; their starts come from the evaluation's seed


class Point(NamedTuple):
    """What an observer of a run is told at a chunk's edge."""

    episode: int
    total: int
    seconds: float  # of this chunk, compilation excluded
    values: dict[str, np.ndarray]  # [S] or [S, N]
    diverged: dict[int, int]  # seed: first episode that was not finite; only the seeds newly found


def run(config: Config, folder: Path, observe: Callable[[Point], None] = lambda point: None) -> dict[int, int]:
    """Train all seeds of a configuration and write the run folder.

    Args:
        config: a validated configuration.
        folder: its final name (`store.run_folder`); replaced if it exists.
        observe: called at each point.

    Returns:
        The seeds that diverged, with the first episode that was not finite. If all do, training stops there.
    """
    people = population(make_train(config), config.seeds)
    state = people.init(config.seed_range, make_hyper(config))
    advance, compile_seconds = _compiled_chunks(people, state, _lengths(config))
    points: list[dict[str, np.ndarray]] = []
    episodes: list[int] = []
    diverged: dict[int, int] = {}
    busy = 0.0
    with RunWriter(folder, config) as writer:
        for length in _lengths(config):
            start = time.perf_counter()
            state, metrics = advance[length](state)
            values = host(metrics._asdict() | {"eval_return": people.evaluate(state)}, config.seeds)
            seconds = time.perf_counter() - start
            busy += seconds
            episodes.append(sum(episodes[-1:]) + length)
            points.append(values)
            writer.point(episodes[-1], values)
            found = _newly_diverged(state, config, diverged)
            diverged |= found
            observe(Point(episodes[-1], config.episodes, seconds, values, found))
            if len(diverged) == config.seeds:
                break
        curves = {name: np.stack([values[name] for values in points], axis=1) for name in points[0]}
        updates = episodes[-1] * config.learning.updates_per_episode * config.seeds
        meta = machine(used=people.devices) | {
            "config_hash": config_hash(config),
            "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "wall_seconds": busy,
            "compile_seconds": compile_seconds,
            "updates_per_second": updates / busy,
            "diverged": diverged,
        }
        arrays = {"episode": np.array(episodes), "seed": np.array(config.seed_range), **curves}
        writer.finish(arrays, _rollout(people, state, config), meta)
    return diverged


def _lengths(config: Config) -> list[int]:
    """Episodes of each chunk; only the last may be shorter."""
    whole, rest = divmod(config.episodes, config.points_every)
    return [config.points_every] * whole + [rest] * (rest > 0)


def _compiled_chunks(
    people: Population, state: TrainState, lengths: list[int]
) -> tuple[dict[int, Callable[[TrainState], Any]], float]:
    """Compile what the loop will call, apart from its running time."""
    start = time.perf_counter()
    compiled = {length: people.chunk.lower(state, length).compile() for length in set(lengths)}  # pyright: ignore
    jax.block_until_ready(people.evaluate(state))
    return compiled, time.perf_counter() - start


def _newly_diverged(state: TrainState, config: Config, known: dict[int, int]) -> dict[int, int]:
    first = host(state.diverged_at, config.seeds)
    return {
        seed: int(episode)
        for seed, episode in zip(config.seed_range, first, strict=True)
        if episode >= 0 and seed not in known
    }


def _rollout(people: Population, state: TrainState, config: Config) -> dict[str, np.ndarray]:
    """Greedy episodes of every seed's actors: positions [S, E, T + 1, entities, 2], reward [S, E, T]."""
    env = make_env(config)
    keys = jax.random.split(jax.random.key(config.evaluation.seed), DRAWN_EPISODES)
    episodes = host(people.play(state, keys), config.seeds)
    positions = jax.vmap(jax.vmap(jax.vmap(env.positions)))(episodes.snapshot)
    return {
        "positions": np.asarray(positions),
        "reward": episodes.reward,
        "kind": np.array([entity.kind for entity in env.spec.entities]),
        "name": np.array([entity.name for entity in env.spec.entities]),
        "radius": np.array([entity.radius for entity in env.spec.entities], np.float32),
    }
