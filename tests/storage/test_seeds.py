"""Runs of some seeds each, shown as the run of all of them."""

import dataclasses

import numpy as np
import pytest

from adama_jax.errors import DamagedFile
from adama_jax.reporting.exhibits import provenance
from adama_jax.reporting.summary import final_returns
from adama_jax.storage.glance import glance_at_config
from adama_jax.storage.many import Unusable, look_up
from adama_jax.storage.seeds import find_joined, seeds_to_train
from tests.helpers import fake_config, fake_run

ALL = fake_config(seeds=5)


def part(out, seed, finals, **settings):
    config = dataclasses.replace(ALL, seed=seed, seeds=len(finals))
    return fake_run(out, config=dataclasses.replace(config, **settings), finals=finals)


def test_runs_of_some_seeds_each_are_the_run_of_all(tmp_path):
    part(tmp_path, 2, (3.0, 4.0, 5.0))
    first = part(tmp_path, 0, (1.0, 2.0))
    run = find_joined(tmp_path, ALL, "all")
    assert run is not None and run.label == "all" and run.config == ALL
    np.testing.assert_array_equal(run.metrics["seed"], range(5))
    whole = fake_run(tmp_path / "whole", config=ALL)
    assert run.metrics.keys() == whole.metrics.keys()
    for name, array in whole.metrics.items():
        np.testing.assert_allclose(run.metrics[name], array)
    np.testing.assert_allclose(final_returns(run), final_returns(whole))
    # Looked up, like any other; the one that was trained as it is goes before.
    found = look_up(tmp_path, ALL)
    assert not isinstance(found, Unusable) and found is not None
    assert found.folder == first.folder
    trained = fake_run(tmp_path, config=ALL)
    again = look_up(tmp_path, ALL)
    assert not isinstance(again, Unusable) and again is not None
    assert again.folder == trained.folder


def test_a_joined_run_says_of_what_it_is_made(tmp_path):
    part(tmp_path, 0, (1.0, 2.0))
    part(tmp_path, 2, (3.0, 4.0, np.nan))
    run = find_joined(tmp_path, ALL)
    assert run is not None
    parts = provenance(run)["parts"]
    assert [each["seeds"] for each in parts] == [[0, 1], [2, 3, 4]]
    assert len({each["folder"] for each in parts}) == 2
    assert provenance(run)["seeds"] == 5


def test_a_seed_that_diverged_in_a_part_has_diverged(tmp_path):
    part(tmp_path, 0, (1.0, 2.0, 3.0))
    config = dataclasses.replace(ALL, seed=3, seeds=2)
    fake_run(tmp_path, config=config, finals=(1.0, np.nan), diverged={"4": 100})
    run = find_joined(tmp_path, ALL)
    assert run is not None and run.meta["diverged"] == {"4": 100}
    assert np.isnan(final_returns(run)).tolist() == [False] * 4 + [True]


def test_a_seed_that_two_runs_have_counts_once(tmp_path):
    part(tmp_path, 0, (1.0, 2.0, 3.0))
    part(tmp_path, 2, (30.0, 4.0, 5.0))
    run = find_joined(tmp_path, ALL)
    assert run is not None and seeds_to_train(tmp_path, ALL) == []
    np.testing.assert_array_equal(run.metrics["seed"], range(5))
    finals = run.metrics["eval_return"][:, -1]
    assert finals[2] in (3.0, 30.0) and finals[[0, 1, 3, 4]].tolist() == [1, 2, 4, 5]
    taken = [seed for each in run.meta["parts"] for seed in each["seeds"]]
    assert sorted(taken) == list(range(5))


def test_seeds_that_are_not_all_there_are_no_run(tmp_path):
    assert find_joined(tmp_path, ALL) is None
    part(tmp_path, 0, (1.0, 2.0))
    part(tmp_path, 3, (4.0, 5.0))
    assert find_joined(tmp_path, ALL) is None
    # Seed 2 is there, but with other settings, or of a run that has more.
    part(tmp_path, 2, (3.0,), horizon=99)
    part(tmp_path, 2, (3.0, 4.0, 5.0, 6.0))
    assert find_joined(tmp_path, ALL) is None
    part(tmp_path, 2, (3.0,))
    assert find_joined(tmp_path, ALL) is not None


def test_what_is_left_to_train_is_the_seeds_that_no_run_has(tmp_path):
    assert seeds_to_train(tmp_path, ALL) == [ALL]
    part(tmp_path, 2, (3.0,))
    ranges = [each.seed_range for each in seeds_to_train(tmp_path, ALL)]
    assert ranges == [range(2), range(3, 5)]
    part(tmp_path, 0, (1.0, 2.0))
    (rest,) = seeds_to_train(tmp_path, ALL)
    assert rest == dataclasses.replace(ALL, seed=3, seeds=2)
    part(tmp_path, 3, (4.0, 5.0))
    assert seeds_to_train(tmp_path, ALL) == []


def test_a_part_that_cannot_be_read_is_named(tmp_path):
    part(tmp_path, 0, (1.0, 2.0))
    bad = part(tmp_path, 2, (3.0, 4.0, 5.0)).folder / "metrics.npz"
    bad.write_bytes(b"no arrays")
    with pytest.raises(DamagedFile, match=str(bad)):
        find_joined(tmp_path, ALL)
    found = look_up(tmp_path, ALL)
    assert isinstance(found, Unusable) and str(bad) in found.why


def test_many_missing_runs_read_what_is_beside_them_once(tmp_path, monkeypatch):
    """A figure of a grid that is not there looks a hundred runs up."""
    read = []

    def glance(folder):
        read.append(folder)
        return glance_at_config(folder)

    monkeypatch.setattr("adama_jax.storage.seeds.glance_at_config", glance)
    there = [part(tmp_path, 0, (1.0,), horizon=length).folder for length in (20, 30)]
    for episodes in range(100, 110):
        missing = dataclasses.replace(ALL, episodes=episodes)
        assert look_up(tmp_path, missing) is None
    assert sorted(read) == sorted(there)
