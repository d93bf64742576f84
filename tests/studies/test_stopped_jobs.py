"""Ctrl-C while several programs are to be trained, with training replaced by waiting for it."""

import io
import os
import signal
import time

import pytest

from adama_jax.config.labels import labels
from adama_jax.config.options import Launch, Training
from adama_jax.errors import Interrupted
from adama_jax.screen.console import Screen
from adama_jax.studies.here import run_here
from adama_jax.studies.jobs import jobs
from tests.helpers import fake_config

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
        run_here(todo, tmp_path, Launch(at_once=AT_ONCE), screen, Training())
    said = screen.file.getvalue()
    assert len(begun) == AT_ONCE
    for job in todo:
        assert (job.name in said) == (job.configs[0].method in begun)
