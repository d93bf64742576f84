"""Every algorithm with every critic, method and optimizer: shapes of all, and a run of pairs."""

from itertools import cycle
from pkgutil import resolve_name

import jax
import pytest

from adama_jax.algorithms.settings import ALGORITHMS, CRITICS
from adama_jax.config.methods import METHODS
from adama_jax.config.schema import OPTIMIZERS
from adama_jax.execution.build import make_optimizer, make_rule
from adama_jax.keys import key_of
from adama_jax.testing.algorithms import N, random_batch, small
from adama_jax.testing.comparing import finite
from adama_jax.training.learner import learner
from adama_jax.tree import shapes_of
from tests.helpers import tiny

# In `make test` every critic with MADDPG, and every algorithm with the joint one.
CRITIC_OF = [
    pytest.param(
        algorithm,
        critic,
        marks=() if algorithm == "maddpg" or critic == "joint" else pytest.mark.slow,
    )
    for algorithm, entry in ALGORITHMS.items()
    for critic in CRITICS
    if critic == "joint" or "networks.critic" not in entry.ignores
]
SWAPPABLE = [name for name, method in METHODS.items() if method.optimizer == "sgd"]


def train_step(algorithm, critic="joint", method="adama_2nd", optimizer="sgd"):
    config = tiny(method=method)
    if method in SWAPPABLE:
        config = tiny(method=method, optimizer=optimizer)
    made = small(resolve_name(ALGORITHMS[algorithm].path), critic)
    curvature = config.rates.curvature
    return learner(made, make_optimizer(config), make_rule(config), N, curvature)


def check_shapes(learn):
    """An update gives a state of the same shapes, so that it can be repeated."""
    batch = jax.eval_shape(random_batch)
    state = jax.eval_shape(lambda: learn.init(key_of(0)))
    key = jax.eval_shape(lambda: key_of(1))
    moved, metrics = jax.eval_shape(learn.update, state, batch, key)
    assert shapes_of(moved) == shapes_of(state)
    assert metrics.signals.contribution.shape == metrics.rates.actors.shape == (N,)
    assert metrics.td_loss.shape == metrics.value.shape == ()


@pytest.mark.parametrize(("algorithm", "critic"), CRITIC_OF)
def test_shapes_with_every_critic_to_second_order(algorithm, critic):
    check_shapes(train_step(algorithm, critic))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_shapes_with_every_method_and_optimizer(algorithm, method):
    optimizers = OPTIMIZERS if method in SWAPPABLE else ("sgd",)
    for optimizer in optimizers:
        check_shapes(train_step(algorithm, "joint", method, optimizer))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "algorithm", "method"),
    [*zip(OPTIMIZERS, cycle(ALGORITHMS), cycle(SWAPPABLE), strict=False)],
)
def test_each_runs_beside_others(optimizer, algorithm, method):
    """Two updates, so that those of a critic alone are among them."""
    learn = train_step(algorithm, "joint", method, optimizer)
    state = learn.init(key_of(0))
    update = jax.jit(learn.update)
    discrete = ALGORITHMS[algorithm].actions == "discrete"
    batch = random_batch(discrete)
    for number in range(2):
        state, metrics = update(state, batch, key_of(number))
        assert finite((state.params, metrics))
