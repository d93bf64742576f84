"""Speed of the train step, as ratios measured side by side in one run, on one core with one thread.

    .venv/bin/python -m benchmarks.train_step [rounds=15]

Run it on an idle machine: `make bench`. Prints a table and writes `benchmarks/train_step.json`.
Each ratio is the median, over rounds, of times taken one after the other within the round.
"""

import statistics
import sys
from typing import NamedTuple

from benchmarks.one_core import take_one_core

take_one_core()

from adama_jax.config.names import with_settings
from adama_jax.config.schema import Config
from adama_jax.storage.provenance import machine
from benchmarks.programs import (
    MATMUL_FLOPS,
    STEPS,
    Program,
    busy,
    config,
    episode_program,
    matmul_program,
    matmul_share,
    ratio,
    sampled_program,
    side_by_side,
    update_flops,
    update_program,
)
from benchmarks.reports import write_report
from benchmarks.words import numbers

TANH = "tanh"
# Of a smooth critic.
FIRST, SECOND = (
    "adama, tanh critic",
    "adama_2nd exact, tanh critic",
)


# Beside MADDPG, with its actors and on the same world.
OTHER_ALGORITHMS = ("matd3", "haddpg", "hatd3", "facmac", "masac")


def on(setting: Config, algorithm: str) -> Config:
    """The same settings with another algorithm."""
    return with_settings(setting, {"algorithm": algorithm})


def make_programs() -> dict[str, Program]:
    """All that is timed, by name."""
    adama = config("adama")
    secant = config("adama_2nd")
    exact = config("adama_2nd", 4, TANH, "exact")
    exact_of_8 = config("adama_2nd", 8, TANH, "exact")
    return {
        "matmul": matmul_program(),
        "fixed": update_program(config("fixed")),
        "adama": update_program(adama),
        "adama, 4 seeds": update_program(adama, seeds=4),
        "adama, sampled": sampled_program(adama),
        "adama, whole episode": episode_program(adama),
        "adama, N=8": update_program(config("adama", 8)),
        FIRST: update_program(config("adama", 4, TANH)),
        SECOND: update_program(exact),
        f"{FIRST}, N=8": update_program(config("adama", 8, TANH)),
        f"{SECOND}, N=8": update_program(exact_of_8),
        "adama_2nd secant": update_program(secant),
        "adama_2nd secant, N=8": update_program(config("adama_2nd", 8)),
        **{name: update_program(on(adama, name)) for name in OTHER_ALGORITHMS},
        "undivided adama": update_program(adama, whole=True),
        "undivided adama, 4 seeds": update_program(adama, seeds=4, whole=True),
        "undivided adama, N=8": update_program(config("adama", 8), whole=True),
        "undivided adama_2nd secant": update_program(secant, whole=True),
    }


class Row(NamedTuple):
    """A ratio of two programs' times, and what it should be."""

    name: str
    upper: str
    lower: str
    goal: str = ""
    divided_by: int = 1


ROWS = (
    Row("(b) adama over fixed", "adama", "fixed", "<= 1.12"),
    Row("(c) adama_2nd over adama, exact, tanh critic, N=4", SECOND, FIRST, "<= 1.35"),
    Row("(c) the same, N=8", f"{SECOND}, N=8", f"{FIRST}, N=8", "<= 1.35"),
    Row(
        "    adama_2nd over adama, secant, ReLU critic, N=4",
        "adama_2nd secant",
        "adama",
        "<= 1.35",
    ),
    Row("    the same, N=8", "adama_2nd secant, N=8", "adama, N=8", "<= 1.35"),
    Row(
        "(d) 4 vmapped seeds over 1, per seed",
        "adama, 4 seeds",
        "adama",
        "<= 1.25",
        divided_by=4,
    ),
    Row("    whole episode over update", "adama, whole episode", "adama"),
    *[Row(f"    {name} over maddpg", name, "adama") for name in OTHER_ALGORITHMS],
    Row("(e) adama, minibatch undivided over in parts", "undivided adama", "adama"),
    Row("    the same, 4 vmapped seeds", "undivided adama, 4 seeds", "adama, 4 seeds"),
    Row("    undivided over in parts, N=8", "undivided adama, N=8", "adama, N=8"),
    Row(
        "    adama_2nd, secant, undivided over in parts",
        "undivided adama_2nd secant",
        "adama_2nd secant",
    ),
)


def main(rounds: int) -> None:
    programs = make_programs()
    other = busy()
    taken = side_by_side(programs, rounds)
    work = update_flops(4, 10)

    milliseconds = {}
    for name in programs:
        median = statistics.median(one[name] for one in taken)
        milliseconds[name] = 1e3 * median / STEPS
    # Of the matmul a program holds one, not STEPS.
    milliseconds["matmul"] *= STEPS
    gflops = MATMUL_FLOPS / (1e6 * milliseconds["matmul"])
    print(
        f"update: {work / 1e6:.0f} MFLOP; large matmul: {gflops:.0f} GFLOP/s on one core"
    )

    shown = [
        (
            "(a) adama train step, share of a large matmul's rate",
            matmul_share(taken, "adama, sampled", work),
            ">= 0.5",
        ),
        (
            "    the same without sampling the minibatch",
            matmul_share(taken, "adama", work),
            "",
        ),
    ]
    for row in ROWS:
        value = ratio(taken, row.upper, row.lower) / row.divided_by
        shown.append((row.name, value, row.goal))
    for name, value, goal in shown:
        print(f"{name:56s} {value:6.2f}  {goal}")
    report = {
        "ratios": {name.strip(): value for name, value, _ in shown},
        "milliseconds_per_update": milliseconds,
        "update_flops": work,
        "matmul_gflops": gflops,
        "busy_before": other,
        "machine": machine(),
    }
    write_report("train_step", report)


if __name__ == "__main__":
    main(**numbers(sys.argv[1:], rounds=15))
