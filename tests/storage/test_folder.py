"""A run's folder by its names: begun, whole, finished, replaced; who holds it, and renaming it."""

from pathlib import Path

import pytest

from adama_jax.config.identity import config_hash
from adama_jax.config.schema import scenario_config
from adama_jax.errors import RunBusy, SettingError
from adama_jax.storage.folder import (
    RunFiles,
    RunFolder,
    finish_renamings,
    finished_runs,
    leads_out,
    run_folder,
)
from adama_jax.storage.lock import Lock

NAME = "adama-0123456789"


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "clustering" / NAME)


def begin(run: RunFolder, word: str = "new") -> None:
    """As after the first chunk."""
    run.partial.kept.mkdir(parents=True)
    run.partial.config.write_text(word, encoding="utf-8")


def make_whole(run: RunFolder, word: str = "new") -> None:
    """As just before the renaming."""
    begin(run, word)
    run.partial.meta.write_text(word, encoding="utf-8")


def finish(run: RunFolder, word: str = "old") -> None:
    run.path.mkdir(parents=True)
    run.final.config.write_text(word, encoding="utf-8")
    run.final.meta.write_text(word, encoding="utf-8")


def test_a_run_is_named_by_its_scenario_method_and_settings():
    config = scenario_config("clustering")
    expected = Path("results/clustering") / f"adama-{config_hash(config)}"
    assert run_folder(Path("results"), config) == expected
    assert RunFolder.of(Path("results"), config).path == expected


def test_names_beside_a_run(run):
    names = {run.partial.path.name, run.old.name, run.lock.name}
    assert names == {f"{NAME}.partial", f"{NAME}.old", f"{NAME}.lock"}
    assert {run.partial.path.parent, run.old.parent, run.lock.parent} == {
        run.path.parent
    }


def test_files_have_names_of_their_own():
    files = RunFiles(Path("run"))
    paths = [
        files.config,
        files.meta,
        files.metrics,
        files.log,
        files.rollout,
        files.actors,
    ]
    paths += [files.forced, files.checkpoints, files.kept]
    assert len(set(paths)) == len(paths)
    assert {path.parent for path in paths} == {Path("run")}


def states(run: RunFolder):
    return run.is_begun(), run.is_whole(), run.is_finished(), run.is_forced()


def test_a_run_s_states(run):
    assert states(run) == (False, False, False, False)
    begin(run)
    assert states(run) == (True, False, False, False)
    run.partial.forced.touch()
    assert states(run) == (True, False, False, True)
    run.partial.meta.touch()
    assert states(run) == (True, True, False, True)
    run.give_final_name()
    assert states(run)[:3] == (False, False, True)


def test_the_finished_run_is_the_current_one(run):
    begin(run)
    assert run.current == run.partial
    finish(run)
    assert run.current == run.final


def test_looking_changes_nothing(run, tmp_path):
    make_whole(run)
    Lock(run.lock).release()
    before = sorted(tmp_path.rglob("*"))
    states(run)
    assert run.holder() is None
    run.check_free()
    assert sorted(tmp_path.rglob("*")) == before


def test_kept_seeds_and_folders_of_checkpoints_are_found(run):
    begin(run)
    files = run.partial
    for seed in (3, 1):
        files.kept_seed(seed).write_text("{}", encoding="utf-8")
        files.kept_seed(seed).with_suffix(".npz").touch()
    assert files.kept_seeds() == [files.kept_seed(1), files.kept_seed(3)]
    for name in ("b/state", "a/state", "a/replay"):
        (files.checkpoints / name).mkdir(parents=True)
    (files.checkpoints / "a" / "slice.json").touch()
    found = [
        str(path.relative_to(files.checkpoints)) for path in files.checkpoint_folders()
    ]
    assert found == ["a/replay", "a/state", "b/state"]


def test_a_run_can_be_named_with_and_without_partial(run, monkeypatch):
    begin(run)
    assert RunFolder.named(run.partial.path) == run
    assert RunFolder.named(run.path) == run
    monkeypatch.chdir(run.path.parent)
    assert RunFolder.named(Path(NAME)) == run


