"""Statistics and pictures from run folders with known numbers."""

import csv
import io
import json
import shutil

import matplotlib
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from adama_jax.config.checks import validate
from adama_jax.config.identity import config_hash
from adama_jax.config.names import all_settings, with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.reporting import figures, film, summary, tables
from adama_jax.reporting.page import report
from adama_jax.storage.folder import RunFolder, finished_runs, run_folder
from adama_jax.storage.reader import find_run, has_run, load_run
from adama_jax.storage.writer import RunWriter
from tests.helpers import fake_config, fake_run


def test_final_returns_and_their_interval(tmp_path):
    run = fake_run(tmp_path)
    last_two = (18 / 19 + 1) / 2
    np.testing.assert_allclose(summary.final_returns(run), np.arange(1, 6) * last_two)
    (line,) = summary.summarise([run])
    np.testing.assert_allclose([line.final.mean, line.final.iqm], [3 * last_two, 3 * last_two])
    low, high = line.final.interval
    assert last_two <= low < line.final.iqm < high <= 5 * last_two


def test_episodes_to_the_fixed_method_s_final_return(tmp_path):
    fast, slow = (
        fake_run(tmp_path, finals=(4.0, 4.0)),
        fake_run(tmp_path, "fixed", finals=(2.0, 2.0)),
    )
    lines = summary.summarise([fast, slow])
    level = 2 * (18 / 19 + 1) / 2
    first = int(np.argmax(np.linspace(0, 4, 20) >= level)) + 1
    assert lines[0].episodes_to_baseline == 100 * first
    assert lines[0].episodes_to_baseline < lines[1].episodes_to_baseline


def test_area_under_the_curve(tmp_path):
    """Straight lines from 0 to 1 ... 5: half of each."""
    run = fake_run(tmp_path)
    np.testing.assert_allclose(summary.areas(run), np.arange(1, 6) / 2)
    (line,) = summary.summarise([run])
    np.testing.assert_allclose(
        [line.area.mean, line.area.iqm, line.area.deviation],
        [1.5, 1.5, np.std([0.5, 1, 1.5, 2, 2.5], ddof=1)],
    )
    assert np.isnan(line.improvement)


def test_improvement_over_the_scenario_s_own_baseline(tmp_path):
    runs = [fake_run(tmp_path, finals=(4.0, 4.0)), fake_run(tmp_path, "fixed", finals=(2.0, 5.0))]
    lines = summary.summarise(runs)
    assert lines[0].improvement == 0.5 and lines[0].improvement_interval == (0.0, 1.0)
    assert np.isnan(lines[1].improvement)


def test_a_baseline_has_the_same_optimiser(tmp_path):
    base = with_settings(scenario_config("going_together"), {"seeds": 2})
    configs = [with_settings(base, {"method": method, "optimizer": optimizer})
               for method in ("adama", "fixed") for optimizer in ("adam", None)]  # fmt: skip
    finals = [(4.0, 4.0), (4.0, 4.0), (2.0, 5.0), (1.0, 1.0)]
    runs = [
        fake_run(tmp_path, finals=final, config=config)
        for config, final in zip(configs, finals, strict=True)
    ]
    assert [line.label for line in summary.summarise(runs)] == [
        "adama (adam)",
        "adama",
        "fixed (adam)",
        "fixed",
    ]
    np.testing.assert_equal(
        [line.improvement for line in summary.summarise(runs)], [0.5, 1.0, np.nan, np.nan]
    )


def test_table_csv_and_markdown_say_the_same(tmp_path):
    runs = [fake_run(tmp_path, diverged={"1": 3}), fake_run(tmp_path, "fixed")]
    lines = summary.summarise(runs)
    rows = list(csv.DictReader(io.StringIO(tables.to_csv(lines))))
    assert [row["label"] for row in rows] == ["adama", "fixed"]
    assert (
        float(rows[0]["iqm"]) == lines[0].final.iqm
        and float(rows[0]["interval_low"]) == lines[0].final.interval[0]
    )
    assert rows[1]["improvement"] == ""
    text = tables.markdown(lines)
    assert "adama (1 of 5 seeds diverged)" in text and f"{lines[0].final.iqm:.2f} [" in text
    long = fake_run(tmp_path, "direction_2nd", [-11.0] * 5)
    console = Console(width=80, file=io.StringIO())
    console.print(tables.table(summary.summarise([*runs, long]), "title"))
    shown = console.file.getvalue()
    assert f"{lines[0].final.iqm:.2f}" in shown and "…" not in shown
    assert "direction_2nd" in shown and "[0.00, 0.00]" in shown and "episodes to" in shown
    console.print(tables.ranking(lines, "title"))
    assert "5 (1 div.)" in console.file.getvalue()


