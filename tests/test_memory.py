"""The paper's whole grid x 5 seeds fits one GPU: 500 runs of predator-prey with 1e6 transitions each, 60 GiB."""

import jax
import numpy as np
import pytest

from adama_jax import compose
from adama_jax.compose import make_hyper, make_train
from adama_jax.config import scenario_config
from adama_jax.population import population
from adama_jax.slicing import bytes_needed

RUNS, LIMIT = 500, 60 * 2**30
CONFIG = scenario_config("predator_prey")


def size(tree):
    return sum(int(np.prod(leaf.shape)) * np.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(tree))


def test_the_state_of_500_runs_by_its_shapes():
    """20 x 50,000 transitions each, nothing evicted; the snapshots alone have more than 2^31 elements."""
    train = make_train(CONFIG)
    state = jax.eval_shape(train.init, jax.random.key(0), make_hyper(CONFIG))
    assert state.replay.snapshot.shape[0] * CONFIG.horizon == CONFIG.learning.capacity == 10**6
    assert 37 * 2**30 < RUNS * size(state.replay) < 40 * 2**30
    rest = state._replace(replay=None, key=None)
    assert RUNS * size(rest) < 2**30
    assert RUNS * state.replay.snapshot.size > 2**31


@pytest.mark.slow
def test_the_compiled_program_of_500_runs(monkeypatch):
    """What the compiler says of 8 and of 4 runs, the minibatch whole as on a GPU: each further run adds so much."""
    monkeypatch.setattr(compose, "minibatch_parts", lambda *_: None)
    needs = []
    for runs in (4, 8):
        people = population(make_train(CONFIG), runs, jax.devices()[:1])
        needs.append(bytes_needed(people.chunk.lower(people.shapes(make_hyper(CONFIG)), 100).compile()))
    whole = needs[0] + (RUNS - 4) * (needs[1] - needs[0]) / 4
    print(f"500 runs: {whole / 2**30:.1f} GiB")
    assert 38 * 2**30 < whole < LIMIT
