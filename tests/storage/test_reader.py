"""Which folders are runs, and whose."""

import json
import shutil

import numpy as np
import pytest

from adama_jax.config.schema import scenario_config
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.storage.folder import RunFolder, finished_runs, run_folder
from adama_jax.storage.many import Unusable, load_all, look_up
from adama_jax.storage.reader import (
    Run,
    config_of,
    diverged_seeds,
    find_run,
    finite_seeds,
    has_run,
    load_run,
    read_config,
    read_rollout,
    rollout_of,
)
from adama_jax.storage.writer import RunWriter
from tests.helpers import fake_config, fake_run, of_an_earlier_version


def test_only_a_whole_run_has_the_final_name(tmp_path):
    config = scenario_config("clustering")
    folder = run_folder(tmp_path, config)
    with RunWriter(folder, config):
        pass
    assert not folder.exists() and not RunFolder(folder).is_finished()
    with pytest.raises(FileNotFoundError, match="no finished run"):
        load_run(folder)
    assert RunFolder(folder).is_begun()


def test_a_run_of_other_settings_is_not_taken_for_this_one(tmp_path):
    """A later version's defaults give an old run's name to another configuration."""
    run = fake_run(tmp_path)
    assert has_run(tmp_path, fake_config())
    stored = json.loads((run.folder / "config.json").read_text(encoding="utf-8"))
    stored["learning"]["target_period"] = 7
    (run.folder / "config.json").write_text(json.dumps(stored), encoding="utf-8")
    for read in (has_run, find_run):
        with pytest.raises(
            SettingError,
            match=r"it was trained with learning\.target_period=7 by another version",
        ):
            read(tmp_path, fake_config())


@pytest.mark.parametrize("lacks", ["rates", "seeds", "optimizer"])
def test_settings_that_a_file_lacks_are_read_as_the_scenario_s(tmp_path, lacks):
    """So they must be those that are asked for, or another run would be taken for this one."""
    changes = {"rates.clip": 0.2, "seeds": 2}
    run = fake_run(tmp_path, finals=(1.0, 2.0), config=fake_config(**changes))
    path = run.folder / "config.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    del stored[lacks]
    path.write_text(json.dumps(stored), encoding="utf-8")
    if lacks == "optimizer":
        assert has_run(tmp_path, run.config)
        return
    value = {"rates": r"rates\.clip=0\.1", "seeds": "seeds=5"}[lacks]
    with pytest.raises(SettingError, match=f"it was trained with {value} by another"):
        has_run(tmp_path, run.config)


def test_a_process_killed_between_the_two_renamings_loses_nothing(tmp_path):
    run = fake_run(tmp_path)
    folder = RunFolder(run.folder)
    partial = folder.partial.path
    run.folder.rename(partial)  # the earlier run was moved away, this one not yet here
    shutil.copytree(partial, folder.old)
    # Who looks changes nothing.
    assert (
        finished_runs(tmp_path) == [] and not folder.is_finished() and folder.is_whole()
    )
    assert not has_run(tmp_path, fake_config()) and partial.is_dir()
    assert folder.finish_renaming() and folder.is_finished()
    assert not partial.exists() and not folder.old.exists()
    assert finished_runs(tmp_path) == [run.folder] and not folder.finish_renaming()


def change_json(path, **changes):
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes),
        encoding="utf-8",
    )


def test_a_run_is_read_as_it_was_written(tmp_path):
    run = fake_run(tmp_path, finals=(1.0, 2.0), points=3)
    assert (run.label, run.config) == ("adama", fake_config(seeds=2))
    assert run.stored["label"] == "adama" and run.stored["seeds"] == 2
    assert run.metrics["episode"].tolist() == [100, 200, 300]
    assert run.metrics["seed"].tolist() == [0, 1]
    np.testing.assert_allclose(run.metrics["eval_return"], [[0, 0.5, 1], [0, 1, 2]])
    assert run.meta["updates_per_second"] == 1234.0


def test_a_run_of_which_only_the_curves_were_kept(tmp_path):
    run = fake_run(tmp_path)
    (run.folder / "rollout.npz").unlink()
    assert load_run(run.folder).rollout is None


def test_what_a_rollout_of_before_did_not_keep():
    arrays = {
        "positions": np.zeros((2, 1, 4, 2, 2)),
        "reward": np.ones((2, 1, 3)),
        "kind": np.array(["agent", "landmark"]),
        "name": np.array(["a", "b"]),
        "radius": np.full(2, 0.1),
    }
    rollout = rollout_of(arrays)
    assert rollout.terminated.shape == (2, 1, 3) and not rollout.terminated.any()
    assert rollout.agent.tolist() == [-1, -1]
    assert (rollout.snapshot, rollout.seconds) == (None, 0.0)
    later = rollout_of(arrays | {"seconds": np.array(0.05), "agent": np.array([0, -1])})
    assert (later.seconds, later.agent.tolist()) == (0.05, [0, -1])


