"""What runs, worlds and machines are called in pictures and tables."""

from adama_jax.config.scenarios import SCENARIOS
from adama_jax.storage.reader import Run


def machine_of(run: Run) -> str:
    """On what a run was made.

    >>> machine_of(Run(Path(), "", {}, {"device": {"used": 2, "kind": "cpu"}}, {}, {}))
    '2 x cpu'
    """
    device = run.meta["device"]
    return (
        f"{device['used']} x {device['kind']}" if "used" in device else device["kind"]
    )  # none before 2026-11-22


def world_of(run: Run) -> str:
    """In which world a run was made: its scenario, and for a robot the physics, and who it is if not the preset's.

    >>> ant = {"robot": "ant", "partition": "2x4", "backend": "mjx"}
    >>> world_of(Run(Path(), "", {"scenario": "ant_4x2", "world": ant}, {}, {}, {}))
    'ant_4x2 (2x4 mjx)'
    """
    world, scenario = (
        run.config["world"],
        SCENARIOS.get(run.config["scenario"]),
    )  # None: another version's
    preset = scenario and scenario.world
    words = [
        world[name]
        for name in ("robot", "partition")
        if world.get(name) != getattr(preset, name, None)
    ]
    words += [world["backend"]] if "backend" in world else []
    return run.config["scenario"] + (f" ({' '.join(words)})" if words else "")


def title(run: Run, seed_index: int) -> str:
    """Of a film or a page of one seed's episodes."""
    return f"{world_of(run)}, {run.label}, seed {run.metrics['seed'][seed_index]}"
