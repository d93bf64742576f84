"""Which folders are runs, and whose."""

import json
import shutil

import pytest

from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.storage.folder import RunFolder, finished_runs, run_folder
from adama_jax.storage.reader import find_run, has_run, load_run
from adama_jax.storage.writer import RunWriter
from tests.helpers import fake_config, fake_run


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
    stored = json.loads((run.folder / "config.json").read_text())
    stored["learning"]["target_period"] = 7
    (run.folder / "config.json").write_text(json.dumps(stored))
    for read in (has_run, find_run):
        with pytest.raises(
            SettingError, match=r"it was trained with learning\.target_period=7 by another version"
        ):
            read(tmp_path, fake_config())


def test_a_process_killed_between_the_two_renamings_loses_nothing(tmp_path):
    run = fake_run(tmp_path)
    folder = RunFolder(run.folder)
    partial = folder.partial.path
    run.folder.rename(partial)  # the earlier run was moved away, this one not yet here
    shutil.copytree(partial, folder.old)
    # Who looks changes nothing.
    assert finished_runs(tmp_path) == [] and not folder.is_finished() and folder.is_whole()
    assert not has_run(tmp_path, fake_config()) and partial.is_dir()
    assert folder.finish_renaming() and folder.is_finished()
    assert not partial.exists() and not folder.old.exists()
    assert finished_runs(tmp_path) == [run.folder] and not folder.finish_renaming()
