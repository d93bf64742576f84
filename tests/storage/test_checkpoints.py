"""Checkpoints on disk: what is saved comes back bit for bit, and what is damaged is never taken for it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from adama_jax.errors import CheckpointError, WrongShapes
from adama_jax.execution.history import Course
from adama_jax.execution.saver import SavedSlice, Saving
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.cohorts import Slice, find
from adama_jax.storage.files import Manifest, write_arrays

ARRAYS = {
    "learner.params.w": np.linspace(-1, 1, 600, dtype=np.float32).reshape(2, 300),
    "learner.updates": np.array(7, np.int32),
    "key": np.array([[1, 2], [3, 4]], np.uint32),
    "replay.rows": np.random.default_rng(0).random((2, 40, 5)).astype(np.float32),
}
SHAPES = {name: (leaf.shape, str(leaf.dtype)) for name, leaf in ARRAYS.items()}
ABOUT = Slice([("adama-0123456789", 0), ("adama-0123456789", 1)], 2, 1)
POINT = (
    100,
    {"value": np.array([1.0, np.nan], np.float32), "actor_rates": np.ones((2, 2), np.float32)},
)


def changed(step):
    return {name: leaf + step if leaf.dtype.kind == "f" else leaf for name, leaf in ARRAYS.items()}


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory):
    """A slice with checkpoints of episodes 100 and 200."""
    place = tmp_path_factory.mktemp("out") / "adama-0123456789.partial" / "checkpoints" / "abc"
    saved = SavedSlice(place, ABOUT, Saving(), pytest.fail)
    for step in (100, 200):
        saved.save(changed(step), Course(step, step / 10, [POINT], [(50, POINT[1])]))
    saved.close()
    return place


def restored(place, told):
    saved = SavedSlice(place, ABOUT, Saving(), told.append)
    found = saved.restore(SHAPES)
    saved.close()
    return found


def assert_is(found, step):
    arrays, course = found
    assert set(arrays) == set(ARRAYS)
    for name, leaf in changed(step).items():
        assert arrays[name].dtype == leaf.dtype
        np.testing.assert_array_equal(arrays[name], leaf)
    assert (course.episode, course.seconds) == (step, step / 10)
    ((episode, values),), ((length, metrics),) = course.points, course.chunks
    assert (episode, length) == (100, 50)
    for name, value in POINT[1].items():
        np.testing.assert_array_equal(values[name], value)
        np.testing.assert_array_equal(metrics[name], value)


def test_what_is_saved_comes_back(two_checkpoints):
    told = []
    assert_is(restored(two_checkpoints, told), 200)
    assert told == []
    assert find(two_checkpoints.parents[2], pytest.fail) == [(two_checkpoints, ABOUT)]


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[(bit // 8) % len(data)] ^= 1 << (bit % 8)
    path.write_bytes(data)


def cut(path, _):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def delete(path, _):
    path.unlink()


@pytest.mark.parametrize("damage", [flip, cut, delete])
def test_no_damage_of_any_file_is_taken_for_what_was_saved(two_checkpoints, tmp_path, damage):
    """Every file of the newest checkpoint: the one before it is used, or nothing was lost by it."""
    files = [
        path.relative_to(two_checkpoints) for path in two_checkpoints.rglob("*") if path.is_file()
    ]
    newest = [path for path in files if "200" in path.parts[1:2] or path.name == "slice.json"]
    assert len(newest) >= 20
    cases, lost = 0, 0
    for number, name in enumerate(sorted(newest)):
        if damage is not delete and not (two_checkpoints / name).stat().st_size:
            continue  # nothing in it to damage
        place = tmp_path / str(number) / "checkpoints" / "abc"
        shutil.copytree(two_checkpoints, place)
        damage(place / name, 12345 + 7 * number)
        told = []
        found = restored(place, told)
        cases += 1
        # Bit for bit the one or the other, whatever was damaged: some of Orbax's files say nothing
        # of the arrays.
        if found[1].episode == 200:
            assert_is(found, 200)
            assert told == []
            continue
        lost += 1
        assert_is(found, 100)
        (line,) = told
        assert f"{place / Path(*name.parts[:2])}: " in line and "\n" not in line
    assert cases >= 17 and lost >= 8


def test_a_bit_in_a_leaf_is_found_and_the_leaf_named(two_checkpoints, tmp_path):
    """Orbax restores it without a word."""
    place = tmp_path / "abc"
    shutil.copytree(two_checkpoints, place)
    damaged = largest_file(place / "state" / "200")
    flip(damaged, 8 * (damaged.stat().st_size // 2))
    with (
        Checkpoints(place / "state", read_only=True) as checkpoints,
        pytest.raises(CheckpointError, match=r"state/200: leaf state\.learner\.params\.w is not"),
    ):
        checkpoints.read(200)
    told = []
    assert_is(restored(place, told), 100)
    assert "leaf state.learner.params.w is not what was written" in told[0]


def largest_file(folder):
    """The file of a checkpoint that holds most of its arrays."""
    return max(folder.rglob("d/*"), key=lambda path: path.stat().st_size)


def test_what_is_said_of_a_checkpoint_is_verified_too(two_checkpoints, tmp_path):
    place = tmp_path / "state"
    shutil.copytree(two_checkpoints / "state", place)
    with Checkpoints(place, read_only=True) as checkpoints:
        assert checkpoints.about(200)["seconds"] == 20.0
    for path in (place / "200" / "about").iterdir():
        text = path.read_text()
        if "20.0" in text:
            path.write_text(text.replace("20.0", "10.0"))
    with Checkpoints(place, read_only=True) as checkpoints:
        for read in (checkpoints.about, checkpoints.read):
            with pytest.raises(CheckpointError, match="state/200: is not what was written"):
                read(200)


def test_checkpoints_of_the_format_before_are_refused_in_one_line(tmp_path, monkeypatch):
    """Whose manifest had other names for things."""
    before = {"format": 1, "about": {}, "leaves": {"x": ["ab", "float64", [2]]}, "sha256": "cd"}
    monkeypatch.setattr(Manifest, "to_json", lambda self: before)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"x": np.ones(2)}, {})
    monkeypatch.undo()
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(WrongShapes, match="is of format 1;"):
        checkpoints.read(1)


def test_a_slice_is_found_without_its_description(two_checkpoints, tmp_path):
    place = tmp_path / "adama-0123456789.partial" / "checkpoints" / "abc"
    shutil.copytree(two_checkpoints, place)
    flip(place / "slice.json", 99)
    told = []
    assert find(tmp_path, told.append) == [(place, ABOUT)]
    assert "slice.json" in told[0]


def test_other_shapes_and_other_versions_are_refused(two_checkpoints):
    checkpoints = Checkpoints(two_checkpoints / "state")
    for shape, words in (
        (((2, 299), "float32"), r"is float32\[2, 300\], must be float32\[2, 299\]"),
        (((2, 300), "float64"), r"must be float64"),
    ):
        with pytest.raises(CheckpointError, match=words):
            checkpoints.read(200, {"state.learner.params.w": shape})
    with pytest.raises(CheckpointError, match=r"leaf state\.other is missing"):
        checkpoints.read(200, {"state.other": ((1,), "float32")})
    checkpoints.close()


def test_another_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("adama_jax.storage.checkpoints.FORMAT", 3)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"x": np.ones(2)}, {})
    monkeypatch.undo()
    with (
        Checkpoints(tmp_path) as checkpoints,
        pytest.raises(CheckpointError, match="is of format 3"),
    ):
        checkpoints.read(1)


def test_the_newest_two_stay_and_some_between(tmp_path):
    with Checkpoints(tmp_path, keep_every=300) as checkpoints:
        for step in range(100, 1000, 100):
            checkpoints.save(step, {"x": np.ones(2)}, {})
        assert checkpoints.steps() == [900, 800, 700, 400, 100]


def test_what_is_not_finite_is_not_saved(tmp_path):
    broken = changed(1)
    broken["learner.params.w"][1, 3] = np.nan
    saved = SavedSlice(tmp_path / "abc", ABOUT, Saving(if_it_fails="stop"), pytest.fail)
    with pytest.raises(CheckpointError, match=r"leaf learner\.params\.w is not finite"):
        saved.save(broken, Course(1))
    assert not saved.exists()
    saved.save(broken, Course(1), sound=np.array([True, False]))  # row 1 is known to have diverged
    saved.close()
    assert saved.exists()


def test_the_replay_is_saved_less_often_where_asked(tmp_path):
    place = tmp_path / "abc"
    told = []
    saved = SavedSlice(place, ABOUT, Saving(replay_every=3), told.append)
    for step in (100, 200, 300, 400):
        saved.save(changed(step), Course(step))
    saved.close()
    assert sorted(path.name for path in (place / "replay").iterdir() if path.is_dir()) == [
        "100",
        "400",
    ]
    assert sorted(path.name for path in (place / "state").iterdir() if path.is_dir()) == [
        "300",
        "400",
    ]
    shutil.rmtree(place / "state" / "400")
    arrays, course = restored(place, told)
    assert course.episode == 300 and "replay is that of episode 100" in told[0]
    np.testing.assert_array_equal(arrays["replay.rows"], changed(100)["replay.rows"])
    np.testing.assert_array_equal(arrays["learner.params.w"], changed(300)["learner.params.w"])


@pytest.mark.parametrize("if_it_fails", ["go_on", "stop"])
def test_a_full_disk(tmp_path, monkeypatch, if_it_fails):
    """The save fails in the middle: the one before it is there, nothing is left over, and it is said or raised."""
    told = []
    saved = SavedSlice(tmp_path / "abc", ABOUT, Saving(if_it_fails=if_it_fails), told.append)
    saved.save(changed(100), Course(100, 10.0, [POINT], [(50, POINT[1])]))
    saved.wait()

    def full(manager, step, **_):
        (manager.directory / f"{step}.orbax-checkpoint-tmp").mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("orbax.checkpoint.CheckpointManager.save", full)
    saved.save(changed(200), Course(200))
    if if_it_fails == "stop":
        with pytest.raises(CheckpointError, match="No space left on device"):
            saved.wait()
    else:
        saved.wait()
        assert any(
            "No space left on device" in line and "training goes on" in line for line in told
        )
    monkeypatch.undo()
    saved.close()
    assert not list(tmp_path.rglob("*tmp*"))
    assert_is(restored(tmp_path / "abc", told), 100)


def test_checkpoints_and_settings_are_data():
    """No pickle anywhere in the package, and NumPy's loader is told to refuse it."""
    for path in Path("adama_jax").rglob("*.py"):
        text = path.read_text()
        for word in (
            "import pickle",
            "cloudpickle",
            "joblib",
            "dill",
            "marshal",
            "eval(",
            "exec(",
            "yaml",
            "shelve",
        ):
            assert word not in text.replace("jax.eval(", ""), (path, word)
        for line in text.splitlines():
            if "np.load(" in line:
                assert "allow_pickle=False" in line, (path, line)
            # Arrays are written in one place.
            assert "np.savez" not in line or path.name == "files.py", (path, line)


