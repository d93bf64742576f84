"""Whole episodes of predator-prey (20 steps and 1 update of 1024): ours, on one core and on two, and PyTorch's.

    .venv/bin/python -m benchmarks.episodes [rounds]

Every contestant is a process of its own that waits idle for its turn; rounds alternate, and a ratio is the median over
rounds. Without PyTorch (`pip install torch`) its rows are missing. Writes `benchmarks/episodes.json`.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple

from adama_jax.config.names import with_settings
from adama_jax.config.schema import Config, scenario_config

METHOD, EPISODES, ROUNDS = "fixed", 300, 9


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
    "ours, 1 run, its minibatches shared by a device a core": Contestant(True, 2, devices=2),
    "ours, 1 run, 1 device on 2 cores": Contestant(True, 2),
    "ours, 4 seeds, 1 device on 2 cores": Contestant(True, 2, runs=4),
    "ours, 4 seeds, a device a core": Contestant(True, 2, runs=4, devices=2),
    "ours, 4 seeds on 1 core": Contestant(True, 1, runs=4),
    "ours, 8 seeds, a device a core": Contestant(True, 2, runs=8, devices=2),
}


def configuration(method: str = METHOD) -> Config:
    return with_settings(scenario_config("predator_prey"), {"method": method, "episodes": 50_000})


def start(contestant: Contestant, copy: int) -> subprocess.Popen:
    """A contestant's process, ready."""
    cores = sorted(os.sched_getaffinity(0))
    mine = cores[: contestant.cores] if contestant.copies == 1 else [cores[copy % len(cores)]]
    process = subprocess.Popen(
        ["taskset", "-c", ",".join(map(str, mine)), sys.executable, "-m", "benchmarks.episodes", "serve",
         json.dumps(contestant._asdict())],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout and process.stdout.readline(), "a contestant did not start"
    return process


def turn(processes: Sequence[subprocess.Popen], contestant: Contestant) -> float:
    """Milliseconds an episode of a run, over all that the contestant trains at a time."""
    for process in processes:
        assert process.stdin
        process.stdin.write(f"{EPISODES}\n")
        process.stdin.flush()
    seconds = max(float(process.stdout.readline()) for process in processes if process.stdout)
    return 1e3 * seconds / EPISODES / contestant.runs / contestant.copies


def ours(contestant: Contestant) -> Callable[[int], None]:
    """Training by so many episodes, as the runner compiles it; the first chunk is done."""
    from adama_jax.execution.devices import set_up_jax

    set_up_jax(contestant.devices)
    import jax

    from adama_jax.execution.build import make_hyper
    from adama_jax.execution.program import compiled, points

    config = configuration()
    program = compiled(
        config, contestant.runs, jax.local_devices()[: contestant.devices], contestant.runs
    )
    length = points(config)[0][0]
    state = program.people.init(range(contestant.runs), make_hyper(config))

    def train(episodes: int) -> None:
        nonlocal state
        for _ in range(episodes // length):
            state, _ = program.advance[length](state)
        jax.block_until_ready(state)

    train(length)
    return train


def theirs(contestant: Contestant) -> Callable[[int], None]:
    """The same in PyTorch; the replay holds a hundred episodes."""
    import torch

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


def main(rounds: int) -> None:
    from adama_jax.storage.provenance import machine
    from benchmarks.programs import busy
    from benchmarks.reports import write_report

    chosen = {name: each for name, each in CONTESTANTS.items() if each.ours or find_spec("torch")}
    processes = {
        name: [start(each, copy) for copy in range(each.copies)] for name, each in chosen.items()
    }
    other = busy()
    taken = [
        {name: turn(processes[name], each) for name, each in chosen.items()} for _ in range(rounds)
    ]
    for group in processes.values():
        for process in group:
            process.terminate()

    def times(slow: str, fast: str) -> float:
        return statistics.median(one[slow] / one[fast] for one in taken)

    ratios: dict[str, Any] = {}
    if find_spec("torch"):
        medians = {name: statistics.median(one[name] for one in taken) for name in chosen}
        single = min(
            ("PyTorch, 1 run, 2 threads", "PyTorch, 1 run, 1 thread"), key=medians.__getitem__
        )
        ratios["PyTorch's threads, the faster of 1 and 2"] = 2 if "2 threads" in single else 1
        ratios["1 run, times PyTorch"] = times(
            single, "ours, 1 run, its minibatches shared by a device a core"
        )
        ratios["4 seeds, a device a core, times 4 PyTorch runs one after another"] = times(
            single, "ours, 4 seeds, a device a core"
        )
        ratios["4 seeds, a device a core, times PyTorch runs two at a time"] = times(
            "PyTorch, 2 processes of 1 thread", "ours, 4 seeds, a device a core"
        )
    ratios["8 seeds on two host devices, times 4 seeds on one core"] = times(
        "ours, 4 seeds on 1 core", "ours, 8 seeds, a device a core"
    )
    report = {
        "milliseconds_per_episode_of_a_run": {
            name: statistics.median(one[name] for one in taken) for name in chosen
        },
        "ratios": ratios,
        "rounds": rounds,
        "busy_before": other,
        "machine": machine(),
        "torch": version("torch") if find_spec("torch") else None,
    }
    for part in ("milliseconds_per_episode_of_a_run", "ratios"):
        for name, value in report[part].items():
            print(f"{name:70s} {value:6.2f}")
    print(f"cores busy before: {other:.2f}")
    write_report("episodes", report)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Contestant(**json.loads(sys.argv[2])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
