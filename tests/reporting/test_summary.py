"""Statistics and tables from run folders with known numbers."""

import csv
import io

import numpy as np

from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.reporting import summary, tables
from adama_jax.screen.console import Screen
from tests.helpers import fake_run


def test_final_returns_and_their_interval(tmp_path):
    run = fake_run(tmp_path)
    last_two = (18 / 19 + 1) / 2
    np.testing.assert_allclose(summary.final_returns(run), np.arange(1, 6) * last_two)
    (line,) = summary.summarise([run])
    np.testing.assert_allclose(
        [line.final.mean, line.final.iqm], [3 * last_two, 3 * last_two]
    )
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


def test_what_learned_nothing_sets_no_level_to_reach(tmp_path):
    """Else all reach it at their first point, and look fast."""
    fast = fake_run(tmp_path, finals=(4.0, 4.0))
    # One of the two seeds ends below its start.
    flat = fake_run(tmp_path, "fixed", finals=(2.0, -1.0))
    assert [line.episodes_to_baseline for line in summary.summarise([fast, flat])] == [
        None,
        None,
    ]
    # A seed that diverged says nothing of the others.
    lost = fake_run(tmp_path, "fixed", finals=(2.0, np.nan), diverged={"1": 100})
    assert summary.summarise([fast, lost])[0].episodes_to_baseline is not None


def test_a_learner_s_baseline_is_its_own(tmp_path):
    finals = {"clustering": (1.0, 2.0), "clustering_modern": (7.0, 8.0)}
    runs = []
    for scenario, ends in finals.items():
        base = with_settings(scenario_config(scenario), {"seeds": 2})
        for method in ("adama", "fixed"):
            config = with_settings(base, {"method": method})
            runs.append(fake_run(tmp_path, finals=ends, config=config))
    lines = summary.summarise(runs)
    assert [line.label for line in lines] == [
        "adama",
        "fixed",
        "adama, modern",
        "fixed, modern",
    ]
    # Beside the modern `fixed` the paper's would be 0.
    assert [line.improvement for line in lines[::2]] == [0.5, 0.5]


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
    runs = [
        fake_run(tmp_path, finals=(4.0, 4.0)),
        fake_run(tmp_path, "fixed", finals=(2.0, 5.0)),
    ]
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
        [line.improvement for line in summary.summarise(runs)],
        [0.5, 1.0, np.nan, np.nan],
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
    assert (
        "adama (1 of 5 seeds diverged)" in text
        and f"{lines[0].final.iqm:.2f} [" in text
    )
    long = fake_run(tmp_path, "direction_2nd", [-11.0] * 5)
    console = Screen(width=80, file=io.StringIO())
    console.show(tables.table(summary.summarise([*runs, long]), "title"))
    shown = console.file.getvalue()
    assert f"{lines[0].final.iqm:.2f}" in shown and "…" not in shown
    assert (
        "direction_2nd" in shown and "[0.00, 0.00]" in shown and "episodes to" in shown
    )
    console.show(tables.ranking(lines, "title"))
    assert "5 (1 div.)" in console.file.getvalue()


def test_diverged_seeds_are_counted_and_left_out(tmp_path):
    run = fake_run(tmp_path, diverged={"4": 17})
    (line,) = summary.summarise([run])
    np.testing.assert_allclose(line.final.mean, 2.5 * (18 / 19 + 1) / 2)
    assert (line.seeds, line.diverged) == (5, 1)
    lost = fake_run(tmp_path, finals=(1.0, 2.0), diverged={"0": 1, "1": 1})
    assert np.isnan(summary.summarise([lost])[0].final.mean)
