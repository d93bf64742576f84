"""The documentation holds together: pages, names, commands, and nothing from the network.

Sphinx itself says much more, with warnings as errors; that takes a minute (`make docs`).
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import adama_jax
from adama_jax.cli import options
from adama_jax.cli.main import COMMANDS
from adama_jax.config.command_line import parse, split_axes
from adama_jax.config.reading import read_axes
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import scenario_config
from tests.test_public import names_for_type_checkers

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NOT_PAGES = ("_notes", "runs")
# Pages are whatever their folder holds when they are built.
NOTEBOOKS = "notebooks/[0-9]*"
TOCTREE = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)
FENCE = re.compile(r"^```(\w*|\{[\w-]+\}[^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
MODULES = re.compile(r"<!-- generated: modules ([\w.]+) -->")
# What a reader is to put something else in place of.
PLACEHOLDER = re.compile(r"\.\.\.|\b[A-Z]{2,}\b")


def pages():
    found = DOCS.rglob("*.md")
    return sorted(page for page in found if not set(NOT_PAGES) & set(page.parts))


def name_of(page):
    return page.relative_to(DOCS).with_suffix("").as_posix()


def listed():
    """The pages that the tables of contents name."""
    names = set()
    for page in pages():
        for block in TOCTREE.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                if line.strip() and not line.startswith(":"):
                    target = (page.parent / line.strip()).resolve()
                    names.add(target.relative_to(DOCS).as_posix())
    return names


def test_every_page_is_in_a_table_of_contents():
    names = {name_of(page) for page in pages()}
    assert names - listed() == {"index"}
    assert listed() - names == {NOTEBOOKS}


def rooms_of_the_reference():
    found = set()
    for page in (DOCS / "reference" / "api").glob("*.md"):
        found.update(MODULES.findall(page.read_text(encoding="utf-8")))
    return found


def test_every_room_is_in_the_reference():
    package = Path(adama_jax.__file__).parent
    files = package.rglob("*.py")
    names = {path.relative_to(package).parts[0].removesuffix(".py") for path in files}
    # The command line has a page of its own.
    assert names - {"__init__", "__main__", "cli"} == rooms_of_the_reference()


@pytest.mark.parametrize("name", adama_jax.__all__)
def test_every_public_name_is_of_a_room_of_the_reference(name):
    """Its entry comes with the room's modules; `make docs` looks for the entry itself."""
    module = names_for_type_checkers()[name]
    assert module.split(".")[1] in rooms_of_the_reference()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_that_is_generated_in_part_says_so(page):
    """To whoever reads it as a file."""
    text = page.read_text(encoding="utf-8")
    if "<!-- generated: " in text:
        assert "`make docs` writes" in text


def test_links_lead_somewhere():
    for page in pages():
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{name_of(page)}: {target}"


def test_nothing_comes_from_the_network():
    """Links for a reader to follow are none of this."""
    assets = re.compile(
        r"!\[[^\]]*\]\(https?:|(?:src|url)\s*[=(]\s*[\"']?https?:|@import"
    )
    sources = [*pages(), *(DOCS / "_static").iterdir(), DOCS / "conf.py"]
    for source in sources:
        assert not assets.search(source.read_text(encoding="utf-8")), source


# The first block of a page is a file of the reader's, by the name that its commands have for it.
OF_PAGES = {
    "critic": "howto/own-critic",
    "lift": "tutorials/own-world",
    "rules": "howto/own-rule",
}
OF_READERS = re.compile(rf"\b(?:{'|'.join(OF_PAGES)}):\w+")


# Code of somebody's: a page's, or that of examples/, which has tests of its own.
FOREIGN = re.compile(r"\b\w+:[A-Za-z_]\w*")


def commands_in(text):
    """The command lines in shell blocks, and those in a line of text, without placeholders."""
    lines = []
    for kind, body in FENCE.findall(text):
        if kind in ("sh", "console"):
            lines += body.replace("\\\n", " ").splitlines()
    lines += re.findall(r"`(adama [^`]+)`", FENCE.sub("", text))
    for line in lines:
        for part in line.partition("  #")[0].split(";"):
            words = re.sub(r"^(\$ )?(\.venv/bin/)?", "", part.strip())
            if words.startswith("adama ") and not PLACEHOLDER.search(words):
                yield words.replace("\n", " ")


