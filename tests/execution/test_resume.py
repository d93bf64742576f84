"""Runs that are stopped or killed: what goes on, from where, and that nothing differs for it."""

import shutil
from dataclasses import replace

import jax
import numpy as np
import pytest

from adama_jax.errors import Interrupted
from adama_jax.execution import program as program_module
from adama_jax.execution import results
from adama_jax.execution.events import Advanced
from adama_jax.execution.log import write_log
from adama_jax.execution.observer import Hooks
from adama_jax.execution.runner import run
from adama_jax.storage import provenance
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.reader import load_run
from tests.helpers import (
    ALWAYS,
    ONE,
    assert_equal_runs,
    assert_equal_states,
    short,
    stop_at,
)


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


@pytest.mark.slow
def test_a_run_says_on_which_machines_it_was_trained(tmp_path, monkeypatch):
    """Seeds 0 and 1 are at their end, 2 and 3 in the middle, when another JAX takes over."""
    config = short(seeds=4)

    def of_version(version):
        def machine(used=None, config=None):
            found = provenance.machine(used, config)
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
def test_every_leaf_of_the_last_checkpoint_is_equal(tmp_path):
    """Not only what a run leaves behind: parameters, targets, optimizers, rates, replay, keys,
    counters.
    """
    kept = replace(ALWAYS, keep_last=True)
    for where in ("straight", "stopped"):
        if where == "stopped":
            with pytest.raises(Interrupted):
                run([short()], tmp_path / where, stop_at(3), ONE, training=kept)
        run([short()], tmp_path / where, devices=ONE, training=kept)
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
