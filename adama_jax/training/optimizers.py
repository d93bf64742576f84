"""Directions: which way to step. Any optax optimiser at learning rate 1; how far is the rate rule's business.

`fixed(lr)` with `optax.adam(1.0)` is `optax.adam(lr)`, so AdaMa works on any optimiser.
"""

import inspect
from typing import NamedTuple

import jax
import optax

from adama_jax.types import PyTree


class Optimizer(NamedTuple):
    """A direction for stacked actors and one for the critic: `(init, update)` as in optax, `update` always with params.

    The actors' transformation is vmapped over the agent axis, so that one which mixes leaves (a global norm, say)
    never couples agents.
    """

    actors: optax.GradientTransformation
    critic: optax.GradientTransformation


def from_optax(transformation: optax.GradientTransformation) -> Optimizer:
    """The same optax transformation, built at learning rate 1, for every actor and for the critic.

    >>> import jax.numpy as jnp, optax
    >>> clipped = from_optax(optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0)))
    >>> gradients = jnp.array([[3.0, 4.0], [0.0, 0.5]])  # two agents: each is clipped by its own norm
    >>> updates, _ = clipped.actors.update(gradients, clipped.actors.init(gradients), gradients)
    >>> [[round(x, 4) for x in row] for row in (-updates).tolist()]
    [[0.6, 0.8], [0.0, 0.5]]
    """

    def update(gradients: PyTree, state: PyTree, params: PyTree) -> tuple[PyTree, PyTree]:
        return jax.vmap(transformation.update)(gradients, state, params)

    stacked = optax.GradientTransformation(jax.vmap(transformation.init), update)  # pyright: ignore[reportArgumentType]
    return Optimizer(stacked, transformation)


def named_optimizer(name: str) -> Optimizer:
    """`optax.<name>(learning_rate=1.0)` with optax's defaults for the rest.

    Raises:
        ValueError: optax has no such optimiser, or it needs more than a learning rate.

    >>> isinstance(named_optimizer("adamw"), Optimizer)
    True
    """
    factory = getattr(optax, name, None)
    if not callable(factory):
        raise ValueError(
            f"direction={name!r}: no optimiser of that name in optax {optax.__version__}"
        )
    parameters = inspect.signature(factory).parameters
    required = [
        key for key, parameter in parameters.items() if parameter.default is parameter.empty
    ]
    if "learning_rate" not in parameters or required not in ([], ["learning_rate"]):
        raise ValueError(
            f"direction={name!r}: not an optax optimiser that needs a learning rate and nothing else"
        )
    return from_optax(factory(learning_rate=1.0))  # pyright: ignore[reportArgumentType]
