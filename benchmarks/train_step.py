"""Speed of the train step, as ratios measured side by side in one run, on one core with one thread.

Run it on an idle machine: `make bench`. Prints a table and writes `benchmarks/train_step.json`.
Each ratio is the median, over rounds, of times taken one after the other within the round.
"""

import statistics

from benchmarks.one_core import take_one_core

take_one_core()

from adama_jax.storage.provenance import machine
from benchmarks.programs import (
    MATMUL_FLOPS,
    STEPS,
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

ROUNDS = 15


def main() -> None:
    programs = {
        "matmul": matmul_program(),
        "fixed": update_program(config("fixed")),
        "adama": update_program(config("adama")),
        "adama, 4 seeds": update_program(config("adama"), seeds=4),
        "adama, sampled": sampled_program(config("adama")),
        "adama, whole episode": episode_program(config("adama")),
        "adama, N=8": update_program(config("adama", 8)),
        "adama, tanh critic": update_program(config("adama", activation="tanh")),
        "adama_2nd exact, tanh critic": update_program(config("adama_2nd", 4, "tanh", "exact")),
        "adama, tanh critic, N=8": update_program(config("adama", 8, "tanh")),
        "adama_2nd exact, tanh critic, N=8": update_program(
            config("adama_2nd", 8, "tanh", "exact")
        ),
        "adama_2nd secant": update_program(config("adama_2nd")),
        "adama_2nd secant, N=8": update_program(config("adama_2nd", 8)),
        "undivided adama": update_program(config("adama"), whole=True),
        "undivided adama, 4 seeds": update_program(config("adama"), seeds=4, whole=True),
        "undivided adama, N=8": update_program(config("adama", 8), whole=True),
        "undivided adama_2nd secant": update_program(config("adama_2nd"), whole=True),
    }
    other = busy()
    rounds = side_by_side(programs, ROUNDS)
    work = update_flops(4, 10)

    def over(upper: str, lower: str) -> float:
        return ratio(rounds, upper, lower)

    def share(name: str) -> float:
        return matmul_share(rounds, name, work)

    milliseconds = {
        name: 1e3 * statistics.median(one[name] for one in rounds) / STEPS for name in programs
    }
    milliseconds["matmul"] *= STEPS
    rows = {
        "(a) adama train step, share of a large matmul's rate": (share("adama, sampled"), ">= 0.5"),
        "    the same without sampling the minibatch": (share("adama"), ""),
        "(b) adama over fixed": (over("adama", "fixed"), "<= 1.12"),
        "(c) adama_2nd over adama, exact, tanh critic, N=4": (
            over("adama_2nd exact, tanh critic", "adama, tanh critic"), "<= 1.35"),
        "(c) the same, N=8": (over("adama_2nd exact, tanh critic, N=8", "adama, tanh critic, N=8"), "<= 1.35"),
        "    adama_2nd over adama, secant, ReLU critic, N=4": (over("adama_2nd secant", "adama"), "<= 1.35"),
        "    the same, N=8": (over("adama_2nd secant, N=8", "adama, N=8"), "<= 1.35"),
        "(d) 4 vmapped seeds over 1, per seed": (over("adama, 4 seeds", "adama") / 4, "<= 1.25"),
        "    whole episode over update": (over("adama, whole episode", "adama"), ""),
        "(e) adama, minibatch undivided over in parts": (over("undivided adama", "adama"), ""),
        "    the same, 4 vmapped seeds": (over("undivided adama, 4 seeds", "adama, 4 seeds"), ""),
        "    undivided over in parts, N=8": (over("undivided adama, N=8", "adama, N=8"), ""),
        "    adama_2nd, secant, undivided over in parts": (over("undivided adama_2nd secant", "adama_2nd secant"), ""),
    }  # fmt: skip
    gflops = MATMUL_FLOPS / (1e6 * milliseconds["matmul"])
    print(f"update: {work / 1e6:.0f} MFLOP; large matmul: {gflops:.0f} GFLOP/s on one core")
    for name, (value, goal) in rows.items():
        print(f"{name:56s} {value:6.2f}  {goal}")
    report = {
        "ratios": {name.strip(): value for name, (value, _) in rows.items()},
        "milliseconds_per_update": milliseconds,
        "update_flops": work,
        "matmul_gflops": gflops,
        "busy_before": other,
        "machine": machine(),
    }
    write_report("train_step", report)


if __name__ == "__main__":
    main()
