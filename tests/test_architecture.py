"""Who may import whom, and how large and how dense things may grow."""

import ast
from pathlib import Path

import pytest

import adama_jax

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "adama_jax"
FILES = sorted(PACKAGE.rglob("*.py"))

# Rows of rooms, from the ground up; a room imports itself and the rooms that it names here.
MAY_IMPORT = {
    "types": (),
    "tree": ("types",),
    "keys": (),
    "errors": (),
    "screen": (),
    "plugins": ("errors",),
    "bounds": ("plugins",),
    "fields": ("errors", "bounds"),
    "rates": ("types", "tree", "errors", "bounds", "fields"),
    "optax": ("types", "tree", "rates"),
    "algorithms": ("types", "tree", "keys", "errors", "plugins", "bounds", "fields"),
    "envs": ("types", "tree", "keys", "errors", "plugins", "bounds", "fields"),
    "training": (
        "types", "tree", "keys", "errors", "bounds", "fields", "rates", "optax", "algorithms",
        "envs",
    ),
    "testing": (
        "types", "tree", "keys", "errors", "plugins", "rates", "optax", "algorithms", "envs",
        "training",
    ),
    "config": (
        "errors", "plugins", "bounds", "fields", "envs.worlds", "envs.outside",
        "envs.robots.joints", "algorithms.settings", "rates.settings", "training.settings",
    ),
    "storage": ("errors", "plugins", "screen", "config"),
    "execution": (
        "types", "tree", "keys", "errors", "plugins", "fields", "screen", "rates", "algorithms",
        "envs", "training", "config", "storage",
    ),
    "reporting": ("errors", "screen", "config", "storage", "envs"),
    "studies": (
        "types", "tree", "errors", "plugins", "screen", "config", "storage", "training",
        "execution", "reporting",
    ),
}  # fmt: skip
ANYTHING = ("cli", "__init__", "__main__")
NO_JAX = ("config", "errors", "screen", "plugins", "bounds", "fields")
# What a room declares for `config`, beside its compiled code: data, without JAX.
DATA = ("settings", "worlds", "outside", "joints")
SIBLINGS_ALIKE = ("flax", "jaxmarl", "brax", "optax")


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imports(path: Path):
    """Every imported module, `from a import b` as both `a` and `a.b`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def modules_of_the_package():
    return {module_of(path).removesuffix(".__init__") for path in FILES}


def allowed(here: str, there: str) -> bool:
    room = here.partition(".")[0]
    if room in ANYTHING or there.partition(".")[0] == room:
        return True
    return any(
        there == name or there.startswith(name + ".") for name in MAY_IMPORT[room]
    )


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_down(path):
    known = modules_of_the_package()
    for module in imports(path):
        there = module.removeprefix("adama_jax.")
        if module.startswith("adama_jax.") and there in known:
            packages_only = [name for name in known if name.startswith(there + ".")]
            if packages_only:
                continue  # a room itself, of which a name is imported: that name is looked at
            assert allowed(module_of(path), there), f"{module_of(path)} imports {there}"


def test_the_rows_are_the_rooms():
    tops = {module_of(path).partition(".")[0] for path in FILES}
    assert tops == set(MAY_IMPORT) | set(ANYTHING)


def test_settings_need_no_jax():
    for path in FILES:
        room, *_, last = module_of(path).split(".")[0], module_of(path).split(".")[-1]
        if room in NO_JAX or last in DATA:
            roots = {module.partition(".")[0] for module in imports(path)}
            assert not roots & {"jax", "flax", "optax", "numpy"}, module_of(path)


def test_the_method_knows_no_network_and_no_world():
    """Rates are the paper's, on vectors; neither they nor the replay may learn what a network or a
    world is.
    """
    for path in FILES:
        if module_of(path).startswith("rates.") or module_of(path) == "training.replay":
            roots = {module.partition(".")[0] for module in imports(path)}
            assert not roots & set(SIBLINGS_ALIKE), module_of(path)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem
)
def test_notebooks_use_public_names(path):
    """A name of the package itself, or one of a module; never a private one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "adama_jax"
        ):
            names = {alias.name for alias in node.names}
            assert not any(name.startswith("_") for name in names)
            if node.module == "adama_jax":
                assert names <= set(adama_jax.__all__)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_reader_can_hold_one_file(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 350
    assert not any(word in text for word in ("TODO", "FIXME", "NotImplementedError"))
