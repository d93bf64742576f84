"""Minibatches of wrong shapes are refused with the shape that is wanted."""

import jax
import jax.numpy as jnp
import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.rates.rules import adama
from adama_jax.training.batches import check_batch, stack_agents
from adama_jax.training.learner import learner
from adama_jax.training.optimizers import named_optimizer
from adama_jax.types import Batch

N, B, OBS, ACTION = 2, 6, 3, 1
GOOD = Batch(
    obs=jnp.zeros((N, B, OBS)),
    action=jnp.zeros((N, B, ACTION)),
    reward=jnp.zeros(B),
    next_obs=jnp.zeros((N, B, OBS)),
    terminated=jnp.zeros(B),
)


@pytest.mark.parametrize(
    ("field", "shape", "message"),
    [
        ("obs", (B, N, OBS), r"obs .*\(6, 2, 3\): must be \[N, B, O\], \(2, 6, 3\)"),
        ("action", (B, N, ACTION), r"action .* must be \[N, B, A\], \(2, 6, 1\)"),
        ("action", (N, B), r"action .* must be \[N, B, A\]"),
        ("next_obs", (N, B, OBS + 1), r"next_obs .* must be that of batch\.obs"),
        ("reward", (N, B), r"reward .* must be \[B\], the team's"),
        ("reward", (B + 1,), r"obs .* must be \[N, B, O\]"),
        ("terminated", (B, 1), r"terminated .* must be \[B\], \(6,\)"),
    ],
)
def test_other_shapes(field, shape, message):
    check_batch(GOOD, N)
    with pytest.raises(ValueError, match=message):
        check_batch(GOOD._replace(**{field: jnp.zeros(shape)}), N)


def test_as_many_transitions_as_agents():
    """Nothing tells whether its axes are swapped, so whoever knows says so."""
    algorithm = maddpg(N, OBS, ACTION, (4,))
    obs = jnp.zeros((N, N, OBS))
    doubtful = Batch(obs, jnp.zeros((N, N, ACTION)), jnp.zeros(N), obs, jnp.zeros(N))

    def shapes(agent_major):
        learn = learner(
            algorithm, named_optimizer("sgd"), adama(), N, agent_major=agent_major
        )
        state = learn.init(jax.random.key(0))
        return jax.eval_shape(learn.update, state, doubtful, jax.random.key(0))

    with pytest.raises(ValueError, match=r"B = N = 2: .* agent_major=True"):
        shapes(agent_major=False)
    shapes(agent_major=True)


def test_a_dict_of_agents_in_the_order_that_is_asked_for():
    values = {"a": jnp.full((B, 1), 1.0), "b": jnp.full((B, 2), 2.0)}
    stacked = stack_agents(values, ("b", "a"))
    assert stacked[:, 0].tolist() == [[2.0, 2.0], [1.0, 0.0]]
    with pytest.raises(ValueError, match="values of a, b: must be of the agents a, c"):
        stack_agents(values, ("a", "c"))
