"""docs/migration.md: what it says is there is there."""

import ast
import re
from pathlib import Path

import pytest

import adama_jax

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| `(.+)` \| `(.+)` \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "migration.md").read_text(encoding="utf-8"))


def file_of(module):
    """The file of a module, without importing it; None if there is none."""
    path = ROOT.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def is_there(path):
    """Whether an import path names a module of the package, or a function or class of one."""
    module, _, name = path.rpartition(".")
    if module == "adama_jax" and name in adama_jax.__all__:
        return True
    if file_of(path) is not None:
        return True
    tree = ast.parse(file_of(module).read_text(encoding="utf-8"))
    defined = [node.name for node in tree.body if hasattr(node, "name")]
    return name in defined


@pytest.mark.parametrize(("old", "new"), ROWS)
def test_every_new_path_is_there(old, new):
    words = new.removeprefix("from ").replace(" import ", ".")
    assert is_there(words)
    assert old != new


def test_a_path_that_is_not_there_is_found():
    assert len(ROWS) > 70
    assert not is_there("adama_jax.rates.rules.direction")
