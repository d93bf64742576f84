"""Arithmetic on trees, and the first leaf that is not finite."""

import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax import tree

GOOD = jnp.array([1.0, 2.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_leaf_that_is_not_finite_is_named(bad):
    broken = GOOD.at[1].set(bad)
    values = {"a": GOOD, "b": broken, "c": GOOD, "d": broken}
    index = int(tree.first_not_finite(values))
    assert tree.leaf_names(values)[index] == "b"
    assert int(tree.first_not_finite({"a": GOOD, "c": GOOD})) == -1
    assert int(tree.first_not_finite([broken, GOOD])) == 0


def test_a_step_is_params_and_rate_times_direction():
    params, direction = {"w": jnp.array([1.0, 2.0])}, {"w": jnp.array([3.0, -4.0])}
    moved = tree.step(params, jnp.float32(0.5), direction)
    np.testing.assert_array_equal(moved["w"], [2.5, 0.0])


def test_each_agent_steps_at_its_own_rate_in_every_leaf():
    params = {"w": jnp.zeros((2, 3)), "b": jnp.ones(2)}
    directions = {"w": jnp.ones((2, 3)), "b": jnp.array([1.0, 10.0])}
    moved = tree.step_per_agent(params, jnp.array([2.0, 0.5]), directions)
    np.testing.assert_array_equal(moved["w"], [[2.0] * 3, [0.5] * 3])
    np.testing.assert_array_equal(moved["b"], [3.0, 6.0])


def test_inner_products_are_over_all_leaves():
    left = {"w": jnp.array([[1.0, 2.0], [3.0, 4.0]]), "b": jnp.array([5.0, 6.0])}
    right = {"w": jnp.array([[1.0, -1.0], [2.0, 0.0]]), "b": jnp.array([1.0, 10.0])}
    np.testing.assert_array_equal(tree.inner(left, right), 1 - 2 + 6 + 5 + 60)
    np.testing.assert_array_equal(tree.inner_per_agent(left, right), [4.0, 66.0])
    assert float(tree.inner({}, {})) == 0.0
