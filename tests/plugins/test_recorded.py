"""Runs that used code from outside: what they say of it, and who is told when it has changed."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adama_jax.algorithms.settings import ALGORITHMS
from adama_jax.cli.main import main
from adama_jax.config.outside import sources_of
from adama_jax.config.schema import scenario_config
from adama_jax.execution import actors
from adama_jax.execution.actors import about_actors
from adama_jax.plugins.loading import Outside
from adama_jax.plugins.names import register
from adama_jax.plugins.registry import without_imports
from adama_jax.reporting import present
from adama_jax.storage.provenance import differences, other_sources
from adama_jax.storage.reader import load_run
from adama_jax.studies.here import Submitted
from adama_jax.studies.jobs import Job

REPOSITORY = Path(__file__).parents[2]
SHORT = ("episodes=6", "seeds=1", "evaluation.episodes=4", "batch_size=5")


def test_a_run_says_which_code_it_used_and_who_uses_it_is_told_of_changes(
    mine, capsys, monkeypatch
):
    monkeypatch.setattr(present, "show_experiment", lambda *arguments: None)
    words = ["train", "mine:make", "critic=mine:Mine", *SHORT, "out=results"]
    assert main([*words, "observers=mine:observer"]) == 0
    (meta,) = mine.glob("results/mine.make/*/meta.json")
    said = json.loads(meta.read_text(encoding="utf-8"))["outside"]
    source = mine / "mine.py"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    wanted = {"module": "mine", "file": str(source), "sha256": digest}
    assert said == {"mine": wanted}
    assert {"Started", "Finished"} <= set(sys.modules["mine"].heard)

    # JAX has begun, with more devices than that asks for.
    monkeypatch.setattr("adama_jax.cli.played.start_jax", lambda devices: None)
    assert main(["export", str(meta.parent), "out=mine.npz"]) == 0
    capsys.readouterr()
    assert main(["play", "mine.npz"]) == 0
    assert "trained with" not in capsys.readouterr().out

    source.write_text(
        source.read_text(encoding="utf-8") + "# other\n", encoding="utf-8"
    )
    now = hashlib.sha256(source.read_bytes()).hexdigest()
    capsys.readouterr()
    assert main(words) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "finished already" in shown
    changed = (
        f"source of mine {digest[:10]}, now {now[:10]} (force=true trains it again)"
    )
    assert f"trained with {changed}" in shown
    assert main(["play", "mine.npz"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"trained with source of mine {digest[:10]}, now {now[:10]}" in shown

    config = scenario_config("mine:make")
    assert other_sources({"outside": said}, config) == [
        f"source of mine {digest[:10]}, now {now[:10]}"
    ]
    # A run of an earlier version, or of the package's own code, says nothing of it.
    assert differences({}, {}) == []
    assert load_run(meta.parent).config.world.agents == 2


def test_a_file_of_actors_imports_nothing(mine):
    about = about_actors(scenario_config("clustering")) | {"algorithm": "mine:masac"}
    with pytest.raises(ValueError, match="one from outside must be in use already"):
        actors._algorithm(about)
    assert "mine" not in sys.modules
    assert ALGORITHMS["mine:masac"]
    assert actors._algorithm(about).replay == "ring"


def test_the_package_s_own_code_is_no_code_from_outside():
    assert sources_of(scenario_config("clustering")) == {}
    with without_imports():
        assert sources_of(scenario_config("halfcheetah_2x3_modern")) == {}


LOOKS = """
import sys
from adama_jax.algorithms.settings import ALGORITHMS
from adama_jax.cli.main import main
from adama_jax.storage.reader import find_run, load_run
from pathlib import Path
run = load_run(Path(sys.argv[1]))
assert run.config.scenario == "mine:make" and run.stored["world"]["length"] == 2.0
assert main(["list", "results"]) == 0 and main(["report", "results"]) == 0
assert "mine" not in sys.modules, "imported"
"""


@pytest.mark.slow
def test_reading_another_s_results_runs_none_of_their_code(mine):
    words = ["train", "mine:make", "method=mine:WARM", *SHORT, "out=results"]
    assert main(words) == 0
    (meta,) = mine.glob("results/mine.make/*/meta.json")
    command = [sys.executable, "-c", LOOKS, str(meta.parent)]
    done = subprocess.run(
        command, cwd=mine, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=False
    )
    assert done.returncode == 0


def test_a_job_is_plain_data_and_finds_the_code_from_elsewhere(mine, monkeypatch):
    register("critic", "my_critic", "mine:Mine")
    config = scenario_config("mine:make")
    submitted = Submitted.of(Job("a job", (config,), ("adama",)))
    assert isinstance(submitted.settings[0]["world"], dict)
    assert str(mine) in submitted.outside.folders
    assert submitted.outside.names == (("critic", "my_critic", "mine:Mine"),)
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != str(mine)])
    assert submitted.job().configs == (config,)
    assert str(mine) in sys.path


def test_python_s_own_folders_are_not_sent():
    assert not [each for each in Outside.here().folders if "site-packages" in each]


@pytest.mark.slow
def test_jobs_of_launcher_local_find_a_world_beside_the_user(mine):
    """Through the installed command's entry, whose path has no current folder."""
    code = "import sys; sys.path.remove(''); from adama_jax.cli.main import main; sys.exit(main())"
    words = ["sweep", "mine:make", *SHORT, "critic=joint,mine:Mine", "launcher=local"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "out=results"],
        cwd=mine,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(mine.glob("results/mine.make/*/meta.json"))) == 2
