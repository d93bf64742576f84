"""A sweep of many settings costs little for each: counted in calls, for seconds are no test."""

from collections import Counter

import pytest

from adama_jax.cli.commands.sweep import read_sweep
from adama_jax.config import command_line, reading
from adama_jax.config.checks import validate
from adama_jax.config.labels import labels
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import Config
from adama_jax.studies import missing
from tests.helpers import QUIET

SIDE = 20  # values of each of the two axes
WORDS = [
    "predator_prey",
    "method=fixed",
    "l_c=0.001:0.020:0.001",
    "l_a=0.001:0.020:0.001",
]
SETTINGS = SIDE * SIDE
A_FEW = 5


@pytest.fixture
def calls(monkeypatch):
    """How often values are read and configurations compared."""
    counts = Counter()

    def count(owner, name):
        function = getattr(owner, name)

        def counted(*arguments):
            counts[name] += 1
            return function(*arguments)

        monkeypatch.setattr(owner, name, counted)

    count(reading, "read_value")
    count(command_line, "read_value")
    count(Config, "__eq__")
    return counts


def test_each_value_of_an_axis_is_read_once(calls):
    _, configs = read_sweep(WORDS)
    assert len(configs) == SETTINGS
    assert 2 * SIDE <= calls["read_value"] <= 2 * SIDE + A_FEW


def test_listing_a_sweep_compares_no_setting_with_all_others(
    calls, tmp_path, monkeypatch
):
    launched = []

    def launch(jobs, *_):
        launched.extend(jobs)
        return []

    monkeypatch.setattr(missing, "launch", launch)
    _, configs = read_sweep(WORDS)
    for config in configs:
        validate(config)
    assert len(set(labels(configs))) == SETTINGS
    missing.complete(configs, tmp_path, Training(), Launch(), QUIET)
    assert [len(job.configs) for job in launched] == [SETTINGS]
    assert calls["__eq__"] <= A_FEW * SETTINGS
