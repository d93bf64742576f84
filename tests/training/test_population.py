"""The population axis over devices: the same results, nothing exchanged, bit for bit anew."""

import subprocess
import sys

import jax
import numpy as np
import pytest

from adama_jax.config.names import with_settings
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.state import to_numpy
from adama_jax.training.population import population
from tests.helpers import small

COLLECTIVES = (
    "all-gather",
    "all-reduce",
    "all-to-all",
    "collective-permute",
    "reduce-scatter",
)


@pytest.mark.slow
def test_sharding_changes_nothing_and_exchanges_nothing():
    """Eight members on one, two and four devices: the same to 1e-5, and none waits for another."""
    config = small()
    train = make_train(config)
    ends = []
    for devices in (1, 2, 4):
        members = population(train, 8, jax.devices()[:devices])
        assert (members.width, members.devices) == (8, devices)
        state = members.init(range(8), make_hyper(config))
        programs = members.chunk.lower(state, 20), members.evaluate.lower(state)
        assert not any(
            word in program.compile().as_text()
            for program in programs
            for word in COLLECTIVES
        )
        state, metrics = members.chunk(state, 20)
        assert (
            len(jax.tree.leaves(state.learner.params)[0].sharding.device_set) == devices
        )
        ends.append((to_numpy(metrics, 8), to_numpy(members.evaluate(state), 8)))
    for other in ends[1:]:
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5),
            ends[0],
            other,
        )


@pytest.mark.parametrize(
    ("method", "exchanges"),
    [("fixed", 1), pytest.param("adama_2nd", 2, marks=pytest.mark.slow)],
)
def test_devices_left_over_share_the_minibatch(method, exchanges):
    """Two members on one device and on two: the same to rounding.

    One vector is exchanged in each pass over the minibatch.
    """
    config = with_settings(small(method), {"learning.batch_size": 256})
    ends = []
    for sharing in (1, 2):
        members = population(
            make_train(config, sharing=sharing), 2, jax.devices()[:2], sharing
        )
        assert (members.width, members.devices) == (2, sharing)
        program = members.chunk.lower(members.shapes(make_hyper(config)), 20).compile()
        assert program.as_text().count(" all-reduce(") == (
            exchanges if sharing > 1 else 0
        )
        state, metrics = program(members.init([0, 1], make_hyper(config)))
        ends.append(to_numpy((metrics, state.learner.params), 2))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), *ends
    )


def test_so_many_devices_must_share_a_minibatch_evenly():
    config = with_settings(small(), {"learning.batch_size": 1024})
    with pytest.raises(
        ValueError, match="sharing=3: so many devices cannot share a minibatch of 1024"
    ):
        make_train(config, sharing=3)


def test_what_does_not_divide_is_filled_up():
    members = population(make_train(small()), 5, jax.devices()[:2])
    assert (members.width, members.devices) == (6, 2)
    state = members.shapes(make_hyper(small()))
    assert state.learner.rule.rates.actors.shape == (6, 2)


@pytest.mark.slow
def test_no_device_has_a_lone_run():
    """Alone a member differs in the last bits; so two stay on one device, and agree with three."""
    train = make_train(small())
    two, three = (population(train, size, jax.devices()) for size in (2, 3))
    assert (two.width, two.devices, three.width, three.devices) == (2, 1, 4, 2)
    runs = [
        to_numpy(
            members.chunk(members.init(range(size), make_hyper(small())), 30)[1], 2
        )
        for members, size in ((two, 2), (three, 3))
    ]
    jax.tree.map(np.testing.assert_array_equal, *runs)


def test_seeds_must_fit_the_population():
    with pytest.raises(ValueError, match="3 seeds for a population of 2"):
        population(make_train(small()), 2).init([0, 1, 2], make_hyper(small()))


PROGRAM = """
import jax; jax.config.update("jax_num_cpu_devices", 2)
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.training.population import population
from tests.helpers import leaves, small
import hashlib
members = population(make_train(small()), 3)
state, metrics = members.chunk(members.init(range(3), make_hyper(small())), 50)
print(hashlib.sha256(b"".join(leaf.tobytes() for leaf in leaves((state, metrics)))).hexdigest())
"""


@pytest.mark.slow
def test_two_fresh_processes_agree_bit_for_bit():
    digests = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            encoding="utf-8",
        ).stdout.split()[-1]
        for _ in range(2)
    }
    assert len(digests) == 1
