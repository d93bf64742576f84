"""Listing a sweep of 10,000 settings: from the words of the command line to the programs to train.

    .venv/bin/python -m benchmarks.large_sweep [rounds=5]

A grid of 100 x 100 fixed rates in predator-prey; neither JAX nor the disk is touched. Seconds of a
processor, for it is one thread that never waits; the best round counts, as a whole. The goal is 2
seconds. Writes `benchmarks/large_sweep.json`.
"""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from adama_jax.cli.commands.sweep import read_sweep
from adama_jax.config.checks import validate
from adama_jax.config.identity import config_hash
from adama_jax.config.labels import labels
from adama_jax.config.schema import Config
from adama_jax.studies.jobs import jobs
from benchmarks.reports import write_report
from benchmarks.words import numbers

AXIS = "0.0001:0.0100:0.0001"
WORDS = ["predator_prey", "method=fixed", f"l_c={AXIS}", f"l_a={AXIS}"]
WHOLE = "all of it"

Result = TypeVar("Result")


def listing() -> dict[str, float]:
    """Seconds of each part of it, in order."""
    seconds: dict[str, float] = {}

    def timed(part: str, work: Callable[[], Result]) -> Result:
        begun = time.process_time()
        result = work()
        seconds[part] = time.process_time() - begun
        return result

    def read() -> list[Config]:
        return read_sweep(WORDS)[1]

    def check() -> None:
        for config in configs:
            validate(config)

    configs = timed("reading the axes, and their product", read)
    timed("checking", check)
    names = timed("labels", lambda: labels(configs))
    timed("names of the folders", lambda: list(map(config_hash, configs)))
    timed("programs", lambda: jobs(configs, names))
    return seconds


def main(rounds: int) -> None:
    found = [listing() for _ in range(rounds)]
    best = min(found, key=lambda seconds: sum(seconds.values()))
    best[WHOLE] = sum(best.values())
    for part, seconds in best.items():
        print(f"{part:40} {seconds:.2f} s")
    # Here, for it imports JAX, which the listing does without.
    from adama_jax.storage.provenance import machine

    write_report("large_sweep", {"seconds": best, "machine": machine()})


if __name__ == "__main__":
    main(**numbers(sys.argv[1:], rounds=5))
