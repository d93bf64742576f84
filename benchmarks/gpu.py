"""500 runs of predator-prey in one program on one GPU: the paper's whole grid x 5 seeds. `benchmarks/gpu.sh` runs it.

    .venv/bin/python -m benchmarks.gpu [runs=500] [episodes=50000] [minutes=9]

In that time: the memory that the compiled program needs; `unroll` and the matmuls' precision, chosen by measuring each
on a few episodes; what an episode is made of; a profile of one chunk; then the run itself, as far as the time goes, and
what the whole would take at its rate. Writes `benchmarks/gpu.json` and `build/profile`. It runs on a CPU too, to test
it: `runs=4 episodes=400 minutes=3`.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax

from adama_jax.config.names import with_settings
from adama_jax.config.schema import Config, scenario_config
from adama_jax.execution.build import make_env, make_hypers, make_train
from adama_jax.execution.devices import set_up_jax
from adama_jax.storage.provenance import machine
from adama_jax.studies.sweep import PRESETS, product
from adama_jax.training.population import Population, population
from benchmarks.programs import activation_bytes, update_bytes, update_flops
from benchmarks.reports import write_report

CHUNK, TRIAL = 100, 2
UNROLLS, PRECISIONS = (1, 2, 5, 20), ("float32", "tensorfloat32")


def grid(runs: int, episodes: int) -> list[Config]:
    """The first `runs` of the paper's grid x 5 seeds, each a configuration of one seed."""
    base = with_settings(scenario_config("predator_prey"), {"episodes": episodes, "seeds": 1})
    found = product(base, _values(PRESETS["grid"]))
    return [with_settings(config, {"seed": seed}) for seed in range(5) for config in found][:runs]


def _values(preset: Mapping[str, tuple[str, ...]]) -> dict[str, list[Any]]:
    return {
        name: [float(v) if name != "method" else v for v in values]
        for name, values in preset.items()
    }


def prepared(
    configs: list[Config], unroll: int, precision: str, length: int
) -> tuple[Population, Any, float]:
    """A population and its compiled chunk; seconds of the compilation."""
    begun = time.perf_counter()
    with jax.default_matmul_precision(precision):
        people = population(make_train(configs[0], unroll), len(configs), jax.local_devices()[:1])
        advance = people.chunk.lower(people.shapes(make_hypers(configs)), length).compile()
    return people, advance, time.perf_counter() - begun


def rate(
    people: Population, advance: Any, configs: list[Config], length: int, chunks: int
) -> float:
    """Milliseconds of an episode of all runs; the first chunk is not counted."""
    state = people.init([config.seed for config in configs], make_hypers(configs))
    state, metrics = advance(state)
    jax.block_until_ready(metrics)
    begun = time.perf_counter()
    for _ in range(chunks):
        state, metrics = advance(state)
    jax.block_until_ready(metrics)
    return 1e3 * (time.perf_counter() - begun) / (length * chunks)


def floors(runs: int, agents: int, obs: int, snapshot: int) -> dict[str, float]:
    """Arithmetic for one update of all runs, from the shapes."""
    return {
        "GFLOP": runs * update_flops(agents, obs) / 1e9,
        "GB, fully fused": runs * update_bytes(agents, obs, snapshot) / 1e9,
        "GB written, no two layers fused": runs * activation_bytes(agents) / 1e9,
    }


def memory(advance: Any, shapes: Any, runs: int) -> dict[str, float]:
    """Of the compiled chunk, and of the state by its shapes."""
    found = advance.memory_analysis()
    state = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes.replay))
    largest = max(leaf.size for leaf in jax.tree.leaves(shapes.replay))
    return {
        "replay, GiB": state / 2**30,
        "arguments, GiB": found.argument_size_in_bytes / 2**30,
        "temporaries, GiB": found.temp_size_in_bytes / 2**30,
        "temporaries a run, MiB": found.temp_size_in_bytes / 2**20 / runs,
        "elements of the largest array, of 2^31": largest / 2**31,
    }


def choose(
    configs: list[Config], end: float, tell: Callable[[str, dict[str, float]], None]
) -> tuple[int, str]:
    """The fastest `unroll`, and with that the faster precision, measured on a few episodes until `end`."""
    chosen, best = (1, PRECISIONS[0]), float("inf")
    for precision in PRECISIONS:
        for unroll in UNROLLS if precision == PRECISIONS[0] else (chosen[0],):
            if time.monotonic() > end and best < float("inf"):
                continue
            people, advance, compiling = prepared(configs, unroll, precision, CHUNK)
            found = rate(people, advance, configs, CHUNK, TRIAL)
            tell(
                f"unroll {unroll}, {precision}",
                {"ms an episode of all runs": found, "compile s": compiling},
            )
            if found < best:
                chosen, best = (unroll, precision), found
    return chosen


def train(
    people: Population, advance: Any, configs: list[Config], episodes: int, end: float
) -> dict[str, float]:
    """The run itself as far as the time goes, after a chunk to warm up and one for the profile."""
    state = people.init([config.seed for config in configs], make_hypers(configs))
    state, metrics = advance(state)
    with jax.profiler.trace("build/profile"):
        state, metrics = advance(state)
        jax.block_until_ready(metrics)
    begun, played = time.perf_counter(), 0
    while played + 2 * CHUNK < episodes and time.monotonic() < end:
        state, metrics = advance(state)
        jax.block_until_ready(metrics)
        played += CHUNK
    spent = time.perf_counter() - begun
    return {
        "episodes played": played,
        "seconds": spent,
        "ms an episode of all runs": 1e3 * spent / max(played, 1),
        "minutes for the whole at this rate": spent / max(played, 1) * episodes / 60,
        "runs not finite": int((jax.device_get(state.health.update) >= 0).sum()),
    }


def main(runs: int, episodes: int, minutes: float) -> None:
    begun = time.monotonic()
    configs = grid(runs, episodes)
    spec = make_env(configs[0]).spec
    trials: dict[str, dict[str, float]] = {}
    report: dict[str, Any] = {
        "runs": runs, "episodes": episodes, "machine": machine(1),
        "an update of all runs": floors(runs, spec.num_agents, spec.obs_size, spec.snapshot_size), "trials": trials,
    }  # fmt: skip
    save = _saver(report)

    def tell(trial: str, found: dict[str, float]) -> None:
        trials[trial] = found
        save()

    unroll, precision = choose(
        configs, begun + 30 * minutes, tell
    )  # half of the time is for the run itself
    people, advance, _ = prepared(configs, unroll, precision, CHUNK)
    report["chosen"] = {"unroll": unroll, "precision": precision}
    report["memory"] = memory(advance, people.shapes(make_hypers(configs)), runs)
    save()
    report["run"] = train(people, advance, configs, episodes, begun + 60 * minutes)
    save()


def _saver(report: dict[str, Any]) -> Callable[[], None]:
    def save() -> None:
        write_report("gpu", report)
        print(
            json.dumps({name: value for name, value in report.items() if name != "machine"}),
            flush=True,
        )

    return save


if __name__ == "__main__":
    given = {
        name: float(value) for name, _, value in (word.partition("=") for word in sys.argv[1:])
    }
    set_up_jax(1)
    main(int(given.get("runs", 500)), int(given.get("episodes", 50_000)), given.get("minutes", 9.0))
