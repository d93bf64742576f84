"""Statistics and tables from run folders with known numbers."""

import csv
import io

import numpy as np
import pytest

# A console that reads markup, unlike the package's own: the tables must not rely on that.
from rich.console import Console  # noqa: TID251

from adama_jax.config.identity import to_dict
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.reporting import labels, statistics, summary, tables
from adama_jax.reporting.present import show_experiment
from adama_jax.screen.console import Screen
from tests.helpers import fake_config, fake_run


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
    # An exhibit leaves the learner out of its labels.
    short = [run._replace(label=run.config.method) for run in runs]
    assert [line.improvement for line in summary.summarise(short)[::2]] == [0.5, 0.5]
    # What a sweep or a grid chose is no baseline.
    best = [runs[0], runs[1]._replace(label="fixed_best")]
    assert np.isnan(summary.summarise(best)[0].improvement)


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


def test_a_baseline_has_the_same_algorithm(tmp_path):
    base = with_settings(scenario_config("MPE_simple_spread_v3_harl"), {"seeds": 2})
    runs = [
        fake_run(
            tmp_path,
            finals=finals,
            config=with_settings(base, {"method": method, "algorithm": algorithm}),
        )
        for method, algorithm, finals in (
            ("fixed", "maddpg", (1.0, 1.0)),
            ("adama", "matd3", (4.0, 4.0)),
            ("fixed", "matd3", (2.0, 5.0)),
        )
    ]
    lines = summary.summarise(runs)
    assert [line.label for line in lines] == [
        "fixed, harl",
        "adama, harl, matd3",
        "fixed, harl, matd3",
    ]
    # Beside MADDPG's it would be 1.
    assert lines[1].improvement == 0.5


def test_a_baseline_is_in_the_same_world(tmp_path):
    """Its numbers are part of it: in a larger box returns are lower whatever the method."""
    smaller = fake_run(tmp_path, "fixed", finals=np.zeros(5))
    config = with_settings(fake_config("adama", 5), {"world.side": 3.0})
    larger = fake_run(tmp_path, config=config, finals=np.ones(5))
    here = fake_run(tmp_path, "adama", finals=np.ones(5))
    _, elsewhere, beside = summary.summarise([smaller, larger, here])
    assert np.isnan(elsewhere.improvement)
    assert beside.improvement == 1.0


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


def with_curve(run, episode, returns):
    """The same run with these greedy returns, one row for each seed."""
    changed = {"episode": np.array(episode), "eval_return": np.array(returns, float)}
    return run._replace(metrics=run.metrics | changed)


def test_the_area_of_a_bent_curve_is_by_trapezia(tmp_path):
    """By hand: (0 + 2) / 2 over 100 episodes, then (2 + 6) / 2 over 300."""
    bent = with_curve(fake_run(tmp_path, finals=(1.0,)), [100, 200, 500], [[0, 2, 6]])
    np.testing.assert_allclose(summary.areas(bent), [(100 + 1200) / 400])
    # Of so few points the last alone is the end.
    np.testing.assert_array_equal(summary.final_returns(bent), [6.0])


def test_a_curve_of_one_point_is_that_point(tmp_path):
    point = with_curve(fake_run(tmp_path, finals=(1.0, 2.0)), [100], [[3], [5]])
    np.testing.assert_array_equal(summary.areas(point), [3.0, 5.0])
    np.testing.assert_array_equal(summary.final_returns(point), [3.0, 5.0])


def test_a_diverged_seed_has_no_area_and_is_in_no_mean_curve(tmp_path):
    """The second seed is lost at 100 episodes: what it had before counts nowhere."""
    run = fake_run(tmp_path, finals=(1.0, 1.0), diverged={"1": 100})
    run = with_curve(run, [100, 200], [[0, 4], [8, 8]])
    np.testing.assert_array_equal(summary.areas(run), [2.0, np.nan])
    other = fake_run(tmp_path, "fixed", finals=(1.0, 1.0))
    other = with_curve(other, [100, 200], [[1, 2], [1, 2]])
    lost, base = summary.summarise([run, other])
    assert lost.episodes_to_baseline == 200
    # Equal is reached.
    assert base.episodes_to_baseline == 200


def test_the_level_to_reach_is_the_baseline_s_mean(tmp_path):
    """Of 0, 0, 0 and 12: 3, where the interquartile mean is 0."""
    base = fake_run(tmp_path, "fixed", finals=(0.0,) * 4)
    base = with_curve(base, [100, 200, 300], [[-1, -1, 0]] * 3 + [[-1, -1, 12]])
    run = fake_run(tmp_path, finals=(1.0, 1.0))
    run = with_curve(run, [100, 200, 300], [[1, 2, 4], [1, 2, 4]])
    assert summary.summarise([run, base])[0].episodes_to_baseline == 300


