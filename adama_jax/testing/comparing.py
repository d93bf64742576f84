"""Trees of arrays, compared."""

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.types import PyTree


def finite(tree: PyTree) -> bool:
    """Whether all of a tree is finite."""
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(tree))


def has_nan(tree: PyTree) -> bool:
    """Whether a NaN is in a tree, which may hold keys and numbers without one, too."""
    numbers = [
        leaf
        for leaf in jax.tree.leaves(tree)
        if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact)
    ]
    return any(bool(jnp.any(jnp.isnan(leaf))) for leaf in numbers)


def close(
    left: PyTree, right: PyTree, relative: float = 1e-5, absolute: float = 0.0
) -> bool:
    """Whether two trees of one structure have the same numbers, to rounding."""
    pairs = zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True)
    return all(
        np.allclose(one, other, rtol=relative, atol=absolute) for one, other in pairs
    )


def equal(left: PyTree, right: PyTree) -> bool:
    """Whether two trees of one structure have the same numbers, to the bit."""
    pairs = zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


def largest(tree: PyTree) -> float:
    """The largest absolute value in a tree."""
    return max(float(jnp.max(jnp.abs(leaf))) for leaf in jax.tree.leaves(tree))
