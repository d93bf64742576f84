"""A grid in one program against the same runs one after another, as ratios measured in one run.

    .venv/bin/python -m benchmarks.sweep [rounds=3] [episodes=500]

A 4 x 4 grid of fixed rates x 2 seeds in going together, 32 runs, training only (compiled before).
"one after another" is the width-2 program of one setting's two seeds, 16 times. Rounds alternate;
the best counts. Writes `benchmarks/sweep.json`.
"""

import sys
import time
from typing import Any

from adama_jax.execution.jax_setup import set_up_jax
from adama_jax.storage.provenance import machine

# Before JAX is imported: it reads the number of host devices once.
set_up_jax()

import jax

from adama_jax.config.names import with_settings
from adama_jax.config.schema import Config, scenario_config
from adama_jax.execution.build import make_hyper, make_train, stacked_hypers
from adama_jax.execution.devices import cohort_width, cohorts_of
from adama_jax.studies.sweep import product
from adama_jax.training.population import Population, population
from benchmarks.reports import write_report
from benchmarks.words import numbers

CHUNK = 100
RATES = [0.001, 0.004, 0.007, 0.01]

Compiled = tuple[Population, Any]  # a population and its compiled chunk


def grid(episodes: int) -> list[Config]:
    """The settings, of two seeds each."""
    changes = {"method": "fixed", "seeds": 2, "episodes": episodes}
    base = with_settings(scenario_config("going_together"), changes)
    return product(base, {"rates.critic_rate": RATES, "rates.actor_budget": RATES})


def compiled(config: Config, width: int, devices: list[Any]) -> Compiled:
    """A program for so many runs of which each has its own rates."""
    whole = population(make_train(config), width, devices)
    shapes = whole.shapes(make_hyper(config))
    return whole, whole.chunk.lower(shapes, CHUNK).compile()  # pyright: ignore


def seconds(program: Compiled, configs: list[Config], episodes: int) -> float:
    """All runs of the grid, as many at once as the program is wide."""
    whole, advance = program
    runs = [(config, seed) for config in configs for seed in config.seed_range]
    begun = time.perf_counter()
    for cohort in cohorts_of(runs, whole.width):
        # The last cohort is filled up with copies.
        rows = [cohort[row % len(cohort)] for row in range(whole.width)]
        hyper = stacked_hypers([config for config, _ in rows])
        state = whole.init([seed for _, seed in rows], hyper)
        metrics = None
        for _ in range(episodes // CHUNK):
            state, metrics = advance(state)
        jax.block_until_ready(metrics)
    return time.perf_counter() - begun


def main(rounds: int, episodes: int) -> None:
    configs = grid(episodes)
    total = sum(config.seeds for config in configs)
    devices = jax.local_devices()
    platform = devices[0].platform
    wide = cohort_width(total, len(devices), 10**6, platform)
    narrow = cohort_width(total, 1, 10**6, platform)
    first = configs[0]
    alone = devices[:1]
    here = f"on {len(devices)} devices"
    # The first is what the others are compared with.
    programs = {"one after another, width 2 on one device": compiled(first, 2, alone)}
    programs[f"sweep, width {wide} {here}"] = compiled(first, wide, devices)
    programs["sweep on one device"] = compiled(first, narrow, alone)
    programs[f"all {total} at once {here}"] = compiled(first, total, devices)
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(rounds):
        for name, program in programs.items():
            taken = seconds(program, configs, episodes)
            best[name] = min(best[name], taken)

    baseline = next(iter(best.values()))
    table = {}
    for name, value in best.items():
        table[name] = {"seconds": value, "times as fast a run": baseline / value}
        print(f"{name:45} {value:7.2f} s  {baseline / value:.2f}")
    write_report("sweep", {"machine": machine(), "ratios": table})


if __name__ == "__main__":
    main(**numbers(sys.argv[1:], rounds=3, episodes=500))
