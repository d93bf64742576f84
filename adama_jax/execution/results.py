"""What training leaves on disk: a member's results, and a finished run."""

import time
from typing import Any

import numpy as np

from adama_jax.config.identity import config_hash
from adama_jax.config.schema import Config
from adama_jax.execution.actors import about_actors
from adama_jax.execution.build import make_env
from adama_jax.execution.loop import Learned
from adama_jax.execution.program import Program
from adama_jax.storage.provenance import machine
from adama_jax.storage.writer import FinishedSeed, Kept, RunWriter


def keep_member(writer: RunWriter, seed: int, row: int, learned: Learned) -> None:
    """Have a member's results on disk."""
    history = learned.history
    divergence = learned.diverged.get(row)
    about = FinishedSeed(
        float(history.seconds[row]),
        history.episode,
        divergence._asdict() if divergence else None,
    )
    names = sorted(history.points[0][1])
    kept = Kept(
        episode=np.array([episode for episode, _ in history.points]),
        curves={
            name: np.stack([values[name][row] for _, values in history.points]) for name in names
        },
        rollout={name: value[row] for name, value in learned.rollouts.items()},
        actors={name: value[row] for name, value in learned.actors.items()},
        about=about,
    )
    writer.keep(seed, kept)


def finish_run(writer: RunWriter, config: Config, program: Program | None, members: int) -> None:
    """Write a run of which all seeds are on disk, and give it its name.

    Args:
        writer: of the run.
        config: its settings.
        program: the last that trained it; None where an earlier process had trained all of it.
        members: of all runs that this process trains.
    """
    meta = _meta(config, writer.finished, program, members)
    writer.finish(_entities(config), about_actors(config), meta)


def _meta(
    config: Config, finished: dict[int, FinishedSeed], program: Program | None, members: int
) -> dict[str, Any]:
    """What `meta.json` says."""
    busy = sum(seed.seconds for seed in finished.values())
    updates = sum(seed.episodes for seed in finished.values()) * config.learning.updates_per_episode
    diverged = {seed: about.diverged for seed, about in finished.items() if about.diverged}
    about = machine(used=program.population.devices if program else None)
    about |= {
        "config_hash": config_hash(config),
        "finished_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "wall_seconds": busy,  # this run's share, by its number of seeds
        "compile_seconds": program.seconds if program else 0.0,  # until training could begin
        "updates_per_second": updates / busy,
    }
    # What these two are called in files was settled when a member was called a run.
    about["runs_in_program"] = members
    about["runs_at_once"] = min(program.width, members) if program else 0
    about["diverged"] = {seed: divergence["episode"] for seed, divergence in diverged.items()}
    about["diverged_in"] = diverged
    return about


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
