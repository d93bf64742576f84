"""What the README shows is what there is."""

import difflib
import re
import shlex
from pathlib import Path

import pytest

from adama_jax.cli.options import (
    CalibrateCommand,
    ExperimentCommand,
    SweepCommand,
    TrainCommand,
)
from adama_jax.config.checks import validate
from adama_jax.config.command_line import parse, split_axes
from adama_jax.config.reading import read_axes
from adama_jax.config.schema import scenario_config
from adama_jax.studies.sweep import product

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"^\.venv/bin/adama ((?:train|experiment|sweep|calibrate) [^;\n]*)$",
    README,
    flags=re.MULTILINE,
)
KINDS = {
    "train": TrainCommand,
    "experiment": ExperimentCommand,
    "sweep": SweepCommand,
    "calibrate": CalibrateCommand,
}


def difference(context):
    """The code that differs between the two examples, with lines before and after."""
    code = []
    for name in ("maddpg_plain.py", "maddpg_adama.py"):
        text = (ROOT / "examples" / name).read_text(encoding="utf-8")
        code.append(text.partition('"""\n\n')[2].splitlines())
    # Two lines of file names come first, and a line of numbers before each part.
    lines = list(difflib.unified_diff(*code, n=context, lineterm=""))[2:]
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize(
    ("page", "context"), [("README.md", 0), ("docs/tutorials/own-loop.md", 2)]
)
def test_the_five_lines_are_those_of_the_example(page, context):
    text = (ROOT / page).read_text(encoding="utf-8")
    (diff,) = re.findall(r"```diff\n(.*?)```", text, flags=re.DOTALL)
    shown = [line for line in diff.splitlines() if line != "..."]
    wanted = [line for line in difference(context) if not line.startswith("@@")]
    # An import is set apart from those above it: README leaves that line out.
    if context == 0:
        wanted.remove("+")
    assert shown == wanted
    assert sum(len(line) > 1 and line[0] == "+" for line in shown) == 5


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_are_accepted(line):
    command, scenario, *words = shlex.split(line)
    default = KINDS[command](scenario_config(scenario))
    axes = {}
    if command == "sweep":
        words, axes = split_axes(words, default)
        assert axes
    config = parse(KINDS[command], default, words, "adama").config
    for each in product(config, read_axes(config, axes)):
        validate(each)


def test_there_are_commands():
    assert len(COMMANDS) >= 3


def test_what_it_names_exists():
    for path in re.findall(
        r"`((?:adama_jax|docs|tests|envs|algorithms)/[\w./]+)`|\]\((docs/[\w./]+)\)",
        README,
    ):
        name = next(part for part in path if part)
        assert (ROOT / name).exists() or (ROOT / "adama_jax" / name).exists(), name
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make ([a-z-]+)", README, flags=re.MULTILINE):
        assert f"\n{target}:" in makefile
