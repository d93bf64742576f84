"""What the README shows is what there is."""

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


def test_the_five_lines_are_those_of_the_example():
    (diff,) = re.findall(r"```diff\n(.*?)```", README, flags=re.DOTALL)
    for line in diff.splitlines():
        name = {"-": "maddpg_plain.py", "+": "maddpg_adama.py"}[line[0]]
        text = (ROOT / "examples" / name).read_text(encoding="utf-8")
        assert line[1:] in text.splitlines(), line
    assert diff.count("\n+") + diff.startswith("+") == 5


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
