"""Optimizers: which way to step. An optax transformation at learning rate 1.

How far is the rate rule's business. `fixed(lr)` with `optax.adam(1.0)` is `optax.adam(lr)`, so
AdaMa works on any optimizer whose step is proportional to its learning rate. Nearly all are.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import optax

from adama_jax.optax.per_agent import check_first_step, per_agent
from adama_jax.types import Params, Rates

# Why an optimizer of optax's cannot be used, where its step is not proportional to its rate.
NOT_PROPORTIONAL = {
    "fromage": "it also shrinks the parameters, by a square root of its rate",
    "rprop": "its rate is the size of the first step, and the others' bounds do not move with it",
}


class Optimizer(NamedTuple):
    """A transformation for the stacked actors and one for every other tree of parameters.

    Both are `(init, update)` as in optax.
    """

    actors: optax.GradientTransformation  # every leaf leads with N
    critic: optax.GradientTransformation
    # Of each tree in `Params.others`; None: as the critic's.
    others: optax.GradientTransformation | None = None
    # `(params, states, rates)` to the parameters at which gradients are taken; None: at `params`.
    gradients_at: Callable[[Params, Params, Rates], Params] | None = None
    # Whether an actor's direction depends on the others' gradients.
    couples_agents: bool = False

    @property
    def of_others(self) -> optax.GradientTransformation:
        """Of each tree in `Params.others`."""
        return self.others or self.critic

    def init(self, params: Params) -> Params:
        """The states for all parameters."""
        others = {}
        for name, own in params.others.items():
            others[name] = self.of_others.init(own)
        return Params(
            actors=self.actors.init(params.actors),
            critic=self.critic.init(params.critic),
            others=others,
        )

    def update(
        self,
        gradients: Params,
        state: Params,
        params: Params,
    ) -> tuple[Params, Params]:
        """The directions at rate 1 that descend these gradients, and the new states."""
        # Always with the parameters: adamw and every transformation that reads them fails without.
        actors, actors_state = self.actors.update(
            gradients.actors, state.actors, params.actors
        )
        critic, critic_state = self.critic.update(
            gradients.critic, state.critic, params.critic
        )
        others = {}
        other_states = {}
        for name, own in params.others.items():
            direction, new = self.of_others.update(
                gradients.others[name], state.others[name], own
            )
            others[name] = direction
            other_states[name] = new
        directions = Params(actors, critic, others)
        return directions, Params(actors_state, critic_state, other_states)


def from_optax(
    transformation: optax.GradientTransformation, check_rate: bool = True
) -> Optimizer:
    """The same optax transformation, built at learning rate 1, for every actor and for the critic.

    It is vmapped over the agent axis of the actors, so that one which mixes leaves (a global norm,
    say) never couples agents.

    Its step must be proportional to its learning rate, or what is trained is another optimizer:
    `optax.rprop` and `optax.fromage` are of no use here, and neither are schedules, weight decay or
    clipping that come after the scaling by the rate. Nothing can tell that from the transformation.

    Args:
        transformation: of optax, at learning rate 1.
        check_rate: refuse one whose first step shows that it is not built at that rate.

    Raises:
        ValueError: its first step is far too small for learning rate 1.

    >>> import optax
    >>> clipped = from_optax(optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0)))
    >>> from_optax(optax.adam(1e-3))
    Traceback (most recent call last):
    ValueError: the optimizer's first step for a gradient of ones is 0.001: build it at ...
    """
    if check_rate:
        check_first_step(transformation)
    return Optimizer(actors=per_agent(transformation), critic=transformation)


def clipped(
    optimizer: Optimizer,
    largest_norm: float,
) -> Optimizer:
    """The optimizer on gradients that are scaled down to this norm where theirs is larger.

    Each actor's has a norm of its own, and so has the critic's.

    >>> import jax.numpy as jnp, optax
    >>> plain = clipped(from_optax(optax.sgd(1.0)), 1.0)
    >>> gradients = Params(jnp.array([[-3.0, -4.0], [-0.3, -0.4]]), jnp.array([-8.0]))
    >>> steps, _ = plain.update(gradients, plain.init(gradients), gradients)
    >>> [[round(x, 4) for x in row] for row in steps.actors.tolist()], steps.critic.tolist()
    ([[0.6, 0.8], [0.3, 0.4]], [1.0])
    """
    clip = optax.clip_by_global_norm(largest_norm)
    inner = optimizer.gradients_at

    def gradients_at(params: Params, states: Params, rates: Rates) -> Params:
        assert inner is not None
        # A chain's state is a pair: of the clipping, which has none, and of the optimizer.
        own = states._replace(actors=states.actors[1], critic=states.critic[1])
        return inner(params, own, rates)

    return Optimizer(
        actors=optax.chain(per_agent(clip), optimizer.actors),
        critic=optax.chain(clip, optimizer.critic),
        others=optax.chain(clip, optimizer.of_others),
        gradients_at=None if inner is None else gradients_at,
        couples_agents=optimizer.couples_agents,
    )


def named_optimizer(name: str) -> Optimizer:
    """`optax.<name>(learning_rate=1.0)` with optax's defaults for the rest.

    Raises:
        ValueError: optax has no such optimizer, it needs more than a learning rate, or its step is
            not proportional to it.

    >>> isinstance(named_optimizer("adamw"), Optimizer)
    True
    """
    if name in NOT_PROPORTIONAL:
        raise ValueError(
            f"optimizer={name!r}: its step is not proportional to its learning rate: "
            f"{NOT_PROPORTIONAL[name]}"
        )
    factory: Any = getattr(optax, name, None)
    if not callable(factory):
        raise ValueError(
            f"optimizer={name!r}: no optimizer of that name in optax {optax.__version__}"
        )
    # optax has no list of its optimizers: what is called like one and takes a learning rate is one.
    parameters = inspect.signature(factory).parameters
    required = {each.name for each in parameters.values() if each.default is each.empty}
    if "learning_rate" not in parameters or not required <= {"learning_rate"}:
        raise ValueError(
            f"optimizer={name!r}: not an optax optimizer that needs a learning rate "
            "and nothing else"
        )
    transformation: Any = factory(learning_rate=1.0)
    # adadelta and lars begin with steps of 0.001 at learning rate 1.
    return from_optax(transformation, check_rate=False)
