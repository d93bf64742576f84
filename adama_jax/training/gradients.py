"""What an update measures on its minibatch: the gradients of all losses, and the curvature.

Functions `(algorithm, ..., context, batch, key)` whose results are means over the batch, so that
`microbatches` may take them piece by piece.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.rates import probe
from adama_jax.types import Batch, Params, PyTree, Scalar

Context = tuple[Params, Params, jax.Array]
"""Parameters, targets, discount."""


class Gradients(NamedTuple):
    """The losses of an update and their gradients; those of `value` point uphill."""

    td_loss: jax.Array  # []
    value: jax.Array  # J, []
    value_by_actors: PyTree  # every leaf leading with N
    value_by_critic: PyTree
    td_loss_by_critic: PyTree
    others: Mapping[str, PyTree]  # of each further group's loss, by that group
    parts: Mapping[str, jax.Array]  # of J, each []; none where J is one thing


def downhill(found: Gradients) -> Params:
    """What optax is to descend: the objective's gradient negated, for the actors climb."""
    return Params(
        actors=jax.tree.map(jnp.negative, found.value_by_actors),
        critic=found.td_loss_by_critic,
        others=found.others,
    )


def gradients(
    algorithm: Algorithm,
    context: Context,
    batch: Batch,
    key: jax.Array,
) -> Gradients:
    """Of all parameters at the same point; the context: parameters, targets, discount."""
    params, targets, discount = context
    k_critic, k_actors, *k_others = jax.random.split(key, 2 + len(algorithm.groups))

    td_loss = _td_loss(algorithm, context, batch, k_critic)
    objective = _objective(algorithm, context, batch, k_actors)
    loss, loss_by_critic = jax.value_and_grad(td_loss)(params.critic)
    # By the critic too, which kappa asks for: the same backward pass, continued into the critic.
    value_and_gradients = jax.value_and_grad(objective, argnums=(0, 1))
    value, (by_actors, by_critic) = value_and_gradients(params.actors, params.critic)

    def group_loss(
        own: PyTree,
        name: str,
        key: jax.Array,
    ) -> jax.Array:
        online = params._replace(others={**params.others, name: own})
        return algorithm.groups[name].loss(online, targets, batch, discount, key)

    others = {}
    for name, k_group in zip(algorithm.groups, k_others, strict=True):
        gradient = jax.grad(partial(group_loss, name=name, key=k_group))
        others[name] = gradient(params.others[name])
    parts: Mapping[str, jax.Array] = {}
    if algorithm.parts is not None:
        # With the objective's key, so that they are its summands; compiled, they are computed once.
        parts = algorithm.parts(params, targets, batch, discount, k_actors)
    return Gradients(
        td_loss=loss,
        value=value,
        value_by_actors=by_actors,
        value_by_critic=by_critic,
        td_loss_by_critic=loss_by_critic,
        others=others,
        parts=parts,
    )


def critic_gradient(
    algorithm: Algorithm,
    context: Context,
    batch: Batch,
    key: jax.Array,
) -> tuple[jax.Array, PyTree]:
    """The TD loss and its gradient alone, as `gradients` has them with the same key."""
    k_critic, *_ = jax.random.split(key, 2 + len(algorithm.groups))
    params, _, _ = context
    td_loss = _td_loss(algorithm, context, batch, k_critic)
    return jax.value_and_grad(td_loss)(params.critic)


def actors_gradient(
    algorithm: Algorithm,
    context: Context,
    batch: Batch,
    key: jax.Array,
) -> PyTree:
    """Of J by the actors alone, as `gradients` has it with the same key."""
    _, k_actors, *_ = jax.random.split(key, 2 + len(algorithm.groups))
    params, _, _ = context
    objective = _objective(algorithm, context, batch, k_actors)
    return jax.grad(objective)(params.actors, params.critic)


def _td_loss(
    algorithm: Algorithm, context: Context, batch: Batch, key: jax.Array
) -> Callable[[PyTree], jax.Array]:
    """The TD loss as a function of the critic."""
    params, targets, discount = context

    def td_loss(critic: PyTree) -> jax.Array:
        online = params._replace(critic=critic)
        return algorithm.critic_loss(online, targets, batch, discount, key)

    return td_loss


def _objective(
    algorithm: Algorithm, context: Context, batch: Batch, key: jax.Array
) -> Callable[[PyTree, PyTree], jax.Array]:
    """J as a function of actors and critic."""
    params, targets, discount = context

    def objective(actors: PyTree, critic: PyTree) -> jax.Array:
        online = params._replace(actors=actors, critic=critic)
        return algorithm.objective(online, targets, batch, discount, key)

    return objective


class CurvatureInputs(NamedTuple):
    """What the curvature product needs beside the minibatch."""

    params: Params
    directions: PyTree  # the actors', every leaf leading with N
    rates: jax.Array  # l_a, [N]
    contributions: jax.Array  # [N]
    secant_step: Scalar  # []


def curvature_product(
    algorithm: Algorithm,
    curvature: str,
    inputs: CurvatureInputs,
    batch: Batch,
    key: jax.Array,
) -> jax.Array:
    """M l_a of Eq. (3). [N]"""
    params = inputs.params
    # The objective's key in `gradients`: both orders are of the same function of the rates.
    _, k_actors, *_ = jax.random.split(key, 2 + len(algorithm.groups))

    def policy(actors: PyTree) -> jax.Array:
        if algorithm.policy is None:
            return algorithm.act(actors, batch.obs)
        return algorithm.policy(actors, batch, k_actors)

    def value(action: jax.Array) -> jax.Array:
        return algorithm.value(params.critic, batch.obs, action)

    along = probe.Along(policy, value, params.actors, inputs.directions)
    product = probe.curvature(curvature, inputs.secant_step)
    # The contributions are those of J: where it is more than the value of greedy actions, what is
    # here measured of the value has others, to be measured anew.
    of_value_alone = algorithm.policy is None and algorithm.parts is None
    contributions = inputs.contributions if of_value_alone else None
    return product(along, inputs.rates, contributions)
