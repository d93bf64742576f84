"""`adama list`, and commands that take a run's folder, in whichever way it is named."""

import json
import os
import shutil
from pathlib import Path

import pytest

from adama_jax.cli import main as cli
from adama_jax.config.identity import config_hash
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.config.values import read_path
from adama_jax.errors import SettingError
from adama_jax.storage.folder import RunFolder, run_folder, runs_below
from adama_jax.storage.lock import Lock
from adama_jax.storage.publish import publish
from adama_jax.storage.reader import config_of, has_run, read_config
from adama_jax.storage.writer import RunWriter
from tests.helpers import fake_config, fake_run


def said(capsys, *words, code=1):
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
    assert ": damaged: config.json: cannot be read: " in bad
    assert bad.count("direction-") == 1
    assert lines[-4] == "results: 4 runs, 2 finished, 1 damaged"
    assert lines[-3] == "what is damaged: adama verify results"
    assert lines[-2] == "one page about all: adama report results"
    assert lines[-1].startswith(
        "its actors at work: adama play results/going_together/"
    )


def test_seeds_that_diverged_are_listed_and_not_offered_as_a_film(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    folder = fake_run(
        Path("results"), diverged={str(seed): 7 for seed in range(5)}
    ).folder
    lines = said(capsys, "list", code=0)
    of_five = "5 seeds, 30,000 episodes"
    assert lines[0] == f"{folder}: finished, 5 of 5 seeds diverged; {of_five}"
    assert not [line for line in lines if "adama play" in line]
    some = fake_run(Path("results"), "fixed", diverged={"0": 7}).folder
    lines = said(capsys, "list", code=0)
    assert f"{some}: finished, 1 of 5 seeds diverged; {of_five}" in lines
    assert lines[-1] == f"its actors at work: adama play {some}"


def test_a_scenario_and_a_run_are_listed_too(results, capsys, monkeypatch):
    assert said(capsys, "list", "results/going_together")[-4].startswith(
        "results/going_together: 4 runs"
    )
    monkeypatch.chdir(run_folder(results, fake_config()))
    lines = said(capsys, "list", ".", code=0)
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
    if len(words) == 1:
        line = "adama: error: run=results (the default): must be a folder with runs in"
    assert capsys.readouterr().err.startswith(line)


def test_a_scenario_s_folder_is_verified_run_by_run(results, capsys):
    begun = RunFolder.of(results, fake_config("fixed"))
    shutil.rmtree(begun.partial.checkpoints)
    lines = said(capsys, "verify", "results/going_together", code=1)
    assert sum("parts verified" in line for line in lines) == 3
    (bad,) = [line for line in lines if line.startswith("bad: ")]
    assert "direction-" in bad
    assert lines[-1] == "results/going_together: 3 of 4 runs verified"


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
    found = RunFolder.named(read_path(named)).path
    assert found.resolve() == path and found.is_absolute() == (way != WAYS["relative"])
    (line,) = said(capsys, "verify", named, code=0)
    assert f"{found}: finished; " in line


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
    assert "finished; " in said(capsys, "verify", ".", code=0)[-1]
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
    assert (
        str(error.value) == f"run={path}: must be a run's folder: {file.name}: {wrong}"
    )


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


def test_every_run_is_verified_where_no_folder_is_named(results, capsys):
    shutil.rmtree(RunFolder.of(results, fake_config("fixed")).partial.checkpoints)
    lines = said(capsys, "verify")
    assert lines[-1] == "results: 3 of 4 runs verified"
    assert cli.main(["list", "nowhere"]) == 2
    shutil.rmtree(results)
    for command in ("list", "verify"):
        assert cli.main([command]) == 2
        assert "run=results (the default): must be" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["play", "resume"])
def test_a_run_that_is_there_is_named_where_none_was_given(command, results, capsys):
    first = runs_below(results)[0].path.relative_to(results.parent)
    assert cli.main([command]) == 2
    error = capsys.readouterr().err
    scenario = "a scenario such as predator_prey, or " if command == "play" else ""
    there = f"run=: must come first, {scenario}a run's folder such as {first}, or"
    assert there in error
    shutil.rmtree(results)
    assert cli.main([command]) == 2
    assert "has none yet: `adama train predator_prey" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["meta.json", "metrics.npz"])
def test_a_finished_run_that_lost_a_file_is_listed_as_damaged(results, capsys, name):
    file = run_folder(results, fake_config()) / name
    if name == "meta.json":
        file.write_text("[]", encoding="utf-8")
    else:
        file.unlink()
    lines = said(capsys, "list")
    assert sum(f": damaged: {name}: " in line for line in lines) == 1
    assert "results: 4 runs, 1 finished, 2 damaged" in lines


def published(results, tmp_path):
    """A published copy of a run, which has neither rollouts nor actors nor a log."""
    run_folder(results, fake_config("direction")).rename(tmp_path / "damaged")
    run = run_folder(results, fake_config())
    publish(results, tmp_path / "published")
    return tmp_path / "published" / run.parent.name / run.name


def test_a_published_copy_is_verified_as_one(results, tmp_path, capsys):
    copy = published(results, tmp_path)
    (line,) = said(capsys, "verify", str(copy), code=0)
    copied = "finished, a published copy (settings, machine and curves)"
    assert line == f"{copy}: {copied}; 3 of 3 parts verified"
    assert (
        ": finished, a published copy; " in said(capsys, "list", str(copy), code=0)[0]
    )
    # One of an earlier version, which wrote no digests.
    meta = json.loads((copy / "meta.json").read_text(encoding="utf-8"))
    del meta["seal"], meta["sha256"]
    (copy / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    (line,) = said(capsys, "verify", str(copy), code=0)
    assert f"{copied} without digests, of an earlier version: read" in line
    assert line.endswith("; 3 of 3 parts verified")


@pytest.mark.parametrize("name", ["config.json", "metrics.npz"])
def test_damage_of_a_published_copy_is_found(results, tmp_path, capsys, name):
    file = published(results, tmp_path) / name
    # Settings that can still be read, or an array file that is longer than it was.
    content = file.read_bytes().replace(b'"seed": 0', b'"seed": 1')
    file.write_bytes(content if name == "config.json" else content + b" ")
    lines = said(capsys, "verify", str(file.parent))
    assert lines[0].startswith(f"bad: {file}: is not what was written")


def test_a_run_that_lost_its_rollouts_alone_is_no_published_copy(results, capsys):
    run = run_folder(results, fake_config())
    (run / "rollout.npz").unlink()
    lines = said(capsys, "verify", str(run))
    assert lines[0] == f"bad: {run / 'rollout.npz'}: is missing"
