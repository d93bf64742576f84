"""Checkpoints: what is saved comes back bit for bit; what is damaged is never taken for it."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from adama_jax.config.options import Training
from adama_jax.errors import CheckpointError, WrongShapes
from adama_jax.execution.cohort import Cohort, Group, cohorts_to_resume
from adama_jax.execution.history import History, no_history
from adama_jax.execution.saver import CohortSaver
from adama_jax.execution.state import Leaf
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.files import Manifest, write_arrays
from adama_jax.storage.groups import SavedGroup, find_groups, group_folder, read_group

ARRAYS = {
    "learner.params.w": np.linspace(-1, 1, 600, dtype=np.float32).reshape(2, 300),
    "learner.updates": np.array(7, np.int32),
    "key": np.array([[1, 2], [3, 4]], np.uint32),
    "replay.rows": np.random.default_rng(0).random((2, 40, 5)).astype(np.float32),
}
LEAVES = {
    name: Leaf(
        leaf.shape,
        str(leaf.dtype),
        per_member=leaf.ndim > 0,
        replay=name.startswith("replay"),
        parameter=".params." in name,
    )
    for name, leaf in ARRAYS.items()
}
POINT = (
    100,
    {
        "value": np.array([1.0, np.nan], np.float32),
        "actor_rates": np.ones((2, 2), np.float32),
    },
)


def changed(step):
    return {
        name: leaf + step if leaf.dtype.kind == "f" else leaf
        for name, leaf in ARRAYS.items()
    }


def saver_in(run, told, **training):
    """That of a cohort of two members, of one run."""
    saved = SavedGroup(group_folder(run, [0, 1]), (0, 1), 2, 1, ())
    cohort = Cohort((Group(0, saved),), 0)
    return CohortSaver(cohort, LEAVES, Training(**training), told)


def history(episode):
    seconds = np.array([1.0, 2.0]) * episode
    return History(episode, seconds, [(), ()], [POINT], [(50, POINT[1])])


def only(episode):
    return no_history(2)._replace(episode=episode)


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory):
    """A run's folder with checkpoints of episodes 100 and 200."""
    run = tmp_path_factory.mktemp("out") / "adama-0123456789.partial"
    saver = saver_in(run, pytest.fail)
    for step in (100, 200):
        saver.save(changed(step), history(step))
    saver.close()
    return run


def restored(run, told, **training):
    """What a process would resume from; None where it would begin anew."""
    groups = find_groups(run, told.append)
    while groups and groups[0]:
        (cohort,) = cohorts_to_resume([Group(0, groups[0])])
        saver = CohortSaver(cohort, LEAVES, Training(**training), told.append)
        found, bad = saver.restore()
        saver.close()
        if not bad:
            return found
        groups = [read_group(group_folder(run, [0, 1]), told.append)]
    return None


def assert_is(found, step):
    arrays, measured = found
    assert set(arrays) == set(ARRAYS)
    for name, leaf in changed(step).items():
        assert arrays[name].dtype == leaf.dtype
        np.testing.assert_array_equal(arrays[name], leaf)
    assert (measured.episode, measured.seconds.tolist()) == (step, [step, 2 * step])
    ((episode, values),), ((length, metrics),) = measured.points, measured.chunks
    assert (episode, length) == (100, 50)
    for name, value in POINT[1].items():
        np.testing.assert_array_equal(values[name], value)
        np.testing.assert_array_equal(metrics[name], value)


