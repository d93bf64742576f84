"""What is installed: a light core, extras that name themselves where they are missing, a wheel."""

import email
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import adama_jax
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


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The names of the files in the wheel and in the sdist, and the wheel's metadata."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        text = file.read(metadata).decode()
    with tarfile.open(sdist) as file:
        return names, set(file.getnames()), email.message_from_string(text)


def files_of(folder):
    """The files of a folder, but what Python compiled, below the repository."""
    paths = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    return {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_and_the_paper_s_experiments(built):
    wheel, _, metadata = built
    wanted = files_of("adama_jax")
    wanted |= {f"adama_jax/{name}" for name in files_of("experiments")}
    assert "adama_jax/py.typed" in wanted
    assert "adama_jax/experiments/figure3.toml" in wanted
    assert {name for name in wheel if ".dist-info/" not in name} == wanted
    assert metadata["Version"] == adama_jax.__version__
    assert set(metadata.get_all("Provides-Extra")) == set(EXTRAS)


def test_the_sdist_holds_what_the_wheel_is_built_from_and_the_examples(built):
    _, sdist, metadata = built
    root = f"adama_jax-{metadata['Version']}"
    wanted = files_of("adama_jax") | files_of("experiments") | files_of("examples")
    texts = {"CHANGELOG.md", "CITATION.cff", "LICENSE", "README.md", "pyproject.toml"}
    assert sdist == {
        f"{root}/{name}" for name in wanted | texts | {"PKG-INFO", ".gitignore"}
    }


def test_one_version_is_said_everywhere():
    version = adama_jax.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {version}\n" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (newest, *_) = re.findall(r"^## (\S+)", changes, re.MULTILINE)
    assert newest == version


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
    "testing": error(lambda: import_module("adama_jax.testing")),
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
    line = "MissingPackage: adama_jax.{} needs {}: pip install '.[train]' in the clone"
    assert light["testing"] == line.format("testing", "flax")
    assert light["maddpg"] == line.format("maddpg", "chex")
    assert light["run"] == line.format("run", "tyro")


def test_a_command_of_an_extra_is_refused_in_one_line(light):
    line = "adama: error: adama {} needs {}: pip install '.[train]' in the clone\n"
    assert light["train"] == [2, line.format("train", "tyro")]
    assert light["scenarios"] == [2, line.format("scenarios", "tyro")]
    assert light["nonsense"][0] == 2 and "did you mean train?" in light["nonsense"][1]


def test_a_robot_says_what_it_needs(light):
    wanted = (
        "MissingPackage: a robot needs mujoco: pip install '.[robots]' in the clone"
    )
    assert light["robot"] == wanted


def test_a_launcher_is_refused_before_anything_runs(monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    check_launch(Launch(), Training())
    line = r"^launcher=local needs submitit: pip install '\.\[slurm\]' in the clone$"
    with pytest.raises(MissingPackage, match=line):
        check_launch(Launch(launcher="local"), Training())


def test_a_package_of_nobody_s_extra_stays_python_s_own_error():
    with pytest.raises(ModuleNotFoundError, match="nobodys_package"), needed_by("me"):
        import_module("nobodys_package")
