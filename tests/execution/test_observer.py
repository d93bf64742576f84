"""Observers: each event with its members, in order; one that fails stops nothing; one line adds
one.
"""

import io
import json

import numpy as np
import pytest

from adama_jax.cli.main import main
from adama_jax.config.options import OBSERVERS, Training
from adama_jax.execution.events import (
    Advanced,
    Diverged,
    Ended,
    Evaluated,
    Finished,
    Member,
    Resumed,
    Started,
    Where,
)
from adama_jax.execution.log import write_log
from adama_jax.execution.observer import Hooks, JobInfo, make_observers
from adama_jax.execution.runner import run
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder
from tests.helpers import ONE, short

MADE = []


class Toy:
    """An observer as somebody else might write one: a file in each run's folder."""

    def __init__(self, job):
        self.job = job
        self.events = []
        MADE.append(self)

    def __call__(self, event):
        self.events.append(event)
        if isinstance(event, Finished):
            (event.folder / "toy.txt").write_text(
                f"{self.job.name}: {len(event.episode)} points", encoding="utf-8"
            )


def test_events_come_in_order_and_say_whose_values_they_hold(tmp_path):
    """Two runs of two seeds, of which one was finished before."""
    configs = [short("fixed", **{"rates.critic_rate": rate}) for rate in (0.001, 0.002)]
    heard = []
    run(configs, tmp_path, Hooks([heard.append]), ONE, width=4, labels=["one", "two"])
    kinds = [type(event) for event in heard]
    a_point = [Advanced, Advanced, Evaluated]
    assert kinds == [
        Started,
        Started,
        *a_point,
        *a_point,
        *a_point,
        Finished,
        Finished,
        Ended,
    ]
    everybody = [("one", 0), ("one", 1), ("two", 0), ("two", 1)]
    for event in heard:
        if isinstance(event, Advanced | Evaluated):
            assert [
                (member.label, member.seed) for member in event.members
            ] == everybody
            assert [member.config for member in event.members] == [configs[0]] * 2 + [
                configs[1]
            ] * 2
    points = [event for event in heard if isinstance(event, Evaluated)]
    rates = [event.values["critic_rate"] for event in points]
    np.testing.assert_allclose(rates, [[0.001, 0.001, 0.002, 0.002]] * 3, rtol=1e-6)
    assert [point.where.episode for point in points] == [50, 100, 150]
    assert [point.since for point in points] == [50, 50, 50]
    last = [event for event in heard if isinstance(event, Finished)][1]
    assert [(member.label, member.seed) for member in last.members] == everybody[2:]
    np.testing.assert_array_equal(last.curves["critic_rate"][:, 1], rates[1][2:])


@pytest.mark.slow
def test_an_observer_is_one_line_in_the_registry(tmp_path, monkeypatch):
    monkeypatch.setitem(OBSERVERS, "toy", f"{__name__}:Toy")
    words = [
        "train",
        "going_together",
        "episodes=4",
        "seeds=1",
        "learning.batch_size=8",
        "horizon=5",
    ]
    words += [
        "learning.capacity=100",
        "evaluation.episodes=2",
        f"out={tmp_path}",
        "devices=4",
    ]
    assert main([*words, "observers=progress,toy"]) == 0
    (toy,) = MADE
    (meta,) = tmp_path.rglob("meta.json")
    assert (meta.parent / "toy.txt").read_text(
        encoding="utf-8"
    ) == f"{toy.job.name}: 1 points"
    # What it wrote there is sealed with the rest; without `jsonl` there is no log.
    assert (
        '"toy.txt"' in meta.read_text(encoding="utf-8")
        and not (meta.parent / "metrics.jsonl").exists()
    )
    assert isinstance(toy.events[0], Started) and isinstance(toy.events[-1], Ended)
    assert main([*words, "observers=toys"]) == 2


def test_a_value_that_is_not_finite_is_null_in_the_log(tmp_path):
    member = Member(short(), "adama", 0, tmp_path)
    write_log(Started([member]))
    where = Where(1, 1, 50, 150)
    write_log(Evaluated([member], where, 50, 1.0, {"value": np.array([np.inf])}))
    line = json.loads((tmp_path / "metrics.jsonl").read_text(encoding="utf-8"))
    assert line == {"episode": 50, "seed": [0], "value": [None]}


def test_an_observer_that_fails_is_reported_once_and_stops_nothing(tmp_path):
    heard, told = [], []

    def broken(event):
        if not isinstance(event, Finished):
            raise RuntimeError(f"out of luck with {type(event).__name__}")

    hooks = Hooks([broken, heard.append], report=told.append)
    run([short()], tmp_path, hooks, ONE)
    assert told == ["an observer failed, training continues: out of luck with Started"]
    assert (
        isinstance(heard[-1], Ended) and RunFolder.of(tmp_path, short()).is_finished()
    )


def test_the_end_of_a_run_is_not_sealed_without_its_observers(tmp_path):
    def broken(event):
        if isinstance(event, Finished):
            raise RuntimeError("out of luck")

    heard = []
    with pytest.raises(RuntimeError, match="out of luck"):
        run([short()], tmp_path, Hooks([broken, heard.append]), ONE)
    assert (
        isinstance(heard[-1], Ended)
        and not RunFolder.of(tmp_path, short()).is_finished()
    )
    # The seeds are on disk: the next process has only the end to do.
    heard.clear()
    run([short()], tmp_path, Hooks([heard.append]), ONE)
    kinds = {type(event) for event in heard}
    assert kinds == {Started, Resumed, Finished, Ended}


def test_all_observers_of_the_registry_can_be_made():
    screen = Screen(file=io.StringIO())
    with screen.bars() as bars:
        job = JobInfo("a job", screen, bars)
        assert set(Training().observers) < set(OBSERVERS)
        observers = make_observers(list(OBSERVERS), job)
        assert len(observers) == len(OBSERVERS)
        for observer in observers:
            observer(Diverged([], []))