def test_what_is_saved_comes_back(two_checkpoints):
    told = []
    assert_is(restored(two_checkpoints, told), 200)
    assert told == []
    (group,) = find_groups(two_checkpoints, pytest.fail)
    assert group == SavedGroup(
        group_folder(two_checkpoints, [0, 1]), (0, 1), 2, 1, (200, 100)
    )


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[(bit // 8) % len(data)] ^= 1 << (bit % 8)
    path.write_bytes(data)


def cut(path, _):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def delete(path, _):
    path.unlink()


@pytest.mark.parametrize("damage", [flip, cut, delete])
def test_no_damage_of_any_file_is_taken_for_what_was_saved(
    two_checkpoints, tmp_path, damage
):
    """Every file of the newest checkpoint: the one before it is used, or nothing was lost by it."""
    files = [
        path.relative_to(two_checkpoints)
        for path in two_checkpoints.rglob("*")
        if path.is_file()
    ]
    newest = [path for path in files if "200" in path.parts]
    assert len(newest) >= 20
    cases, lost = 0, 0
    for number, name in enumerate(sorted(newest)):
        if damage is not delete and not (two_checkpoints / name).stat().st_size:
            continue  # nothing in it to damage
        run = tmp_path / f"{number}.partial"
        shutil.copytree(two_checkpoints, run)
        damage(run / name, 12345 + 7 * number)
        told = []
        found = restored(run, told)
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
        checkpoint = Path(*name.parts[: name.parts.index("200") + 1])
        assert f"{run / checkpoint}: " in line and "\n" not in line
    assert cases >= 17 and lost >= 8


def test_a_bit_in_a_leaf_is_found_and_the_leaf_named(two_checkpoints, tmp_path):
    """Orbax restores it without a word."""
    run = tmp_path / "adama-0123456789.partial"
    shutil.copytree(two_checkpoints, run)
    state = group_folder(run, [0, 1]) / "state"
    damaged = max((state / "200").rglob("d/*"), key=lambda path: path.stat().st_size)
    flip(damaged, 8 * (damaged.stat().st_size // 2))
    with (
        Checkpoints(state, read_only=True) as checkpoints,
        pytest.raises(
            CheckpointError, match=r"state/200: leaf state\.learner\.params\.w is not"
        ),
    ):
        checkpoints.read(200)
    told = []
    assert_is(restored(run, told), 100)
    assert "leaf state.learner.params.w is not what was written" in told[0]


def test_what_is_said_of_a_checkpoint_is_verified_too(two_checkpoints, tmp_path):
    place = tmp_path / "state"
    shutil.copytree(group_folder(two_checkpoints, [0, 1]) / "state", place)
    with Checkpoints(place, read_only=True) as checkpoints:
        assert checkpoints.about(200)["seconds"] == [200.0, 400.0]
    for path in (place / "200" / "about").iterdir():
        text = path.read_text(encoding="utf-8")
        if "400.0" in text:
            path.write_text(text.replace("400.0", "401.0"), encoding="utf-8")
    with Checkpoints(place, read_only=True) as checkpoints:
        for read in (checkpoints.about, checkpoints.read):
            with pytest.raises(
                CheckpointError, match="state/200: is not what was written"
            ):
                read(200)


def test_checkpoints_of_the_format_before_are_refused_in_one_line(
    tmp_path, monkeypatch
):
    """Whose manifest had other names for things."""
    before = {
        "format": 1,
        "about": {},
        "leaves": {"x": ["ab", "float64", [2]]},
        "sha256": "cd",
    }
    monkeypatch.setattr(Manifest, "to_json", lambda self: before)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"x": np.ones(2)}, {})
    monkeypatch.undo()
    with (
        Checkpoints(tmp_path) as checkpoints,
        pytest.raises(WrongShapes, match="is of format 1;"),
    ):
        checkpoints.read(1)


def test_a_run_whose_every_checkpoint_is_damaged_begins_anew(two_checkpoints, tmp_path):
    """What says whose they are is damaged too: they are set aside, for somebody to look at."""
    place = tmp_path / "adama-0123456789.partial"
    shutil.copytree(two_checkpoints, place)
    for about in place.rglob("about/*"):
        about.write_bytes(b"nothing")
    told = []
    assert restored(place, told) is None and len(told) == 2
    assert find_groups(place, pytest.fail) == []
    bad = group_folder(place, [0, 1]) / "state"
    assert sorted(path.name for path in bad.glob("*.bad")) == ["100.bad", "200.bad"]


def test_other_shapes_and_other_versions_are_refused(two_checkpoints):
    checkpoints = Checkpoints(group_folder(two_checkpoints, [0, 1]) / "state")
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
    saver = saver_in(tmp_path, pytest.fail, if_save_fails="stop")
    with pytest.raises(CheckpointError, match=r"leaf learner\.params\.w is not finite"):
        saver.save(broken, only(1))
    folder = group_folder(tmp_path, [0, 1])
    assert not folder.exists()
    # Row 1 is known to have diverged.
    saver.save(broken, only(1), finite=np.array([True, False]))
    saver.close()
    assert folder.exists()


def test_a_run_that_diverged_keeps_its_checkpoint_while_others_are_saved(tmp_path):
    """Two runs in one cohort, a seed each; of the second no member is finite at episode 200."""
    runs = [tmp_path / "one.partial", tmp_path / "two.partial"]
    groups = []
    for run, folder in enumerate(runs):
        groups.append(Group(run, SavedGroup(group_folder(folder, [0]), (0,), 2, 1, ())))
    saver = CohortSaver(Cohort(tuple(groups), 0), LEAVES, Training(), pytest.fail)
    saver.save(changed(100), only(100))
    saver.save(changed(200), only(200), finite=np.array([True, False]))
    saver.wait()
    assert [find_groups(run, pytest.fail)[0].episodes for run in runs] == [
        (200, 100),
        (100,),
    ]
    saver.finish(np.array([True, False]))
    assert not list(runs[0].iterdir())
    with Checkpoints(
        group_folder(runs[1], [0]) / "state", read_only=True
    ) as checkpoints:
        kept = checkpoints.read(100).arrays["state.learner.params.w"]
    np.testing.assert_array_equal(kept, changed(100)["learner.params.w"][1:])
    assert find_groups(runs[1], pytest.fail) == []


def test_the_replay_is_saved_less_often_where_asked(tmp_path):
    told = []
    saver = saver_in(tmp_path, told.append, replay_every=3)
    for step in (100, 200, 300, 400):
        saver.save(changed(step), history(step))
    saver.close()
    folder = group_folder(tmp_path, [0, 1])

    def steps(kind):
        return sorted(path.name for path in (folder / kind).iterdir() if path.is_dir())

    assert steps("replay") == ["100", "400"] and steps("state") == ["300", "400"]
    shutil.rmtree(folder / "state" / "400")
    arrays, measured = restored(tmp_path, told)
    assert measured.episode == 300 and "replay is that of episode 100" in told[0]
    np.testing.assert_array_equal(arrays["replay.rows"], changed(100)["replay.rows"])
    np.testing.assert_array_equal(
        arrays["learner.params.w"], changed(300)["learner.params.w"]
    )


@pytest.mark.parametrize("if_save_fails", ["go_on", "stop"])
def test_a_full_disk(tmp_path, monkeypatch, if_save_fails):
    """The save fails in the middle: the one before it is there, nothing is left over, and it is
    said or raised.
    """
    told = []
    saved = saver_in(tmp_path, told.append, if_save_fails=if_save_fails)
    saved.save(changed(100), history(100))
    saved.wait()

    def full(manager, step, **_):
        (manager.directory / f"{step}.orbax-checkpoint-tmp").mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("orbax.checkpoint.CheckpointManager.save", full)
    saved.save(changed(200), history(200))
    if if_save_fails == "stop":
        with pytest.raises(CheckpointError, match="No space left on device"):
            saved.wait()
    else:
        saved.wait()
        assert any(
            "No space left on device" in line and "training continues" in line
            for line in told
        )
    monkeypatch.undo()
    saved.close()
    assert not list(tmp_path.rglob("*tmp*"))
    assert_is(restored(tmp_path, told), 100)


def test_checkpoints_and_settings_are_data():
    """No pickle anywhere in the package, and NumPy's loader is told to refuse it."""
    for path in Path("adama_jax").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
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
            # A function may be called `to_marl_eval`.
            found = re.search(rf"(?<![\w.]){re.escape(word)}", text)
            assert not found, (path, word)
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

    np.savez(
        tmp_path / "actors.npz", about=np.array([Hostile()], object), seed=np.arange(2)
    )
    with pytest.raises(ValueError, match=r"actors\.npz: cannot be read: Object arrays"):
        load_actors(tmp_path / "actors.npz")
    assert not (tmp_path / "ran").exists()


def test_a_replay_that_cannot_be_written_does_not_push_out_a_good_pair(
    tmp_path, monkeypatch
):
    told = []
    saved = saver_in(tmp_path, told.append)
    saved.save(changed(100), history(100))
    saved.wait()
    honest = Checkpoints.save

    def no_replay(self, step, arrays, about):
        if self.folder.name == "replay":
            raise CheckpointError("full")
        honest(self, step, arrays, about)

    monkeypatch.setattr(Checkpoints, "save", no_replay)
    for step in (200, 300, 400):
        saved.save(changed(step), history(step))
    saved.close()
    assert_is(restored(tmp_path, told), 100)
    assert [line for line in told if "full" in line] == told
