"""Optimizers: which way to step. Any optax transformation at learning rate 1.

How far is the rate rule's business. `fixed(lr)` with `optax.adam(1.0)` is `optax.adam(lr)`, so
AdaMa works on any optimizer.
"""

import inspect
from typing import Any, NamedTuple

import jax
import optax

from adama_jax.types import Params, PyTree


class Optimizer(NamedTuple):
    """A transformation for the stacked actors and one for every other tree of parameters.

    Both are `(init, update)` as in optax; `update` always gets the parameters, for some read them.
    """

    actors: optax.GradientTransformation  # every leaf leads with N
    critic: optax.GradientTransformation  # also of each tree in `Params.others`

    def init(self, params: Params) -> Params:
        """The states for all parameters."""
        others = {name: self.critic.init(own) for name, own in params.others.items()}
        return Params(self.actors.init(params.actors), self.critic.init(params.critic), others)

    def update(self, gradients: Params, state: Params, params: Params) -> tuple[Params, Params]:
        """The directions at rate 1 that descend these gradients, and the new states."""
        actors = self.actors.update(gradients.actors, state.actors, params.actors)
        critic = self.critic.update(gradients.critic, state.critic, params.critic)
        others = {
            name: self.critic.update(gradients.others[name], state.others[name], own)
            for name, own in params.others.items()
        }
        directions = {name: direction for name, (direction, _) in others.items()}
        states = {name: new for name, (_, new) in others.items()}
        return Params(actors[0], critic[0], directions), Params(actors[1], critic[1], states)


def from_optax(transformation: optax.GradientTransformation) -> Optimizer:
    """The same optax transformation, built at learning rate 1, for every actor and for the critic.

    It is vmapped over the agent axis of the actors, so that one which mixes leaves (a global norm,
    say) never couples agents.

    >>> import jax.numpy as jnp, optax
    >>> clipped = from_optax(optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0)))
    >>> gradients = jnp.array([[3.0, 4.0], [0.0, 0.5]])  # two agents, each clipped by its own norm
    >>> updates, _ = clipped.actors.update(gradients, clipped.actors.init(gradients), gradients)
    >>> [[round(x, 4) for x in row] for row in (-updates).tolist()]
    [[0.6, 0.8], [0.0, 0.5]]
    """
    init: Any = jax.vmap(transformation.init)

    def update(gradients: PyTree, state: PyTree, params: PyTree) -> tuple[PyTree, PyTree]:
        return jax.vmap(transformation.update)(gradients, state, params)

    update_stacked: Any = update
    return Optimizer(optax.GradientTransformation(init, update_stacked), transformation)


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
            f"optimizer={name!r}: no optimizer of that name in optax {optax.__version__}"
        )
    parameters = inspect.signature(factory).parameters
    required = [
        key for key, parameter in parameters.items() if parameter.default is parameter.empty
    ]
    if "learning_rate" not in parameters or required not in ([], ["learning_rate"]):
        raise ValueError(
            f"optimizer={name!r}: not an optax optimizer that needs a learning rate and nothing else"
        )
    return from_optax(factory(learning_rate=1.0))  # pyright: ignore[reportArgumentType]
