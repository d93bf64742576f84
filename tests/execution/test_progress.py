"""What a person is told while runs train."""

import io
from pathlib import Path

import numpy as np
import pytest

from adama_jax.config.schema import scenario_config
from adama_jax.execution.events import (
    Advanced,
    Diverged,
    Divergence,
    Ended,
    Evaluated,
    Member,
    Started,
    Where,
)
from adama_jax.execution.observer import JobInfo
from adama_jax.execution.progress import ProgressObserver
from adama_jax.screen.console import Screen

CONFIG = scenario_config("predator_prey")
MEMBERS = [Member(CONFIG, "adama", seed, Path()) for seed in (0, 1)]
VALUES = {name: np.ones(2) for name in ("eval_return", "critic_rate", "actor_budget")}


def advanced(episode, seconds, cohort=1, cohorts=1):
    return Advanced(
        MEMBERS, Where(cohort, cohorts, episode, CONFIG.episodes), 50, seconds
    )


def evaluated(seconds):
    return Evaluated(MEMBERS, Where(1, 1, 250, CONFIG.episodes), 250, seconds, VALUES)


@pytest.fixture
def heard():
    text = io.StringIO()
    screen = Screen(file=text, width=200)
    with screen.bars() as bars:
        observer = ProgressObserver(JobInfo("a run", screen, bars))
        observer(Started(MEMBERS))
        yield observer, text


def test_the_first_chunk_is_told_where_there_is_no_bar(heard):
    observer, text = heard
    for episode in (50, 100):
        observer(advanced(episode, 0.94))
    lines = text.getvalue().splitlines()
    assert lines == [
        "a run: compiling ...",
        "a run: training, episodes 1 to 50 of 50,000 in 0.9 s",
    ]


def test_a_run_that_resumes_says_from_where(heard):
    observer, text = heard
    observer(advanced(30_050, 1.0))
    last = text.getvalue().splitlines()[-1]
    assert last == "a run: training, episodes 30,001 to 30,050 of 50,000 in 1.0 s"


def test_the_time_foretold_does_not_count_what_was_compiled_beside_the_first_chunks(
    heard,
):
    """Five chunks of 50 episodes, four of them a second each; an evaluation of half a second."""
    observer, text = heard
    for chunk, seconds in enumerate((9.0, 1.0, 1.0, 1.0, 1.0)):
        observer(advanced(50 * (chunk + 1), seconds))
    observer(evaluated(13.5))
    # (1 / 50 + 0.5 / 250) * 50,000 / 60
    assert "50,000 episodes will take about 18 minutes" in text.getvalue()


def test_a_seed_that_diverges_is_named(heard):
    observer, text = heard
    observer(Diverged(MEMBERS[1:], [Divergence(57, 230, "params.critic.w")]))
    assert (
        "adama: seed 1 diverged: not finite from episode 57 on (update 230"
        in text.getvalue()
    )
    # What to do about it.
    assert "lower l (now 0.01)" in " ".join(text.getvalue().split())


def test_the_bar_moves_at_each_chunk():
    screen = Screen(file=io.StringIO(), force_terminal=True, width=120)
    with screen.bars() as bars:
        observer = ProgressObserver(JobInfo("a run", screen, bars))
        observer(Started(MEMBERS))
        (task,) = bars.tasks
        observer(advanced(50, 1.0))
        assert (task.completed, task.total, task.fields["news"]) == (
            50,
            50_000,
            "training",
        )
        observer(evaluated(6.0))
        observer(advanced(300, 1.0, cohort=2, cohorts=2))
        assert (task.completed, task.total) == (50_300, 100_000)
        assert task.fields["news"].startswith("return 1.00")
        observer(Ended())
        assert not bars.tasks


def test_each_of_several_programs_says_which_it_is():
    text = io.StringIO()
    screen = Screen(file=text, width=200)
    with screen.bars() as bars:
        observer = ProgressObserver(JobInfo("a run", screen, bars, number=2, jobs=4))
        observer(Started(MEMBERS))
    assert text.getvalue() == "a run: compiling program 2 of 4 ...\n"


def test_a_terminal_on_which_nothing_moves_has_lines(monkeypatch):
    """As in Emacs: there is a terminal, and it shows no bar."""
    monkeypatch.setenv("TERM", "dumb")
    text = io.StringIO()
    screen = Screen(file=text, width=200, force_terminal=True)
    with screen.bars() as bars:
        observer = ProgressObserver(JobInfo("a run", screen, bars))
        observer(Started(MEMBERS))
        observer(advanced(50, 0.94))
    assert "a run: compiling ...\n" in text.getvalue()
    assert "a run: training, episodes 1 to 50 of 50,000" in text.getvalue()
