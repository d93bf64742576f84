"""Runs as tables and labelled arrays: every number in its place, whatever runs lack."""

import dataclasses
import json
import sys

import numpy as np
import pytest

from adama_jax import load_runs, to_dataframe, to_dataset, to_marl_eval
from adama_jax.errors import DamagedFile, MissingPackage, SettingError
from adama_jax.reporting.frames import settings_of
from tests.helpers import fake_config, fake_run


@pytest.fixture
def runs(tmp_path):
    """Three seeds of 20 points, and two of 5, of which one diverged."""
    config = fake_config("fixed", 2, seed=1, **{"networks.hidden": (8, 8)})
    fake_run(tmp_path, "adama", (1.0, 2.0, 3.0))
    fake_run(tmp_path, "fixed", (4.0, 5.0), {"2": 300}, points=5, config=config)
    return load_runs(tmp_path)


def test_a_row_is_a_seed_at_a_point(runs):
    frame = to_dataframe(runs)
    assert len(frame) == 3 * 20 + 2 * 5
    of_run = frame[(frame.method == "fixed") & (frame.seed == 2)]
    assert of_run.episode.tolist() == [100, 200, 300, 400, 500]
    assert of_run.eval_return.tolist() == [0.0, 1.25, 2.5, 3.75, 5.0]
    np.testing.assert_allclose(of_run.actor_rates_0, of_run.eval_return + 1)
    assert of_run.diverged.all() and not frame[frame.method == "adama"].diverged.any()
    assert set(frame.run) == {f"going_together/{run.folder.name}" for run in runs}


def test_settings_are_columns_by_their_full_names(runs):
    frame = to_dataframe(runs)
    by_method = frame.groupby("method").first()
    assert by_method["networks.hidden"].to_dict() == {"adama": "64,64", "fixed": "8,8"}
    assert by_method["rates.critic_rate"].tolist() == [0.008, 0.008]
    assert by_method["run.episodes"].tolist() == [30_000, 30_000]
    assert by_method["learning.batch_size"].dtype.kind == "i"
    assert not frame.columns.duplicated().any()


def test_a_world_of_somebody_s_own_is_read_from_the_file_and_runs_no_code(tmp_path):
    """Before its module is imported and after, and where it cannot be."""
    config = fake_config("adama", 2)
    run = fake_run(tmp_path / "results", config=config)
    stored = json.loads((run.folder / "config.json").read_text(encoding="utf-8"))
    stored |= {"scenario": "nobodys.world:make", "world": {"gravity": 9.8}}
    stand_in = dataclasses.replace(run.config, scenario="nobodys.world:make")
    own = run._replace(config=stand_in, stored=stored)
    settings = settings_of(own)
    assert settings["world.gravity"] == 9.8
    of_the_world = [name for name in settings if name.startswith("world.")]
    assert of_the_world == ["world.gravity"]
    assert to_dataframe([own])["world.gravity"].unique().tolist() == [9.8]


def test_arrays_are_found_by_their_labels(runs):
    data = to_dataset(runs)
    assert dict(data.sizes) == {"run": 2, "seed": 3, "episode": 20, "agent": 2}
    fixed = data.sel(run=data.method == "fixed").isel(run=0)
    assert fixed.eval_return.sel(seed=2, episode=300) == 2.5
    assert fixed.actor_rates.sel(seed=2, episode=300).isel(agent=0) == 3.5
    assert np.isnan(fixed.eval_return.sel(seed=0)).all()
    assert np.isnan(fixed.eval_return.sel(seed=1, episode=2000))
    assert fixed.diverged.values.tolist() == [False, False, True]
    assert data["rates.critic_rate"].dims == ("run",)


def test_what_one_run_measured_and_another_did_not_is_missing(runs):
    one, other = runs
    without = {name: each for name, each in one.metrics.items() if name != "td_loss"}
    two = [one._replace(metrics=without), other]
    frame = to_dataframe(two)
    assert frame.td_loss.isna().sum() == one.metrics["td_loss"].size
    assert np.isnan(to_dataset(two).td_loss.isel(run=0)).all()


def test_the_layout_of_marl_eval(runs):
    data = json.loads(json.dumps(to_marl_eval(runs)))
    algorithms = data["adama_jax"]["going_together"]
    assert sorted(algorithms) == ["adama", "fixed"]
    seed = algorithms["fixed"]["seed_2"]
    assert [*seed] == [*(f"step_{index}" for index in range(5)), "absolute_metrics"]
    # A hundred episodes of ten steps.
    assert seed["step_1"]["step_count"] == 2_000
    assert seed["step_1"]["return"] == [1.25]
    assert seed["absolute_metrics"]["return"] == [5.0]
    assert "actor_rates" not in seed["step_1"]


def test_two_runs_of_one_name_are_refused(runs):
    with pytest.raises(SettingError, match=r"^label=adama: must be of one run: "):
        to_marl_eval([runs[0], runs[0]])


def test_no_runs(tmp_path):
    with pytest.raises(SettingError, match="must be a folder with finished runs"):
        load_runs(tmp_path / "none")
    for function in (to_dataframe, to_dataset):
        with pytest.raises(ValueError, match=r"^runs: must be one or more$"):
            function([])


def test_a_damaged_run_is_an_error_or_a_line(tmp_path):
    good, bad = fake_run(tmp_path, "adama"), fake_run(tmp_path, "fixed")
    (bad.folder / "metrics.npz").write_bytes(b"?")
    with pytest.raises(DamagedFile, match=r"metrics\.npz: is not what was written"):
        load_runs(tmp_path)
    lines = []
    assert [run.label for run in load_runs(tmp_path, lines.append)] == [good.label]
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("function", "package"), [(to_dataframe, "pandas"), (to_dataset, "xarray")]
)
def test_a_missing_package_is_named_with_its_extra(
    runs, monkeypatch, function, package
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackage) as error:
        function(runs)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(
        f" needs {package}: pip install '.[tables]' in the clone"
    )
