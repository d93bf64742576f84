"""`adama list`, and commands that take a run's folder, in whichever way it is named."""

import json
import os
import shutil

import pytest

from adama_jax.cli import main as cli
from adama_jax.config.identity import config_hash
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.config.values import read_path
from adama_jax.errors import SettingError
from adama_jax.storage.folder import RunFolder, run_folder, runs_below
from adama_jax.storage.lock import Lock
from adama_jax.storage.reader import config_of, has_run, read_config
from adama_jax.storage.writer import RunWriter
from tests.helpers import fake_config, fake_run


def said(capsys, *words, code=0):
    assert cli.main(list(words)) == code
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Two finished runs, one that is begun, and one whose settings are damaged."""
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "results"
    fake_run(out)
    fake_run(
        out, "balance", config=fake_config("balance", **{"rates.critic_scale": 3.0})
    )
    begun = fake_config("fixed")
    with RunWriter(run_folder(out, begun), begun) as writer:
        checkpoint = writer.partial / "checkpoints" / "seeds-0-4" / "state" / "700"
    checkpoint.mkdir(parents=True)
    damaged = fake_run(out, "direction").folder / "config.json"
    damaged.write_text("{", encoding="utf-8")
    return out


def test_a_results_folder_is_listed(results, capsys):
    lines = said(capsys, "list")
    begun = run_folder(results, fake_config("fixed")).relative_to(results.parent)
    adama = run_folder(results, fake_config()).relative_to(results.parent)
    assert f"{adama}: finished; 5 seeds, 30,000 episodes" in lines
    (other,) = [line for line in lines if "balance-" in line]
    assert other.endswith(": finished; 5 seeds, 30,000 episodes, m=3.0")
    going_on = (
        f"{begun}: begun, at episode 700, 0 of 5 seeds finished; 5 seeds, 30,000 episodes; "
        f"to go on: adama resume {begun}"
    )
    assert going_on in lines
    (bad,) = [line for line in lines if "direction-" in line]
    assert "config.json" in bad
    assert lines[-3] == "results: 4 runs, 3 finished"
    assert lines[-2] == "one page about all: adama report results"
    assert lines[-1].startswith("a film: adama play results/going_together/")


def test_a_scenario_and_a_run_are_listed_too(results, capsys, monkeypatch):
    assert said(capsys, "list", "results/going_together")[-3].startswith(
        "results/going_together: 4 runs"
    )
    monkeypatch.chdir(run_folder(results, fake_config()))
    lines = said(capsys, "list", ".")
    assert lines[0] == ".: finished; 5 seeds, 30,000 episodes"
    assert lines[1] == ".: 1 run, 1 finished"


def test_a_run_in_training_is_listed_with_who_trains_it(results, capsys):
    folder = RunFolder.of(results, fake_config("fixed"))
    lock = Lock(folder.lock)
    lines = said(capsys, "list")
    lock.release()
    (line,) = [line for line in lines if "fixed-" in line]
    assert ", is being trained by " in line
    assert "adama resume" not in line


@pytest.mark.parametrize("words", [["list"], ["list", "nowhere"], ["list", "."]])
def test_a_folder_without_runs_is_a_line(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    folder = words[1] if len(words) > 1 else "results"
    line = f"adama: error: run={folder}: must be a run's folder, such as "
    assert capsys.readouterr().err.startswith(line)


def test_a_scenario_s_folder_is_verified_run_by_run(results, capsys):
    begun = RunFolder.of(results, fake_config("fixed"))
    shutil.rmtree(begun.partial.checkpoints)
    lines = said(capsys, "verify", "results/going_together", code=1)
    assert sum("parts verified" in line for line in lines) == 3
    (bad,) = [line for line in lines if line.startswith("bad: ")]
    assert "direction-" in bad
    assert lines[-1] == "results/going_together: 3 of 4 runs are as they were written"


WAYS = {
    "by its name": lambda path: str(path),
    "relative": lambda path: os.path.relpath(path),
    "with a slash": lambda path: f"{path}/",
    "from a folder beside it": lambda path: f"{path.parent}/nothing/../{path.name}",
    "by a dot": lambda path: f"{path}/.",
    "by two dots": lambda path: f"{path}/checkpoints/..",
    "by a link": lambda path: str(path.parents[2] / "link"),
    "from home": lambda path: f"~/results/going_together/{path.name}",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_run_is_found_however_its_folder_is_named(way, results, monkeypatch, capsys):
    path = run_folder(results, fake_config())
    (path / "checkpoints").mkdir(exist_ok=True)
    (path.parent / "nothing").mkdir()
    (results.parent / "link").symlink_to(path)
    monkeypatch.setenv("HOME", str(results.parent))
    named = way(path)
    assert RunFolder.named(read_path(named)).path == path
    (line,) = said(capsys, "verify", named)
    assert f"{path}: finished; " in line


def test_commands_work_within_a_run_s_folder(results, monkeypatch, capsys):
    path = run_folder(results, fake_config())
    monkeypatch.chdir(path)
    played = []
    monkeypatch.setattr(
        "adama_jax.cli.commands.play.play_run",
        lambda folder, command, screen: played.append(folder) or 0,
    )
    monkeypatch.setattr("adama_jax.execution.jax_setup.set_up_jax", lambda *_: None)
    assert cli.main(["play", "."]) == 0
    assert played == [path]
    assert config_of(RunFolder.named(read_path("."))) == fake_config()
    assert "finished; " in said(capsys, "verify", ".")[-1]
    # In the scenario's folder every finished run is played.
    assert cli.main(["play", ".."]) == 0
    assert len(played) == 4
    assert cli.main(["play", "..", "out=films"]) == 2
    assert "out=films: must be left out: the films of 3 runs" in capsys.readouterr().err


def test_what_is_replaced_is_no_run(results):
    path = run_folder(results, fake_config())
    path.rename(path.with_name(path.name + ".old"))
    assert path not in [run.path for run in runs_below(results)]


def test_a_setting_that_is_not_allowed_is_named_with_its_file(results):
    path = run_folder(results, fake_config())
    file = path / "config.json"
    stored = json.loads(file.read_text(encoding="utf-8"))
    stored["rates"]["smoothing"] = 2.0
    file.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(SettingError) as error:
        read_config(path)
    wrong = "rates.smoothing=2.0: must be at least 0 and below 1"
    assert str(error.value) == f"run={path}: must be a run's folder: {file}: {wrong}"


def test_a_scenario_of_another_version_is_named_with_its_file(results):
    file = run_folder(results, fake_config()) / "config.json"
    stored = json.loads(file.read_text(encoding="utf-8"))
    stored["scenario"] = "chess"
    file.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(SettingError, match=r"config\.json: scenario=chess: must be on"):
        read_config(file.parent)


WALKER = {"world.robot": "walker2d", "world.partition": "3x2"}


def test_another_robot_has_a_folder_of_its_own(tmp_path):
    cheetah = scenario_config("halfcheetah_2x3")
    assert run_folder(tmp_path, cheetah).parent.name == "halfcheetah_2x3"
    # Its physics is the same world's.
    other = with_settings(cheetah, {"world.backend": "mjx", "seeds": 1})
    assert run_folder(tmp_path, other).parent.name == "halfcheetah_2x3"
    walker = with_settings(cheetah, WALKER)
    folder = run_folder(tmp_path, walker)
    assert folder.parent.name == "walker2d_3x2_like_halfcheetah_2x3"
    assert folder.name == f"adama-{config_hash(walker)}"


@pytest.mark.parametrize("suffix", ["", ".partial"])
def test_what_earlier_versions_put_beside_it_is_found_again(tmp_path, suffix):
    walker = with_settings(scenario_config("halfcheetah_2x3"), WALKER)
    old = tmp_path / "halfcheetah_2x3" / run_folder(tmp_path, walker).name
    made = fake_run(tmp_path, config=walker).folder
    old.parent.mkdir()
    made.rename(old.with_name(old.name + suffix))
    assert run_folder(tmp_path, walker) == old
    assert has_run(tmp_path, walker) == (suffix == "")
    assert config_of(RunFolder.named(old)) == walker
