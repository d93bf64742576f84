"""Runs that are stopped, killed or broken: what goes on, from where, and that nothing differs for
it.
"""

import json
import os
import pkgutil
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.cli.commands.play import play_run
from adama_jax.cli.main import main
from adama_jax.cli.options import PlayCommand
from adama_jax.config.identity import to_dict
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import scenario_config
from adama_jax.errors import Interrupted, RunBusy, SettingError
from adama_jax.execution import log, results
from adama_jax.execution import program as program_module
from adama_jax.execution.actors import load_actors
from adama_jax.execution.events import Advanced, Diverged, Divergence
from adama_jax.execution.log import write_log
from adama_jax.execution.observer import Hooks
from adama_jax.execution.runner import run
from adama_jax.execution.saver import CohortSaver
from adama_jax.screen.console import Screen
from adama_jax.storage import provenance
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.lock import Lock
from adama_jax.storage.reader import has_run, load_run
from adama_jax.studies.missing import complete
from tests.helpers import (
    ALWAYS,
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
    assert len(program_module.schedule(short())[0]) == 2
    told = []
    for _ in range(6):
        with pytest.raises(Interrupted):
            run([short()], tmp_path, stop_at(1, report=told.append), ONE)
    # As of seeds that were grouped in another way, and of which nothing could be used.
    partial = RunFolder.of(tmp_path, short()).partial
    (partial.checkpoints / "seeds-0-9" / "state" / "50.bad").mkdir(parents=True)
    run([short()], tmp_path, Hooks(report=told.append), ONE)
    assert told == [
        f"resumes from episode {episode}" for episode in (25, 50, 75, 100, 125, 150)
    ]
    assert_equal_runs(whole, load_run(run_folder(tmp_path, short())))
    # Neither of these stays beside what is finished.
    assert list(tmp_path.rglob("checkpoints")) == list(tmp_path.rglob("*.lock")) == []


def test_a_run_says_on_which_machines_it_was_trained(tmp_path, monkeypatch):
    """Seeds 0 and 1 are at their end, 2 and 3 in the middle, when another JAX takes over."""
    config = short(seeds=4)

    def of_version(version):
        def machine(used=None):
            found = provenance.machine(used)
            versions = found["versions"] | {"jax": version}
            return found | {"git_commit": "0" * 40, "versions": versions}

        for module in (program_module, results):
            monkeypatch.setattr(module, "machine", machine)

    of_version("1.0")
    with pytest.raises(Interrupted):
        run([config], tmp_path, stop_at(8), ONE, width=2)
    of_version("2.0")
    told = []
    run([config], tmp_path, Hooks(report=told.append), ONE)
    moved = (
        "trained before with jax 1.0, now 2.0: may not be equal bit for bit to a run in one "
        "stretch"
    )
    assert told == [moved, "resumes from episode 25", moved]
    meta = load_run(run_folder(tmp_path, config)).meta
    assert meta["versions"]["jax"] == "2.0"
    assert meta["jax_settings"]["jax_default_prng_impl"] == "threefry2x32"
    where = [
        (each["seeds"], each["from_episode"], each["versions"]["jax"])
        for each in meta["stretches"]
    ]
    assert where == [([0, 1, 2, 3], 0, "1.0"), ([2, 3], 25, "2.0")]
    assert meta["stretches"][0]["device"]["used"] == 1
    assert meta["stretches"][0]["git_commit"] == "0" * 40


@pytest.mark.slow
def test_every_leaf_of_the_last_checkpoint_is_equal(tmp_path, monkeypatch):
    """Not only what a run leaves behind: parameters, targets, optimizers, rates, replay, keys,
    counters.
    """
    monkeypatch.setattr(CohortSaver, "finish", lambda saver, finite: saver.close())
    for where in ("straight", "stopped"):
        if where == "stopped":
            with pytest.raises(Interrupted):
                run([short()], tmp_path / where, stop_at(3), ONE, training=ALWAYS)
        run([short()], tmp_path / where, devices=ONE, training=ALWAYS)
    assert_equal_states(tmp_path / "straight", tmp_path / "stopped", 150)


@pytest.mark.slow
def test_a_sweep_goes_on_slice_by_slice(tmp_path):
    """Three settings x 2 seeds in slices of 4; stopped in the first slice, and again in the
    second.
    """
    configs = [
        short("fixed", **{"rates.critic_rate": rate}) for rate in (0.001, 0.002, 0.004)
    ]
    run(configs, tmp_path / "straight", devices=ONE, width=4)
    with pytest.raises(Interrupted):
        run(configs, tmp_path / "stopped", stop_at(2), ONE, width=4)
    with pytest.raises(Interrupted):
        run(configs, tmp_path / "stopped", stop_at(6), ONE, width=4)
    assert [
        run_folder(tmp_path / "stopped", config).is_dir() for config in configs
    ] == [
        True,
        True,
        False,
    ]
    run(configs[2:], tmp_path / "stopped", devices=ONE)
    for config in configs:
        assert_equal_runs(
            *(
                load_run(run_folder(tmp_path / where, config))
                for where in ("straight", "stopped")
            )
        )


def fixed(rate):
    return short("fixed", **{"rates.critic_rate": rate})


@pytest.mark.slow
def test_a_run_resumes_in_other_company_to_the_same_bits(tmp_path):
    """Three runs are stopped in two cohorts; one is resumed alone, the others beside each other."""
    one, two, three = (fixed(rate) for rate in (0.001, 0.002, 0.004))
    run([one, two], tmp_path / "straight", devices=ONE, width=4)
    run([three], tmp_path / "straight", devices=ONE, width=4)
    with pytest.raises(Interrupted):
        run([one, two], tmp_path / "stopped", stop_at(3), ONE, width=4)
    with pytest.raises(Interrupted):
        run([three], tmp_path / "stopped", stop_at(3), ONE, width=4)
    told, events = [], []
    run([two], tmp_path / "stopped", Hooks(report=told.append), ONE)
    assert not RunFolder.of(tmp_path / "stopped", one).is_finished()
    hooks = Hooks(observers=[write_log, events.append], report=told.append)
    run([one, three], tmp_path / "stopped", hooks, ONE)
    assert told == ["resumes from episode 75"] * 2
    assert {len(event.members) for event in events if isinstance(event, Advanced)} == {
        4
    }
    for config in (one, two, three):
        pair = [
            load_run(run_folder(tmp_path / out, config))
            for out in ("straight", "stopped")
        ]
        assert_equal_runs(*pair)


@pytest.mark.slow
def test_a_kill_between_two_runs_checkpoints_costs_no_second_program(tmp_path):
    """One run of a cohort has the last checkpoint and the other not: both resume from the last but
    one.
    """
    configs = [fixed(rate) for rate in (0.001, 0.002)]
    run(configs, tmp_path / "straight", devices=ONE, width=4)
    with pytest.raises(Interrupted):
        run(configs, tmp_path / "stopped", stop_at(3), ONE, width=4, training=ALWAYS)
    partial = RunFolder.of(tmp_path / "stopped", configs[1]).partial
    for kind in ("state", "replay"):
        (newest,) = partial.checkpoints.glob(f"*/{kind}/75")
        shutil.rmtree(newest)
    told = []
    run(configs, tmp_path / "stopped", Hooks(report=told.append), ONE)
    assert told == ["resumes from episode 50"]
    for config in configs:
        pair = [
            load_run(run_folder(tmp_path / out, config))
            for out in ("straight", "stopped")
        ]
        assert_equal_runs(*pair)


@pytest.mark.slow
def test_a_damaged_checkpoint_sends_one_run_back_and_not_its_company(tmp_path):
    """The state of one run's newest checkpoint is cut: both resume where both have a good one."""
    configs = [fixed(rate) for rate in (0.001, 0.002)]
    run(configs, tmp_path / "straight", devices=ONE, width=4)
    with pytest.raises(Interrupted):
        run(configs, tmp_path / "stopped", stop_at(3), ONE, width=4, training=ALWAYS)
    partial = RunFolder.of(tmp_path / "stopped", configs[0]).partial
    files = partial.checkpoints.glob("*/replay/75/arrays/d/*")
    largest = max(files, key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-100])
    told = []
    run(configs, tmp_path / "stopped", Hooks(report=told.append), ONE)
    assert len(told) == 2 and "a checkpoint is not used" in told[0]
    assert told[1] == "resumes from episode 50"
    for config in configs:
        pair = [
            load_run(run_folder(tmp_path / out, config))
            for out in ("straight", "stopped")
        ]
        assert_equal_runs(*pair)


