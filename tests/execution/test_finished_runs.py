"""What a run leaves: actors that can be played, files that can be verified, a log that is whole."""

import shutil

import jax
import numpy as np
import pytest

from adama_jax.cli.commands.play import play_run
from adama_jax.cli.main import main
from adama_jax.cli.options import PlayCommand
from adama_jax.errors import SettingError
from adama_jax.execution import log
from adama_jax.execution.actors import load_actors
from adama_jax.execution.events import Advanced
from adama_jax.execution.log import write_log
from adama_jax.execution.observer import Hooks
from adama_jax.execution.runner import run
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.reader import load_run
from tests.helpers import (
    ONE,
    assert_equal_runs,
    short,
)


def test_verify_and_play(whole, tmp_path, capsys):
    place = tmp_path / "results" / "going_together" / whole.folder.name
    shutil.copytree(whole.folder, place)
    assert main(["verify", str(place)]) == 0
    assert "6 of 6 parts verified" in " ".join(capsys.readouterr().out.split())
    console = Screen(record=True, width=200)
    assert play_run(place, PlayCommand(seed=1, episodes=5), console) == 0
    assert (
        "seed 1: greedy return" in console.export_text()
        and (place / "play" / "rollout.gif").is_file()
    )
    with pytest.raises(SettingError, match="seed=7: must be one of 0, 1"):
        play_run(place, PlayCommand(seed=7), console)
    (place / "metrics.npz").write_bytes(b"something else")
    assert main(["verify", str(place)]) == 1
    assert "metrics.npz: is not what was written" in capsys.readouterr().out


def test_a_saved_actor_acts_as_the_run_did(whole):
    """The greedy returns of the last evaluation, from `actors.npz` alone."""
    from adama_jax.execution.build import make_env
    from adama_jax.training.rollout import episode_return, greedy_rollout

    actors = load_actors(whole.folder / "actors.npz")
    env = make_env(short())
    keys = jax.random.split(jax.random.key(0), 5)
    for row in range(2):
        params = jax.tree.map(lambda leaf, row=row: leaf[row], actors.params)
        episodes = jax.vmap(greedy_rollout(env, actors.act), in_axes=(0, None))(
            keys, params
        )
        returns = jax.vmap(episode_return)(episodes)
        np.testing.assert_allclose(
            np.mean(returns), whole.metrics["eval_return"][row, -1], rtol=1e-4
        )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["resume"], "run=: must come first"),
        (["resume", "/nowhere/run"], "run=/nowhere/run: must be a run's folder"),
        (["verify", "/nowhere/run"], "must be a run's folder"),
        (["play", "/nowhere/run"], "or a run's folder, such as"),
        (
            ["train", "clustering", "checkpoint_minutes=-1"],
            "checkpoint_minutes=-1: must be at least 0",
        ),
        (
            ["train", "clustering", "replay_every=0"],
            "replay_every=0: must be at least 1",
        ),
        (["train", "clustering", "keep_every=0"], "keep_every=0: must be at least 1"),
    ],
)
def test_bad_input_is_one_line(words, message, capsys):
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize("name", ["meta.json", "metrics.npz"])
def test_verify_finds_a_changed_figure(whole, tmp_path, capsys, name):
    folder = tmp_path / whole.folder.parent.name / whole.folder.name
    shutil.copytree(whole.folder, folder)
    assert main(["verify", str(folder)]) == 0
    content = bytearray((folder / name).read_bytes())
    place = (
        content.index(b'"wall_seconds": ') + 16
        if name == "meta.json"
        else len(content) // 2
    )
    content[place] = ord("1") if content[place] != ord("1") else ord("2")
    (folder / name).write_bytes(content)
    assert main(["verify", str(folder)]) == 1
    assert f"{name}: is not what was written" in capsys.readouterr().out


def test_the_log_is_whole_though_the_disk_was_full(whole, tmp_path, monkeypatch):
    """`metrics.jsonl` cannot be written for a while: training goes on; in the end it is whole."""
    honest, told = log._append, []

    def full(members, episode, values):
        if episode < 150:
            raise OSError(28, "No space left on device")
        honest(members, episode, values)

    monkeypatch.setattr(log, "_append", full)
    run([short()], tmp_path, Hooks(report=told.append), ONE)
    assert len(told) == 1 and "No space left" in told[0]
    written = RunFolder.of(tmp_path, short()).final.log
    assert written.read_text(encoding="utf-8") == (
        whole.folder / "metrics.jsonl"
    ).read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_log_that_cannot_be_made_whole_is_not_sealed(whole, tmp_path, monkeypatch):
    """The disk is full at the end: the job fails, and the next process has nothing to train."""

    def full(run):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(log, "_write_whole", full)
        with pytest.raises(OSError, match="No space left"):
            run([short()], tmp_path, devices=ONE)
    events = []
    run([short()], tmp_path, Hooks(observers=[write_log, events.append]), ONE)
    assert not any(isinstance(event, Advanced) for event in events)
    assert_equal_runs(whole, load_run(run_folder(tmp_path, short())))
