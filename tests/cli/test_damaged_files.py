"""Files of results damaged at random: each is said in a line, and none is changed or followed.

The generator's seed is in the name of each test.
"""

import contextlib
import io
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from adama_jax.cli import main as cli
from adama_jax.storage.folder import RunFolder
from tests.helpers import fake_run

VALUES = (
    None, True, -1, 0, 1e999, "", "x", "[red]", "a\nb", [], {}, [[1]], {"a": {}}, 10**400,
)  # fmt: skip
TEXTS = (
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": NaN}', b"[" * 5_000, b'{"a": 1, "a": 2}',
    b"PK\x03\x04", b"\x93NUMPY", b"\0" * 100,
)  # fmt: skip
ARRAYS = (
    np.float32(1.0), np.zeros(0), np.zeros((2, 3, 4)), np.array(["x"]), np.full((5, 20), np.nan),
    np.array([{"a": 1}], dtype=object), np.zeros((5, 20), complex),
)  # fmt: skip
# What only looks; `train` and the others read runs by the same functions.
LOOKING = ("list", "verify", "figures")


def results(folder: Path) -> Path:
    """Two finished runs, and one that was begun."""
    out = folder / "results"
    fake_run(out)
    fake_run(out, "fixed")
    begun = fake_run(out, "balance").folder
    partial = RunFolder(begun).partial.config
    partial.parent.mkdir()
    shutil.copy(begun / "config.json", partial)
    shutil.rmtree(begun)
    return out


def change_json(chance: random.Random, path: Path) -> None:
    """Give one value, at any depth, another."""
    whole = json.loads(path.read_bytes())
    at = whole
    while True:
        key = chance.choice(list(at) if isinstance(at, dict) else range(len(at)))
        inner = at[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.3:
            break
        at = inner
    if isinstance(at, dict) and chance.random() < 0.3:
        del at[key]
    else:
        at[key] = chance.choice(VALUES)
    path.write_text(json.dumps(whole), encoding="utf-8")


def change_arrays(chance: random.Random, path: Path) -> None:
    """Give one array another shape or type, or take it away."""
    with np.load(path) as stored:
        arrays = dict(stored)
    name = chance.choice(sorted(arrays))
    if chance.random() < 0.3:
        del arrays[name]
    else:
        arrays[name] = chance.choice(ARRAYS)
    np.savez(path, **arrays)


def change_bytes(chance: random.Random, path: Path) -> None:
    """Cut a file, change a byte, or write something else."""
    data = bytearray(path.read_bytes())
    way = chance.randrange(3)
    if way == 0:
        data = data[: chance.randrange(len(data) + 1)]
    elif way == 1 and data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    else:
        data = bytearray(chance.choice(TEXTS))
    path.write_bytes(data)


def damage(chance: random.Random, out: Path) -> str:
    """Change one file of one run; what was done."""
    path = chance.choice([each for each in sorted(out.rglob("*.*")) if each.is_file()])
    ways = [change_bytes]
    if path.suffix == ".json":
        ways += [change_json, change_json]
    elif path.suffix == ".npz":
        ways += [change_arrays, change_arrays]
    way = chance.choice(ways)
    way(chance, path)
    return f"{way.__name__} of {path.relative_to(out)}"


def contents(out: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def check_command(command: str, out: Path, experiments: Path) -> None:
    """What must hold of a command that only looks, whatever lies there."""
    words = [command, str(out)]
    if command == "figures":
        pictures = out.parent / "figures"
        words = [
            command,
            f"experiments={experiments}",
            f"out={out}",
            f"figures={pictures}",
        ]
    said, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(error):
        code = cli.main(words)
    assert code in (0, 1, 2)
    assert all(line.isprintable() for line in said.getvalue().splitlines())
    if code == 2:
        line = error.getvalue()
        assert line.startswith("adama: error: ")
        assert line.endswith("\n") and line[:-1].isprintable()


def check_damages(seed: int, count: int, folder: Path) -> None:
    chance = random.Random(seed)
    clean = results(folder / "clean")
    experiments = folder / "table.toml"
    experiments.write_text(
        'title = "t"\ndraw = "results"\nscenarios = ["going_together"]\n'
        'methods = ["adama", "fixed"]\n',
        encoding="utf-8",
    )
    for number in range(count):
        out = folder / "damaged" / "results"
        shutil.rmtree(out.parent, ignore_errors=True)
        shutil.copytree(clean, out)
        done = damage(chance, out)
        before = contents(out)
        for command in LOOKING:
            try:
                check_command(command, out, experiments)
            except Exception as error:
                raise AssertionError(
                    f"{number}: adama {command} after {done}"
                ) from error
        assert contents(out) == before, done


def test_20_damaged_files(tmp_path):
    check_damages(0, 20, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_200_damaged_files_more(tmp_path, seed):
    check_damages(seed, 200, tmp_path)
