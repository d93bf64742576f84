"""The interface of an algorithm."""

from collections.abc import Callable
from typing import NamedTuple

import jax

from adama_jax.types import Batch, Params, PyTree


class Algorithm(NamedTuple):
    """An actor-critic algorithm as pure functions. Keys are for algorithms that draw noise.

    init: `(key) -> Params`.
    act: `(actors, obs [N, B, O]) -> action [N, B, A]` in [-1, 1].
    value: `(critic, obs [N, B, O], action [N, B, A]) -> Q [B]`.
    critic_loss: `(critic, targets: Params, batch, discount, key) -> []`, to be minimised.
    objective: `(actors, critic, batch, key) -> []`, J, to be maximised over the actors.
    smooth: whether `value` has second derivatives in the actions that are not zero almost everywhere.
    """

    init: Callable[[jax.Array], Params]
    act: Callable[[PyTree, jax.Array], jax.Array]
    value: Callable[[PyTree, jax.Array, jax.Array], jax.Array]
    critic_loss: Callable[[PyTree, Params, Batch, jax.Array, jax.Array], jax.Array]
    objective: Callable[[PyTree, PyTree, Batch, jax.Array], jax.Array]
    smooth: bool