def test_diverged_seeds_are_counted_and_left_out(tmp_path):
    run = fake_run(tmp_path, diverged={"4": 17})
    (line,) = summary.summarise([run])
    np.testing.assert_allclose(line.final.mean, 2.5 * (18 / 19 + 1) / 2)
    assert (line.seeds, line.diverged) == (5, 1)
    lost = fake_run(tmp_path, finals=(1.0, 2.0), diverged={"0": 1, "1": 1})
    assert np.isnan(summary.summarise([lost])[0].final.mean)


def test_pictures_are_drawn(tmp_path):
    runs = [fake_run(tmp_path), fake_run(tmp_path, "fixed", diverged={"0": 3})]
    with matplotlib.rc_context({"figure.max_open_warning": 1}):
        for path in (
            figures.learning_curves(runs, tmp_path / "a.png"),
            figures.rate_curves(runs, tmp_path / "b.png"),
        ):
            pixels = np.asarray(Image.open(path).convert("L"))
            assert pixels.shape[0] > 300 and pixels.std() > 10
    with Image.open(film.run_gif(runs[0], tmp_path / "c.gif")) as gif:
        assert gif.n_frames == 4


def test_only_a_whole_run_has_the_final_name(tmp_path):
    config = scenario_config("clustering")
    folder = run_folder(tmp_path, config)
    with RunWriter(folder, config):
        pass
    assert not folder.exists() and not RunFolder(folder).is_finished()
    with pytest.raises(FileNotFoundError, match="no finished run"):
        load_run(folder)
    assert RunFolder(folder).is_begun()


@pytest.mark.parametrize("scenario", ["clustering", "predator_prey", "MPE_simple_spread_v3"])
def test_the_hash_changes_with_every_setting(scenario):
    base = scenario_config(scenario)
    names = dict(all_settings(base))
    changed = [with_settings(base, {name: ("another", value)}) for name, value in names.items()]
    assert (
        len(names) > 30
        and len({config_hash(config) for config in [base, *changed]}) == len(names) + 1
    )


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


def test_a_run_of_a_scenario_that_is_no_more_is_still_shown(tmp_path):
    """Another version's scenario, with settings that this version does not have."""
    run = fake_run(tmp_path)
    stored = json.loads((run.folder / "config.json").read_text())
    stored |= {
        "scenario": "a_world_of_old",
        "world": {"robot": "crab", "backend": "clay"},
        "colour": "red",
    }
    (run.folder / "config.json").write_text(json.dumps(stored))
    read = load_run(run.folder)
    assert (read.config.scenario, read.config.episodes) == ("a_world_of_old", run.config.episodes)
    assert read.config.rates == run.config.rates
    page = report(tmp_path, tmp_path / "page.html").read_text()
    assert "a world of old" in page and "a_world_of_old (crab" in page


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


def test_table_1_is_what_the_scenarios_say():
    rows = {
        "going_together": (2, 10, 0.96, 500_000, 10.0, 8e-3, 3e-3),
        "cooperative_navigation": (4, 6, 0.9, 500_000, 5.0, 9e-3, 2e-3),
        "predator_prey": (4, 20, 0.97, 1_000_000, 50.0, 7e-3, 2e-3),
        "clustering": (8, 10, 0.95, 1_000_000, 80.0, 8e-3, 1e-3),
    }
    for name, row in rows.items():
        c = scenario_config(name)
        validate(c)
        assert (c.world.num_agents, c.horizon, c.learning.discount, c.learning.capacity, c.rates.critic_scale,
                c.rates.critic_rate, c.rates.actor_budget) == row  # fmt: skip
        assert (c.rates.total_rate, c.rates.smoothing, c.rates.clip, c.learning.batch_size, c.networks.hidden) == (
            1e-2, 0.99, 0.1, 1024, (64, 64))  # fmt: skip
        assert (c.learning.targets, c.learning.target_period, c.learning.updates_per_episode) == (
            "hard",
            20,
            1,
        )
        assert (c.exploration.start, c.exploration.end, c.exploration.episodes) == (
            1.0,
            0.1,
            10_000,
        )


def test_an_unknown_scenario_is_refused():
    with pytest.raises(SettingError, match="scenario=nope: must be one of"):
        scenario_config("nope")


def test_a_legend_of_long_names_stays_in_a_narrow_figure(tmp_path):
    run = fake_run(tmp_path)
    names = [
        "direction",
        "direction_2nd, exact",
        "direction_2nd, secant",
        "direction_2nd, lookahead",
    ]
    figure = figures.returns({"going_together": [run._replace(label=name) for name in names]})
    figure.canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width and len(legend.get_texts()) == 4
