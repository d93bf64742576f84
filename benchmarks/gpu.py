"""500 runs of predator-prey in one program on one GPU: the paper's whole grid x 5 seeds.

    .venv/bin/python -m benchmarks.gpu [runs=500] [episodes=50000] [minutes=9]

`benchmarks/gpu.sh` runs it. In that time: the memory that the compiled program needs; `unroll` and
the matmuls' precision, chosen by measuring each on a few episodes; what an episode is made of; a
profile of one chunk; then the run itself, as far as the time goes, and what the whole would take at
its rate. Writes `benchmarks/gpu.json` and `build/profile`. It runs on a CPU too, to test it:
`runs=4 episodes=400 minutes=3`.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax

from adama_jax.config.names import with_settings
from adama_jax.config.schema import Config, scenario_config
from adama_jax.execution.build import make_env, make_train, stacked_hypers
from adama_jax.execution.jax_setup import set_up_jax
from adama_jax.storage.provenance import machine
from adama_jax.studies.sweep import PRESETS, product
from adama_jax.training.population import Population, population
from benchmarks.programs import activation_bytes, update_bytes, update_flops
from benchmarks.reports import write_report
from benchmarks.words import numbers

CHUNK = 100  # episodes
TRIAL = 2  # chunks that are timed to choose
UNROLLS = (1, 2, 5, 20)
PRECISIONS = ("float32", "tensorfloat32")


Record = Callable[[str, dict[str, float]], None]  # takes a trial's name and figures


def grid(runs: int, episodes: int) -> list[Config]:
    """The first `runs` of the paper's grid x 5 seeds, each a configuration of one seed."""
    base = with_settings(
        scenario_config("predator_prey"), {"episodes": episodes, "seeds": 1}
    )
    pairs = product(base, _values(PRESETS["grid"]))
    found = []
    for seed in range(5):
        found += [with_settings(config, {"seed": seed}) for config in pairs]
    return found[:runs]


def _values(preset: Mapping[str, tuple[str, ...]]) -> dict[str, list[Any]]:
    """The preset's words as values: all but the method are numbers."""
    values: dict[str, list[Any]] = {}
    for name, words in preset.items():
        values[name] = (
            list(words) if name == "method" else [float(word) for word in words]
        )
    return values


class Compiled(NamedTuple):
    """A population, its chunk of CHUNK episodes, and seconds of the compilation."""

    whole: Population
    advance: Any
    seconds: float


def compiled(configs: list[Config], unroll: int, precision: str) -> Compiled:
    begun = time.perf_counter()
    with jax.default_matmul_precision(precision):
        trainer = make_train(configs[0], unroll)
        whole = population(trainer, len(configs), jax.local_devices()[:1])
        shapes = whole.shapes(stacked_hypers(configs))
        advance = whole.chunk.lower(shapes, CHUNK).compile()  # pyright: ignore
    return Compiled(whole, advance, time.perf_counter() - begun)


def start(program: Compiled, configs: list[Config]) -> Any:
    """The state before the first episode."""
    seeds = [config.seed for config in configs]
    return program.whole.init(seeds, stacked_hypers(configs))


def rate(program: Compiled, configs: list[Config], chunks: int) -> float:
    """Milliseconds of an episode of all runs; the first chunk is not counted."""
    advance = program.advance
    state = start(program, configs)
    state, metrics = advance(state)
    jax.block_until_ready(metrics)
    begun = time.perf_counter()
    for _ in range(chunks):
        state, metrics = advance(state)
    jax.block_until_ready(metrics)
    return 1e3 * (time.perf_counter() - begun) / (CHUNK * chunks)


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
    leaves = jax.tree.leaves(shapes.replay)
    replay = sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)
    largest = max(leaf.size for leaf in leaves)
    return {
        "replay, GiB": replay / 2**30,
        "arguments, GiB": found.argument_size_in_bytes / 2**30,
        "temporaries, GiB": found.temp_size_in_bytes / 2**30,
        "temporaries a run, MiB": found.temp_size_in_bytes / 2**20 / runs,
        "elements of the largest array, of 2^31": largest / 2**31,
    }


