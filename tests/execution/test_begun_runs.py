"""What lies where a run is to be trained: begun, damaged, of another version, or anybody else's."""

import json
import os
import pkgutil

import numpy as np
import pytest

from adama_jax.cli.main import main
from adama_jax.config.identity import to_dict
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import scenario_config
from adama_jax.errors import Interrupted, RunBusy
from adama_jax.execution.events import Advanced
from adama_jax.execution.log import write_log
from adama_jax.execution.observer import Hooks
from adama_jax.execution.runner import run
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.lock import Lock
from adama_jax.storage.reader import has_run, load_run
from adama_jax.studies.missing import complete
from tests.helpers import (
    ALWAYS,
    ONE,
    QUIET,
    assert_equal_runs,
    short,
    stop_at,
)


@pytest.mark.slow
def test_what_an_older_version_began_is_refused(tmp_path, capsys):
    """Its checkpoints may lie in another run's folder. By force it is begun anew."""
    config, other = short(), short("fixed")
    folders = [RunFolder.of(tmp_path, each) for each in (config, other)]
    for folder in folders:
        folder.partial.path.mkdir(parents=True)
        stored = to_dict(config if folder is folders[0] else other)
        folder.partial.config.write_text(
            json.dumps(stored | {"label": "x"}), encoding="utf-8"
        )
    older = folders[1].partial.checkpoints / "0123456789"
    older.mkdir(parents=True)
    (older / "slice.json").write_text(
        json.dumps({"lanes": [[folders[0].path.name, 0]]}), encoding="utf-8"
    )
    for folder in folders:
        assert main(["resume", str(folder.path), "devices=4"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "finish it with version da08c89, or begin anew (force=true)" in line
    with pytest.raises(Interrupted):
        run([config], tmp_path, stop_at(1), ONE, training=Training(force=True))
    told = []
    with pytest.raises(Interrupted):
        run([config], tmp_path, stop_at(1, report=told.append), ONE)
    assert told == ["resumes from episode 25"]


@pytest.mark.slow
def test_a_kept_seed_that_was_damaged_is_trained_again(whole, tmp_path):
    config = short()
    with pytest.raises(Interrupted):
        run([config], tmp_path, stop_at(8), ONE, width=1)
    (kept,) = tmp_path.rglob("kept/0.npz")
    kept.write_bytes(kept.read_bytes()[:-100])
    told = []
    run([config], tmp_path, Hooks(report=told.append), ONE, width=1)
    assert "seed 0 is trained again" in told[0]
    values = load_run(run_folder(tmp_path, config)).metrics
    np.testing.assert_allclose(
        values["eval_return"], whole.metrics["eval_return"], rtol=1e-3
    )


@pytest.mark.slow
def test_again_begins_anew(whole, tmp_path):
    with pytest.raises(Interrupted):
        run([short()], tmp_path, stop_at(3), ONE)
    told = []
    run(
        [short()],
        tmp_path,
        Hooks(report=told.append),
        ONE,
        training=Training(force=True),
    )
    assert told == []
    assert_equal_runs(whole, load_run(run_folder(tmp_path, short())))


def test_a_second_process_is_refused(tmp_path):
    lock = Lock(RunFolder.of(tmp_path, short()).lock)
    with pytest.raises(
        RunBusy, match=f"is being trained by process {os.getpid()} on host"
    ):
        run([short()], tmp_path, devices=ONE)
    with pytest.raises(RunBusy, match="wait for it, or choose another out="):
        complete([short()], tmp_path, Training(), Launch(), QUIET)
    lock.release()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_settings_on_disk_that_are_not_settings(tmp_path, capsys):
    folder = RunFolder.of(tmp_path, scenario_config("clustering")).partial.path
    folder.mkdir(parents=True)
    for text in (
        "{",
        "[]",
        '{"scenario": "nowhere"}',
        json.dumps({"scenario": "clustering", "seeds": "__import__('os')"}),
    ):
        (folder / "config.json").write_text(text, encoding="utf-8")
        assert main(["resume", str(folder)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


class Killed(BaseException):
    """What SIGKILL is to a process, within one."""


@pytest.mark.parametrize(
    ("place", "name", "call"),
    [
        ("adama_jax.storage.writer.RunWriter", "keep", 2),
        pytest.param(
            "adama_jax.execution.saver.CohortSaver", "finish", 1, marks=pytest.mark.slow
        ),
        pytest.param(
            "adama_jax.storage.writer.RunWriter", "finish", 1, marks=pytest.mark.slow
        ),
        pytest.param(
            "adama_jax.storage.writer", "make_durable", 4, marks=pytest.mark.slow
        ),
        pytest.param(
            "adama_jax.storage.writer.RunWriter",
            "_write_meta",
            1,
            marks=pytest.mark.slow,
        ),
        ("adama_jax.storage.writer.RunWriter", "_give_name", 1),
    ],
)
def test_a_kill_at_the_end_loses_nothing(
    whole, tmp_path, monkeypatch, place, name, call
):
    """Killed at a step between the last chunk and the final name: the next process trains at most
    one chunk.
    """
    holder = pkgutil.resolve_name(place)
    honest, calls = getattr(holder, name), []

    def killed(*arguments, **options):
        calls.append(name)
        if len(calls) == call:
            raise Killed
        return honest(*arguments, **options)

    monkeypatch.setattr(holder, name, killed)
    with pytest.raises(Killed):
        run([short()], tmp_path, devices=ONE, training=ALWAYS)
    monkeypatch.undo()
    events = []
    run([short()], tmp_path, Hooks(observers=[write_log, events.append]), ONE)
    assert sum(event.chunk for event in events if isinstance(event, Advanced)) <= 25
    assert_equal_runs(whole, load_run(run_folder(tmp_path, short())))


@pytest.mark.slow
def test_force_goes_on_where_it_was_stopped(tmp_path):
    """A finished run is trained again by force and stopped: it goes on without force, and is whole
    until then.
    """
    config = short()
    run([config], tmp_path, devices=ONE)
    first = run_folder(tmp_path, config)
    with pytest.raises(Interrupted):
        run([config], tmp_path, stop_at(3), ONE, training=Training(force=True))
    assert load_run(first).metrics["episode"][-1] == 150 and not has_run(
        tmp_path, config
    )
    told = []
    run([config], tmp_path, Hooks(report=told.append), ONE)
    assert told == ["resumes from episode 75"] and has_run(tmp_path, config)


@pytest.mark.slow
def test_force_leaves_what_others_have_begun(tmp_path):
    """Two settings in one cohort; one is trained again by force: the other resumes where it was."""
    configs = [short("fixed", **{"rates.critic_rate": rate}) for rate in (0.001, 0.002)]
    with pytest.raises(Interrupted):
        run(configs, tmp_path, stop_at(3), ONE, width=4)
    with pytest.raises(Interrupted):
        run(configs[:1], tmp_path, stop_at(2), ONE, training=Training(force=True))
    told = []
    run(configs[:1], tmp_path, Hooks(report=told.append), ONE)
    assert told == ["resumes from episode 50"]
    told = []
    run(configs[1:], tmp_path, Hooks(report=told.append), ONE)
    assert told == ["resumes from episode 75"]
    assert all(has_run(tmp_path, config) for config in configs) and not list(
        tmp_path.rglob("*.partial")
    )