FILES = ["config.json", "meta.json", "metrics.npz", "rollout.npz"]


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_of_a_run_is_named(tmp_path, name):
    run = fake_run(tmp_path)
    of_an_earlier_version(run.folder)
    (run.folder / name).write_bytes(b"PK\x03\x04 nothing else")
    with pytest.raises(DamagedFile, match=rf"^{run.folder / name}: cannot be read: "):
        load_run(run.folder)


@pytest.mark.parametrize("name", FILES)
def test_another_run_s_file_is_named(tmp_path, name):
    """Whole, and of the right types and shapes: only the digest tells."""
    run = fake_run(tmp_path)
    other = fake_run(tmp_path / "others", finals=(5.0, 4.0, 3.0, 2.0, 1.0))
    change_json(other.folder / "config.json", seed=3)
    change_json(other.folder / "meta.json", wall_seconds=7.0)
    with np.load(other.folder / "rollout.npz") as arrays:
        moved = {**arrays, "reward": 2 * arrays["reward"]}
    np.savez(other.folder / "rollout.npz", **moved)
    shutil.copy2(other.folder / name, run.folder / name)
    words = rf"^{run.folder / name}: is not what was written \(sha256\)$"
    with pytest.raises(DamagedFile, match=words):
        load_run(run.folder)


def test_a_run_without_digests_is_read_by_its_contents(tmp_path):
    run = fake_run(tmp_path)
    of_an_earlier_version(run.folder)
    assert load_run(run.folder).config == run.config
    np.savez(run.folder / "metrics.npz", episode=np.arange(3))
    with pytest.raises(DamagedFile, match=r"metrics\.npz: seed is missing$"):
        load_run(run.folder)


def test_rollouts_of_another_number_of_seeds_are_another_run_s(tmp_path):
    run = fake_run(tmp_path)
    of_an_earlier_version(run.folder)
    other = fake_run(tmp_path / "others", finals=(1.0, 2.0))
    with np.load(other.folder / "rollout.npz") as arrays:
        fewer = {
            name: each[:2] if each.ndim > 2 else each for name, each in arrays.items()
        }
    np.savez(run.folder / "rollout.npz", **fewer)
    words = r"rollout\.npz: holds 2 seeds, not the 5 of config\.json$"
    with pytest.raises(DamagedFile, match=words):
        load_run(run.folder)


def test_a_rollout_that_lacks_what_is_drawn_is_damaged(tmp_path):
    path = tmp_path / "rollout.npz"
    np.savez(path, reward=np.ones((1, 1, 1)))
    with pytest.raises(DamagedFile, match=rf"^{path}: positions is missing$"):
        read_rollout(path)


def test_of_many_runs_one_that_cannot_be_read_costs_itself_alone(tmp_path):
    runs = [fake_run(tmp_path, method) for method in ("adama", "fixed", "balance")]
    bad = runs[1].folder / "metrics.npz"
    bad.write_bytes(b"no arrays")
    found, lines = load_all([*(run.folder for run in runs), tmp_path / "nowhere"])
    assert [run.label for run in found] == ["adama", "balance"]
    assert [line.split(": ", 1)[0] for line in lines] == [
        str(bad),
        "FileNotFoundError",
    ]


def test_what_is_looked_up_is_a_run_or_nothing_or_the_reason_why_not(tmp_path):
    config = fake_config()
    assert look_up(tmp_path, config) is None
    run = fake_run(tmp_path)
    found = look_up(tmp_path, config, "ours")
    assert isinstance(found, Run) and found.label == "ours"
    for name in ("metrics.npz", "config.json"):
        (run.folder / name).write_bytes(b"{")
        found = look_up(tmp_path, config)
        assert isinstance(found, Unusable)
        assert name in found.why and "\n" not in found.why


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def forbidden(self):
        raise PermissionError(13, "Permission denied", "results")

    monkeypatch.setattr(RunFolder, "is_finished", forbidden)
    assert look_up(tmp_path, fake_config()) == Unusable(
        "PermissionError: [Errno 13] Permission denied: 'results'"
    )


def test_a_label_cannot_command_a_terminal(tmp_path):
    run = fake_run(tmp_path)
    of_an_earlier_version(run.folder)
    change_json(run.folder / "config.json", label="adama\x1b[2J\n\tours")
    assert load_run(run.folder).label == r"adama\x1b[2J\n\tours"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seeds": "x"}, "seeds=x: must be a whole number"),
        ({"seeds": 4}, None),  # read, but then the curves are of other seeds
        ({"world": []}, "world=[]: must be an object"),
        ({"label": 3}, "label=3: must be a text"),
        ({"rates": {"critic_rate": "large"}}, "rates.critic_rate=large: must be a num"),
        ({"scenario": ["clustering"]}, "scenario=['clustering']: must be a text"),
    ],
)
def test_settings_of_a_wrong_type_are_damage(tmp_path, changes, why):
    run = fake_run(tmp_path)
    of_an_earlier_version(run.folder)
    change_json(run.folder / "config.json", **changes)
    with pytest.raises(DamagedFile) as error:
        load_run(run.folder)
    expected = f"config.json: {why}" if why else "metrics.npz: seed: must be"
    assert expected in str(error.value)


