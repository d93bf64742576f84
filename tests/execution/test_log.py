"""The log of a run: a line for each point, whoever is trained with whom."""

import json

import numpy as np
import pytest

from adama_jax.config.schema import scenario_config
from adama_jax.execution.events import (
    Advanced,
    Ended,
    Evaluated,
    Finished,
    Member,
    Resumed,
    Started,
    Where,
)
from adama_jax.execution.log import write_log
from adama_jax.storage.folder import RunFiles

CONFIG = scenario_config("clustering")


@pytest.fixture
def members(tmp_path):
    """Two seeds of the run a, and one of the run b between them."""
    found = []
    for name, seed in (("a", 0), ("b", 5), ("a", 1)):
        (tmp_path / name).mkdir(exist_ok=True)
        found.append(Member(CONFIG, name, seed, tmp_path / name))
    return found


def lines(folder):
    return [
        json.loads(line)
        for line in RunFiles(folder).log.read_text(encoding="utf-8").splitlines()
    ]


def evaluated(members, episode, numbers):
    where = Where(1, 1, episode, CONFIG.episodes)
    return Evaluated(members, where, 10, 1.0, {"value": np.array(numbers)})


def test_each_run_s_log_has_its_own_seeds(members, tmp_path):
    write_log(Started(members))
    write_log(evaluated(members, 10, [1.0, 2.0, 3.0]))
    assert lines(tmp_path / "a") == [
        {"episode": 10, "seed": [0, 1], "value": [1.0, 3.0]}
    ]
    assert lines(tmp_path / "b") == [{"episode": 10, "seed": [5], "value": [2.0]}]


def test_a_start_forgets_what_was_logged_after_the_last_checkpoint(members, tmp_path):
    write_log(evaluated(members, 10, [1.0, 2.0, 3.0]))
    write_log(Started(members[:1]))
    assert lines(tmp_path / "a") == []
    assert len(lines(tmp_path / "b")) == 1


def test_points_from_before_are_logged_again_in_order(members, tmp_path):
    points = [(10, {"value": np.array([1.0])}), (20, {"value": np.array([np.nan])})]
    write_log(Started(members[:1]))
    write_log(Resumed(members[:1], points))
    write_log(evaluated(members[:1], 30, [3.0]))
    assert [(line["episode"], line["value"]) for line in lines(tmp_path / "a")] == [
        (10, [1.0]),
        (20, [None]),
        (30, [3.0]),
    ]


def test_what_is_no_point_is_not_logged(members, tmp_path):
    write_log(Started(members))
    write_log(Advanced(members, Where(1, 1, 10, 100), 10, 1.0))
    write_log(Ended())
    assert lines(tmp_path / "a") == lines(tmp_path / "b") == []


def test_at_its_end_a_log_is_written_whole(members, tmp_path):
    """With all seeds in each line, however many cohorts they were in."""
    own = [members[0], members[2]]
    write_log(evaluated(own[:1], 10, [1.0]))
    curves = {"value": np.array([[1.0, 2.0], [3.0, 4.0]]), "rate": np.zeros((2, 2, 1))}
    write_log(Finished(own, tmp_path / "a", np.array([10, 20]), curves))
    assert lines(tmp_path / "a") == [
        {"episode": 10, "seed": [0, 1], "rate": [[0.0], [0.0]], "value": [1.0, 3.0]},
        {"episode": 20, "seed": [0, 1], "rate": [[0.0], [0.0]], "value": [2.0, 4.0]},
    ]
