"""The compiled program: what is compiled beside training."""

import time

import jax
import pytest

from adama_jax.errors import Interrupted
from adama_jax.execution import program
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.program import InBackground
from adama_jax.execution.runner import run
from adama_jax.training.population import population
from tests.helpers import ONE, short, stop_at, tiny


def test_work_in_the_background_is_begun_once_and_gives_what_the_work_gives():
    calls = []
    later = InBackground(
        lambda left, right: calls.append(left + right) or len(calls), 2, 3
    )
    later.wait()
    assert calls == []
    later.begin()
    assert (later.result(), later.result(), calls) == (1, 1, [5])


def test_work_in_the_background_raises_what_the_work_raises():
    later = InBackground(lambda: 1 / 0)
    later.begin()
    later.wait()
    with pytest.raises(ZeroDivisionError):
        later.result()


@pytest.mark.parametrize(("edge", "compiled"), [(1, False), (2, True)])
def test_who_is_stopped_leaves_no_compilation_behind(
    edge, compiled, tmp_path, monkeypatch
):
    """At the first chunk's edge none has begun; at the second one has, and is waited for."""
    done = []

    class Slow(InBackground):
        def __init__(self, work, *arguments):
            super().__init__(lambda: (time.sleep(1.0), done.append(work(*arguments))))

    monkeypatch.setattr(program, "InBackground", Slow)
    with pytest.raises(Interrupted):
        run([short()], tmp_path, stop_at(edge), ONE)
    assert bool(done) == compiled
    time.sleep(0 if compiled else 1.5)
    assert bool(done) == compiled


def test_all_methods_share_the_evaluation_and_the_played_episodes():
    """What is no method's own is compiled once for a world: the cache then has it for the others.

    So it is as long as only the actors are used, and what else is in a state is not handed over.
    """
    keys = jax.random.split(jax.random.key(0), 4)

    def lowered(method):
        config = tiny(method)
        members = population(make_train(config), 2)
        state = members.shapes(make_hyper(config))
        evaluate = members.evaluate.lower(state)  # pyright: ignore
        play = members.play.lower(state, keys)  # pyright: ignore
        return evaluate.as_text(), play.as_text()

    assert lowered("fixed") == lowered("adama_2nd") == lowered("adagrad")
