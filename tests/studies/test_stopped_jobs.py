"""Several programs in one process, with training replaced: Ctrl-C, and a job that cannot begin."""

import io
import os
import queue
import signal
import time

import pytest

from adama_jax.config.labels import labels
from adama_jax.config.options import Launch
from adama_jax.errors import Interrupted
from adama_jax.screen.console import Screen
from adama_jax.studies import here
from adama_jax.studies.here import run_here
from adama_jax.studies.jobs import Order, jobs
from tests.helpers import HANG, QUIET, fake_config

METHODS = ("adama", "fixed", "balance", "direction")
AT_ONCE = 2


def test_only_what_was_begun_is_named(tmp_path, monkeypatch):
    begun = []

    def instead(configs, out, hooks, *_, **__):
        begun.append(configs[0].method)
        if len(begun) == AT_ONCE:
            os.kill(os.getpid(), signal.SIGINT)
        while not hooks.stop():
            time.sleep(0.01)
        raise Interrupted("stopped at episode 0, with no checkpoint")

    monkeypatch.setattr("adama_jax.studies.here.run", instead)
    configs = [fake_config(method) for method in METHODS]
    screen = Screen(file=io.StringIO(), width=200)
    todo = jobs(configs, labels(configs))
    with pytest.raises(KeyboardInterrupt):
        run_here(Order(todo, tmp_path, Launch(at_once=AT_ONCE), screen))
    said = screen.file.getvalue()
    assert len(begun) == AT_ONCE
    for job in todo:
        assert (job.name in said) == (job.configs[0].method in begun)


class Impatient(queue.Queue):
    """Does not wait for ever: a test that would hang fails."""

    def get(self, block=True, timeout=HANG):
        return super().get(block, timeout)


def test_an_observer_that_cannot_be_made_fails_its_job_and_the_next_one_gets_its_devices(
    tmp_path, monkeypatch
):
    def make_observers(*_):
        raise ImportError("no such observer")

    monkeypatch.setattr(here, "make_observers", make_observers)
    monkeypatch.setattr(here.queue, "Queue", Impatient)
    configs = [fake_config(method) for method in METHODS[:2]]
    todo = jobs(configs, labels(configs))
    failures = run_here(Order(todo, tmp_path, Launch(at_once=1), QUIET))
    assert [failure.job for failure in failures] == todo
    assert {failure.why for failure in failures} == {"ImportError: no such observer"}
