"""Who may import whom, and how large things may grow."""

import ast
from pathlib import Path

import pytest

import adama_jax

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "adama_jax"
LEVELS = (
    ("types", "tree", "activations"),
    ("networks", "losses", "probe", "rates", "adama", "replay", "parts", "envs", "methods", "scenarios", "directions"),
    ("algorithms",),
    ("learner", "rollout"),
    ("train", "population"),
    ("config",),
    ("settings", "commands"),
    ("compose", "validation", "arguments"),
    ("lock", "digests", "course", "stopping"),
    ("checkpoint",),
    ("runtime", "store", "slicing", "statistics", "calibrate"),
    ("interrupted",),
    ("actors", "host_state", "program", "run_writer"),
    ("saved",),
    ("loop", "summary", "sweep"),
    ("runner", "panels", "progress"),
    ("plots", "render_robot"),
    ("render", "viewer", "launch", "exhibits"),
    ("experiment", "report"),
    ("on_runs", "reproduce"),
    ("cli_runs",),
    ("cli",),
    ("__main__", "__init__"),
)
WITHIN = {("adama", "rates"), ("envs", "scenarios"), ("train", "population"), ("types", "tree")}
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "adama_jax":
                yield from (f"adama_jax.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_up_the_list(path):
    level = {name: i for i, names in enumerate(LEVELS) for name in names}
    here = room(path)
    for module in imports(path):
        if module.startswith("adama_jax.") and (there := module.split(".")[1]) != here:
            lower = level[there] < level[here]
            assert lower or (there, here) in WITHIN, f"{here} imports {there}"


def test_the_method_knows_no_network_and_no_world():
    for name in ("rates", "adama", "probe", "losses", "replay"):
        roots = {module.split(".")[0] for module in imports(PACKAGE / f"{name}.py")}
        assert not roots & {"flax", "jaxmarl", "optax"}
        assert not any(module.startswith("adama_jax.envs") for module in imports(PACKAGE / f"{name}.py"))


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_notebooks_use_public_names(path):
    """A name of `adama_jax.PUBLIC`, a module, or what shares its name with a module."""
    modules = {file.stem for file in FILES}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("adama_jax"):
            names = {alias.name for alias in node.names}
            assert names <= modules | set(adama_jax.__all__)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_reader_can_hold_one_file(path):
    text = path.read_text()
    assert text.count("\n") <= 260
    assert not any(word in text for word in ("TODO", "FIXME", "NotImplementedError"))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.end_lineno - node.body[0].lineno + 1
            assert body <= 85, f"{node.name}: {body} lines"