def test_the_baseline_is_the_first_plain_run_of_its_method(tmp_path):
    """Not one that was chosen from a grid, nor a later one with other settings."""
    run = fake_run(tmp_path, finals=(2.0, 2.0))
    plain = fake_run(tmp_path, "fixed", finals=(1.0, 1.0))
    best = fake_run(
        tmp_path,
        finals=(3.0, 3.0),
        config=fake_config("fixed", 2, **{"rates.critic_rate": 0.1}),
    )
    chosen = best._replace(label="fixed_best")
    for runs in ([chosen, plain, run], [plain, best, run]):
        lines = summary.summarise(runs)
        assert lines[-1].improvement == 1.0
    assert summary.summarise([best, plain, run])[-1].improvement == 0.0


def line(label="adama", final=1.0, diverged=0, interval=(0.5, 1.5), **changes):
    """A line of the table in which every number is another."""
    values = {
        "scenario": "clustering",
        "label": label,
        "episodes": 8000,
        "seeds": 5,
        "diverged": diverged,
        "final": summary.Score(final, 0.25, final + 0.125, interval),
        "area": summary.Score(-20.25, 2.5, -21.5, (-22.75, -19.125)),
        "improvement": 0.75,
        "improvement_interval": (0.375, 0.9375),
        "episodes_to_baseline": 3200,
        "updates_per_second": 123.5,
    }
    return summary.Summary(**(values | changes))


def test_the_best_come_first_and_those_that_lost_a_seed_last():
    lines = [
        line("low", 1.0),
        line("lost", 9.0, diverged=1),
        line("high", 3.0),
        line("none", float("nan"), diverged=5),
        line("middle", 2.0),
    ]
    order = [each.label for each in summary.ranked(lines)]
    assert order == ["high", "middle", "low", "lost", "none"]


def test_every_number_stands_in_its_column():
    """Of the CSV in full, of the other tables to three digits."""
    (row,) = csv.DictReader(io.StringIO(tables.to_csv([line()])))
    assert row == {
        "scenario": "clustering",
        "label": "adama",
        "episodes": "8000",
        "seeds": "5",
        "diverged": "0",
        "final": "1.0",
        "deviation": "0.25",
        "iqm": "1.125",
        "interval_low": "0.5",
        "interval_high": "1.5",
        "area": "-20.25",
        "area_deviation": "2.5",
        "area_iqm": "-21.5",
        "area_interval_low": "-22.75",
        "area_interval_high": "-19.125",
        "improvement": "0.75",
        "improvement_interval_low": "0.375",
        "improvement_interval_high": "0.9375",
        "episodes_to_baseline": "3200",
        "updates_per_second": "123.5",
    }
    headings, (cells,) = tables.cells([line(final=9.996)])
    assert dict(zip(headings, cells, strict=True)) == {
        "scenario": "clustering",
        "method": "adama (5 seeds)",
        "final ± sd": "10.0 ± 0.25",
        "IQM [95% interval]": "10.1 [0.50, 1.50]",
        "area, IQM [95% interval]": "-21.5 [-22.8, -19.1]",
        "P(above fixed) [interval]": "0.75 [0.38, 0.94] not told apart",
        "episodes to fixed's final": "3,200",
    }


def test_what_there_is_not_is_a_dash_or_empty():
    nothing = (float("nan"), float("nan"))
    alone = line(
        interval=nothing,
        improvement=float("nan"),
        improvement_interval=nothing,
        episodes_to_baseline=None,
    )
    # Of one line alone no column compares.
    cells, _ = tables.cells([alone, line()])[1]
    assert cells[3] == "1.12" and cells[5:] == ["-", "-"]
    (row,) = csv.DictReader(io.StringIO(tables.to_csv([alone])))
    assert (
        row["interval_low"]
        == row["improvement_interval_high"]
        == row["episodes_to_baseline"]
        == ""
    )


def test_how_many_seeds_runs_have_and_what_a_film_is_called(tmp_path):
    two = fake_run(tmp_path, finals=(1.0, 1.0), config=fake_config("adama", 2, seed=7))
    three = fake_run(tmp_path, "fixed", finals=(1.0, 1.0, 1.0))
    assert labels.seeds([two, two]) == "2 seeds"
    assert labels.seeds([three, two]) == "2 to 3 seeds"
    assert labels.title(two, row=1) == "going_together, adama, seed 8"


def told(finals, theirs=(1.0, 2.0, 3.0, 4.0, 5.0)):
    """The summary of a run beside the baseline, by their final returns."""
    interval = statistics.improvement_interval(np.array(finals), np.array(theirs))
    return summary.Summary(
        scenario="clustering",
        label="adama",
        episodes=100,
        seeds=5,
        diverged=0,
        final=summary.Score(3.0, 1.0, 3.0, (2.0, 4.0)),
        area=summary.Score(3.0, 1.0, 3.0, (2.0, 4.0)),
        improvement=0.5,
        improvement_interval=interval,
        episodes_to_baseline=None,
        updates_per_second=1.0,
        method="adama",
        direction_floor=0.1,
    )


