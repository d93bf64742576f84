"""docs/results says what the runs in docs/results/runs hold."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from adama_jax.config.exhibits import Length, load_exhibits
from adama_jax.reporting.summary import summarise
from adama_jax.reporting.tables import markdown, to_csv
from adama_jax.studies.exhibits import on_disk, shown

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"


@pytest.fixture(scope="module")
def lines():
    """The summaries of the runs that the page's table shows."""
    exhibits = load_exhibits(ROOT / "experiments")
    length = Length(most=20_000)
    rows = shown(exhibits["results"], exhibits, length, RESULTS / "runs")
    assert len(rows) == 4 * 9
    runs = on_disk(rows, RESULTS / "runs").runs.values()
    return [line for of_scenario in runs for line in summarise(of_scenario)]


def test_the_table_is_what_the_runs_give(lines):
    again = csv.DictReader(io.StringIO(to_csv(lines)))
    text = (RESULTS / "results.csv").read_text(encoding="utf-8")
    stored = csv.DictReader(io.StringIO(text))
    for ours, theirs in zip(again, stored, strict=True):
        for name, value in theirs.items():
            if name in ("scenario", "label") or not value:
                assert ours[name] == value
            else:
                np.testing.assert_allclose(float(ours[name]), float(value), rtol=1e-6)


@pytest.mark.parametrize("page", ["results.md", "README.md"])
def test_the_pages_have_that_table(lines, page):
    text = (RESULTS / page).read_text(encoding="utf-8")
    assert markdown(lines) in text
