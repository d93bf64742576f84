"""Adam-Rel: Adam whose count of steps begins anew when the targets change.

Ellis et al., Adam on Local Time (NeurIPS 2024), Algorithm 1: the moments stay, only the time of the
bias correction is that since the targets changed. Changed here: for actors that move less often
than the critic, it counts their own steps since then.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from adama_jax.optax.per_agent import per_agent
from adama_jax.training.optimizers import Optimizer


def adam_rel(target_period: int | None = None, actors_every: int = 1) -> Optimizer:
    """Adam on local time for every actor and for the critic.

    Args:
        target_period: the targets are copied after every so many updates.
        actors_every: the actors move at every so many of them, first at the first.

    Raises:
        ValueError: `target_period` is None: targets that move softly never change at once.
    """
    if target_period is None:
        raise ValueError(
            "target_period=None: adam_rel needs targets that are copied now and then; with those "
            "that move softly it is Adam"
        )
    actors = on_local_time(target_period, actors_every)
    critic = on_local_time(target_period)
    return Optimizer(per_agent(actors), critic, others=optax.adam(1.0))


def on_local_time(
    target_period: int,
    every: int = 1,
) -> optax.GradientTransformationExtraArgs:
    """Adam at learning rate 1, on local time.

    Args:
        target_period: the targets are copied after every so many updates.
        every: of these updates, this makes one in so many, the first, and then each so many later.

    >>> import jax.numpy as jnp
    >>> tx = on_local_time(target_period=2)
    >>> state = tx.init(jnp.zeros(1))
    >>> for gradient in (1.0, 1.0, 0.0):
    ...     step, state = tx.update(jnp.array([gradient]), state)
    >>> round(float(step[0]), 2)  # the moments of 0.171 and 0.001996 over those of one step
    -1.21
    """
    # optax's types do not say that its state is a NamedTuple.
    adam: Any = optax.scale_by_adam()

    def init(params: Any) -> Any:
        return adam.init(params)

    def update(
        updates: Any,
        state: Any,
        params: Any = None,
        **extra_args: Any,
    ) -> tuple[Any, Any]:
        del params, extra_args
        since = _since_the_last_copy(state.count, target_period, every)
        directions, moved = adam.update(updates, state._replace(count=since))
        # The count in the state is that of all steps.
        moved = moved._replace(count=state.count + 1)
        steps = optax.tree.scale(-1.0, directions)
        return steps, moved

    return optax.GradientTransformationExtraArgs(init, update)


def _since_the_last_copy(
    count: jax.Array,
    target_period: int,
    every: int,
) -> jax.Array:
    """Own steps since the targets changed, of `count` in all. []"""
    copies = (count * every) // target_period
    before = -(-(copies * target_period) // every)
    return jnp.asarray(count - before, jnp.int32)
