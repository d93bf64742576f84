"""What runs, worlds and machines are called in pictures and tables."""

from collections.abc import Sequence

from adama_jax.config.scenarios import SCENARIOS
from adama_jax.storage.reader import Run


def machine_of(run: Run) -> str:
    """On what a run was made.

    >>> from pathlib import Path
    >>> from adama_jax.config.schema import scenario_config
    >>> meta = {"device": {"used": 2, "kind": "cpu"}}
    >>> machine_of(Run(Path(), "", scenario_config("clustering"), {}, meta, {}, None))
    '2 x cpu'
    """
    device = run.meta["device"]
    return (
        f"{device['used']} x {device['kind']}" if "used" in device else device["kind"]
    )  # none before 2026-11-22


def world_of(run: Run) -> str:
    """In which world a run was made: its scenario, and for a robot the physics, and who it is if not the preset's.

    >>> from pathlib import Path
    >>> from adama_jax.config.identity import to_dict
    >>> from adama_jax.config.names import with_settings
    >>> from adama_jax.config.schema import scenario_config
    >>> ant = {"world.partition": "2x4", "world.backend": "mjx"}
    >>> config = with_settings(scenario_config("ant_4x2"), ant)
    >>> world_of(Run(Path(), "", config, to_dict(config), {}, {}, None))
    'ant_4x2 (2x4 mjx)'
    """
    world, scenario = (
        run.stored["world"],
        SCENARIOS.get(run.config.scenario),
    )  # None: another version's
    preset = scenario and scenario.world
    words = [
        world[name]
        for name in ("robot", "partition")
        if world.get(name) != getattr(preset, name, None)
    ]
    words += [world["backend"]] if "backend" in world else []
    return run.config.scenario + (f" ({' '.join(words)})" if words else "")


def title(run: Run, seed_index: int) -> str:
    """Of a film or a page of one seed's episodes."""
    return f"{world_of(run)}, {run.label}, seed {run.metrics['seed'][seed_index]}"


def lengths(runs: Sequence[Run]) -> str:
    """How long runs are, in words.

    >>> from pathlib import Path
    >>> from adama_jax.config.names import with_settings
    >>> from adama_jax.config.schema import scenario_config
    >>> base = scenario_config("clustering")
    >>> configs = [with_settings(base, {"episodes": count}) for count in (8000, 300, 8000)]
    >>> lengths([Run(Path(), "", config, {}, {}, {}, None) for config in configs])
    '300 and 8,000 episodes'
    """
    counts = sorted({run.config.episodes for run in runs})
    return " and ".join(f"{count:,}" for count in counts) + " episodes"
