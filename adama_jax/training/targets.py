"""Target networks: slow copies of what is learned, which targets of the critic are made of."""

from typing import Any, cast

import jax
import optax

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.types import Params, Scalar


def with_targets(algorithm: Algorithm, params: Params) -> Params:
    """The parameters of which there are targets: actors, critic, and the groups that ask for it."""
    others = {}
    for name, group in algorithm.groups.items():
        if group.has_target:
            others[name] = params.others[name]
    return params._replace(others=others)


def moved_targets(
    algorithm: Algorithm,
    params: Params,
    targets: Params,
    updates: jax.Array,
    period: int | None,
    step: Scalar,
) -> Params:
    """The targets after an update.

    Args:
        algorithm: says which parameters have them.
        params: after the update.
        targets: before it.
        updates: so many there have been, this one among them. []
        period: they are copies after every so many; None: they move by `step`.
        step: target += step (online - target), if there is no period.
    """
    # optax's types are of its own trees, which include ours.
    online: Any = with_targets(algorithm, params)
    old: Any = targets
    if period is None:
        new = optax.incremental_update(online, old, step)
    else:
        new = optax.periodic_update(online, old, updates, period)
    return cast(Params, new)
