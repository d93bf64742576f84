"""The words before a command's settings, and folders to write to."""

import errno
from pathlib import Path

import pytest

from adama_jax.cli import main as cli
from adama_jax.cli.checks import check_devices, check_folder, check_launch
from adama_jax.cli.words import (
    check_scenario,
    runs_at,
    take_nothing,
    take_run,
    take_scenario,
)
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.storage.folder import RunFolder
from tests.helpers import EXPERIMENTS


def test_the_scenario_comes_first():
    assert take_scenario(["clustering", "seeds=3"]) == ("clustering", ["seeds=3"])
    # Whether there is such a scenario is for `scenario_config` to say.
    assert take_scenario(["chess"]) == ("chess", [])


@pytest.mark.parametrize("words", [[], ["seeds=3", "clustering"], ["--seeds", "3"]])
def test_a_scenario_that_is_missing(words):
    given = words[0] if words else ""
    with pytest.raises(
        SettingError, match=f"^scenario={given}: must come first, one of going_"
    ):
        take_scenario(words)


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_needs_neither_scenario_nor_run(word):
    assert take_scenario([word]) == ("predator_prey", [word])
    assert take_run([word])[1] == [word]


def test_the_run_comes_first():
    taken = take_run(["results/clustering/adama-0123456789", "seed=1"])
    assert taken == (Path("results/clustering/adama-0123456789"), ["seed=1"])


@pytest.mark.parametrize("words", [[], ["seed=1"], ["--seed", "1"]])
def test_a_run_that_is_missing(words):
    with pytest.raises(
        SettingError, match=r"^run=: must come first, a run's folder such as"
    ):
        take_run(words)


def test_a_word_too_many_is_named():
    take_nothing([])
    with pytest.raises(SettingError, match=r"^argument=loud: must be left out$"):
        take_nothing(["loud", "louder"])


def test_a_scenario_is_given_once():
    config = scenario_config("clustering")
    check_scenario(config, "clustering")
    with pytest.raises(
        SettingError, match=r"^scenario=clustering: must be given once, as the"
    ):
        check_scenario(config, "predator_prey")


def test_a_folder_that_can_be_made_is_not_made(tmp_path):
    check_folder("out", tmp_path / "a" / "b")
    check_folder("out", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "deeper", "deeper/still"])
def test_a_file_in_the_way_of_a_folder_is_named(tmp_path, below):
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(SettingError) as error:
        check_folder("figures", taken / below)
    words = f"figures={taken / below}: must be a folder, or a path at which one can be made; "
    assert str(error.value) == f"{words}{taken} is a file"


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    """Tried out, for root may write everywhere, and a full disk takes nothing from anybody."""

    def fails(suffix, prefix, folder):
        assert folder == tmp_path
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", fails)
    why = "No space left on device"
    with pytest.raises(
        SettingError, match=rf"^out=.*: must be writable; {tmp_path} is not: {why}$"
    ):
        check_folder("out", tmp_path / "new")


def test_a_relative_folder_is_below_the_present_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_folder("out", Path("results"))
    Path("results").write_text("mine", encoding="utf-8")
    with pytest.raises(SettingError, match=r"^out=results: must be a folder"):
        check_folder("out", Path("results"))


def test_more_devices_than_cores_are_few():
    check_devices(None, 2)
    check_devices(8, 2)
    words = r"^devices=64: must be at most 8, 4 for each of the 2 cores that there are$"
    with pytest.raises(SettingError, match=words):
        check_devices(64, 2)


@pytest.mark.parametrize(
    "line",
    [
        "train clustering devices=999",
        "experiment clustering devices=999",
        "sweep clustering m=1,2 devices=999",
        "calibrate clustering devices=999",
        "reproduce devices=999 experiments={experiments}",
    ],
)
def test_every_command_that_trains_counts_its_devices(
    line, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    # A machine of many cores would have room for so many.
    monkeypatch.setattr("adama_jax.execution.devices.usable_cores", lambda: 2)
    assert cli.main(line.format(experiments=EXPERIMENTS).split()) == 2
    assert "devices=999: must be at most 8, 4 for each" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_slurm_is_asked_for_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingError, match=r"^launcher=slurm: must be here or local"):
        check_launch(Launch("slurm"), Training())
    check_launch(Launch("local"), Training())
    check_launch(Launch("here"), Training(devices=2))
    (tmp_path / "srun").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "srun").chmod(0o755)
    check_launch(Launch("slurm"), Training())


def test_the_root_of_the_file_system_is_no_run(monkeypatch):
    """It has no name to look at."""
    monkeypatch.setattr("adama_jax.cli.words.runs_below", lambda _: [])
    with pytest.raises(SettingError, match=r"^run=/: must be a run's folder"):
        runs_at(Path("/"))
    with pytest.raises(SettingError, match=r"^run=/: must be a run's folder"):
        RunFolder.named(Path("/"))