COMMAND_LINES = sorted(
    {
        (name_of(page), line)
        for page in pages()
        for line in commands_in(page.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize(
    ("page", "line"), [each for each in COMMAND_LINES if not FOREIGN.search(each[1])]
)
def test_every_command_line_is_accepted(page, line):
    """As far as its words go: no file is looked at and nothing runs."""
    _, name, *words = shlex.split(line)
    if name.startswith("-"):
        return
    assert name in COMMANDS
    if not words:
        # The command is spoken of.
        return
    kind = getattr(options, f"{name.title()}Command", None)
    if kind is None or "--help" in words:
        assert not any("=" in word for word in words)
        return
    first = words.pop(0) if words and "=" not in words[0] else ""
    if "config" not in kind.__annotations__:
        parse(kind, kind(), words, "adama")
        return
    # A path stands for the settings of a run, which are those of some scenario.
    scenario = first if first in SCENARIOS else "going_together"
    assert first in SCENARIOS or "/" in first or "." in first
    default = kind(scenario_config(scenario))
    axes = {}
    if name == "sweep":
        words, axes = split_axes(words, default)
    config = parse(kind, default, words, "adama").config
    read_axes(config, axes)


def test_there_are_command_lines():
    assert len(COMMAND_LINES) > 10


def python_of(name):
    """The Python blocks of a page."""
    blocks = FENCE.findall((DOCS / f"{name}.md").read_text(encoding="utf-8"))
    return [body for kind, body in blocks if kind == "python"]


# Of the others the code needs a run, or files of the reader's.
EXECUTED = (
    "howto/own-rule",
    "tutorials/own-loop",
    pytest.param("howto/mabrax", marks=pytest.mark.slow),
    pytest.param("howto/own-critic", marks=pytest.mark.slow),
    pytest.param("howto/read-results", marks=pytest.mark.slow),
    pytest.param("tutorials/own-world", marks=pytest.mark.slow),
)


# A reader sets JAX up first; these tests have used it.
@pytest.mark.filterwarnings("ignore:JAX was used before set_up_jax")
@pytest.mark.parametrize("name", EXECUTED)
def test_the_python_of_a_page_runs(name, tmp_path, monkeypatch):
    """One block after another, as a reader would paste them."""
    code = python_of(name)
    assert code
    files = [file for file, page in OF_PAGES.items() if page == name]
    for file in files:
        (tmp_path / f"{file}.py").write_text(code[0], encoding="utf-8")
    if files:
        monkeypatch.chdir(tmp_path)
    names = {}
    for body in code:
        exec(body, names)


@pytest.mark.slow
def test_what_a_reader_writes_is_trained(tmp_path):
    """The files of three pages, and the commands that name them, with fewer episodes."""
    for name, page in OF_PAGES.items():
        (tmp_path / f"{name}.py").write_text(python_of(page)[0], encoding="utf-8")
    lines = [line for _, line in COMMAND_LINES if OF_READERS.search(line)]
    assert len(lines) >= len(OF_PAGES)
    for line in lines:
        words = re.sub(r"episodes=\d+", "episodes=20", line).split()[1:]
        command = [sys.executable, "-m", "adama_jax", *words]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=tmp_path, env=environment, check=True)


@pytest.mark.slow
def test_sphinx_builds_it_without_a_warning(tmp_path):
    """And no page asks for a script, a style, a picture or a font from elsewhere."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, "docs", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    asked = re.compile(
        r"<(?:script|img|iframe|source)[^>]+src=\"(?:https?:)?//"
        r"|<link[^>]+rel=\"(?:stylesheet|icon|preload|preconnect)\"[^>]+href=\"(?:https?:)?//"
        r"|url\([\"']?(?:https?:)?//|@import"
    )
    for file in [*tmp_path.rglob("*.html"), *tmp_path.rglob("*.css")]:
        found = asked.search(file.read_text(encoding="utf-8"))
        assert not found, f"{file}: {found}"


@pytest.mark.slow
def test_the_figures_of_the_explanation_can_be_drawn_anew(tmp_path):
    command = [sys.executable, str(DOCS / "figures" / "draw.py"), str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {path.name for path in (DOCS / "figures").glob("*.svg")}
