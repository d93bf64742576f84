"""Schedule-free Adam: acts with an average of where it has been, and learns from near it.

Defazio et al., The Road Less Scheduled (NeurIPS 2024). Three sequences of parameters: z steps as
Adam without momentum does, x is the average of z, and gradients are taken at y between the two.
optax stores y and gives x when asked. Changed here: x is what is stored, so that acting,
evaluation, targets and saved actors have it, and the optimizer remembers (z - x) / rate, so that
the rate may come from outside. With a constant rate both are the same to rounding.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adama_jax import tree
from adama_jax.training.optimizers import Optimizer
from adama_jax.types import Params, Rates

MOMENTUM = 0.9  # beta of the paper: y is that near to x


class ScheduleFreeState(NamedTuple):
    """What it remembers."""

    adam: Any
    ahead: Any  # (z - x) / rate, of the parameters' structure
    steps: jax.Array  # so far, int32, []


def schedule_free_adam() -> Optimizer:
    """For every actor and for the critic: all of it is of each parameter by itself."""
    found = _averaged()
    return Optimizer(found, found, others=optax.adam(1.0), gradients_at=_between)


def _averaged() -> optax.GradientTransformationExtraArgs:
    adam = optax.scale_by_adam(b1=0.0)

    def init(params: Any) -> ScheduleFreeState:
        nothing = optax.tree.zeros_like(params)
        return ScheduleFreeState(adam.init(params), nothing, jnp.zeros((), jnp.int32))

    def update(
        updates: Any,
        state: ScheduleFreeState,
        params: Any = None,
        **extra_args: Any,
    ) -> tuple[Any, ScheduleFreeState]:
        del params, extra_args
        directions, adam_state = adam.update(updates, state.adam)
        number = state.steps + 1
        # Of all z so far x is the plain mean.
        weight = 1 / number
        reached = optax.tree.sub(state.ahead, directions)
        steps = optax.tree.scale(weight, reached)
        ahead = optax.tree.scale(1 - weight, reached)
        return steps, ScheduleFreeState(adam_state, ahead, number)

    # optax's types know no transformation with a state of one's own.
    made: Any = optax.GradientTransformationExtraArgs
    return made(init, update)


def _between(params: Params, states: Params, rates: Rates) -> Params:
    """Where gradients are taken: y = x + (1 - beta)(z - x)."""
    share = 1 - MOMENTUM
    return params._replace(
        actors=tree.step_per_agent(
            params.actors, share * rates.actors, states.actors.ahead
        ),
        critic=tree.step(params.critic, share * rates.critic, states.critic.ahead),
    )
