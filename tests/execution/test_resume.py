"""Runs that are stopped, killed or broken: what goes on, from where, and that nothing differs for it."""

import json
import os
import pkgutil
import shutil
import subprocess
import sys
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from adama_jax.cli.commands.play import play_run
from adama_jax.cli.main import main
from adama_jax.cli.options import PlayCommand
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import scenario_config
from adama_jax.errors import Interrupted, RunBusy, SettingError
from adama_jax.execution import program as program_module
from adama_jax.execution.actors import load_actors
from adama_jax.execution.loop import Broken, Watch
from adama_jax.execution.runner import run
from adama_jax.execution.saver import SavedSlice, Saving
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.lock import Lock, holder
from adama_jax.storage.reader import has_run, load_run
from adama_jax.storage.writer import Finished, RunWriter
from adama_jax.studies.missing import complete
from tests.helpers import (
    ONE,
    QUIET,
    arrays_of_run,
    assert_equal_runs,
    assert_equal_states,
    short,
    stop_at,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole")
    run([short()], out, devices=ONE)
    return load_run(run_folder(out, short()))


def test_a_run_stopped_at_any_chunk_goes_on_to_the_same_bits(whole, tmp_path):
    """Stopped at every chunk's edge in turn; each process goes on from where the last stopped."""
    assert len(program_module.points(short())[0]) == 2
    told = []
    for _ in range(6):
        with pytest.raises(Interrupted):
            watch = stop_at(1)
            run([short()], tmp_path, watch._replace(tell=told.append), ONE)
    run([short()], tmp_path, Watch(tell=told.append), ONE)
    assert told == [f"goes on from episode {episode}" for episode in (25, 50, 75, 100, 125, 150)]
    assert_equal_runs(whole, load_run(run_folder(tmp_path, short())))
    assert not list(tmp_path.rglob("checkpoints/*")) and not list(tmp_path.rglob("*.lock"))


@pytest.mark.slow
def test_every_leaf_of_the_last_checkpoint_is_equal(tmp_path, monkeypatch):
    """Not only what a run leaves behind: parameters, targets, optimizers, rates, replay, keys, counters."""
    monkeypatch.setattr(SavedSlice, "discard", SavedSlice.close)
    for where in ("straight", "stopped"):
        if where == "stopped":
            with pytest.raises(Interrupted):
                run([short()], tmp_path / where, stop_at(3), ONE, saving=Saving(minutes=0))
        run([short()], tmp_path / where, devices=ONE, saving=Saving(minutes=0))
    assert_equal_states(tmp_path / "straight", tmp_path / "stopped", 150)


@pytest.mark.slow
def test_a_sweep_goes_on_slice_by_slice(tmp_path):
    """Three settings x 2 seeds in slices of 4; stopped in the first slice, and again in the second."""
    configs = [short("fixed", **{"rates.critic_rate": rate}) for rate in (0.001, 0.002, 0.004)]
    run(configs, tmp_path / "straight", devices=ONE, width=4)
    with pytest.raises(Interrupted):
        run(configs, tmp_path / "stopped", stop_at(2), ONE, width=4)
    with pytest.raises(Interrupted):
        run(configs, tmp_path / "stopped", stop_at(6), ONE, width=4)
    assert [run_folder(tmp_path / "stopped", config).is_dir() for config in configs] == [
        True,
        True,
        False,
    ]
    run(configs[2:], tmp_path / "stopped", devices=ONE)
    for config in configs:
        assert_equal_runs(
            *(load_run(run_folder(tmp_path / where, config)) for where in ("straight", "stopped"))
        )


@pytest.mark.slow
def test_what_was_begun_together_goes_on_together(tmp_path):
    """One of two settings of an interrupted slice is asked for: the other is not lost."""
    configs = [short("fixed", **{"rates.critic_rate": rate}) for rate in (0.001, 0.002)]
    run(configs, tmp_path / "straight", devices=ONE, width=4)
    with pytest.raises(Interrupted):
        run(configs, tmp_path / "stopped", stop_at(2), ONE, width=4)
    run(configs[1:], tmp_path / "stopped", devices=ONE)
    for config in configs:
        assert_equal_runs(
            *(load_run(run_folder(tmp_path / where, config)) for where in ("straight", "stopped"))
        )


@pytest.mark.slow
def test_a_kept_seed_that_was_damaged_is_trained_again(whole, tmp_path):
    config = short()
    with pytest.raises(Interrupted):
        run([config], tmp_path, stop_at(8), ONE, width=1)
    (kept,) = tmp_path.rglob("kept/0.npz")
    kept.write_bytes(kept.read_bytes()[:-100])
    told = []
    run([config], tmp_path, Watch(tell=told.append), ONE, width=1)
    assert "seed 0 is trained again" in told[0]
    values = load_run(run_folder(tmp_path, config)).metrics
    np.testing.assert_allclose(values["eval_return"], whole.metrics["eval_return"], rtol=1e-3)


@pytest.mark.slow
def test_again_begins_anew(whole, tmp_path):
    with pytest.raises(Interrupted):
        run([short()], tmp_path, stop_at(3), ONE)
    told = []
    run([short()], tmp_path, Watch(tell=told.append), ONE, again=True)
    assert told == []
    assert_equal_runs(whole, load_run(run_folder(tmp_path, short())))


def test_a_second_process_is_refused(tmp_path):
    lock = Lock(RunFolder.of(tmp_path, short()).lock)
    with pytest.raises(RunBusy, match=f"is being trained by process {os.getpid()} on host"):
        run([short()], tmp_path, devices=ONE)
    with pytest.raises(RunBusy, match="wait for it, or choose another out="):
        complete([short()], tmp_path, Training(), Launch(), QUIET)
    lock.release()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_lock_ends_with_its_process(tmp_path):
    path = tmp_path / "run.lock"
    code = "\n".join([
        "import os, pathlib, sys",
        "from adama_jax.storage.lock import Lock, holder",
        "path = pathlib.Path(sys.argv[1])",
        "lock = Lock(path)",
        "assert holder(path).startswith(f'process {os.getpid()} on host ')",
        "os.abort()",
    ])  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -6
    # The file and its holder's name are still there; who looks is not misled by them, and changes nothing.
    before = sorted(tmp_path.iterdir())
    assert len(before) == 2 and holder(path) is None and sorted(tmp_path.iterdir()) == before
    Lock(path).release()
    assert holder(path) is None and not list(tmp_path.iterdir())


@pytest.fixture
def nan_at_update_230(monkeypatch):
    """Update 230 puts NaN into a kernel of the critic where the secant step, which nothing reads, is negative."""
    import adama_jax.execution.build as compose

    honest = compose.learner

    def learner(*arguments, **options):
        learn = honest(*arguments, **options)

        def update(state, batch, key):
            now = (state.updates == 230) & (state.hyper.secant_step < 0)
            state, metrics = learn.update(state, batch, key)
            critic = state.params.critic
            broken = jax.tree_util.tree_map_with_path(
                lambda path, leaf: (
                    jnp.where(now, jnp.nan, leaf)
                    if "Dense_1" in str(path) and leaf.ndim > 1
                    else leaf
                ),
                critic,
            )
            return state._replace(params=state.params._replace(critic=broken)), metrics

        return learn._replace(update=update)

    monkeypatch.setattr(compose, "learner", learner)

    def mark(seeds):
        honest_hypers = compose.make_hypers

        def marked(configs):
            hyper = honest_hypers(configs)
            step = hyper.learner.secant_step.copy()
            step[seeds] = -1
            return hyper._replace(learner=hyper.learner._replace(secant_step=step))

        monkeypatch.setattr("adama_jax.execution.loop.make_hypers", marked)

    return mark


def test_a_run_that_breaks_is_named_and_the_others_are_not_touched(tmp_path, nan_at_update_230):
    config = short(seeds=4)
    nan_at_update_230([])
    assert run([config], tmp_path / "well", devices=ONE, width=4) == [{}]
    nan_at_update_230([2])
    heard = []
    found = run([config], tmp_path / "ill", Watch(broke=heard.append), ONE, 4, Saving(minutes=0))
    (broken,) = found[0].items()
    assert broken == (2, Broken(episode=57, update=230, leaf=broken[1].leaf))
    assert broken[1].leaf.startswith("params.critic") and broken[1].leaf.endswith("kernel")
    assert [dict(lanes) for lanes in heard] == [{(0, 2): broken[1]}]
    well, ill = (load_run(run_folder(tmp_path / where, config)) for where in ("well", "ill"))
    assert ill.meta["diverged"] == {"2": 57} and ill.meta["diverged_in"]["2"]["update"] == 230
    rows, broken_run = [0, 1, 3], arrays_of_run(ill)
    for name, values in arrays_of_run(well).items():
        if np.shape(values)[:1] == (4,):
            np.testing.assert_array_equal(values[rows], broken_run[name][rows], err_msg=name)
    assert np.isnan(ill.metrics["eval_return"][2, 1:]).all() and np.isfinite(
        ill.metrics["eval_return"][2, 0]
    )


def test_a_run_of_which_every_seed_breaks_keeps_its_last_good_checkpoint(
    tmp_path, nan_at_update_230
):
    nan_at_update_230([0, 1])
    config = short()
    found = run([config], tmp_path, devices=ONE, saving=Saving(minutes=0))
    assert set(found[0]) == {0, 1}
    folder = run_folder(tmp_path, config)
    (place,) = folder.glob("checkpoints/*/state")
    with Checkpoints(place) as checkpoints:
        newest = checkpoints.read(checkpoints.steps()[0])
    assert newest.step == 50
    assert all(np.isfinite(leaf).all() for leaf in newest.arrays.values() if leaf.dtype.kind == "f")


def test_verify_and_play(whole, tmp_path, capsys):
    place = tmp_path / "results" / "going_together" / whole.folder.name
    shutil.copytree(whole.folder, place)
    assert main(["verify", str(place)]) == 0
    assert "6 of 6 parts verified" in " ".join(capsys.readouterr().out.split())
    console = Console(record=True, width=200)
    assert play_run(place, PlayCommand(seed=1, episodes=5), console) == 0
    assert (
        "seed 1: greedy return" in console.export_text()
        and (place / "play" / "rollout.gif").is_file()
    )
    with pytest.raises(SettingError, match="seed=7: must be one of 0, 1"):
        play_run(place, PlayCommand(seed=7), console)
    (place / "metrics.npz").write_bytes(b"something else")
    assert main(["verify", str(place)]) == 1
    assert "metrics.npz: is not what was written" in capsys.readouterr().out


def test_a_saved_actor_acts_as_the_run_did(whole):
    """The greedy returns of the last evaluation, from `actors.npz` alone."""
    from adama_jax.execution.build import make_env
    from adama_jax.training.rollout import episode_return, greedy_rollout

    actors = load_actors(whole.folder / "actors.npz")
    env = make_env(short())
    keys = jax.random.split(jax.random.key(0), 5)
    for row in range(2):
        params = jax.tree.map(lambda leaf, row=row: leaf[row], actors.params)
        episodes = jax.vmap(greedy_rollout(env, actors.act), in_axes=(0, None))(keys, params)
        returns = jax.vmap(episode_return)(episodes)
        np.testing.assert_allclose(
            np.mean(returns), whole.metrics["eval_return"][row, -1], rtol=1e-4
        )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["resume"], "run=: must come first"),
        (["resume", "/nowhere/run"], "run=/nowhere/run: must be a run's folder"),
        (["verify", "/nowhere/run"], "must be a run's folder"),
        (["play", "/nowhere/run"], "must be a finished run's folder"),
        (
            ["train", "clustering", "checkpoint_minutes=-1"],
            "checkpoint_minutes=-1.0: must be at least 0",
        ),
        (["train", "clustering", "replay_every=0"], "replay_every=0: must be at least 1"),
        (["train", "clustering", "keep_every=0"], "keep_every=0: must be at least 1"),
    ],
)
def test_bad_input_is_one_line(words, message, capsys):
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_settings_on_disk_that_are_not_settings(tmp_path, capsys):
    folder = RunFolder.of(tmp_path, scenario_config("clustering")).partial.path
    folder.mkdir(parents=True)
    for text in (
        "{",
        "[]",
        '{"scenario": "nowhere"}',
        json.dumps({"scenario": "clustering", "seeds": "__import__('os')"}),
    ):
        (folder / "config.json").write_text(text)
        assert main(["resume", str(folder)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


class Killed(BaseException):
    """What SIGKILL is to a process, within one."""


@pytest.mark.parametrize(
    ("place", "name", "call"),
    [
        ("adama_jax.storage.writer.RunWriter", "keep", 2),
        pytest.param("adama_jax.execution.saver.SavedSlice", "discard", 1, marks=pytest.mark.slow),
        pytest.param("adama_jax.storage.writer.RunWriter", "finish", 1, marks=pytest.mark.slow),
        pytest.param("adama_jax.storage.writer", "make_durable", 4, marks=pytest.mark.slow),
        pytest.param(
            "adama_jax.storage.writer.RunWriter", "_write_meta", 1, marks=pytest.mark.slow
        ),
        ("adama_jax.storage.writer.RunWriter", "_give_name", 1),
    ],
)
def test_a_kill_at_the_end_loses_nothing(whole, tmp_path, monkeypatch, place, name, call):
    """Killed at a step between the last chunk and the final name: the next process trains at most one chunk."""
    holder = pkgutil.resolve_name(place)
    honest, calls = getattr(holder, name), []

    def killed(*arguments, **options):
        calls.append(name)
        if len(calls) == call:
            raise Killed
        return honest(*arguments, **options)

    monkeypatch.setattr(holder, name, killed)
    with pytest.raises(Killed):
        run([short()], tmp_path, devices=ONE, saving=Saving(minutes=0))
    monkeypatch.undo()
    points = []
    run([short()], tmp_path, Watch(observe=points.append), ONE)
    assert sum(point.episodes for point in points) <= 25
    assert_equal_runs(whole, load_run(run_folder(tmp_path, short())))


@pytest.mark.slow
def test_force_goes_on_where_it_was_stopped(tmp_path):
    """A finished run is trained again by force and stopped: it goes on without force, and is whole until then."""
    config = short()
    run([config], tmp_path, devices=ONE)
    first = run_folder(tmp_path, config)
    with pytest.raises(Interrupted):
        run([config], tmp_path, stop_at(3), ONE, again=True)
    assert load_run(first).metrics["episode"][-1] == 150 and not has_run(tmp_path, config)
    told = []
    run([config], tmp_path, Watch(tell=told.append), ONE)
    assert told == ["goes on from episode 75"] and has_run(tmp_path, config)


@pytest.mark.slow
def test_force_leaves_what_others_have_begun(tmp_path):
    """Two settings in one slice; the one in whose folder it is is trained again by force: the other goes on."""
    configs = [short("fixed", **{"rates.critic_rate": rate}) for rate in (0.001, 0.002)]
    with pytest.raises(Interrupted):
        run(configs, tmp_path, stop_at(3), ONE, width=4)
    (place,) = tmp_path.rglob("checkpoints/*")
    owner = [RunFolder.of(tmp_path, config).partial.path for config in configs].index(
        place.parents[1]
    )
    with pytest.raises(Interrupted):
        run([configs[owner]], tmp_path, stop_at(2), ONE, again=True)
    told = []
    run([configs[owner]], tmp_path, Watch(tell=told.append), ONE)
    assert told == ["goes on from episode 50"]
    told = []
    run([configs[1 - owner]], tmp_path, Watch(tell=told.append), ONE)
    assert told == ["goes on from episode 75"]
    assert all(has_run(tmp_path, config) for config in configs) and not list(
        tmp_path.rglob("*.partial")
    )


def test_a_run_is_named_by_its_owner_only(whole, tmp_path):
    """Between the last file and the name: everybody else leaves it alone while its owner is at it."""
    folder = RunFolder(tmp_path / "clustering" / whole.folder.name)
    shutil.copytree(whole.folder, folder.partial.path)
    lock = Lock(folder.lock)
    assert not folder.is_finished() and folder.is_whole() and not folder.finish_renaming()
    assert folder.partial.path.is_dir()
    lock.release()
    assert folder.finish_renaming()
    assert folder.is_finished() and not folder.partial.path.exists()


@pytest.mark.parametrize("name", ["meta.json", "metrics.npz"])
def test_verify_finds_a_changed_figure(whole, tmp_path, capsys, name):
    folder = tmp_path / whole.folder.parent.name / whole.folder.name
    shutil.copytree(whole.folder, folder)
    assert main(["verify", str(folder)]) == 0
    content = bytearray((folder / name).read_bytes())
    place = content.index(b'"wall_seconds": ') + 16 if name == "meta.json" else len(content) // 2
    content[place] = ord("1") if content[place] != ord("1") else ord("2")
    (folder / name).write_bytes(content)
    assert main(["verify", str(folder)]) == 1
    assert f"{name}: is not what was written" in capsys.readouterr().out


@pytest.mark.slow
def test_a_lone_run_that_has_two_devices(tmp_path):
    """They share its minibatches; stopped and gone on with, it is the same to the bit."""
    config = short(seeds=1, **{"learning.batch_size": 256})
    run([config], tmp_path / "whole", devices=jax.devices()[:2])
    with pytest.raises(Interrupted):
        run([config], tmp_path / "stopped", stop_at(3), jax.devices()[:2])
    told = []
    run([config], tmp_path / "stopped", Watch(tell=told.append), jax.devices()[:2])
    assert told == ["goes on from episode 75"]
    one, other = (load_run(run_folder(tmp_path / where, config)) for where in ("whole", "stopped"))
    assert one.meta["device"]["used"] == other.meta["device"]["used"] == 2
    assert_equal_runs(one, other)


@pytest.mark.slow
def test_fewer_devices_than_before(tmp_path):
    """Two devices, then one: as wide, equal to rounding, and said."""
    config = short(seeds=4)
    run([config], tmp_path / "whole", devices=jax.devices()[:2], width=4)
    with pytest.raises(Interrupted):
        run([config], tmp_path / "stopped", stop_at(3), jax.devices()[:2], width=4)
    told = []
    run([config], tmp_path / "stopped", Watch(tell=told.append), ONE)
    assert told[0] == "a slice begun on 2 devices goes on on 1: no longer equal bit for bit"
    one, other = (
        load_run(run_folder(tmp_path / where, config)).metrics for where in ("whole", "stopped")
    )
    np.testing.assert_allclose(one["eval_return"], other["eval_return"], rtol=1e-3)


def test_the_log_is_whole_though_the_disk_was_full(whole, tmp_path):
    """`metrics.jsonl` cannot be written for a while: the run goes on, and writes it again at the end."""
    told = []
    with RunWriter(tmp_path / "adama-x", short(), report=told.append) as writer:
        honest = writer._log
        writer._log = SimpleNamespace(write=full, flush=full, close=honest.close)
        for index, episode in enumerate(whole.metrics["episode"].tolist()):
            values = {
                n: v[:, index] for n, v in whole.metrics.items() if n not in ("episode", "seed")
            }
            writer.point(episode, [0, 1], values)
        for seed in (0, 1):
            writer.keep(seed, {"reward": np.ones(2)}, {"w": np.ones(2)}, Finished(1.0, 150, None))
        folder = writer.finish({}, {}, {})
    assert len(told) == 1 and "No space left" in told[0]
    assert (folder / "metrics.jsonl").read_text() == (whole.folder / "metrics.jsonl").read_text()


def full(*_):
    raise OSError(28, "No space left on device")