@pytest.mark.parametrize("name", ["world", "label", "episodes", "seeds", "method"])
def test_settings_that_lack_what_every_version_wrote_are_damage(tmp_path, name):
    run = fake_run(tmp_path)
    of_an_earlier_version(run.folder)
    path = run.folder / "config.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    del stored[name]
    path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(DamagedFile, match=rf"config\.json: {name} is missing$"):
        load_run(run.folder)


def test_a_run_that_is_trained_again_by_force_does_not_count(tmp_path):
    run = fake_run(tmp_path)
    config = fake_config()
    assert has_run(tmp_path, config)
    forced = RunFolder(run.folder).partial.forced
    forced.parent.mkdir()
    forced.touch()
    assert not has_run(tmp_path, config)
    assert find_run(tmp_path, config) is None


def test_a_run_is_found_under_another_label(tmp_path):
    fake_run(tmp_path)
    found, named = (
        find_run(tmp_path, fake_config(), label) for label in (None, "ours")
    )
    assert found is not None and named is not None
    assert (found.label, named.label) == ("adama", "ours")
    assert find_run(tmp_path, fake_config("fixed")) is None


def test_which_seeds_diverged(tmp_path):
    run = fake_run(tmp_path, diverged={"3": 17, "0": 1})
    assert sorted(diverged_seeds(run)) == [0, 3]
    assert finite_seeds(run).tolist() == [False, True, True, False, True]


def test_seeds_count_by_their_numbers_not_by_their_rows(tmp_path):
    config = fake_config(seeds=3, seed=100)
    run = fake_run(
        tmp_path, finals=(1.0, 2.0, 3.0), config=config, diverged={"101": 5, "2": 5}
    )
    assert finite_seeds(run).tolist() == [True, False, True]


def test_the_configuration_of_a_run_is_checked(tmp_path):
    run = fake_run(tmp_path)
    assert read_config(run.folder) == fake_config()
    change_json(run.folder / "config.json", seeds=0)
    with pytest.raises(
        SettingError, match=r"config\.json: .*seeds=0: must be at least 1 and"
    ):
        read_config(run.folder)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cannot be read: "),
        ("[]", "cannot be read: "),
        ("{}", "cannot be read: "),
        ('{"scenario": "clustering", "seeds": "x"}', "seeds=x: must be a whole number"),
        ('{"scenario": "clustering", "seeds": true}', "seeds=True: must be a whole"),
        ('{"scenario": "clustering", "rates": 3}', "rates=3: must be an object"),
        (
            '{"scenario": "clustering", "world": {"side": "1"}}',
            "world.side=1: must be a number",
        ),
        (
            '{"scenario": "clustering", "networks": {"hidden": ["a"]}}',
            "networks.hidden=a: must be whole numbers",
        ),
    ],
)
def test_a_configuration_that_cannot_be_read_is_said_of_the_run(tmp_path, text, why):
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(SettingError) as error:
        read_config(tmp_path)
    assert str(error.value).startswith(f"run={tmp_path}: must be a run's folder: ")
    assert f"config.json: {why}" in str(error.value)


def test_a_folder_without_a_configuration_is_no_run(tmp_path):
    with pytest.raises(
        SettingError,
        match=r"must be a run's folder: config.json: cannot be read: No such file",
    ):
        read_config(tmp_path)


def test_a_run_that_was_renamed_is_refused_with_its_name(tmp_path):
    run = fake_run(tmp_path)
    assert config_of(RunFolder(run.folder)) == fake_config()
    other = run.folder.rename(run.folder.with_name("adama-0123456789"))
    with pytest.raises(SettingError, match=f"must have the name .*{run.folder.name}$"):
        config_of(RunFolder(other))
    moved = shutil.copytree(other, tmp_path / "clustering" / run.folder.name)
    with pytest.raises(
        SettingError, match=f"must have the name .*going_together/{moved.name}$"
    ):
        config_of(RunFolder(moved))


def test_a_label_that_was_stored_is_the_run_s(tmp_path):
    run = fake_run(tmp_path)
    of_an_earlier_version(run.folder)
    change_json(run.folder / "config.json", label="an older label")
    assert load_run(run.folder).label == "an older label"


def test_settings_that_are_damaged_are_to_be_moved_away(tmp_path):
    run = fake_run(tmp_path)
    (run.folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(
        SettingError, match=r"must be moved away or trained again: .*config\.json"
    ):
        has_run(tmp_path, fake_config())
