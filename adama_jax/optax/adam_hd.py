"""Adam-HD: Adam whose learning rate descends by its hypergradient.

Baydin et al., Online Learning Rate Adaptation with Hypergradient Descent (ICLR 2018), Algorithm 5:
the rate grows by the product of a gradient with the direction before it. Their public code has a
rate for each parameter array; here it is one for each network, as in the paper. Changed here: the
rate is kept as a multiple of the first one, which comes from outside.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

# The paper's beta of 1e-7 for its Adam-HD, at its first rate of 1e-3.
HYPER_STEP = 1e-4


class AdamHDState(NamedTuple):
    """What Adam-HD remembers."""

    adam: Any
    direction: Any  # the last one, uphill, of the parameters' structure
    multiple: jax.Array  # of the first rate, []


def adam_hd(
    learning_rate: float = 1.0,
    hyper_step: float = HYPER_STEP,
) -> optax.GradientTransformationExtraArgs:
    """Adam with a learning rate that adapts.

    Args:
        learning_rate: the first one.
        hyper_step: beta of the paper over the first rate.

    >>> import jax.numpy as jnp
    >>> tx = adam_hd(hyper_step=0.1)
    >>> state = tx.init(jnp.zeros(1))
    >>> for _ in range(3):
    ...     step, state = tx.update(jnp.array([2.0]), state)
    >>> round(float(state.multiple), 4), round(float(step[0]), 4)  # 1 + 2 * 0.1 * 2 * 1
    (1.4, -1.4)
    """
    adam = optax.scale_by_adam()

    def init(params: Any) -> AdamHDState:
        nothing = optax.tree.zeros_like(params)
        return AdamHDState(adam.init(params), nothing, jnp.ones(()))

    def update(
        updates: Any,
        state: AdamHDState,
        params: Any = None,
        **extra_args: Any,
    ) -> tuple[Any, AdamHDState]:
        del params, extra_args
        # The derivative of the loss by the last rate is minus this.
        agreement = optax.tree.vdot(updates, state.direction)
        multiple = state.multiple + hyper_step * agreement
        direction, adam_state = adam.update(updates, state.adam)
        steps = optax.tree.scale(-learning_rate * multiple, direction)
        return steps, AdamHDState(adam_state, direction, multiple)

    # optax's types know no transformation with a state of one's own.
    made: Any = optax.GradientTransformationExtraArgs
    return made(init, update)
