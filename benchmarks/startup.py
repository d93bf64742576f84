"""Start-up: `adama --help`, and `make experiment SCENARIO=predator_prey` until it trains.

    .venv/bin/python -m benchmarks.startup

Cold is an empty home and no bytecode of any package, as right after an installation; warm is the
same command again, which finds both; the system's own cache of files is warm in both. Two methods
x 5 seeds compile and train side by side. The first update is inferred: the first chunk's end, less
the time of all its episodes but one. Run it on an idle machine, on a checkout that is set up.
Medians over rounds; writes `benchmarks/startup.json`.
"""

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from adama_jax.storage.provenance import machine
from benchmarks.programs import busy
from benchmarks.reports import write_report

ROUNDS, HELPS = 5, 9
BEGUN = re.compile(
    r"predator_prey: (\w+): training, episodes 1 to (\d+) of .* in ([\d.]+) s"
)
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
    """Seconds from `make experiment` to the first updates, and to the end of both first chunks."""
    command = ["make", "experiment", "SCENARIO=predator_prey", "METHODS=adama fixed"]
    # Two programs, as the numbers of before are of.
    command += [f"RESULTS={results}", "ARGS=modern=false"]
    begun = time.perf_counter()
    errors = results.with_suffix(".log")
    with errors.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
            encoding="utf-8",
        )
    first, ends = [], []
    assert process.stdout
    for line in process.stdout:
        if found := BEGUN.match(line):
            end = time.perf_counter() - begun
            episodes, seconds = int(found[2]), float(found[3])
            # Of the chunk's episodes all but the first are taken off.
            ends.append(end)
            first.append(end - seconds * (1 - 1 / episodes))
        if len(ends) == 2:
            break
    if len(ends) < 2:
        why = errors.read_text(encoding="utf-8")
        raise RuntimeError(
            f"{' '.join(command)} ended before both methods trained: {why}"
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
        [Path(sys.executable).parent / "adama", "--help"],
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - begun


def main() -> None:
    other = busy()
    helps = [help_seconds() for _ in range(HELPS)]
    cold, warm = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            # In this order: the first start fills the home that the second one finds.
            for kind, rounds in (("cold", cold), ("warm", warm)):
                found = start(Path(name) / "home", Path(name) / f"results-{kind}")
                rounds.append(found)
                print(kind, found, flush=True)

    seconds = {}
    for kind, rounds in (("cold", cold), ("warm", warm)):
        for what in rounds[0]:
            seconds[f"{kind}, {what}"] = _summary([one[what] for one in rounds])
    seconds["adama --help"] = _summary(helps)
    report = {
        "seconds": seconds,
        "rounds": ROUNDS,
        "busy_before": other,
        "machine": machine(),
    }
    write_report("startup", report)


def _summary(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "most": max(values)}


if __name__ == "__main__":
    main()
