"""The example that reads results, on the published runs."""

import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "read_results.py"


@pytest.mark.slow
def test_the_example_prints_the_published_results(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", [str(EXAMPLE)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    out = capsys.readouterr().out
    # README's table: the mean of 5 seeds, not the interquartile mean that stands there.
    assert "adagrad         20000  4.33       1.12      5         0" in out
    assert "rates of its agents [" in out


def test_it_is_short():
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) < 120
