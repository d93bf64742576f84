"""What runs, worlds and machines are called in pictures and tables."""

from collections.abc import Sequence

from adama_jax.config.scenarios import SCENARIOS
from adama_jax.screen.words import counted
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
    # Runs that were made before 2026-11-22 do not say how many devices they used.
    if "used" not in device:
        return device["kind"]
    return f"{device['used']} x {device['kind']}"


def world_of(run: Run) -> str:
    """In which world a run was made: its scenario, and for a robot its physics.

    A robot or a partition that is not the scenario's own is named too.

    >>> from pathlib import Path
    >>> from adama_jax.config.identity import to_dict
    >>> from adama_jax.config.names import with_settings
    >>> from adama_jax.config.schema import scenario_config
    >>> ant = {"world.partition": "2x4", "world.backend": "mjx"}
    >>> config = with_settings(scenario_config("ant_4x2"), ant)
    >>> world_of(Run(Path(), "", config, to_dict(config), {}, {}, None))
    'ant_4x2 (2x4 mjx)'
    """
    # What was stored, for the scenario may be one that this version does not have.
    world = run.stored["world"]
    scenario = SCENARIOS.get(run.config.scenario)
    preset = scenario.world if scenario else None
    named = ("robot", "partition")
    words = [
        str(world[name])
        for name in named
        if name in world and world[name] != getattr(preset, name, None)
    ]
    if "backend" in world:
        words.append(str(world["backend"]))
    inside = f" ({' '.join(words)})" if words else ""
    return run.config.scenario + inside


def by_learner(runs: Sequence[Run]) -> list[Run]:
    """The same runs; where today's learner is beside the paper's, each label says which it is of.

    >>> from pathlib import Path
    >>> from adama_jax.config.schema import scenario_config
    >>> def of(*scenarios):
    ...     configs = [scenario_config(name) for name in scenarios]
    ...     runs = [Run(Path(), c.label, c, {}, {}, {}, None) for c in configs]
    ...     return [run.label for run in by_learner(runs)]
    >>> of("clustering_modern", "clustering"), of("clustering")
    (['adama, modern', 'adama, paper'], ['adama'])
    """
    learners = [_learner_of(run) for run in runs]
    if len(set(learners)) < 2:
        return list(runs)
    named = []
    for run, learner in zip(runs, learners, strict=True):
        # A name for a learner of its own is in the label already.
        named.append(run if learner else run._replace(label=f"{run.label}, paper"))
    return named


def _learner_of(run: Run) -> str | None:
    """What the scenario calls its base learner; None is the paper's."""
    scenario = SCENARIOS.get(run.config.scenario)
    return scenario.learner if scenario else None


def title(run: Run, row: int) -> str:
    """Of a film or a page of one seed's episodes; `row` says which of the run's seeds."""
    seed = run.metrics["seed"][row]
    return f"{world_of(run)}, {run.label}, seed {seed}"


def lengths(runs: Sequence[Run]) -> str:
    """How long runs are, in words.

    >>> from pathlib import Path
    >>> from adama_jax.config.names import with_settings
    >>> from adama_jax.config.schema import scenario_config
    >>> def of(*counts):
    ...     base = scenario_config("clustering")
    ...     configs = [with_settings(base, {"episodes": count}) for count in counts]
    ...     return lengths([Run(Path(), "", config, {}, {}, {}, None) for config in configs])
    >>> of(8000, 8000), of(8000, 300, 8000), of(500, 8000, 300)
    ('8,000 episodes', '300 and 8,000 episodes', '300 to 8,000 episodes')
    """
    counts = sorted({run.config.episodes for run in runs})
    words = [f"{count:,}" for count in counts]
    # A sweep over the lengths may have any number of them.
    told = " and ".join(words) if len(words) <= 2 else f"{words[0]} to {words[-1]}"
    return f"{told} episode{'' if counts == [1] else 's'}"


def seeds(runs: Sequence[Run]) -> str:
    """How many seeds runs have, in words."""
    counts = [len(run.metrics["seed"]) for run in runs]
    least = min(counts)
    most = max(counts)
    if least == most:
        return counted(most, "seed")
    return f"{least} to {most} seeds"
