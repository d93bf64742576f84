"""`adama export` and `adama play FILE|SCENARIO`: what is written, refused and played."""

import json
from pathlib import Path

import numpy as np
import pytest

from adama_jax.cli.main import main
from adama_jax.storage.shipped import shipped_actors
from tests.helpers import fake_config, fake_run


def error_of(line, capsys):
    assert main(line.split()) == 2
    printed, said = capsys.readouterr()
    assert printed == "" and said.count("\n") == 1
    return said.removeprefix("adama: error: ")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_seed_s_actors_and_what_is_to_be_known_of_them(here, capsys):
    run = fake_run(here / "results", "fixed", diverged={"0": 3})
    assert main(["export", str(run.folder), "out=mine/actors.npz"]) == 0
    assert (
        "mine/actors.npz: fixed, seed 1 of going_together/" in capsys.readouterr().out
    )
    with np.load("mine/actors.npz") as arrays:
        about = json.loads(str(arrays["about"]))
        assert arrays["seed"].tolist() == [1]
        assert arrays["params.w"].shape == (1, 2)
    assert about["greedy_return"] == 2.0
    assert about["config"]["method"] == "fixed" and about["seed"] == 1
    assert about["versions"] == {"jax": "0.10"}
    assert list(Path("mine").iterdir()) == [Path("mine/actors.npz")]


def test_what_cannot_be_exported_is_a_line(here, capsys):
    run = fake_run(here / "results", "fixed", diverged={"2": 3})
    folder = run.folder
    line = error_of(f"export {folder} seed=2", capsys)
    assert line == "seed=2: must be one that stayed finite; it diverged\n"
    line = error_of(f"export {folder} seed=9", capsys)
    assert line == "seed=9: must be one of 0, 1, 2, 3, 4, or None\n"
    line = error_of(f"export {folder} out=actors.pt", capsys)
    assert line == "out=actors.pt: must be a file whose name ends in .npz\n"
    line = error_of(f"export {folder} format=marl_eval seed=1", capsys)
    assert line.startswith("seed=1: must be left out: it is read with format=actors")
    line = error_of("export results/none", capsys)
    assert line.startswith("run=results/none: must be a run's folder, such as")
    with (folder / "actors.npz").open("ab") as file:
        file.write(b"?")
    line = error_of(f"export {folder}", capsys)
    assert line.endswith("actors.npz: is not what was written (sha256)\n")
    (folder / "actors.npz").unlink()
    line = error_of(f"export {folder}", capsys)
    assert "actors.npz: is missing: only curves were kept" in line
    assert not list(here.glob("*.npz"))


def test_curves_for_marl_eval(here, capsys):
    for clip in (0.1, 0.2):
        config = fake_config("adama", 2, **{"rates.clip": clip})
        fake_run(here / "results", finals=(1.0, 2.0), diverged={"1": 5}, config=config)
    assert main(["export", "results", "format=marl_eval"]) == 0
    data = json.loads(Path("marl_eval.json").read_text(encoding="utf-8"))
    assert sorted(data["adama_jax"]["going_together"]) == [
        "adama eps=0.1",
        "adama eps=0.2",
    ]
    out = capsys.readouterr().out
    assert out.count("seeds 1 diverged: their values are null from there on") == 2
    assert error_of("export . out=a.json format=marl_eval seed=none", capsys)


def test_what_cannot_be_played_is_a_line(here, capsys):
    line = error_of("play ant_4x2", capsys)
    wanted = "run=ant_4x2: must be a run's folder, such as results/ant_4x2 once it is trained"
    assert line.startswith(wanted)
    assert "predator_prey" in line
    Path("mine.npz").write_bytes(b"?")
    line = error_of("play mine.npz", capsys)
    assert line.startswith("run=mine.npz: cannot be read: ")
    run = fake_run(here / "results", "fixed")
    line = error_of(f"play {run.folder}/actors.npz", capsys)
    assert "must be a file of `adama export`" in line


@pytest.mark.slow
def test_a_scenario_s_own_actors_are_played_where_there_is_no_run(
    here, capsys, monkeypatch
):
    # JAX has its devices already.
    monkeypatch.setattr("adama_jax.cli.played.start_jax", lambda devices: None)
    words = ["episodes=4"]
    assert main(["play", "going_together", *words]) == 0
    out = capsys.readouterr().out
    assert "no run: these actors come with adama-jax, trained for 4,000" in out
    assert "greedy return -" in out
    assert (here / "results/play/going_together/rollout.gif").is_file()
    file = here / "mine.npz"
    file.write_bytes(shipped_actors("going_together").read_bytes())
    assert main(["play", "mine.npz", *words]) == 0
    assert (here / "mine-play/rollout.gif").is_file()
