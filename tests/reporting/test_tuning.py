"""Tuning curves and the table of worth, from run folders and an exhibit's description."""

import csv
import io

import numpy as np
import pytest

from adama_jax.config.exhibits import Exhibit, Length, load_exhibits
from adama_jax.errors import SettingError
from adama_jax.reporting.exhibits import draw
from adama_jax.reporting.tuning import lines, searched, tuning_curves, worth_table
from adama_jax.studies.exhibits import chosen_from, on_disk, shown
from tests.helpers import fake_search

ON_OTHER_SEEDS = """
title = "Trials"
draw = "heat_map"
scenarios = ["going_together"]
seed = 100
seeds = 3
episodes = 700
[[curves]]
method = "fixed"
axes = { critic_rate = [0.001, 0.002, 0.003, 0.004], actor_budget = [0.001] }
"""
EXHIBIT = """
title = "Worth"
draw = "worth"
scenarios = ["going_together"]
episodes = 700
methods = ["adama"]
[[curves]]
method = "fixed"
label = "search"
chosen_by = "grid"
axes = { critic_rate = [0.001, 0.002, 0.003, 0.004], actor_budget = [0.001] }
"""


def test_the_search_is_what_is_there_on_both_seeds(tmp_path):
    report, choice, method = fake_search(tmp_path)
    found = searched([method, *report], choice)
    assert found is not None
    assert found.sweep.choice.shape == (4, 3) and found.sweep.report.shape == (4, 5)
    assert [run.folder for run in found.methods] == [method.folder]
    # One trial is missing: another best would be chosen without it.
    assert searched([method, *report[1:]], choice) is None
    assert searched([method, *report], []) is None


def test_a_method_in_the_middle_is_worth_between_one_trial_and_two(tmp_path):
    """One is expected to end at the mean of all four, 2.5, two at 10/3."""
    report, choice, method = fake_search(tmp_path)
    (line,) = lines([method, *report], choice)
    summary = line.summary
    assert (summary.label, summary.seeds, line.trials) == ("adama", 5, 4)
    assert line.worth.told
    assert line.worth.trials == pytest.approx(1.3)
    assert summary.final.iqm == pytest.approx(2.77 * (18 / 19 + 1) / 2)


def test_the_table_in_markdown_and_csv(tmp_path):
    report, choice, method = fake_search(tmp_path)
    exhibit = Exhibit("worth", "How much", "worth", ("going_together",))
    texts = worth_table(exhibit, [method, *report], choice)
    assert texts[".md"].startswith("How much. worth: trials of the search that are")
    assert "| going_together | adama (5 seeds) | 1.3 of 4 [1.3, 1.3] |" in texts[".md"]
    (row,) = csv.DictReader(io.StringIO(texts[".csv"]))
    assert row["method"] == "adama" and row["told"] == "True"
    assert float(row["worth"]) == pytest.approx(1.3)


def test_a_label_can_break_neither_table(tmp_path):
    """A bar would end a cell of Markdown, and a spreadsheet would run a formula."""
    report, choice, method = fake_search(tmp_path)
    exhibit = Exhibit("worth", "How much", "worth", ("going_together",))
    named = method._replace(label="=a|b")
    texts = worth_table(exhibit, [named, *report], choice)
    assert "| =a\\|b (5 seeds) |" in texts[".md"]
    (row,) = csv.DictReader(io.StringIO(texts[".csv"]))
    assert row["method"] == "'=a|b"


def test_the_curve_of_a_panel_is_the_expected_best(tmp_path):
    report, choice, method = fake_search(tmp_path)
    figure = tuning_curves({"going_together": [method, *report]}, "Title", choice)
    # There is no trial 1.5.
    assert all(float(tick).is_integer() for tick in figure.axes[0].get_xticks())
    (axes,) = figure.axes
    search, across = axes.get_lines()
    scale = (18 / 19 + 1) / 2
    # Of two of four trials: the mean of the best is 10/3.
    expected = scale * (np.array([2.5, 10 / 3, 3.75, 4.0]) + 0.02)
    np.testing.assert_allclose(search.get_ydata(), expected)
    assert across.get_ydata()[0] == pytest.approx(2.77 * scale)
    missing = tuning_curves({"going_together": report[1:]}, "Title", choice)
    assert missing.axes[0].texts[0].get_text() == "trials are missing"


def exhibits_of(tmp_path, text=EXHIBIT, other=ON_OTHER_SEEDS):
    (tmp_path / "worth.toml").write_text(text, encoding="utf-8")
    (tmp_path / "grid.toml").write_text(other, encoding="utf-8")
    return load_exhibits(tmp_path / "worth.toml")


def test_an_exhibit_has_its_search_chosen_by_another(tmp_path):
    exhibits = exhibits_of(tmp_path)
    assert set(exhibits) == {"worth", "grid"}
    worth = exhibits["worth"]
    rows = shown(worth, exhibits, Length(), tmp_path)
    assert [row.chosen_from for row in rows] == ["", *["grid"] * 4]
    fake_search(tmp_path)
    found = on_disk(rows, tmp_path)
    assert found.missing == []
    choice = chosen_from(rows, exhibits, Length(), tmp_path)
    assert [run.config.seed for run in choice] == [100] * 4
    for kind in ("worth", "tuning_curves"):
        drawn = with_drawing(worth, kind)
        draw(drawn, found.runs, [], tmp_path / "figures", choice)
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {"worth.md", "worth.csv", "worth.json", "worth.png", "worth.pdf"} == names
    table = (tmp_path / "figures" / "worth.md").read_text(encoding="utf-8")
    assert "1.3 of 4" in table


def with_drawing(exhibit, kind):
    return Exhibit(**{**vars(exhibit), "draw": kind})


WRONG = [
    (EXHIBIT.replace('chosen_by = "grid"', ""), "chosen_by: must be given of one"),
    (
        EXHIBIT.replace('draw = "worth"', 'draw = "returns"'),
        "chosen_by: must be left out: draw=returns does not read it",
    ),
    (
        EXHIBIT.split("axes =", maxsplit=1)[0],
        "chosen_by: must be left out: only of a curve with axes is a best one chosen",
    ),
    (EXHIBIT + "\n[[curves]]\n" + EXHIBIT.split("[[curves]]")[1], "chosen_by: must be"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_search_that_cannot_be_is_refused(tmp_path, text, message):
    with pytest.raises(SettingError) as error:
        exhibits_of(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'worth.toml'}: {message}")


def test_a_search_is_not_chosen_by_the_seeds_that_are_reported(tmp_path):
    other = ON_OTHER_SEEDS.replace("seed = 100", "seed = 4")
    with pytest.raises(SettingError, match="worth: chosen_by=grid: must be of other"):
        exhibits_of(tmp_path, other=other)
