"""Arithmetic on parameter trees whose leaves lead with the agent axis N, or on whole trees."""

import jax
import jax.numpy as jnp

from adama_jax.types import PyTree


def inner(left: PyTree, right: PyTree) -> jax.Array:
    """Inner product of two trees of the same structure. []

    >>> import jax.numpy as jnp
    >>> float(inner({"w": jnp.array([1.0, 2.0])}, {"w": jnp.array([3.0, 4.0])}))
    11.0
    """
    products = jax.tree.map(lambda a, b: jnp.sum(a * b), left, right)
    return sum(jax.tree.leaves(products), start=jnp.zeros(()))


def inner_per_agent(left: PyTree, right: PyTree) -> jax.Array:
    """Inner product of two trees for each entry of the leading agent axis. [N]

    >>> import jax.numpy as jnp
    >>> inner_per_agent({"w": jnp.ones((2, 3))}, {"w": jnp.array([[1.0, 1, 1], [2, 2, 2]])}).tolist()
    [3.0, 6.0]
    """
    return jax.vmap(inner)(left, right)


def step(params: PyTree, rate: jax.Array, direction: PyTree) -> PyTree:
    """`params + rate * direction`, leaf by leaf. `rate` is a scalar. []"""
    return jax.tree.map(lambda p, d: p + rate * d, params, direction)


def step_per_agent(params: PyTree, rates: jax.Array, directions: PyTree) -> PyTree:
    """`params + rates * directions`, each agent at its own rate: `rates` is [N], every leaf leads with N.

    >>> import jax.numpy as jnp
    >>> step_per_agent(jnp.zeros((2, 2)), jnp.array([1.0, 3.0]), jnp.ones((2, 2))).tolist()
    [[1.0, 1.0], [3.0, 3.0]]
    """
    return jax.vmap(step)(params, rates, directions)


def all_finite(values: PyTree) -> jax.Array:
    """Whether every float of a tree is finite. [], bool"""
    checks = jax.tree.map(lambda leaf: jnp.all(jnp.isfinite(leaf)), values)
    return jnp.all(jnp.stack(jax.tree.leaves(checks)))
