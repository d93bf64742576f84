"""Whole episodes of predator-prey (20 steps, 1 update of 1024): ours on one core, two; PyTorch's.

    .venv/bin/python -m benchmarks.episodes [rounds=9] [episodes=300]

Every contestant is a process of its own that waits idle for its turn; rounds alternate, and a ratio
is the median over rounds. Without PyTorch (`pip install torch`) its rows are missing. Writes
`benchmarks/episodes.json`.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import NamedTuple

from adama_jax.config.names import with_settings
from adama_jax.config.schema import Config, scenario_config
from benchmarks.words import numbers

METHOD = "fixed"


class Contestant(NamedTuple):
    """A process that trains `runs` at a time, `copies` of it side by side."""

    ours: bool
    cores: int
    runs: int = 1
    devices: int = 1
    copies: int = 1


CONTESTANTS = {
    "PyTorch, 1 run, 2 threads": Contestant(False, 2),
    "PyTorch, 1 run, 1 thread": Contestant(False, 1),
    "PyTorch, 2 processes of 1 thread": Contestant(False, 1, copies=2),
    "ours, 1 run, its minibatches shared by a device a core": Contestant(
        True, 2, devices=2
    ),
    "ours, 1 run, 1 device on 2 cores": Contestant(True, 2),
    "ours, 4 seeds, 1 device on 2 cores": Contestant(True, 2, runs=4),
    "ours, 4 seeds, a device a core": Contestant(True, 2, runs=4, devices=2),
    "ours, 4 seeds on 1 core": Contestant(True, 1, runs=4),
    "ours, 8 seeds, a device a core": Contestant(True, 2, runs=8, devices=2),
}


def configuration(method: str = METHOD) -> Config:
    return with_settings(
        scenario_config("predator_prey"), {"method": method, "episodes": 50_000}
    )


def start(contestant: Contestant, copy: int) -> subprocess.Popen:
    """A contestant's process, ready."""
    cores = sorted(os.sched_getaffinity(0))
    mine = cores[: contestant.cores]
    if contestant.copies > 1:
        # Each copy has a core for itself.
        mine = [cores[copy % len(cores)]]
    serve = [
        sys.executable,
        "-m",
        "benchmarks.episodes",
        "serve",
        json.dumps(contestant._asdict()),
    ]
    process = subprocess.Popen(
        ["taskset", "-c", ",".join(map(str, mine)), *serve],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout and process.stdout.readline(), "a contestant did not start"
    return process


def turn(
    processes: Sequence[subprocess.Popen],
    contestant: Contestant,
    episodes: int,
) -> float:
    """Milliseconds an episode of a run, over all that the contestant trains at a time."""
    for process in processes:
        assert process.stdin
        process.stdin.write(f"{episodes}\n")
        process.stdin.flush()
    # They train side by side, so that the slowest one's time is that of all.
    seconds = max(
        float(process.stdout.readline()) for process in processes if process.stdout
    )
    return 1e3 * seconds / episodes / contestant.runs / contestant.copies


def ours(contestant: Contestant) -> Callable[[int], None]:
    """Training by so many episodes, as the runner compiles it; the first chunk is done."""
    from adama_jax.execution.jax_setup import set_up_jax

    set_up_jax(contestant.devices)
    import jax

    from adama_jax.execution.build import make_hyper
    from adama_jax.execution.program import compiled, schedule

    config = configuration()
    devices = jax.local_devices()[: contestant.devices]
    program = compiled(config, contestant.runs, devices, contestant.runs)
    length = schedule(config)[0][0]
    state = program.population.init(range(contestant.runs), make_hyper(config))

    def train(episodes: int) -> None:
        nonlocal state
        for _ in range(episodes // length):
            state, _ = program.advance[length](state)
        jax.block_until_ready(state)

    train(length)
    return train


def theirs(contestant: Contestant) -> Callable[[int], None]:
    """The same in PyTorch; the replay holds a hundred episodes."""
    import torch  # pyright: ignore[reportMissingImports]

    from benchmarks.torch_maddpg import Run, settings_of

    torch.set_num_threads(contestant.cores)
    run = Run(settings_of(configuration()), seed=0)
    run.train(100)
    return run.train


def serve(contestant: Contestant) -> None:
    """For each line with a number, so many episodes of every run; answers the seconds."""
    train = (ours if contestant.ours else theirs)(contestant)
    print("ready", flush=True)
    for line in sys.stdin:
        begun = time.perf_counter()
        train(int(line))
        print(time.perf_counter() - begun, flush=True)


TORCH_1_THREAD = "PyTorch, 1 run, 1 thread"
TORCH_2_THREADS = "PyTorch, 1 run, 2 threads"
Round = Mapping[str, float]  # milliseconds of each contestant


def ratios_of(taken: Sequence[Round]) -> dict[str, float]:
    """How many times as fast, as medians over rounds."""

    def times(slow: str, fast: str) -> float:
        return statistics.median(one[slow] / one[fast] for one in taken)

    def median(name: str) -> float:
        return statistics.median(one[name] for one in taken)

    found: dict[str, float] = {}
    if TORCH_1_THREAD in taken[0]:
        # Against the better of what a user of PyTorch may choose.
        threads = 1 if median(TORCH_1_THREAD) < median(TORCH_2_THREADS) else 2
        single = TORCH_1_THREAD if threads == 1 else TORCH_2_THREADS
        one = "ours, 1 run, its minibatches shared by a device a core"
        four = "ours, 4 seeds, a device a core"
        found["PyTorch's threads, the faster of 1 and 2"] = threads
        found["1 run, times PyTorch"] = times(single, one)
        name = "4 seeds, a device a core, times 4 PyTorch runs one after another"
        found[name] = times(single, four)
        name = "4 seeds, a device a core, times PyTorch runs two at a time"
        found[name] = times("PyTorch, 2 processes of 1 thread", four)
    name = "8 seeds on two host devices, times 4 seeds on one core"
    found[name] = times("ours, 4 seeds on 1 core", "ours, 8 seeds, a device a core")
    return found


def measured(
    contestants: Mapping[str, Contestant], rounds: int, episodes: int
) -> list[Round]:
    """Each contestant's time in each round."""
    processes = {}
    for name, each in contestants.items():
        processes[name] = [start(each, copy) for copy in range(each.copies)]
    taken = []
    for _ in range(rounds):
        one = {
            name: turn(processes[name], each, episodes)
            for name, each in contestants.items()
        }
        taken.append(one)
    for group in processes.values():
        for process in group:
            process.terminate()
    return taken


def main(rounds: int, episodes: int) -> None:
    # Here, because a contestant's process sets up JAX for itself first.
    from adama_jax.storage.provenance import machine
    from benchmarks.programs import busy
    from benchmarks.reports import write_report

    torch = find_spec("torch") is not None
    contestants = {
        name: each for name, each in CONTESTANTS.items() if each.ours or torch
    }
    other = busy()
    taken = measured(contestants, rounds, episodes)
    milliseconds = {}
    for name in contestants:
        milliseconds[name] = statistics.median(one[name] for one in taken)
    ratios = ratios_of(taken)
    for name, value in (milliseconds | ratios).items():
        print(f"{name:70s} {value:6.2f}")
    print(f"cores busy before: {other:.2f}")
    report = {
        "milliseconds_per_episode_of_a_run": milliseconds,
        "ratios": ratios,
        "rounds": rounds,
        "busy_before": other,
        "machine": machine(),
        "torch": version("torch") if torch else None,
    }
    write_report("episodes", report)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Contestant(**json.loads(sys.argv[2])))
    else:
        main(**numbers(sys.argv[1:], rounds=9, episodes=300))
