"""A grid in one program against the same runs one after another, as ratios measured in one run.

    .venv/bin/python -m benchmarks.sweep [rounds]

A 4 x 4 grid of fixed rates x 2 seeds in going together, 32 runs, 500 episodes each, training only (compiled before).
"one after another" is the width-2 program of one setting's two seeds, 16 times. Rounds alternate; the best counts.
"""

import sys
import time

from adama_jax.execution.devices import set_up_jax
from adama_jax.storage.provenance import machine

set_up_jax()

import jax

from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.execution.build import make_hyper, make_hypers, make_train
from adama_jax.execution.devices import cohort_width, cohorts_of
from adama_jax.studies.sweep import product
from adama_jax.training.population import Population, population
from benchmarks.reports import write_report

EPISODES, CHUNK = 500, 100
RATES = [0.001, 0.004, 0.007, 0.01]


def prepared(width: int, devices: list) -> tuple[Population, object]:
    people = population(make_train(CONFIGS[0]), width, devices)
    return people, people.chunk.lower(people.shapes(make_hyper(CONFIGS[0])), CHUNK).compile()


def seconds(program: tuple[Population, object]) -> float:
    people, advance = program
    start = time.perf_counter()
    for part in cohorts_of(RUNS, people.width):
        rows = [part[place % len(part)] for place in range(people.width)]
        hyper = make_hypers([config for config, _ in rows])
        state = people.init([seed for _, seed in rows], hyper)
        for _ in range(EPISODES // CHUNK):
            state, metrics = advance(state)
        jax.block_until_ready(metrics)
    return time.perf_counter() - start


base = with_settings(
    scenario_config("going_together"), {"method": "fixed", "seeds": 2, "episodes": EPISODES}
)
CONFIGS = product(base, {"rates.critic_rate": RATES, "rates.actor_budget": RATES})
RUNS = [(config, seed) for config in CONFIGS for seed in config.seed_range]

if __name__ == "__main__":
    devices = jax.local_devices()
    chosen = cohort_width(len(RUNS), len(devices), 10**6, devices[0].platform)
    programs = {
        "one after another, width 2 on one device": prepared(2, devices[:1]),
        f"sweep, width {chosen} on {len(devices)} devices": prepared(chosen, devices),
        "sweep on one device": prepared(
            cohort_width(len(RUNS), 1, 10**6, devices[0].platform), devices[:1]
        ),
        f"all 32 at once on {len(devices)} devices": prepared(32, devices),
    }
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        for name, program in programs.items():
            best[name] = min(best[name], seconds(program))
    baseline = next(iter(best.values()))
    table = {
        name: {"seconds": value, "times as fast a run": baseline / value}
        for name, value in best.items()
    }
    for name, row in table.items():
        print(f"{name:45} {row['seconds']:7.2f} s  {row['times as fast a run']:.2f}")
    write_report("sweep", {"machine": machine(), "ratios": table})