class Trials:
    """The fastest choice so far, measured on a few episodes until `end`."""

    def __init__(self, configs: list[Config], end: float, record: Record):
        self.configs, self.end, self.record = configs, end, record
        self.unroll, self.precision = UNROLLS[0], PRECISIONS[0]
        self.best = float("inf")

    def measure(self, unroll: int, precision: str) -> None:
        late = time.monotonic() > self.end
        if late and self.best < float("inf"):
            return
        program = compiled(self.configs, unroll, precision)
        found = rate(program, self.configs, TRIAL)
        self.record(
            f"unroll {unroll}, {precision}",
            {"ms an episode of all runs": found, "compile s": program.seconds},
        )
        if found < self.best:
            self.unroll, self.precision, self.best = unroll, precision, found


def choose(configs: list[Config], end: float, record: Record) -> tuple[int, str]:
    """The fastest `unroll`, and with that the faster precision."""
    trials = Trials(configs, end, record)
    for unroll in UNROLLS:
        trials.measure(unroll, PRECISIONS[0])
    for precision in PRECISIONS[1:]:
        trials.measure(trials.unroll, precision)
    return trials.unroll, trials.precision


def train(
    program: Compiled,
    configs: list[Config],
    episodes: int,
    end: float,
) -> dict[str, float]:
    """The run itself as far as the time goes, after a chunk to warm up and one for the profile."""
    advance = program.advance
    state = start(program, configs)
    state, metrics = advance(state)
    with jax.profiler.trace("build/profile"):
        state, metrics = advance(state)
        jax.block_until_ready(metrics)
    played = 0
    begun = time.perf_counter()
    while played + 2 * CHUNK < episodes and time.monotonic() < end:
        state, metrics = advance(state)
        jax.block_until_ready(metrics)
        played += CHUNK
    spent = time.perf_counter() - begun
    an_episode = spent / max(played, 1)
    broken_at = jax.device_get(state.non_finite.update)
    return {
        "episodes played": played,
        "seconds": spent,
        "ms an episode of all runs": 1e3 * an_episode,
        "minutes for the whole at this rate": an_episode * episodes / 60,
        "runs not finite": int((broken_at >= 0).sum()),
    }


def main(runs: int, episodes: int, minutes: float) -> None:
    begun = time.monotonic()
    configs = grid(runs, episodes)
    spec = make_env(configs[0]).spec
    trials: dict[str, dict[str, float]] = {}
    least = floors(runs, spec.num_agents, spec.obs_size, spec.snapshot_size)
    report: dict[str, Any] = {
        "runs": runs,
        "episodes": episodes,
        "machine": machine(1),
        "an update of all runs": least,
        "trials": trials,
    }

    def record(trial: str, found: dict[str, float]) -> None:
        trials[trial] = found
        _save(report)

    # Half of the time is for the run itself.
    unroll, precision = choose(configs, begun + 30 * minutes, record)
    program = compiled(configs, unroll, precision)
    report["chosen"] = {"unroll": unroll, "precision": precision}
    shapes = program.whole.shapes(stacked_hypers(configs))
    report["memory"] = memory(program.advance, shapes, runs)
    _save(report)
    report["run"] = train(program, configs, episodes, begun + 60 * minutes)
    _save(report)


def _save(report: dict[str, Any]) -> None:
    """After each step, since the machine may be taken away before the last."""
    write_report("gpu", report)
    shown = {name: value for name, value in report.items() if name != "machine"}
    print(json.dumps(shown), flush=True)


if __name__ == "__main__":
    given = numbers(sys.argv[1:], runs=500, episodes=50_000, minutes=9.0)
    set_up_jax(1)
    main(**given)
