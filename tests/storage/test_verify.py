"""Every file of a run is looked at, and each damaged one is named."""

import json

import numpy as np
import pytest

from adama_jax.errors import SettingError
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.files import Manifest
from adama_jax.storage.folder import RunFolder, runs_below
from adama_jax.storage.lock import Lock
from adama_jax.storage.verify import verify
from adama_jax.storage.writer import FinishedSeed, Kept, RunWriter
from tests.helpers import fake_config, fake_run

FILES = ("config.json", "metrics.npz", "rollout.npz", "actors.npz", "meta.json")


def begun_run(out):
    """With a finished seed of two, and two checkpoints."""
    config = fake_config(seeds=2)
    run = RunFolder.of(out, config)
    with RunWriter(run.path, config) as writer:
        about = FinishedSeed(1.0, 10, None)
        writer.keep(0, Kept(np.array([10]), {"value": np.ones(1)}, {}, {}, about))
    with Checkpoints(run.partial.checkpoints / "abc" / "state") as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, {"x": np.arange(200.0)}, {})
    return run


def test_a_finished_run_is_what_was_written(tmp_path):
    run = fake_run(tmp_path)
    found = verify(RunFolder(run.folder))
    assert (found.folder, found.finished) == (run.folder, True)
    assert (found.checked, found.damage, found.trained_by) == (len(FILES), [], None)


@pytest.mark.parametrize("name", [name for name in FILES if name != "config.json"])
def test_a_damaged_file_is_named(tmp_path, name):
    path = fake_run(tmp_path).folder / name
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    (line,) = verify(RunFolder(path.parent)).damage
    assert line.startswith(f"{path}: ") and "\n" not in line


def test_settings_that_were_changed_afterwards_are_damage(tmp_path):
    """They can still be read, but are not what was trained."""
    path = fake_run(tmp_path).folder / "config.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"seeds": 5', '"seeds": 4'),
        encoding="utf-8",
    )
    assert verify(RunFolder(path.parent)).damage == [
        f"{path}: is not what was written (sha256)"
    ]


@pytest.mark.parametrize("changed", ["", '{"episode": 1}\n', "no line", None])
def test_a_log_that_was_cut_or_edited_is_damage(tmp_path, changed):
    text = '{"episode": 1}\n{"episode": 2}\n'
    folder = fake_run(tmp_path, log=text).folder
    assert verify(RunFolder(folder)).damage == []
    log = folder / "metrics.jsonl"
    if changed is None:
        log.unlink()
    else:
        log.write_text(changed, encoding="utf-8")
    why = "is missing" if changed is None else "is not what was written (sha256)"
    assert verify(RunFolder(folder)).damage == [f"{log}: {why}"]


def test_a_file_of_a_run_that_has_no_digest_is_damage(tmp_path):
    folder = fake_run(tmp_path).folder
    (folder / "metrics.jsonl").write_text("{}", encoding="utf-8")
    (line,) = verify(RunFolder(folder)).damage
    assert line.startswith(f"{folder / 'metrics.jsonl'}: has no digest")
    # What was drawn later is nobody's result.
    (folder / "metrics.jsonl").unlink()
    (folder / "learning_curves.png").write_text("", encoding="utf-8")
    assert verify(RunFolder(folder)).damage == []


def test_what_was_written_wrong_is_damage_too(tmp_path):
    """Sealed, so that every digest is right."""
    run = fake_run(tmp_path)
    path = run.folder / "meta.json"
    manifest = Manifest.read(path)
    Manifest({**manifest.about, "device": 3}, manifest.digests).write(path)
    assert verify(RunFolder(run.folder)).damage == [f"{path}: device.kind is missing"]


def test_settings_of_a_begun_run_that_lack_one_are_damage(tmp_path):
    """What is missing is read as the scenario's, and so is another run's."""
    config = fake_config(seeds=2)
    run = RunFolder.of(tmp_path, config)
    with RunWriter(run.path, config):
        pass
    assert verify(run).damage == []
    path = run.partial.config
    stored = json.loads(path.read_text(encoding="utf-8"))
    del stored["seeds"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    (line,) = verify(run).damage
    assert "must have the name of its settings" in line


def test_a_missing_file_is_named(tmp_path):
    folder = fake_run(tmp_path).folder
    (folder / "actors.npz").unlink()
    assert verify(RunFolder(folder)).damage == [f"{folder / 'actors.npz'}: is missing"]


def test_settings_that_cannot_be_read_are_an_error(tmp_path):
    folder = fake_run(tmp_path).folder
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(SettingError, match="must be a run's folder"):
        verify(RunFolder(folder))


def test_of_a_run_that_was_begun_its_seeds_and_checkpoints_are_checked(tmp_path):
    run = begun_run(tmp_path)
    found = verify(run)
    assert (found.folder, found.finished) == (run.partial.path, False)
    # A kept seed, two checkpoints, and the settings.
    assert (found.checked, found.damage) == (4, [])


def test_a_damaged_seed_of_a_run_that_was_begun_is_named(tmp_path):
    run = begun_run(tmp_path)
    path = run.partial.kept_seed(0).with_suffix(".npz")
    path.write_bytes(path.read_bytes()[:-1])
    assert verify(run).damage == [f"{path}: is not what was written (sha256)"]


def test_a_damaged_checkpoint_is_named_and_the_other_is_not(tmp_path):
    run = begun_run(tmp_path)
    step = run.partial.checkpoints / "abc" / "state" / "2"
    largest = max(step.rglob("d/*"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)
    found = verify(run)
    (line,) = found.damage
    assert str(step) in line
    assert found.checked == 4


def test_nothing_is_written_or_removed(tmp_path):
    run = begun_run(tmp_path)

    def files():
        return {
            path: path.stat().st_mtime_ns
            for path in tmp_path.rglob("*")
            if path.is_file()
        }

    before = files()
    verify(run)
    assert files() == before


def test_who_trains_the_run_meanwhile_is_said(tmp_path):
    run = begun_run(tmp_path)
    lock = Lock(run.lock)
    found = verify(run)
    lock.release()
    assert found.trained_by is not None and found.trained_by.startswith("process ")


def test_a_run_that_lost_its_settings_is_still_counted(tmp_path):
    """Else it would be gone without a word."""
    lost, other = fake_run(tmp_path).folder, fake_run(tmp_path, "fixed").folder
    (lost / "config.json").unlink()
    assert [run.path for run in runs_below(tmp_path)] == sorted([lost, other])
    with pytest.raises(SettingError, match=r"config\.json"):
        verify(RunFolder(lost))


def test_looking_at_a_begun_run_warns_of_nothing(tmp_path, caplog):
    """Orbax has a word for each setting that it changes in a folder that is only read."""
    verify(begun_run(tmp_path))
    assert caplog.records == []