@pytest.mark.parametrize(
    ("finals", "apart"),
    [
        ((1.0, 2.0, 3.0, 4.0, 5.0), False),
        ((2.0, 3.0, 4.0, 5.0, 6.0), False),
        ((6.0, 7.0, 8.0, 9.0, 10.0), True),
        ((-5.0, -4.0, -3.0, -2.0, -1.0), True),
        ((9.0,), True),  # one seed: there is no interval, and nothing is said
    ],
)
def test_a_table_says_where_runs_are_not_told_apart(finals, apart):
    line = told(finals)
    assert summary.is_told_apart(line) == apart
    assert (tables.NOT_TOLD_APART in tables.markdown([line])) == (not apart)


def test_the_caption_names_what_acts_and_is_not_printed(tmp_path):
    runs = [fake_run(tmp_path, method) for method in ("fixed", "direction", "adama")]
    lines = summary.summarise(runs)
    caption = tables.caption(lines)
    assert "direction_floor=0.1" in caption and "in direction, adama." in caption
    assert tables.texts(lines)[".md"].startswith(caption)
    assert tables.caption(lines[:1]) == tables.CAPTION
    printed = [line._replace(direction_floor=0.0) for line in lines]
    assert tables.caption(printed) == f"{tables.CAPTION} {tables.COMPARED}"


def test_where_there_is_nothing_to_compare_with_no_column_compares(tmp_path):
    lines = summary.summarise([fake_run(tmp_path, "adama")])
    headings, rows = tables.cells(lines)
    assert [len(row) for row in rows] == [len(headings)] == [5]
    assert "fixed" not in tables.texts(lines)[".md"]
    shown = tables.table(lines, "title")
    assert len(shown.columns) == 4 and "fixed" not in str(shown.caption)
    # Other programs read the CSV, whose columns stay.
    assert ",improvement," in tables.to_csv(lines).splitlines()[0]


def test_where_two_learners_are_shown_each_label_says_which(tmp_path):
    """In the pictures and in the table; what is compared with what stays as it was."""
    paper = [fake_run(tmp_path, method) for method in ("adama", "fixed")]
    modern = []
    for run in paper:
        config = with_settings(
            scenario_config("going_together_modern"), {"method": run.config.method}
        )
        stored = to_dict(config)
        modern.append(run._replace(config=config, label=config.label, stored=stored))
    show_experiment([*modern, *paper], tmp_path, Screen())
    table = (tmp_path / "results.csv").read_text(encoding="utf-8")
    found = list(csv.DictReader(io.StringIO(table)))
    assert [row["label"] for row in found] == [
        "adama, modern",
        "fixed, modern",
        "adama, paper",
        "fixed, paper",
    ]
    assert [row["improvement"] != "" for row in found] == [True, False, True, False]
    show_experiment(paper, tmp_path, Screen())
    table = (tmp_path / "results.csv").read_text(encoding="utf-8")
    assert "paper" not in table


NAMES = ["fixed [bold]m[/bold]=40 :bug:", "[red]", "a|b", "=1+1"]


@pytest.mark.parametrize("build", [tables.table, tables.ranking])
def test_brackets_in_names_are_shown_as_they_are(build):
    lines = [told((1.0, 2.0))._replace(label=name) for name in NAMES]
    console = Console(width=200, file=io.StringIO())
    console.print(build(lines, "title [bold]of[/bold] it"))
    shown = console.file.getvalue()
    assert all(name in shown for name in [*NAMES, "title [bold]of[/bold] it"])


def test_a_bar_in_a_name_ends_no_cell():
    text = tables.markdown([told((1.0, 2.0))._replace(label="9|8")])
    assert r"9\|8" in text
    heads, _, row = (line.replace(r"\|", "").count("|") for line in text.splitlines())
    assert heads == row


@pytest.mark.parametrize("begins", ["=", "+", "-", "@"])
def test_a_name_is_no_formula_for_a_spreadsheet(begins):
    name = f"{begins}HYPERLINK(1)"
    line = told((1.0, 2.0))._replace(label=name, scenario=name, updates_per_second=-2.0)
    (row,) = csv.DictReader(io.StringIO(tables.to_csv([line])))
    assert row["label"] == row["scenario"] == f"'{name}"
    # A number below 0 is one still.
    assert row["updates_per_second"] == "-2.0"


@pytest.mark.parametrize("build", [tables.table, tables.ranking])
def test_a_screen_that_has_only_ascii_gets_a_table_in_it(build):
    """In columns that are as straight as elsewhere."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(width=80, file=stream)
    line = told((1.0, 2.0, 3.0, 4.0, 5.0))
    console.print(build([line], "title", console.options.ascii_only))
    stream.flush()
    shown = stream.buffer.getvalue().decode("ascii")
    assert "+- " in shown
    rows = [
        each for each in shown.splitlines() if "[2.00, 4.00]" in each or "+-" in each
    ]
    assert len({len(each) for each in rows}) == 1


@pytest.mark.parametrize("letter", ["\t", "\r", "\n"])
def test_a_name_ends_no_line_of_a_file(letter):
    line = told((1.0, 2.0))._replace(label=f"{letter}=1+1")
    (row,) = csv.DictReader(io.StringIO(tables.to_csv([line])))
    assert row["label"] == f"{letter}=1+1".encode("unicode_escape").decode()
