"""A finished run that is trained on: equal to one that was trained in one go."""

import dataclasses
import shutil

import pytest

from adama_jax.cli.main import main
from adama_jax.config.options import Training
from adama_jax.config.schema import scenario_config
from adama_jax.errors import Interrupted, SettingError
from adama_jax.execution.longer import begin_longer, longer
from adama_jax.execution.observer import Hooks
from adama_jax.execution.runner import run
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.groups import last_groups
from adama_jax.storage.reader import load_run
from adama_jax.storage.verify import verify
from tests.helpers import (
    ALWAYS,
    ONE,
    assert_equal_runs,
    assert_equal_states,
    fake_run,
    short,
    stop_at,
)

KEEP = Training(keep_last=True, checkpoint_minutes=None)
# With room in the replay for all episodes of the longer run, so that it is longer too.
ROOM = {"learning.capacity": 2000}
FIRST = short(episodes=100, **ROOM)
WHOLE = short(episodes=150, **ROOM)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A finished run that has kept its last checkpoint."""
    out = tmp_path_factory.mktemp("first")
    run([FIRST], out, devices=ONE, training=KEEP)
    return RunFolder.of(out, FIRST)


def copy_of(first, out):
    """The finished run in a results folder of its own."""
    folder = RunFolder.of(out, FIRST)
    shutil.copytree(first.path, folder.path)
    return folder


@pytest.mark.slow
def test_a_run_trained_on_is_equal_to_one_in_one_go(first, tmp_path):
    run([WHOLE], tmp_path / "straight", devices=ONE, training=KEEP)
    before = copy_of(first, tmp_path / "on")
    told = []
    config = longer(FIRST, 150)
    begin_longer(before, config, told.append)
    run([config], tmp_path / "on", Hooks(report=told.append), ONE, training=KEEP)
    assert told == ["resumes from episode 100"]
    found = [load_run(run_folder(tmp_path / out, WHOLE)) for out in ("straight", "on")]
    assert_equal_runs(*found)
    # All of the state too: parameters, targets, optimizers, rates, replay, keys, counters.
    assert_equal_states(found[0].folder, found[1].folder, 150)
    stretches = [run.meta.get("stretches", []) for run in found]
    assert [each["from_episode"] for each in stretches[1]] == [0]
    # The run of before is what it was, and so is its checkpoint.
    verified = verify(before)
    assert verified.finished and verified.damage == []
    assert len(last_groups(before.path)) == 1


def test_only_the_last_checkpoint_is_kept(first):
    (group,) = last_groups(first.path)
    for kind in ("state", "replay"):
        with Checkpoints(group / kind, read_only=True) as checkpoints:
            assert checkpoints.steps() == [100]


@pytest.mark.slow
def test_a_run_that_was_stopped_keeps_its_last_checkpoint_too(tmp_path):
    """Older ones go, and the replay is that of the end, whatever `replay_every` says."""
    training = dataclasses.replace(ALWAYS, keep_last=True, replay_every=3)
    with pytest.raises(Interrupted):
        run([FIRST], tmp_path, stop_at(2), ONE, training=training)
    run([FIRST], tmp_path, devices=ONE, training=training)
    (group,) = last_groups(run_folder(tmp_path, FIRST))
    for kind in ("state", "replay"):
        with Checkpoints(group / kind, read_only=True) as checkpoints:
            assert checkpoints.steps() == [100]


def test_the_points_stay_as_far_apart_as_they_are():
    config = dataclasses.replace(scenario_config("clustering"), episodes=4_000)
    # 200 points of 100 episodes each, and then of 250.
    assert longer(config, 20_000) == dataclasses.replace(config, episodes=20_000)
    on = longer(config, 50_000)
    assert on.points_every == config.points_every == 100
    assert on.evaluation.every == 100


def test_a_length_with_other_chunks_is_refused_and_one_named_that_fits():
    config = dataclasses.replace(scenario_config("clustering"), episodes=250)
    with pytest.raises(SettingError, match=r"such as 450$"):
        longer(config, 400)
    assert longer(config, 450).episodes == 450


def test_a_run_is_not_longer_by_fewer_episodes():
    with pytest.raises(SettingError, match=r"^episodes=100: must be above 100, which"):
        longer(FIRST, 100)
    with pytest.raises(SettingError, match=r"^episodes=0: must be above 100"):
        longer(FIRST, 0)


def test_a_damaged_checkpoint_is_named(first, tmp_path):
    folder = copy_of(first, tmp_path)
    (data,) = folder.path.glob("checkpoints/*/replay/100/arrays/manifest.ocdbt")
    data.write_bytes(b"?")
    with pytest.raises(SettingError, match="must have a last checkpoint that can be"):
        begin_longer(folder, longer(FIRST, 150), lambda line: None)
    # The next try finds nothing begun.
    assert not RunFolder.of(tmp_path, longer(FIRST, 150)).is_begun()


def refused(line, capsys):
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    # JAX is not even imported.
    assert out == ""
    return err.removeprefix("adama: error: ")


def test_what_cannot_be_trained_on_is_a_line(first, tmp_path, capsys):
    finished = fake_run(tmp_path / "finished").folder
    line = refused(f"resume {finished} episodes=50000", capsys)
    assert line.startswith(f"episodes=50000: must be left out: {finished} has not kept")
    assert "keep_last=true" in line
    line = refused(f"resume {first.path} episodes=100", capsys)
    assert line == "episodes=100: must be above 100, which the run has\n"
    begun = RunFolder.of(tmp_path / "begun", FIRST)
    shutil.copytree(first.path, begun.partial.path)
    begun.partial.meta.unlink()
    line = refused(f"resume {begun.path} episodes=150", capsys)
    assert line.startswith(f"episodes=150: must be left out: {begun.path} is not fin")


@pytest.mark.slow
def test_the_command_trains_on_and_leaves_the_run_of_before(first, tmp_path, capsys):
    folder = copy_of(first, tmp_path)
    assert main(["resume", str(folder.path), "episodes=150"]) == 0
    assert load_run(run_folder(tmp_path, WHOLE)).metrics["episode"].tolist() == [
        50, 100, 150,
    ]  # fmt: skip
    assert load_run(folder.path).config == FIRST
    assert "the longer run: " in capsys.readouterr().out
