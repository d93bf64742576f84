"""How readable the package is (tools/measure.py): the limits hold, and each of them can fail."""

import re
from pathlib import Path

import pytest

from tools.measure import figures, measure_file, over_the_limits, repeated_runs

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "adama_jax"


def test_nothing_is_over_a_limit():
    """Lines of 100 columns, functions of 40 lines, statements of 60 nodes, files of 350 lines."""
    assert over_the_limits(PACKAGE) == []


def test_no_test_asserts_a_time():
    """On a busy machine it would fail; a limit for what hangs is `tests.helpers.wait_until`."""
    clock = re.compile(r"\b(perf_counter|monotonic|time\.time)\(\)")
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path.name not in ("helpers.py", Path(__file__).name):
            assert not clock.search(path.read_text(encoding="utf-8")), path
    assert clock.search("assert time.perf_counter() - start < 3")


def test_the_package_keeps_its_measures():
    values = {figure.name: figure.value for figure in figures(PACKAGE, ROOT / "tests")}
    assert values["files on the top shelf"] <= 8
    assert values["AST nodes a code line"] <= 8.5
    assert values["own-line comments in 1000"] >= 30
    assert values["test lines a library line"] >= 0.6
    assert values["repeated runs of six lines"] <= 4


WIDE = "x = 1  # " + "-" * 100 + "\n"
LONG = "def long():\n" + "    x = 1\n" * 41
DENSE = "def f(a):\n    return (\n        a\n" + "        + a\n" * 35 + "    )\n"
ENDLESS = "x = 1\n" * 351
IN_ORDER = '''"""A module."""


def f(a):
    """Does little."""
    # Why it does so.
    return a
'''


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WIDE, "109 columns"),
        (LONG, "long has 41 lines"),
        (DENSE, "a statement of"),
        (ENDLESS, "351 lines"),
    ],
)
def test_each_limit_can_fail(tmp_path, text, message):
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    (over,) = over_the_limits(tmp_path)
    assert message in over


def test_what_is_in_order_is_counted_and_left_alone(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(IN_ORDER, encoding="utf-8")
    found = measure_file(path)
    assert found.over == ()
    assert found.code_lines == 2
    assert found.comments == 1


def test_a_function_inside_another_is_counted_apart(tmp_path):
    path = tmp_path / "module.py"
    inner = "".join(f"        x = {number}\n" for number in range(30))
    outer = "".join(f"    y = {number}\n" for number in range(30))
    path.write_text(
        "def outer():\n    def inner():\n" + inner + outer, encoding="utf-8"
    )
    assert measure_file(path).over == ()


def test_repeated_runs_are_found(tmp_path):
    lines = "".join(f"x = {number}\n" for number in range(6))
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text(lines + "y = 1\n", encoding="utf-8")
    other.write_text("z = 2\n" + lines, encoding="utf-8")
    assert repeated_runs([one, other]) == 2
    other.write_text("z = 2\n" + lines.replace("x = 3", "x = 33"), encoding="utf-8")
    assert repeated_runs([one, other]) == 0
