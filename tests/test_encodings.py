"""Text files are UTF-8 whatever the locale: whoever opens one says so."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("adama_jax", "tests", "tools", "benchmarks", "notebooks")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
# Methods of a path, and at which place they take the encoding.
WHOLE_FILES = {"read_text": 0, "write_text": 1}


def without_encoding(text: str) -> list[str]:
    """Calls that open a text file, or read a process's words, in the locale's encoding."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if lacks_encoding(call)]


def lacks_encoding(call: ast.Call) -> bool:
    given = {word.arg: word.value for word in call.keywords}
    if "encoding" in given:
        return False
    if "text" in given or "universal_newlines" in given:
        return True
    if isinstance(call.func, ast.Attribute):
        # A path's own: its first argument is the mode.
        if call.func.attr in WHOLE_FILES:
            return len(call.args) <= WHOLE_FILES[call.func.attr]
        return call.func.attr == "open" and is_text_mode(call.args[:1], given)
    is_open = isinstance(call.func, ast.Name) and call.func.id == "open"
    return is_open and (len(call.args) == 1 or is_text_mode(call.args[1:2], given))


def is_text_mode(arguments: list[ast.expr], given: dict) -> bool:
    """Whether there is a mode, such as "r" or "w+", and no b in it."""
    for mode in (*arguments, given.get("mode")):
        if isinstance(mode, ast.Constant) and isinstance(mode.value, str):
            return set(mode.value) <= set("rwaxt+")
    return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_file_is_opened_as_utf_8(path):
    assert without_encoding(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "path.read_text()",
        "path.write_text('ä')",
        "(folder / 'a').read_text(errors='replace')",
        "path.open('w')",
        "path.open(mode='a')",
        "open('a')",
        "open('a', 'r')",
        "subprocess.run(['git'], text=True)",
        "subprocess.Popen(['git'], universal_newlines=True)",
    ],
)
def test_each_way_to_forget_it_is_found(line):
    assert len(without_encoding(line)) == 1


def test_what_is_no_text_is_left_alone():
    for line in (
        "path.open('rb')",
        "open('a', 'wb')",
        "writer.open()",
        "Image.open(path)",
        "path.read_text(encoding='utf-8')",
        "path.read_text('utf-8')",
        "path.write_text('ä', 'utf-8')",
        "open('a', encoding='utf-8')",
        "subprocess.run(['git'], check=True)",
    ):
        assert without_encoding(line) == []


def test_the_linter_asks_for_it_too():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lint = settings["tool"]["ruff"]["lint"]
    assert "PLW1514" in lint["select"]
    # The rule is on trial: without these ruff passes over it.
    assert lint["preview"] and lint["explicit-preview-rules"]