@pytest.mark.slow
def test_where_no_checkpoint_can_be_used_a_run_begins_anew_as_wide_as_it_was(
    whole, tmp_path
):
    with pytest.raises(Interrupted):
        run([short()], tmp_path, stop_at(3), ONE, width=4)
    for kept in tmp_path.rglob("checkpoints/*/replay/*/arrays/d/*"):
        kept.write_bytes(b"nothing")
    told, events = [], []
    hooks = Hooks(observers=[write_log, events.append], report=told.append)
    run([short()], tmp_path, hooks, ONE)
    assert told[-1].endswith("no checkpoint can be used, its seeds begin anew")
    values = load_run(run_folder(tmp_path, short())).metrics
    np.testing.assert_allclose(
        values["eval_return"], whole.metrics["eval_return"], rtol=1e-3
    )


def test_what_an_older_version_began_is_refused(tmp_path, capsys):
    """Its checkpoints may lie in another run's folder. By force it is begun anew."""
    config, other = short(), fixed(0.001)
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


@pytest.fixture
def nan_at_update_230(monkeypatch):
    """Update 230 puts NaN into a kernel of the critic where the secant step, which nothing reads,
    is negative.
    """
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
        honest_hypers = compose.stacked_hypers

        def marked(configs):
            hyper = honest_hypers(configs)
            step = hyper.learner.secant_step.copy()
            step[seeds] = -1
            return hyper._replace(learner=hyper.learner._replace(secant_step=step))

        monkeypatch.setattr("adama_jax.execution.loop.stacked_hypers", marked)

    return mark


