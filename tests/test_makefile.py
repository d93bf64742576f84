"""What is given to make arrives at the program word for word, or is refused.

Run in a copy of the Makefile whose programs print their words: nothing is installed or trained.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
PRINTS_ITS_WORDS = """#!/bin/sh
for word; do printf '<%s>\\n' "$word"; done
"""
LIMIT = 60  # seconds, for a hang


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A set-up checkout, in a folder with a space and a quote in its name."""
    folder = tmp_path_factory.mktemp("make") / "it's a project"
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    shutil.copy(MAKEFILE, folder)
    (folder / "pyproject.toml").touch()
    (folder / "uv.lock").touch()
    for name in ("adama", "python", "uv"):
        program = programs / name
        program.write_text(PRINTS_ITS_WORDS, encoding="utf-8")
        program.chmod(0o755)
    # Last: it is newer than what it is made of, so that make installs nothing.
    (folder / ".venv" / ".ready").touch()
    return folder


def make(folder, *words):
    """What make printed and its exit code."""
    # As from a shell, though these tests may run under `make test` themselves.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MAKE") and name != "MFLAGS"
    }
    return subprocess.run(
        ["make", "--silent", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
    )


def words_of(done):
    """The words that the program got."""
    assert done.returncode == 0, done.stderr
    return re.findall("<(.*)>\n", done.stdout)


EXPERIMENT = ["experiment", "predator_prey", "methods=adama,fixed", "out=results"]
FOLDERS = ["my results", "it's", 'a "b"', "a;b&c", "$HOME", "a\\b", "~/runs", "größe"]
ARRIVES = [
    (["experiment"], EXPERIMENT),
    (
        ["experiment", "SCENARIO=humanoid_9|8", "METHODS=adama  fixed ", "SEEDS=2"],
        ["experiment", "humanoid_9|8", "methods=adama,fixed", "out=results", "seeds=2"],
    ),
    (
        ["grid", "EPISODES=20", "ARGS=hidden=(64,64) m=auto"],
        [
            *("sweep", "predator_prey", "preset=grid", "out=results", "episodes=20"),
            *("hidden=(64,64)", "m=auto"),
        ],
    ),
    (
        ["reproduce", "SCALE=0.05", "ONLY=clustering predator_prey"],
        ["reproduce", "out=results", "scale=0.05", "only=clustering,predator_prey"],
    ),
    (
        ["figures", "ARGS=experiments='my figures'"],
        ["figures", "out=results", "experiments=my figures"],
    ),
    # Given and empty is not the same as not given: adama says that it must be a number.
    (["experiment", "EPISODES="], [*EXPERIMENT, "episodes="]),
]


@pytest.mark.parametrize(("given", "words"), ARRIVES)
def test_what_is_given_arrives(project, given, words):
    assert words_of(make(project, *given)) == words


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_of_any_name_arrives(project, folder):
    given = f"RESULTS={folder}"
    assert words_of(make(project, "report", given)) == ["report", f"results={folder}"]
    published = words_of(make(project, "publish", given))
    assert published[-2:] == [folder, "docs/results/runs"]
    assert f"out={folder}" in words_of(make(project, "experiment", given))


REFUSED = [
    (["experiment", "scenario=clustering"], "scenario=clustering", "SCENARIO"),
    (["experiment", "EPISODE=20"], "EPISODE=20", "EPISODES"),
    (["experiment", "SCENRAIO=clustering"], "SCENRAIO=clustering", "SCENARIO"),
    (["reproduce", "scale=0.1"], "scale=0.1", "SCALE"),
    # Another target reads it, this one does not.
    (["experiment", "SCALE=0.1"], "SCALE=0.1", None),
    (["test", "EPISODES=2"], "EPISODES=2", None),
    (["lint", "report", "SEEDS=2"], "SEEDS=2", None),
    (["METHOD=adama"], "METHOD=adama", None),
]


@pytest.mark.parametrize(("given", "named", "meant"), REFUSED)
def test_what_would_change_nothing_is_refused(project, given, named, meant):
    done = make(project, *given)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert f"*** {named}: must be a variable that `make " in line
    assert ("did you mean" in line) == (meant is not None)
    if meant:
        assert f"; did you mean {meant}?" in line


def test_a_setting_of_adama_is_refused_with_its_place(project):
    done = make(project, "experiment", "alpha=0.9")
    assert 'settings of adama go into ARGS="..."' in done.stderr
    assert done.returncode == 2


def test_a_text_of_two_lines_is_refused(project):
    done = make(project, "experiment", "RESULTS=a\nb")
    assert done.returncode == 2 and "RESULTS: must be one line" in done.stderr


READS = re.findall(
    r"^([a-z-]+)\.reads := (.+)$", MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.parametrize(("target", "reads"), READS)
def test_what_a_target_says_it_reads_it_reads(project, target, reads):
    names = reads.split()
    done = make(project, "-n", target, *(f"{name}=<{name}>" for name in names))
    assert set(re.findall("<([A-Z_]+)>", done.stdout)) == set(names)


def test_help_lists_every_target(project):
    targets = re.findall(
        r"^\.PHONY: (.*)$", MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE
    )
    listed = re.findall(
        r"^  make ([a-z-]+)", make(project, "help").stdout, re.MULTILINE
    )
    assert listed == targets[0].split()


def test_notebooks_are_left_executed_and_have_time():
    """In build/notebooks, with their output; a limit of a cell is for a hang."""
    (line,) = re.findall(".*--nbmake .*", MAKEFILE.read_text(encoding="utf-8"))
    assert " --overwrite " in line and line.endswith(" build/notebooks")
    (limit,) = re.findall("--nbmake-timeout=([0-9]+)", line)
    assert int(limit) >= 10 * LIMIT