def test_a_run_below_the_current_folder_is_named_from_there(run, monkeypatch, tmp_path):
    finish(run)
    monkeypatch.chdir(tmp_path.parent)
    given = Path(tmp_path.name, "clustering", NAME)
    assert RunFolder.named(given).path == given
    assert RunFolder.named(run.path).path == run.path
    # The results folder must stay in sight: whoever trains a run on writes there.
    monkeypatch.chdir(tmp_path)
    assert RunFolder.named(Path("clustering", NAME)).path == run.path


@pytest.mark.parametrize("name", ["", "nothing", "metrics.npz"])
def test_what_is_no_run_is_refused_as_it_was_given(run, name):
    with pytest.raises(
        SettingError, match=rf"^run={run.path / name}: must be a run's folder"
    ):
        RunFolder.named(run.path / name)


def test_a_whole_run_gets_its_name(run):
    make_whole(run)
    assert run.finish_renaming()
    assert run.final.config.read_text(encoding="utf-8") == "new"
    assert not run.partial.path.exists() and not run.final.kept.exists()
    assert not run.finish_renaming()


def test_a_run_that_is_not_whole_gets_no_name(run):
    begin(run)
    assert not run.finish_renaming()
    assert run.is_begun() and not run.is_finished()


def test_a_run_that_is_being_trained_is_left_to_its_process(run):
    make_whole(run)
    lock = Lock(run.lock)
    assert not run.finish_renaming()
    assert run.is_whole() and not run.is_finished()
    with pytest.raises(RunBusy, match="is being trained by process"):
        run.check_free()
    lock.release()
    assert run.finish_renaming()
    # Whoever renamed it let it go again, and left no file.
    assert run.holder() is None and not run.lock.exists()


def test_a_finished_run_is_replaced_and_nothing_is_left_over(run):
    finish(run)
    make_whole(run)
    run.old.mkdir()
    (run.old / "left").write_text("by a process that was killed", encoding="utf-8")
    run.give_final_name()
    assert run.final.config.read_text(encoding="utf-8") == "new"
    assert not run.old.exists() and not run.partial.path.exists()


def test_all_whole_runs_of_a_results_folder_get_their_names(tmp_path, run):
    make_whole(run)
    other = RunFolder(tmp_path / "ant_4x2" / NAME)
    begin(other)
    finish_renamings(tmp_path)
    assert run.is_finished() and other.is_begun()
    finish_renamings(tmp_path / "nowhere")


def test_where_nothing_can_be_written_a_whole_run_stays_as_it_is(run, monkeypatch):
    make_whole(run)

    def refuse(*_):
        raise PermissionError("a file system that is only read")

    monkeypatch.setattr(Path, "rename", refuse)
    finish_renamings(run.path.parents[1])
    assert run.is_whole() and not run.is_finished()


def test_which_runs_are_finished(tmp_path, run):
    finish(run)
    other = RunFolder(tmp_path / "ant_4x2" / NAME)
    finish(other)
    for path in (run.old, run.partial.path):
        path.mkdir()
        (path / "meta.json").touch()
    (tmp_path / "clustering" / "figures").mkdir()
    assert finished_runs(tmp_path) == [other.path, run.path]
    assert finished_runs(tmp_path / "nowhere") == []


def test_what_leads_out_of_a_folder(tmp_path):
    results = tmp_path / "results"
    (results / "a").mkdir(parents=True)
    inside = results / "a" / "file"
    inside.write_text("", encoding="utf-8")
    (tmp_path / "secret").write_text("", encoding="utf-8")
    (results / "link").symlink_to(tmp_path / "secret")
    (results / "folder").symlink_to(tmp_path)
    (results / "within").symlink_to(inside)
    (results / "loop").symlink_to(results / "loop")
    (tmp_path / "also").symlink_to(results)
    assert not leads_out(results, inside) and not leads_out(results, results / "within")
    assert not leads_out(tmp_path / "also", tmp_path / "also" / "a" / "file")
    for name in ("link", "folder/secret", "loop", "../secret"):
        assert leads_out(results, results / name)
