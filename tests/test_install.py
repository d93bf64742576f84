"""What is installed: a light core, extras that name themselves where they are missing, a wheel."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from adama_jax.cli.checks import check_launch
from adama_jax.config.options import Launch, Training
from adama_jax.errors import PACKAGES, MissingPackage, needed_by

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
EXTRA = [package for packages in PACKAGES.values() for package in packages]
# Of jaxmarl, which does not work without it.
NOT_DECLARED = {"gymnax"}


def plain(requirement):
    """The name of a distribution, as it is compared."""
    name = re.split(r"[\[<>=!~; ]", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("extra", PACKAGES)
def test_each_extra_has_the_packages_that_are_said_to_be_in_it(extra):
    distributions = packages_distributions()
    modules = [name for name in PACKAGES[extra] if name not in NOT_DECLARED]
    said = {
        plain(distribution) for name in modules for distribution in distributions[name]
    }
    declared = {plain(requirement) for requirement in EXTRAS[extra]} - {"adama-jax"}
    assert declared <= said
    assert len(declared) == len(modules)


def test_all_is_every_extra_that_runs_without_an_accelerator():
    (line,) = EXTRAS["all"]
    assert set(re.findall(r"[a-z]+", line.partition("[")[2])) == set(PACKAGES)


# In a process of its own, for here the packages are imported already. Prints what it saw.
LIGHT_INSTALL = """
import io, json, sys
from contextlib import redirect_stderr
from importlib import import_module

for package in json.loads(sys.argv[1]):
    sys.modules[package] = None  # as Python does where an import is to fail

import adama_jax
for module in json.loads(sys.argv[2]):
    import_module(f"adama_jax.{module}")

import jax.numpy as jnp
rule = adama_jax.adama(adama_jax.RateHyper(total_rate=0.01))
signals = adama_jax.Signals(jnp.array([0.1, 0.3]), jnp.zeros(2), jnp.array(0.5))
state = rule.update(signals, rule.init(2))

def error(call):
    try:
        call()
    except ImportError as error:
        return f"{type(error).__name__}: {error}"

def printed(*words):
    from adama_jax.cli.main import main
    with redirect_stderr(io.StringIO()) as text:
        code = main(words)
    return [code, text.getvalue()]

print(json.dumps({
    "actors": state.rates.actors.tolist(),
    "maddpg": error(lambda: adama_jax.maddpg),
    "run": error(lambda: adama_jax.run),
    "robot": error(lambda: import_module("adama_jax.envs.robots.locomotion")),
    "train": printed("train", "clustering"),
    "scenarios": printed("scenarios"),
    "nonsense": printed("trian"),
}))
"""
LIGHT_ROOMS = ["types", "tree", "keys", "bounds", "fields", "errors"]
for room in ("rates", "optax"):
    paths = (ROOT / "adama_jax" / room).glob("*.py")
    LIGHT_ROOMS += [f"{room}.{path.stem}" for path in paths if path.stem != "__init__"]


@pytest.fixture(scope="module")
def light():
    """What there is where only jax, optax and what they need are installed."""
    blocked = sorted(set(EXTRA) - {"scipy"})  # jax needs it
    words = [json.dumps(blocked), json.dumps(LIGHT_ROOMS)]
    done = subprocess.run(
        [sys.executable, "-c", LIGHT_INSTALL, *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_light_install_steps_a_rule(light):
    small, large = light["actors"]
    assert 0 < small < large < 0.01


def test_a_name_of_an_extra_says_which_extra(light):
    line = "MissingPackage: adama_jax.{} needs {}: pip install 'adama-jax[train]'"
    assert light["maddpg"] == line.format("maddpg", "chex")
    assert light["run"] == line.format("run", "tyro")


def test_a_command_of_an_extra_is_refused_in_one_line(light):
    line = "adama: error: adama {} needs {}: pip install 'adama-jax[train]'\n"
    assert light["train"] == [2, line.format("train", "tyro")]
    assert light["scenarios"] == [2, line.format("scenarios", "tyro")]
    assert light["nonsense"][0] == 2 and "did you mean train?" in light["nonsense"][1]


def test_a_robot_says_what_it_needs(light):
    wanted = "MissingPackage: a robot needs mujoco: pip install 'adama-jax[robots]'"
    assert light["robot"] == wanted


def test_a_launcher_is_refused_before_anything_runs(monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    check_launch(Launch(), Training())
    line = r"^launcher=local needs submitit: pip install 'adama-jax\[slurm\]'$"
    with pytest.raises(MissingPackage, match=line):
        check_launch(Launch(launcher="local"), Training())


def test_a_package_of_nobody_s_extra_stays_python_s_own_error():
    with pytest.raises(ModuleNotFoundError, match="nobodys_package"), needed_by("me"):
        import_module("nobodys_package")