def test_a_run_that_breaks_is_named_and_the_others_are_not_touched(
    tmp_path, nan_at_update_230
):
    config = short(seeds=4)
    nan_at_update_230([])
    assert run([config], tmp_path / "well", devices=ONE, width=4) == [{}]
    nan_at_update_230([2])
    heard = []
    hooks = Hooks(observers=[write_log, heard.append])
    found = run([config], tmp_path / "ill", hooks, ONE, 4, training=ALWAYS)
    (broken,) = found[0].items()
    assert broken == (2, Divergence(episode=57, update=230, leaf=broken[1].leaf))
    assert broken[1].leaf.startswith("params.critic") and broken[1].leaf.endswith(
        "kernel"
    )
    (told,) = (event for event in heard if isinstance(event, Diverged))
    assert [member.seed for member in told.members] == [2] and told.divergences == [
        broken[1]
    ]
    well, ill = (
        load_run(run_folder(tmp_path / where, config)) for where in ("well", "ill")
    )
    assert (
        ill.meta["diverged"] == {"2": 57}
        and ill.meta["diverged_in"]["2"]["update"] == 230
    )
    rows, broken_run = [0, 1, 3], arrays_of_run(ill)
    for name, values in arrays_of_run(well).items():
        if np.shape(values)[:1] == (4,):
            np.testing.assert_array_equal(
                values[rows], broken_run[name][rows], err_msg=name
            )
    assert np.isnan(ill.metrics["eval_return"][2, 1:]).all() and np.isfinite(
        ill.metrics["eval_return"][2, 0]
    )


