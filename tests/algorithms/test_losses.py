"""The losses, by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.algorithms.losses import td_loss, td_target


def test_only_an_end_of_the_world_has_no_value_beyond():
    target = td_target(
        reward=jnp.array([1.0, 1.0, -2.0]),
        terminated=jnp.array([0.0, 1.0, 0.0]),
        next_value=jnp.array([10.0, 10.0, 4.0]),
        discount=0.9,
    )
    np.testing.assert_allclose(target, [10.0, 1.0, 1.6], rtol=1e-6)


def test_the_loss_is_a_mean_square_of_which_the_target_is_held():
    """By hand: the loss (1 + 9) / 2, its slope by the values 2 (Q - y) / B, by the targets none."""
    value, target = jnp.array([2.0, 1.0]), jnp.array([1.0, 4.0])
    assert float(td_loss(value, target)) == 5.0
    by_value, by_target = jax.grad(td_loss, argnums=(0, 1))(value, target)
    np.testing.assert_array_equal(by_value, [1.0, -3.0])
    np.testing.assert_array_equal(by_target, [0.0, 0.0])
