"""What training leaves on disk: a member's results, and a finished run."""

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from adama_jax.config.identity import config_hash
from adama_jax.config.schema import Config
from adama_jax.execution.actors import about_actors
from adama_jax.execution.build import make_env
from adama_jax.execution.events import Values
from adama_jax.execution.loop import Learned
from adama_jax.execution.program import Program
from adama_jax.storage.provenance import machine, moved
from adama_jax.storage.writer import FinishedSeed, Kept, RunWriter


def keep_member(writer: RunWriter, seed: int, row: int, learned: Learned) -> None:
    """Have a member's results on disk."""
    history = learned.history
    divergence = learned.diverged.get(row)
    about = FinishedSeed(
        seconds=float(history.seconds[row]),
        episodes=history.episode,
        diverged=divergence._asdict() if divergence else None,
        stretches=history.stretches[row],
    )
    # By name, as the curves have always been in metrics.npz.
    _, first = history.points[0]
    curves = {}
    for name in sorted(first):
        points = [values[name][row] for _, values in history.points]
        curves[name] = np.stack(points)
    kept = Kept(
        episode=np.array([episode for episode, _ in history.points]),
        curves=curves,
        rollout=_row(learned.rollouts, row),
        actors=_row(learned.actors, row),
        about=about,
    )
    writer.keep(seed, kept)


def _row(values: Values, row: int) -> dict[str, np.ndarray]:
    """The values of one member."""
    return {name: value[row] for name, value in values.items()}


def other_machines(writers: Sequence[RunWriter], config: Config) -> list[str]:
    """Where seeds were trained that are finished while others are not, if not here: a line each.

    Args:
        writers: of the runs.
        config: of any of them.
    """
    if not any(writer.missing for writer in writers):
        return []
    finished = []
    for writer in writers:
        finished += [about.stretches for about in writer.finished.values()]
    return moved(finished, machine(config=config)) if finished else []


def finish_run(
    writer: RunWriter, config: Config, program: Program | None, members: int
) -> None:
    """Write a run of which all seeds are on disk, and give it its name.

    Args:
        writer: of the run.
        config: its settings.
        program: the last that trained it; None where an earlier process had trained all of it.
        members: of all runs that this process trains.
    """
    writer.finish(
        constants=entities(config),
        about_actors=about_actors(config),
        meta=_meta(config, writer.finished, program, members),
    )


def _meta(
    config: Config,
    finished: dict[int, FinishedSeed],
    program: Program | None,
    members: int,
) -> dict[str, Any]:
    """What `meta.json` says."""
    seeds = finished.values()
    busy = sum(seed.seconds for seed in seeds)
    diverged = {}
    diverged_at = {}
    for seed, about in finished.items():
        if about.diverged:
            diverged[seed] = about.diverged
            diverged_at[seed] = about.diverged["episode"]
    meta = _machine(finished, config, program)
    meta["stretches"] = _stretches(finished)
    meta["config_hash"] = config_hash(config)
    meta["finished_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    # This run's share of the training time, by its number of seeds.
    meta["wall_seconds"] = busy
    updates = sum(config.updates_in(seed.episodes) for seed in seeds)
    meta["updates_per_second"] = updates / busy
    # Until training could begin; the evaluation is compiled beside it.
    meta["compile_seconds"] = program.seconds if program else 0.0
    # What these two are called on disk was settled when a member was called a run.
    meta["runs_in_program"] = members
    meta["runs_at_once"] = min(program.width, members) if program else 0
    meta["diverged"] = diverged_at
    meta["diverged_in"] = diverged
    return meta


def _machine(
    finished: dict[int, FinishedSeed], config: Config, program: Program | None
) -> dict[str, Any]:
    """Where the run was trained last."""
    if program is not None:
        return dict(program.machine)
    # An earlier process had trained it all.
    for about in finished.values():
        if about.stretches:
            last = about.stretches[-1]
            return {name: last[name] for name in last if name != "from_episode"}
    return machine(config=config)


def _stretches(finished: dict[int, FinishedSeed]) -> list[dict[str, Any]]:
    """Every stretch of the training: which seeds, from which episode, on which machine."""
    found: dict[str, dict[str, Any]] = {}
    for seed, about in finished.items():
        for stretch in about.stretches:
            # As text, for a dictionary cannot be a key.
            name = json.dumps(stretch, sort_keys=True)
            own = found.setdefault(name, {"seeds": [], **stretch})
            own["seeds"].append(seed)
    return list(found.values())


def entities(config: Config) -> dict[str, np.ndarray]:
    """What there is to draw, and how long a step lasts."""
    spec = make_env(config).spec
    kinds = [entity.kind for entity in spec.entities]
    names = [entity.name for entity in spec.entities]
    radii = [entity.radius for entity in spec.entities]
    agents = [entity.agent for entity in spec.entities]
    return {
        # Texts also where a world has nothing to draw.
        "kind": np.array(kinds, str),
        "name": np.array(names, str),
        "radius": np.array(radii, np.float32),
        "agent": np.array(agents, np.int32),
        "seconds": np.array(spec.seconds),
    }
