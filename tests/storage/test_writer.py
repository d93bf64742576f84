"""A run's folder as it grows: finished seeds in any order, a second start, and the end."""

import json

import numpy as np
import pytest

from adama_jax.errors import DamagedFile, RunBusy, SettingError
from adama_jax.storage.contents import CURVES
from adama_jax.storage.files import Manifest, read_arrays
from adama_jax.storage.folder import RunFiles, RunFolder, run_folder
from adama_jax.storage.reader import load_run
from adama_jax.storage.writer import FinishedSeed, Kept, RunWriter, check_kept
from tests.helpers import fake_config

CONFIG = fake_config(seeds=2)
SEEDS = [0, 1]
THINGS = {
    "kind": np.array(["agent"]),
    "name": np.array(["a"]),
    "radius": np.full(1, 0.1),
}
META = {
    "diverged": {},
    "git_commit": None,
    "device": {"kind": "cpu"},
    "versions": {"jax": "0.10"},
    "finished_at": "2026-11-22T00:00:00Z",
    "updates_per_second": 1.5,
}

# What a run must hold besides.
OTHER_CURVES = {name: np.ones((2, 3)[: axes - 1]) for name, axes in CURVES.items()}


@pytest.fixture
def folder(tmp_path):
    return run_folder(tmp_path, CONFIG)


def kept(seed, first=10.0, diverged=None):
    """Two points, at episodes 10 and 20; what belongs to a seed has its number in it."""
    return Kept(
        episode=np.array([10, 20]),
        curves={"value": np.array([first + seed, 20.0 + seed]), **OTHER_CURVES},
        rollout={"positions": np.zeros((1, 2, 1, 2)), "reward": np.full((1, 1), seed)},
        actors={"params.w": np.full(3, seed)},
        about=FinishedSeed(1.5, 20, diverged),
    )


def assert_kept(found, expected):
    assert found.about == expected.about
    np.testing.assert_array_equal(found.episode, expected.episode)
    for kind in ("curves", "rollout", "actors"):
        one, other = getattr(found, kind), getattr(expected, kind)
        assert set(one) == set(other)
        for name, value in other.items():
            assert one[name].dtype == value.dtype
            np.testing.assert_array_equal(one[name], value)


def finish_all(writer, **options):
    for seed in SEEDS:
        writer.keep(seed, kept(seed, **options))
    return writer.finish(THINGS, {"algorithm": "maddpg"}, META)


def test_a_kept_seed_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "7.json"
    kept(7, diverged={"episode": 3, "leaf": "params.w"}).write(path)
    assert_kept(Kept.read(path), kept(7, diverged={"episode": 3, "leaf": "params.w"}))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["7.json", "7.npz"]


def test_a_name_with_points_in_it_keeps_them(tmp_path):
    """As parameters have: only the first point parts the kind from the name."""
    one = kept(0)._replace(actors={"params.Dense_0.kernel": np.ones(2)})
    one.write(tmp_path / "0.json")
    assert set(Kept.read(tmp_path / "0.json").actors) == {"params.Dense_0.kernel"}


def test_a_run_is_written_in_order_of_its_seeds(folder):
    with RunWriter(folder, CONFIG) as writer:
        assert writer.missing == [0, 1]
        writer.keep(1, kept(1))
        assert (writer.missing, writer.named) == ([0], False)
        writer.keep(0, kept(0))
        assert writer.missing == []
        assert writer.finish(THINGS, {}, META) == folder
        assert writer.named
    run = load_run(folder)
    assert run.metrics["episode"].tolist() == [10, 20]
    assert run.metrics["seed"].tolist() == [0, 1]
    assert run.metrics["value"].tolist() == [[10, 20], [11, 21]]
    assert run.rollout is not None
    assert run.rollout.reward.tolist() == [[[0]], [[1]]]
    assert not RunFolder(folder).partial.path.exists()


def test_what_was_written_is_sealed(folder):
    with RunWriter(folder, CONFIG) as writer:
        finish_all(writer)
    manifest = Manifest.read(folder / "meta.json")
    names = {"config.json", "metrics.npz", "rollout.npz", "actors.npz"}
    assert set(manifest.digests) == names
    assert manifest.damaged_files(folder) == []
    assert manifest.about == META


def test_the_actors_file_says_how_to_use_it(folder):
    with RunWriter(folder, CONFIG) as writer:
        finish_all(writer)
    actors = read_arrays(folder / "actors.npz")
    assert json.loads(str(actors["about"])) == {"algorithm": "maddpg"}
    assert actors["seed"].tolist() == SEEDS
    assert actors["params.w"].tolist() == [[0, 0, 0], [1, 1, 1]]


