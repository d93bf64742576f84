"""What `from adama_jax import ...` gives: every name with its type, and JAX only when needed."""

import ast
import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import adama_jax

PACKAGE = Path(adama_jax.__file__).parent
ROOT = PACKAGE.parent


def names_for_type_checkers():
    """Module of each name that the package imports under TYPE_CHECKING."""
    module = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    modules = {}
    for node in module.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for statement in node.body:
                assert isinstance(statement, ast.ImportFrom)
                for alias in statement.names:
                    modules[alias.name] = statement.module
    return modules


@pytest.mark.parametrize("name", adama_jax.__all__)
def test_every_public_name_is_a_thing_with_a_docstring(name):
    thing = getattr(adama_jax, name)
    assert not inspect.ismodule(thing)
    assert inspect.getdoc(thing)


def test_what_type_checkers_see_is_what_is_loaded():
    modules = names_for_type_checkers()
    assert sorted(modules) == sorted(adama_jax.__all__) == sorted(dir(adama_jax))
    for name, module in modules.items():
        assert getattr(import_module(module), name) is getattr(adama_jax, name)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(
        AttributeError, match="module 'adama_jax' has no attribute 'adamax'"
    ):
        _ = adama_jax.adamax


def test_the_package_says_that_it_is_typed():
    """The wheel takes the whole folder (`[tool.hatch.build.targets.wheel]`), so this file too."""
    assert (PACKAGE / "py.typed").is_file()


def imported_after(code):
    """Names of the packages that are imported once the code has run in a new process."""
    report = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", f"{code}\n{report}"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize(
    "code", ["import adama_jax", "from adama_jax import Config, SettingError"]
)
def test_importing_the_package_imports_no_jax(code):
    assert not imported_after(code) & {
        "jax",
        "flax",
        "optax",
        "jaxmarl",
        "brax",
        "matplotlib",
    }


def test_a_name_brings_jax_when_it_is_used():
    """So that the test above can fail."""
    assert "jax" in imported_after("from adama_jax import adama")


# Written as a user would, who has never seen the rooms.
USERS_SCRIPT = """
from adama_jax import adama, balance, fixed, learner, population, scenario_config, steer

reveal_type(adama)
reveal_type(balance)
reveal_type(fixed)
reveal_type(learner)
reveal_type(population)
reveal_type(steer)
reveal_type(scenario_config("clustering"))
"""


def test_a_user_s_type_checker_sees_functions_with_types(tmp_path):
    """Neither modules nor Any, as it would be if the names were loaded by `__getattr__` alone."""
    script = tmp_path / "user.py"
    script.write_text(USERS_SCRIPT, encoding="utf-8")
    settings = {
        "include": ["user.py"],
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "strict",
        "reportMissingTypeStubs": False,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [
        sys.executable, "-m", "pyright", "--outputjson",
        "--pythonpath", sys.executable, "--project", str(tmp_path),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    errors = [each["message"] for each in found if each["severity"] != "information"]
    assert not errors
    revealed = [each["message"] for each in found]
    assert len(revealed) == USERS_SCRIPT.count("reveal_type")
    *functions, config = revealed
    for message in functions:
        # Type of "adama" is "(hyper: RateHyper = ...) -> RateRule"
        seen = message.partition(" is ")[2].strip('"')
        assert seen.startswith("(") and "Unknown" not in message
        assert seen.endswith(("-> RateRule", "-> Learner", "-> Population"))
    assert config.endswith('is "Config"')
