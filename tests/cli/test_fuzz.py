"""Command lines at random: each is refused in one printable line, or ready to start JAX.

Nothing on disk is changed either way. The generator's seed is in the name of each test.
"""

import contextlib
import importlib
import io
import os
import pkgutil
import random

import pytest

import adama_jax.cli
from adama_jax.cli import main as cli
from adama_jax.cli.options import (
    CalibrateCommand,
    ExperimentCommand,
    SweepCommand,
    TrainCommand,
)
from adama_jax.config.methods import METHODS
from adama_jax.config.options import Flat
from adama_jax.config.schema import OPTIMIZERS, scenario_config
from adama_jax.fields import settings

KINDS = ("clustering", "ant_4x2", "MPE_simple_tag_v3")
COMMANDS = {
    "train": TrainCommand,
    "experiment": ExperimentCommand,
    "sweep": SweepCommand,
    "calibrate": CalibrateCommand,
}
OTHERS = (
    "resume", "verify", "play", "list", "figures", "reproduce", "report", "methods", "scenarios",
    "--version", "--help", "-h", "tune", "", "=", "train=clustering",
)  # fmt: skip
PLACES = (
    "clustering", "ant_4x2", "MPE_simple_tag_v3", "Clustering", "results", ".", "~", "",
    "seeds=3", "--help",
)  # fmt: skip
NUMBERS = (
    "0", "1", "2", "-1", "1e3", "1e400", "1e-300", "1e300", "3.5", "nan", "inf", "-inf", "0x10",
    "1_000", "\uff11", "½", "2147483647", "2147483648", "1000000000", "9" * 400, "9" * 5000,
)  # fmt: skip
LISTS = (
    "64,64", "1,2,3", "1,1", "1:3:1", "0.1:0.5:0.1", "1:", "::", ":::", "1:2:0", "3:1:1", ",",
    "1:1e30:1e-30", "a,b", "(", "[1,2]", "{}",
)  # fmt: skip
TEXTS = (
    "", "none", "None", "auto", "true", "yes", "off", "x", "soft", "hard", "exact", "secant",
    "mjx", "results", "~", "~nobody/x", "..", "/", "/dev/null", "=", "==", "a=b", "--", "'", '"',
    "*", "%s", "{0}", "\\", "$HOME", "[red]", "größer", "😀", "a\nb", "a\0b", "\udcff", "x" * 300,
)  # fmt: skip
NAMES = (
    "sedes",
    "start",
    "partition",
    "learning_rate",
    "m-",
    "",
    "rates",
    "x.y.z",
    "-",
    "é",
)
FORMS = (
    "{key}={value}",
    "--{key}={value}",
    "--{key} {value}",
    "--{key}",
    "{value}",
    "-{key}",
)


def keys():
    """Every name that a command takes, in short and in full."""
    found = set(NAMES)
    for scenario in KINDS:
        for command in COMMANDS.values():
            for each in settings(command(scenario_config(scenario)), flat=Flat):
                found |= {each.name, each.name.rpartition(".")[2]}
                found.update(each.declared.aliases, each.declared.elsewhere)
                found.add(each.declared.symbol or each.name)
    return sorted(found)


KEYS = keys()


def some_line(chance: random.Random) -> list[str]:
    """The words of a command line."""
    values = chance.choice((NUMBERS, LISTS, TEXTS, tuple(METHODS), tuple(OPTIMIZERS)))
    words = [chance.choice((*COMMANDS, *COMMANDS, *OTHERS))]
    if chance.random() < 0.95:
        words.append(chance.choice((*KINDS, *KINDS, *PLACES)))
    for _ in range(chance.randint(0, 5)):
        # Most are written as they should be, so that what comes later is reached too.
        form = FORMS[0] if chance.random() < 0.7 else chance.choice(FORMS)
        text = form.format(key=chance.choice(KEYS), value=chance.choice(values))
        words += text.split(" ", 1)
    return words


class JaxBegins(Exception):
    """All that can be said before JAX is imported was in order."""


@pytest.fixture
def without_jax(monkeypatch, tmp_path):
    def begin(*_):
        raise JaxBegins

    # Whoever calls it has a name for it. All are imported here: who was imported later would keep
    # this one beyond the test.
    for each in pkgutil.walk_packages(adama_jax.cli.__path__, "adama_jax.cli."):
        module = importlib.import_module(each.name)
        if hasattr(module, "start_jax"):
            monkeypatch.setattr(module, "start_jax", begin)
    # Matplotlib makes folders in a home.
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def check_line(words: list[str], folder) -> int | None:
    """What must hold of any command line; its exit code, None if JAX would have begun."""
    out, error = io.StringIO(), io.StringIO()
    code = None
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
        contextlib.suppress(JaxBegins),
    ):
        code = cli.main(words)
    assert os.listdir(folder) == []
    if code == 2:
        line = error.getvalue()
        assert line.startswith("adama: error: ")
        assert line.endswith("\n") and line[:-1].isprintable()
        assert "MISSING" not in line.upper()
        assert out.getvalue() == ""
    else:
        assert code in (0, None)
        assert error.getvalue() == ""
    return code


def check_lines(seed: int, count: int, folder):
    chance = random.Random(seed)
    codes = []
    for _ in range(count):
        words = some_line(chance)
        try:
            codes.append(check_line(words, folder))
        except Exception as error:
            raise AssertionError(f"adama {words!r}") from error
    # All ways to end were met.
    assert {0, 2, None} <= set(codes)


def test_150_command_lines(without_jax):
    check_lines(0, 150, without_jax)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_500_command_lines_more(without_jax, seed):
    check_lines(seed, 500, without_jax)