def test_a_run_of_which_every_seed_breaks_keeps_its_last_good_checkpoint(
    tmp_path, nan_at_update_230
):
    nan_at_update_230([0, 1])
    config = short()
    found = run([config], tmp_path, devices=ONE, training=ALWAYS)
    assert set(found[0]) == {0, 1}
    folder = run_folder(tmp_path, config)
    (place,) = folder.glob("checkpoints/*/state")
    with Checkpoints(place) as checkpoints:
        newest = checkpoints.read(checkpoints.steps()[0])
    assert newest.step == 50
    assert all(
        np.isfinite(leaf).all()
        for leaf in newest.arrays.values()
        if leaf.dtype.kind == "f"
    )


def test_verify_and_play(whole, tmp_path, capsys):
    place = tmp_path / "results" / "going_together" / whole.folder.name
    shutil.copytree(whole.folder, place)
    assert main(["verify", str(place)]) == 0
    assert "6 of 6 parts verified" in " ".join(capsys.readouterr().out.split())
    console = Screen(record=True, width=200)
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
        episodes = jax.vmap(greedy_rollout(env, actors.act), in_axes=(0, None))(
            keys, params
        )
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
        (["play", "/nowhere/run"], "must be a run's folder, such as"),
        (
            ["train", "clustering", "checkpoint_minutes=-1"],
            "checkpoint_minutes=-1: must be at least 0",
        ),
        (
            ["train", "clustering", "replay_every=0"],
            "replay_every=0: must be at least 1",
        ),
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


@pytest.mark.parametrize("name", ["meta.json", "metrics.npz"])
def test_verify_finds_a_changed_figure(whole, tmp_path, capsys, name):
    folder = tmp_path / whole.folder.parent.name / whole.folder.name
    shutil.copytree(whole.folder, folder)
    assert main(["verify", str(folder)]) == 0
    content = bytearray((folder / name).read_bytes())
    place = (
        content.index(b'"wall_seconds": ') + 16
        if name == "meta.json"
        else len(content) // 2
    )
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
    run([config], tmp_path / "stopped", Hooks(report=told.append), jax.devices()[:2])
    assert told == ["resumes from episode 75"]
    one, other = (
        load_run(run_folder(tmp_path / where, config)) for where in ("whole", "stopped")
    )
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
    run([config], tmp_path / "stopped", Hooks(report=told.append), ONE)
    assert told[0] == "begun on 2 devices, resumes on 1: no longer equal bit for bit"
    one, other = (
        load_run(run_folder(tmp_path / where, config)).metrics
        for where in ("whole", "stopped")
    )
    np.testing.assert_allclose(one["eval_return"], other["eval_return"], rtol=1e-3)


def test_the_log_is_whole_though_the_disk_was_full(whole, tmp_path, monkeypatch):
    """`metrics.jsonl` cannot be written for a while: training goes on; in the end it is whole."""
    honest, told = log._append, []

    def full(members, episode, values):
        if episode < 150:
            raise OSError(28, "No space left on device")
        honest(members, episode, values)

    monkeypatch.setattr(log, "_append", full)
    run([short()], tmp_path, Hooks(report=told.append), ONE)
    assert len(told) == 1 and "No space left" in told[0]
    written = RunFolder.of(tmp_path, short()).final.log
    assert written.read_text(encoding="utf-8") == (
        whole.folder / "metrics.jsonl"
    ).read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_log_that_cannot_be_made_whole_is_not_sealed(whole, tmp_path, monkeypatch):
    """The disk is full at the end: the job fails, and the next process has nothing to train."""

    def full(run):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(log, "_write_whole", full)
        with pytest.raises(OSError, match="No space left"):
            run([short()], tmp_path, devices=ONE)
    events = []
    run([short()], tmp_path, Hooks(observers=[write_log, events.append]), ONE)
    assert not any(isinstance(event, Advanced) for event in events)
    assert_equal_runs(whole, load_run(run_folder(tmp_path, short())))
