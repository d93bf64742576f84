"""A page shows the searches that a results folder holds."""

import pytest

from adama_jax.config.names import with_settings
from adama_jax.reporting.page import report
from adama_jax.reporting.searches import searches
from tests.helpers import TRIAL_RATES, fake_search, fake_trial


@pytest.fixture
def tables(tmp_path):
    """Of seeds 0 to 4, with a method beside, and of seeds 100 to 102."""
    reported, choice, method = fake_search(tmp_path)
    return [method, *reported], choice


@pytest.mark.parametrize("order", [1, -1])
def test_a_sweep_on_two_sets_of_seeds_is_a_search(tables, order):
    """Reported is what has a method beside, whichever is read first."""
    (found,) = searches(tables[::order])
    assert found.name == "fixed on sgd"
    assert [run.folder for run in found.runs] == [run.folder for run in tables[0]]
    assert {run.folder for run in found.chosen_from} == {
        run.folder for run in tables[1]
    }


def test_beside_a_search_are_other_methods_of_the_same_algorithm(tables, tmp_path):
    """Neither more settings of the method that was searched, nor another algorithm."""
    reported, choice = tables
    more = fake_trial(tmp_path, 0.02, 0, 5)
    config = with_settings(reported[0].config, {"algorithm": "matd3"})
    other = reported[0]._replace(config=config)
    (found,) = searches([[*reported, more, other], choice])
    assert [run.folder for run in found.runs] == [run.folder for run in reported]


def test_what_is_no_search(tables, tmp_path):
    reported, choice = tables
    assert searches([reported]) == []
    # Three trials, seeds in common, another world.
    assert searches([reported, choice[:3]]) == []
    overlapping = [fake_trial(tmp_path, rate, 4, 3) for rate in TRIAL_RATES]
    assert searches([reported, overlapping]) == []
    elsewhere = []
    for run in choice:
        config = with_settings(run.config, {"world.side": 3.0})
        elsewhere.append(run._replace(config=config))
    assert searches([reported, elsewhere]) == []


def test_a_page_says_what_a_method_is_worth(tables, tmp_path):
    page = report(tmp_path, tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    assert "The best of k settings of fixed on sgd, expected, against k" in text
    # Between the expected best of 2 of the four trials, 3.3, and one at random, 2.5.
    assert "of 4 [" in text
    assert "chosen on other seeds than it is reported on" in text


def test_a_page_without_a_search_says_nothing_of_trials(tmp_path):
    for rate in TRIAL_RATES:
        fake_trial(tmp_path, rate, 0, 5)
    text = report(tmp_path, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The best of k settings" not in text