def test_only_arrays_are_written(tmp_path):
    for compress in (True, False):
        with pytest.raises(ValueError, match="allow_pickle=False"):
            write_arrays(tmp_path / "x.npz", {"x": np.array([Path], object)}, compress)


def test_a_hostile_file_runs_nothing(tmp_path):
    """An array file with a pickled object in it, as actors and as a kept seed."""
    from adama_jax.execution.actors import load_actors

    class Hostile:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    np.savez(tmp_path / "actors.npz", about=np.array([Hostile()], object), seed=np.arange(2))
    with pytest.raises(ValueError, match=r"actors\.npz: cannot be read: ValueError: Object arrays"):
        load_actors(tmp_path / "actors.npz")
    assert not (tmp_path / "ran").exists()


def test_a_description_is_what_was_written(two_checkpoints):
    text = json.loads((two_checkpoints / "slice.json").read_text())
    assert text["lanes"] == [["adama-0123456789", 0], ["adama-0123456789", 1]]


def test_a_replay_that_cannot_be_written_does_not_push_out_a_good_pair(tmp_path, monkeypatch):
    told = []
    saved = SavedSlice(tmp_path / "abc", ABOUT, Saving(), told.append)
    saved.save(changed(100), Course(100, 10.0, [POINT], [(50, POINT[1])]))
    saved.wait()
    honest = Checkpoints.save

    def no_replay(self, step, arrays, about):
        if self.folder.name == "replay":
            raise CheckpointError("full")
        honest(self, step, arrays, about)

    monkeypatch.setattr(Checkpoints, "save", no_replay)
    for step in (200, 300, 400):
        saved.save(changed(step), Course(step))
    saved.close()
    assert_is(restored(tmp_path / "abc", told), 100)
    assert [line for line in told if "full" in line] == told
