"""What safety costs: saving, metrics and the check for NaN, over bare training.

    .venv/bin/python -m benchmarks.checkpoints [loop|save]

Predator-prey: the loop with 5 seeds, a save with 7, whose replays of 1e6 transitions are 590 MB; on
one core with one thread, so that the thread that writes has no core of its own. Run it on an idle
machine. Adds to `benchmarks/checkpoints.json`.
"""

import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.one_core import take_one_core

take_one_core()

import jax
import jax.numpy as jnp

from adama_jax import tree
from adama_jax.config.options import Training
from adama_jax.config.schema import scenario_config
from adama_jax.execution.build import make_hyper
from adama_jax.execution.cohort import Cohort, Group
from adama_jax.execution.events import Member
from adama_jax.execution.history import no_history
from adama_jax.execution.log import write_log
from adama_jax.execution.loop import train_cohort
from adama_jax.execution.observer import Hooks
from adama_jax.execution.program import Program, compiled, schedule
from adama_jax.execution.saver import CohortSaver
from adama_jax.execution.state import leaves_of, named_arrays
from adama_jax.storage.groups import SavedGroup
from adama_jax.storage.provenance import machine
from benchmarks.reports import add_to_report
from benchmarks.words import chosen

ROUNDS = 5
EPISODES = 1_000
SEEDS = 5
MINUTES = 10.0  # between two checkpoints, as the command line has it
CONFIG = dataclasses.replace(
    scenario_config("predator_prey"), seeds=SEEDS, episodes=EPISODES
)


LARGE = dataclasses.replace(CONFIG, seeds=7, episodes=50_000)


def start(program: Program):
    return program.population.init(range(program.width), make_hyper(CONFIG))


def bare(program: Program) -> float:
    """Chunks and evaluations, nothing else."""
    state = start(program)
    jax.block_until_ready(state)
    metrics: Any = None
    began = time.perf_counter()
    for chunks in schedule(CONFIG):
        for length in chunks:
            state, metrics = program.advance[length](state)
        jax.block_until_ready((program.evaluate.result()(state), metrics))
    return time.perf_counter() - began


def whole(program: Program, folder: Path) -> float:
    """The project's loop without a save: metrics to disk, a look for divergence at each chunk."""
    folder.mkdir(exist_ok=True)
    members = [Member(CONFIG, CONFIG.label, seed, folder) for seed in range(SEEDS)]
    saver = saver_of(
        [list(range(SEEDS))], folder, program, Training(checkpoint_minutes=None)
    )
    seconds = []

    def look(event):
        seconds.append(time.perf_counter())

    began = time.perf_counter()
    train_cohort(members, program, saver, Hooks([write_log, look]))
    return seconds[-1] - began


def saver_of(
    runs: list[list[int]], folder: Path, program: Program, training: Training
) -> CohortSaver:
    """Of a cohort that holds these seeds of each run."""
    groups = []
    for run, seeds in enumerate(runs):
        saved = SavedGroup(
            folder / str(run), tuple(seeds), program.population.width, 1, ()
        )
        groups.append(Group(run, saved))
    leaves = leaves_of(program.shapes)
    return CohortSaver(Cohort(tuple(groups), 0), leaves, training, print)


def save_costs(folder: Path) -> dict[str, float]:
    """A save beside training: how long it holds the loop up, and how it slows the chunks."""
    program = compiled(LARGE, LARGE.seeds, jax.devices()[:1], LARGE.seeds)
    state = start(program)
    length = schedule(LARGE)[0][0]
    saved = saver_of([list(LARGE.seed_range)], folder / "costs", program, Training())
    saved.make_room()
    held, beside, alone = [], [], []
    metrics: Any = None
    for number in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(5):
            state, metrics = program.advance[length](state)
        jax.block_until_ready(metrics)
        alone.append((time.perf_counter() - began) / 5)
        began = time.perf_counter()
        history = no_history(LARGE.seeds)._replace(episode=number + 1)
        saved.save(named_arrays(state, saved.room()), history)
        held.append(time.perf_counter() - began)
        began, chunks = time.perf_counter(), 0
        while not saved.idle() or chunks == 0:
            state, metrics = program.advance[length](state)
            jax.block_until_ready(metrics)
            chunks += 1
        spent = time.perf_counter() - began
        beside.append(spent - chunks * statistics.median(alone))
    room = saved.room() or {}
    size = sum(leaf.nbytes for leaf in room.values())
    saved.close()
    a_save = statistics.median(held) + statistics.median(beside)
    return {
        "state, MB": size / 1e6,
        "a save holds the loop up, s": statistics.median(held),
        "the first one, s": held[0],
        "a save slows the training beside it by, s": statistics.median(beside),
        "share of the training time, one every 10 minutes": a_save / (60 * MINUTES),
    }


def loop_costs(folder: Path) -> dict[str, float]:
    """Training with and without the check for NaN, and with all that the loop does but saving."""
    device = jax.devices()[:1]
    program = compiled(CONFIG, SEEDS, device, SEEDS)
    honest = tree.first_not_finite
    # The compiled program holds whatever the check is while it is traced.
    tree.first_not_finite = lambda values: jnp.full((), -1, jnp.int32)
    unchecked = compiled(CONFIG, SEEDS, device, SEEDS)
    tree.first_not_finite = honest
    for warm in (unchecked, program):
        bare(warm)
    of_check, of_loop = [], []
    for _ in range(ROUNDS):
        none = bare(unchecked)
        checked = bare(program)
        of_check.append(checked / none)
        of_loop.append(whole(program, folder) / checked)
    return {
        "NaN check in the program, over none": statistics.median(of_check),
        "metrics and the loop beside it, over none": statistics.median(of_loop),
    }


COSTS = {"loop": loop_costs, "save": save_costs}


def main() -> None:
    for kind in chosen(sys.argv[1:], list(COSTS)):
        with tempfile.TemporaryDirectory() as name:
            found = COSTS[kind](Path(name))
        for what, value in found.items():
            print(f"{what:60s} {value:8.3f}", flush=True)
        add_to_report("checkpoints", kind, found | {"machine": machine(used=1)})


if __name__ == "__main__":
    main()