def test_the_points_of_a_seed_are_as_they_were_reported(folder):
    with RunWriter(folder, CONFIG) as writer:
        writer.keep(1, kept(1))
        points = writer.points(1)
        assert [episode for episode, _ in points] == [10, 20]
        assert [values["value"].tolist() for _, values in points] == [[11.0], [21.0]]


def test_a_second_start_has_the_seeds_that_the_first_finished(folder):
    with RunWriter(folder, CONFIG) as writer:
        writer.keep(1, kept(1))
    with RunWriter(folder, CONFIG, report=pytest.fail) as writer:
        assert writer.missing == [0]
        assert writer.finished == {1: FinishedSeed(1.5, 20, None)}
        writer.keep(0, kept(0))
        writer.finish(THINGS, {}, META)
    assert load_run(folder).metrics["value"].tolist() == [[10, 20], [11, 21]]


@pytest.mark.parametrize("name", ["1.npz", "1.json"])
def test_a_kept_seed_that_is_damaged_is_trained_again(folder, name):
    with RunWriter(folder, CONFIG) as writer:
        for seed in SEEDS:
            writer.keep(seed, kept(seed))
    path = RunFolder(folder).partial.kept / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedFile, match=str(path)):
        check_kept(RunFolder(folder).partial.kept_seed(1))
    lines = []
    with RunWriter(folder, CONFIG, report=lines.append) as writer:
        assert writer.missing == [1]
    (line,) = lines
    assert str(path) in line and line.endswith("; seed 1 is trained again")


def test_a_seed_counts_only_with_its_description(folder):
    """Written last: the arrays alone may be half of what they should be."""
    with RunWriter(folder, CONFIG) as writer:
        writer.keep(0, kept(0))
    RunFolder(folder).partial.kept_seed(0).unlink()
    with RunWriter(folder, CONFIG, report=pytest.fail) as writer:
        assert writer.missing == [0, 1]


def test_beginning_again_forgets_what_was_kept_and_says_so_on_disk(folder):
    with RunWriter(folder, CONFIG) as writer:
        writer.keep(0, kept(0))
    with RunWriter(folder, CONFIG, again=True) as writer:
        assert writer.missing == [0, 1]
        assert RunFolder(folder).is_forced()
        finish_all(writer)
    assert not RunFiles(folder).forced.exists()


def test_a_run_that_is_not_forced_is_not_said_to_be(folder):
    with RunWriter(folder, CONFIG):
        assert not RunFolder(folder).is_forced()


def test_the_settings_are_on_disk_from_the_first_moment(folder):
    with RunWriter(folder, CONFIG):
        pass
    stored = json.loads(RunFolder(folder).partial.config.read_text(encoding="utf-8"))
    assert (stored["method"], stored["label"], stored["seeds"]) == ("adama", "adama", 2)


def test_a_run_that_is_opened_again_is_not_whole(folder):
    """Its files are written anew: a kill meanwhile must not leave a run that counts."""
    with RunWriter(folder, CONFIG):
        RunFolder(folder).partial.meta.write_text("{}", encoding="utf-8")
    with RunWriter(folder, CONFIG):
        assert not RunFolder(folder).is_whole()


def test_an_unfinished_run_of_other_settings_is_refused(folder):
    with RunWriter(folder, CONFIG):
        pass
    path = RunFolder(folder).partial.config
    stored = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(stored | {"horizon": 7}), encoding="utf-8")
    # Held here, for a lock that nobody has any more is let go by itself.
    writer = RunWriter(folder, CONFIG)
    with pytest.raises(SettingError, match="it was trained with horizon=7 by another"):
        writer.open()
    assert RunFolder(folder).holder() is None


def test_two_processes_do_not_write_one_run(folder):
    with RunWriter(folder, CONFIG), pytest.raises(RunBusy):
        RunWriter(folder, CONFIG).open()
    RunWriter(folder, CONFIG).open().close()


def test_the_run_before_is_there_until_the_new_one_is_whole(folder):
    with RunWriter(folder, CONFIG) as writer:
        finish_all(writer, first=1.0)
    with RunWriter(folder, CONFIG) as writer:
        for seed in SEEDS:
            writer.keep(seed, kept(seed, first=5.0))
        assert load_run(folder).metrics["value"][0, 0] == 1.0
        writer.finish(THINGS, {}, META)
    assert load_run(folder).metrics["value"][0, 0] == 5.0
