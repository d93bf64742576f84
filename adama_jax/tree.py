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
    # An array to start with, so that a tree without leaves gives one too.
    return sum(jax.tree.leaves(products), start=jnp.zeros(()))


def inner_per_agent(left: PyTree, right: PyTree) -> jax.Array:
    """Inner product of two trees for each entry of the leading agent axis. [N]

    >>> import jax.numpy as jnp
    >>> left, right = jnp.ones((2, 3)), jnp.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    >>> inner_per_agent({"w": left}, {"w": right}).tolist()
    [3.0, 6.0]
    """
    return jax.vmap(inner)(left, right)


def scaled(rate: jax.Array, direction: PyTree) -> PyTree:
    """`rate * direction`, leaf by leaf, in the direction's own precision. `rate` is a scalar. []"""
    return jax.tree.map(lambda leaf: (rate * leaf).astype(leaf.dtype), direction)


def step(
    params: PyTree,
    rate: jax.Array,
    direction: PyTree,
) -> PyTree:
    """`params + rate * direction`, leaf by leaf. `rate` is a scalar. []"""
    return jax.tree.map(lambda p, d: p + rate * d, params, direction)


def step_per_agent(
    params: PyTree,
    rates: jax.Array,
    directions: PyTree,
) -> PyTree:
    """`params + rates * directions`, each agent at its own rate.

    `rates` is [N], and every leaf leads with N.

    >>> import jax.numpy as jnp
    >>> step_per_agent(jnp.zeros((2, 2)), jnp.array([1.0, 3.0]), jnp.ones((2, 2))).tolist()
    [[1.0, 1.0], [3.0, 3.0]]
    """
    return jax.vmap(step)(params, rates, directions)


def first_not_finite(values: PyTree) -> jax.Array:
    """The index of the first leaf that is not finite, by `leaf_names`; -1 if all are. [], int32

    >>> import jax.numpy as jnp
    >>> int(first_not_finite({"a": jnp.ones(2), "b": jnp.array([1.0, jnp.nan])}))
    1
    >>> int(first_not_finite(jnp.ones(1)))
    -1
    """
    broken = [~jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(values)]
    stacked = jnp.stack(broken)
    # `argmax` of booleans is the first that is true, and 0 too where none is.
    first = jnp.argmax(stacked).astype(jnp.int32)
    return jnp.where(jnp.any(stacked), first, -1)


def leaf_names(values: PyTree) -> list[str]:
    """What each leaf is called: its path, dotted.

    >>> leaf_names({"critic": {"w": 1.0, "b": 2.0}})
    ['critic.b', 'critic.w']
    """
    paths = jax.tree_util.tree_flatten_with_path(values)[0]
    return [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths]


def shapes_of(tree: PyTree) -> PyTree:
    """The type and shape of every leaf, in words: equal for trees that one program takes.

    >>> import jax.numpy as jnp
    >>> shapes_of({"w": jnp.zeros((2, 3))})
    {'w': 'float32[2, 3]'}
    """
    return jax.tree.map(lambda leaf: f"{leaf.dtype}{list(leaf.shape)}", tree)
