"""The extra arguments of an update: what a rule reads beside the gradients at hand."""

from typing import Any, Protocol

import jax
import jax.numpy as jnp
import optax

from adama_jax.rates import probe
from adama_jax.rates.rules import RateRule
from adama_jax.types import PyTree, Scalar


class Curvature(Protocol):
    """Measures M l_a, [N], of the actors' directions at rate 1 and the present rates, [N]."""

    def __call__(self, directions: PyTree, rates: jax.Array, /) -> jax.Array: ...


CurvatureOrProduct = jax.Array | Curvature
"""M l_a itself, [N], or what measures it."""


def in_float32(tree: PyTree) -> PyTree:
    """The same leaves in single precision: signals of half precision would drown in rounding."""
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float32), tree)


def critic_term(
    rule: RateRule,
    value_by_critic: PyTree | None,
    given: Scalar | None,
    critic_direction: PyTree,
) -> jax.Array:
    """kappa, of dJ/dphi and the critic's direction, or as it was `given`. []

    Raises:
        ValueError: the rule reads it, and there is neither or both; a wrong shape.
    """
    if given is not None and value_by_critic is not None:
        raise ValueError("critic_term and value_by_critic: give one of the two")
    if value_by_critic is not None:
        gradient = _masked_alike(value_by_critic, critic_direction)
        return probe.critic_term(in_float32(gradient), in_float32(critic_direction))
    if given is not None:
        number = jnp.asarray(given, jnp.float32)
        if number.shape != ():
            raise ValueError(
                f"critic_term is of shape {number.shape}: must be a number, ()"
            )
        return number
    if rule.reads_critic_term:
        raise ValueError(
            "value_by_critic is missing: update(gradients, state, params, value_by_critic=...) "
            "takes the gradient of the actors' objective (or loss) by the critic's parameters, "
            "from jax.grad(actors_loss, argnums=(0, 1))"
        )
    return jnp.zeros(())


def curvature_product(
    rule: RateRule,
    given: CurvatureOrProduct | None,
    directions: PyTree,
    rates: jax.Array,
) -> jax.Array:
    """M l_a, as it was given or as the given function measures it; zero for first order. [N]

    Raises:
        ValueError: a second-order rule has none; a wrong shape.
    """
    if not rule.second_order:
        if given is not None:
            raise ValueError(
                "curvature is given to a first-order rule: second_order=True"
            )
        return jnp.zeros_like(rates)
    if given is None:
        raise ValueError(
            "curvature is missing: a second-order rule takes update(..., curvature=...), M l_a "
            "of shape [N] or a function of (directions, rates); see adama_jax.rates.probe"
        )
    product = given(directions, rates) if callable(given) else jnp.asarray(given)
    if product.shape != rates.shape:
        raise ValueError(
            f"curvature is of shape {product.shape}: must be {rates.shape}, a number an agent"
        )
    return product.astype(jnp.float32)


def _masked_alike(gradient: PyTree, direction: PyTree) -> PyTree:
    """The gradient without what a mask of optax's takes out of the direction."""

    def is_masked(node: Any) -> bool:
        return isinstance(node, optax.MaskedNode)

    def keep(direction: Any, gradient: Any) -> Any:
        return direction if is_masked(direction) else gradient

    try:
        alike = jax.tree.map(keep, direction, gradient, is_leaf=is_masked)
    except ValueError as error:
        raise ValueError(
            f"value_by_critic: must have the critic's structure: {_unlike(gradient, direction)}"
        ) from error
    _check_shapes(alike, direction)
    return alike


def _unlike(found: PyTree, wanted: PyTree) -> str:
    """The first leaf by which two trees differ; whole structures of networks fill a screen."""
    has = _paths(found)
    should_have = _paths(wanted)
    for path in should_have:
        if path not in has:
            return f"it lacks params['critic']{path}"
    for path in has:
        if path not in should_have:
            return f"it has {path or 'an array'}, which params['critic'] has not"
    return "its containers are of other types"


def _paths(tree: PyTree) -> list[str]:
    return [jax.tree_util.keystr(path) for path, _ in jax.tree.leaves_with_path(tree)]


def _check_shapes(gradient: PyTree, direction: PyTree) -> None:
    found = _shapes(gradient)
    wanted = _shapes(direction)
    if not wanted:
        raise ValueError("critic: must hold arrays, has none")
    if found != wanted:
        raise ValueError(
            f"value_by_critic has leaves of shapes {found}: must be the critic's, {wanted}"
        )


def _shapes(tree: PyTree) -> list[tuple[int, ...]]:
    return [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]
