"""What a person is told while runs train."""

import io

import numpy as np
import pytest
from rich.console import Console

from adama_jax.config.schema import scenario_config
from adama_jax.execution.loop import Moved, Point
from adama_jax.execution.progress import Reporter, progress_bars

CONFIG = scenario_config("predator_prey")
VALUES = {name: np.ones(2) for name in ("eval_return", "critic_rate", "actor_budget")}


def moved(episode, seconds):
    return Moved(1, 1, episode, CONFIG.episodes, 50, seconds)


@pytest.fixture
def heard():
    text = io.StringIO()
    with progress_bars(Console(file=text, width=200)) as bars:
        yield Reporter("a run", [CONFIG], ["adama"], bars), text


def test_the_first_chunk_is_told_where_there_is_no_bar(heard):
    reporter, text = heard
    for episode in (50, 100):
        reporter.moved(moved(episode, 0.94))
    lines = text.getvalue().splitlines()
    assert lines == ["a run: compiling ...", "a run: training, episodes 1 to 50 of 50,000 in 0.9 s"]


def test_a_run_that_goes_on_says_from_where(heard):
    reporter, text = heard
    reporter.moved(moved(30_050, 1.0))
    assert (
        text.getvalue().splitlines()[-1]
        == "a run: training, episodes 30,001 to 30,050 of 50,000 in 1.0 s"
    )


def test_the_time_foretold_does_not_count_what_was_compiled_beside_the_first_chunks(heard):
    """Five chunks of 50 episodes, of which four take a second, and evaluations of half a second each 250 episodes."""
    reporter, text = heard
    for chunk, seconds in enumerate((9.0, 1.0, 1.0, 1.0, 1.0)):
        reporter.moved(moved(50 * (chunk + 1), seconds))
    reporter(Point(1, 1, 250, CONFIG.episodes, 250, 13.5, VALUES))
    assert (
        "50,000 episodes will take about 18 minutes" in text.getvalue()
    )  # (1 / 50 + 0.5 / 250) * 50,000 / 60


def test_the_bar_moves_at_each_chunk():
    with progress_bars(Console(file=io.StringIO(), force_terminal=True, width=120)) as bars:
        reporter = Reporter("a run", [CONFIG], ["adama"], bars)
        (task,) = bars.tasks
        reporter.moved(moved(50, 1.0))
        assert (task.completed, task.total, task.fields["news"]) == (50, 50_000, "training")
        reporter(Point(1, 1, 250, CONFIG.episodes, 250, 6.0, VALUES))
        reporter.moved(Moved(2, 2, 300, CONFIG.episodes, 50, 1.0))
        assert (task.completed, task.total) == (50_300, 100_000)
        assert task.fields["news"].startswith("return 1.00")
