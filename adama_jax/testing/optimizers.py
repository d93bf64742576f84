"""The contract of an optimizer: a step that is proportional to its learning rate."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adama_jax.errors import promise
from adama_jax.optax.per_agent import check_first_step
from adama_jax.plugins.factories import parameters_of
from adama_jax.testing.comparing import close, finite, largest
from adama_jax.training.optimizers import Optimizer, from_optax
from adama_jax.tree import step
from adama_jax.types import PyTree

STEPS = 60
RATE = 0.03  # as rules give them
# What rounding, and an `eps` in a denominator, may make of the way that parameters go.
TOLERANCE = 5e-3


def check_optimizer(optimizer: Any) -> None:
    """Check that a rate rule can scale an optimizer's steps.

    Args:
        optimizer: a function of `learning_rate` that makes an optax transformation, as
            `optimizer=mypackage.optimizers:make` names one; or a transformation at learning rate 1,
            or an `Optimizer`: of these nobody can tell whether their steps are proportional to it.

    Raises:
        AssertionError: a sentence about the first promise that is broken.

    >>> check_optimizer(optax.adamw)
    >>> check_optimizer(optax.adam(1e-3))
    Traceback (most recent call last):
    AssertionError: the optimizer's first step for a gradient of ones is 0.001: ...
    """
    made: Any = optimizer
    if callable(optimizer):
        rated = parameters_of(optimizer, ("learning_rate",))
        if rated:
            check_proportional(optimizer)
        made = optimizer(learning_rate=1.0) if rated else optimizer()
    elif not isinstance(optimizer, Optimizer):
        _check_rate(optimizer)
    if not isinstance(made, Optimizer):
        made = from_optax(made, check_rate=False)
    check_finite(made)
    check_alone(made)


def _check_rate(transformation: optax.GradientTransformation) -> None:
    try:
        check_first_step(transformation)
    except ValueError as error:
        raise AssertionError(str(error)) from error


def check_finite(optimizer: Optimizer) -> None:
    """Directions are finite, also where a gradient is 0, and have the parameters' shapes."""
    gradients = {"w": jnp.ones((2, 3, 4)), "b": jnp.zeros((2, 3))}
    for tx in (optimizer.actors, optimizer.critic):
        updates, _ = jax.jit(tx.update)(gradients, tx.init(gradients), gradients)
        promise(
            finite(updates), "directions must be finite, also where a gradient is 0"
        )
        shapes = jax.tree.map(jnp.shape, updates)
        promise(
            shapes == jax.tree.map(jnp.shape, gradients),
            "directions must have the shapes of the parameters",
        )


def check_alone(optimizer: Optimizer) -> None:
    """An actor's direction is of its own gradient alone."""
    tx = optimizer.actors
    small = jnp.array([[0.1, -0.3, 0.0], [0.2, 0.0, -0.1]])
    large = small.at[1].mul(1e3)
    first, second = (_directions(tx, given)[0] for given in (small, large))
    promise(
        close(first, second, relative=1e-6),
        "an actor's direction must not depend on the others' gradients: vmap the transformation "
        "over the agents, as from_optax does",
    )


def check_proportional(factory: Any) -> None:
    """Check that a transformation's step is proportional to its learning rate.

    Args:
        factory: `(learning_rate) -> optax.GradientTransformation`.

    Raises:
        AssertionError: it is not: what a rate rule makes of it is another optimizer.

    >>> check_proportional(optax.adamw)
    >>> check_proportional(optax.rprop)
    Traceback (most recent call last):
    AssertionError: ...
    """
    start = _parameters()
    expected = _trained(factory(RATE), 1.0)
    moved = largest(_less(expected, start))
    # Equal parameters that never changed would say nothing.
    promise(moved > 1e-4, "the transformation must move parameters")
    apart = largest(_less(_trained(factory(1.0), RATE), expected))
    promise(
        apart < TOLERANCE * moved,
        "a step must be proportional to its learning rate: steps at rate 1, scaled, are not the "
        f"steps at rate {RATE}",
    )


def _directions(tx: optax.GradientTransformation, gradients: jax.Array) -> jax.Array:
    params = jnp.ones_like(gradients)
    updates: Any = tx.update(gradients, tx.init(params), params)[0]
    return updates


def _parameters() -> PyTree:
    return {"w": jnp.linspace(-1.0, 2.0, 12).reshape(3, 4), "b": jnp.array([0.3, -0.4])}


def _trained(tx: optax.GradientTransformation, rate: float) -> PyTree:
    """Parameters after 60 steps; the signs of most gradients change, of some they never do."""

    def one(carry: Any, number: jax.Array) -> tuple[Any, None]:
        params, state = carry
        # Not of the parameters: then rounding would grow from step to step.
        gradients = jax.tree.map(lambda leaf: jnp.sin(leaf + number) + leaf, start)
        updates, state = tx.update(gradients, state, params)
        return (step(params, jnp.float32(rate), updates), state), None

    def train(params: PyTree) -> PyTree:
        carry = (params, tx.init(params))
        return jax.lax.scan(one, carry, jnp.arange(STEPS))[0][0]

    start = _parameters()
    # It runs once, so that optimizing it does not pay.
    fast = {"xla_backend_optimization_level": 0}
    return jax.jit(train, compiler_options=fast)(start)


def _less(left: PyTree, right: PyTree) -> PyTree:
    return jax.tree.map(jnp.subtract, left, right)
