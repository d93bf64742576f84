"""Every file in `examples/` is a program that ends well, as its reader starts it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = [
    path
    for path in sorted(EXAMPLES.glob("*.py"))
    # What others import is no program.
    if "__main__" in path.read_text(encoding="utf-8")
]
LONGEST = 600  # seconds, for a hang only


def test_there_are_examples():
    assert len(PROGRAMS) >= 2


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.stem)
def test_an_example_is_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 100


@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_an_example_runs(path, tmp_path):
    words = [sys.executable, str(path)]
    if "--episodes" in path.read_text(encoding="utf-8"):
        words += ["--episodes", "40"]
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
