"""An optax transformation for each agent by itself, and whether it is one at learning rate 1."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adama_jax.rates.agents import Agents, mapped

# The first step at rate 1 that an optimizer makes for a gradient of ones, at least. Of optax's it
# is 0.1 (sm3) to 3.2 (rmsprop), but for adadelta and lars, which start with steps of 0.001.
LEAST_FIRST_STEP = 0.05


def per_agent(
    transformation: optax.GradientTransformation, agents: Agents | None = None
) -> optax.GradientTransformationExtraArgs:
    """The transformation for each agent by itself: one that mixes leaves never couples agents.

    Args:
        transformation: of optax, such as `optax.chain(optax.clip_by_global_norm(1.0), ...)`.
        agents: names, for a mapping of agents; a number or None, for trees whose leaves all lead
            with the agents' axis.

    >>> import jax.numpy as jnp, optax
    >>> clipped = per_agent(optax.clip_by_global_norm(1.0))
    >>> gradients = jnp.array([[3.0, 4.0], [0.0, 0.5]])
    >>> updates, _ = clipped.update(gradients, clipped.init(gradients))
    >>> [[round(x, 4) for x in row] for row in updates.tolist()]
    [[0.6, 0.8], [0.0, 0.5]]
    """
    inner = optax.with_extra_args_support(transformation)
    if agents is None or isinstance(agents, int):
        return _stacked(inner)
    return _by_name(inner, tuple(agents))


def _stacked(
    inner: optax.GradientTransformationExtraArgs,
) -> optax.GradientTransformationExtraArgs:
    # optax's types know no tree whose leaves have one more axis than the parameters they are of.
    init: Any = jax.vmap(inner.init)

    def update(
        updates: Any,
        state: Any,
        params: Any = None,
        **extra_args: Any,
    ) -> tuple[Any, Any]:
        def one(updates: Any, state: Any, params: Any) -> tuple[Any, Any]:
            return inner.update(updates, state, params, **extra_args)

        return jax.vmap(one)(updates, state, params)

    return optax.GradientTransformationExtraArgs(init, update)


def _by_name(
    inner: optax.GradientTransformationExtraArgs, names: tuple[str, ...]
) -> optax.GradientTransformationExtraArgs:
    def init(params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: inner.init(params[name]) for name in names}

    def update(
        updates: Mapping[str, Any],
        state: dict[str, Any],
        params: Mapping[str, Any] | None = None,
        **extra_args: Any,
    ) -> tuple[Any, dict[str, Any]]:
        states: dict[str, Any] = {}

        def one(name: str, own: Any) -> Any:
            before = None if params is None else params[name]
            step, states[name] = inner.update(own, state[name], before, **extra_args)
            return step

        return mapped(updates, one), states

    made: Any = optax.GradientTransformationExtraArgs
    return made(init, update)


def check_first_step(transformation: optax.GradientTransformation) -> None:
    """Refuse an optimizer that is plainly not built at learning rate 1, or climbs.

    Nothing can be read from a transformation, so it is tried: on a gradient of ones.

    Raises:
        ValueError: its first step is below `LEAST_FIRST_STEP`, or goes along the gradient.

    >>> import optax
    >>> check_first_step(optax.adam(1.0))
    >>> check_first_step(optax.adam(1e-3))
    Traceback (most recent call last):
    ValueError: the optimizer's first step for a gradient of ones is 0.001: build it at learning \
rate 1, as optax.adam(1.0), for how far to step is the rate rule's to say (where so small a step \
is right: check_rate=False)
    >>> check_first_step(optax.scale_by_adam())
    Traceback (most recent call last):
    ValueError: the optimizer's first step for a gradient of ones is +1, uphill: \
optax.adam(1.0) steps down; optax.scale_by_... wants optax.scale(-1.0) after it (where it is to \
climb: check_rate=False)
    """
    inner = optax.with_extra_args_support(transformation)
    try:
        # Now, even while a program that calls this is traced.
        with jax.ensure_compile_time_eval():
            step = np.asarray(_first_step(inner))
    except _CANNOT_BE_TRIED:
        return
    size = float(np.sqrt(np.mean(np.square(step))))
    if size < LEAST_FIRST_STEP:
        raise ValueError(
            f"the optimizer's first step for a gradient of ones is {size:.2g}: build it at "
            "learning rate 1, as optax.adam(1.0), for how far to step is the rate rule's to say "
            "(where so small a step is right: check_rate=False)"
        )
    if np.all(step > 0):
        raise ValueError(
            f"the optimizer's first step for a gradient of ones is +{size:.2g}, uphill: "
            "optax.adam(1.0) steps down; optax.scale_by_... wants optax.scale(-1.0) after it "
            "(where it is to climb: check_rate=False)"
        )


# It closes over traced numbers; it needs more than gradients and parameters, or is made for other
# parameters (`optax.masked` with a mask of their structure).
_CANNOT_BE_TRIED = (jax.errors.JAXTypeError, TypeError, ValueError, KeyError)


def _first_step(transformation: optax.GradientTransformationExtraArgs) -> jax.Array:
    """What it makes of ones. [3]"""
    ones = jnp.ones(3)
    updates, _ = transformation.update(ones, transformation.init(ones), ones)
    leaves: list[Any] = jax.tree.leaves(updates)
    return leaves[0]
