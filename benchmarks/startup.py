"""Start-up: `adama --help`, and `make experiment SCENARIO=predator_prey` until it trains.

    .venv/bin/python -m benchmarks.startup

Cold is an empty home and no bytecode of any package, as right after an installation; warm is the same command again,
which finds both; the system's own cache of files is warm in both. Two methods x 5 seeds compile and train side by side.
The first update is inferred: the first chunk's end, less the time of all its episodes but one. Run it on an idle
machine, on a checkout that is set up. Medians over rounds; writes `benchmarks/startup.json`.
"""

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from adama_jax.storage.provenance import machine
from benchmarks.programs import busy
from benchmarks.reports import write_report

ROUNDS, HELPS = 5, 9
BEGUN = re.compile(r"predator_prey: (\w+): training, episodes 1 to (\d+) of .* in ([\d.]+) s")
ROOT = Path(__file__).parents[1]


def environment(home: Path) -> dict[str, str]:
    """A user's, whose home is this; bytecode is kept there too."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JAX", "XLA", "XDG", "PYTHON"))
    }
    return kept | {
        "HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(home / "bytecode"),
        "PYTHONUNBUFFERED": "1",
    }


def start(home: Path, results: Path) -> dict[str, float]:
    """Seconds from `make experiment` to the first update of either method, and to the end of both first chunks."""
    command = [
        "make",
        "experiment",
        "SCENARIO=predator_prey",
        f"RESULTS={results}",
        "METHODS=adama fixed",
    ]
    begun = time.perf_counter()
    errors = results.with_suffix(".log")
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    first, ends = [], []
    assert process.stdout
    for line in process.stdout:
        if found := BEGUN.match(line):
            ends.append(time.perf_counter() - begun)
            episodes, seconds = int(found[2]), float(found[3])
            first.append(ends[-1] - seconds * (1 - 1 / episodes))
        if len(ends) == 2:
            break
    if len(ends) < 2:
        raise RuntimeError(
            f"{' '.join(command)} ended before both methods trained: {errors.read_text()}"
        )
    os.killpg(process.pid, signal.SIGTERM)
    process.stdout.read()
    process.wait()
    return {
        "first update": min(first),
        "first update of the other method": max(first),
        "50 updates of both": ends[1],
    }


def help_seconds() -> float:
    """`adama --help`."""
    begun = time.perf_counter()
    subprocess.run(
        [Path(sys.executable).parent / "adama", "--help"], capture_output=True, check=True
    )
    return time.perf_counter() - begun


def main() -> None:
    other = busy()
    helps = [help_seconds() for _ in range(HELPS)]
    taken: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            for kind, found in taken.items():
                found.append(start(Path(name) / "home", Path(name) / f"results-{kind}"))
                print(kind, found[-1], flush=True)
    seconds = {
        f"{kind}, {what}": {
            "median": statistics.median(one[what] for one in rounds),
            "most": max(one[what] for one in rounds),
        }
        for kind, rounds in taken.items()
        for what in rounds[0]
    }
    seconds["adama --help"] = {"median": statistics.median(helps), "most": max(helps)}
    write_report(
        "startup",
        {"seconds": seconds, "rounds": ROUNDS, "busy_before": other, "machine": machine()},
    )


if __name__ == "__main__":
    main()
