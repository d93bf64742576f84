"""The one train step of the project: gradients once, rates from them, then both updates (Algorithm 1, lines 10-14).

The learner composes an algorithm, a direction and a rate rule. It never sees an environment or a buffer, only a batch.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree

from adama_jax import probe, tree
from adama_jax.algorithms.base import Algorithm
from adama_jax.directions import Direction
from adama_jax.rates import RateHyper, RateRule, RateState
from adama_jax.types import Batch, Params, PyTree, Rates, Scalar, Signals


class LearnerHyper(NamedTuple):
    """Float hyperparameters of the learner. The defaults are Table 1's for predator-prey."""

    discount: Scalar = 0.97  # gamma
    target_step: Scalar = 0.02  # of soft targets: target += step (online - target)
    secant_step: Scalar = 0.1  # root mean square step, in actions, of curvature="secant"


class LearnerState(NamedTuple):
    """All that a train step reads and writes."""

    params: Params
    targets: Params
    optimisers: Params  # states of the directions
    rates: RateState
    hyper: LearnerHyper
    updates: jax.Array  # [], int32; the same for all runs of a population


class UpdateMetrics(NamedTuple):
    """What one update measured, before it moved anything; `rates` are those it moved with."""

    td_loss: jax.Array  # []
    value: jax.Array  # J, []
    signals: Signals
    rates: Rates


class Gradients(NamedTuple):
    """The two losses of an update and their gradients; those of `value` are the directions uphill."""

    td_loss: jax.Array  # []
    critic: PyTree  # of td_loss, by the critic
    value: jax.Array  # J, []
    actors: PyTree  # of J, every leaf leading with N
    value_by_critic: PyTree  # of J


class Learner(NamedTuple):
    """init: `(key, hyper=None, rate_hyper=None) -> LearnerState`; update: `(state, batch, key) -> (state, metrics)`."""

    init: Callable[..., LearnerState]
    update: Callable[[LearnerState, Batch, jax.Array], tuple[LearnerState, UpdateMetrics]]


def learner(
    algorithm: Algorithm,
    direction: Direction,
    rule: RateRule,
    num_agents: int,
    curvature: str = "secant",
    target_period: int | None = 20,
    parts: int = 1,
    shared_by: str | None = None,
) -> Learner:
    """Compose an algorithm, a direction and a rate rule into a train step.

    Args:
        algorithm, direction, rule: the three bundles.
        num_agents: N.
        curvature: how a second-order rule gets M l_a, one of `probe.CURVATURES`; not read by first-order rules.
        target_period: copy the targets every so many updates; None moves them softly, by `hyper.target_step`.
        parts: the minibatch's gradients and curvature are means over so many equal parts, one after another: the same
            to rounding (the secant's step has its size in each part), and faster on a CPU, whose caches hold a part.
        shared_by: the axis of a `shard_map` whose devices divide the parts among themselves, each its own run of them,
            and then all hold the mean; None: there is no such axis.

    Raises:
        ValueError: a second-order rule with `curvature="exact"` and a piecewise-linear critic; an unknown curvature;
            at an update, a minibatch that `parts` does not divide.

    >>> import jax, optax
    >>> from adama_jax.algorithms.maddpg import maddpg
    >>> from adama_jax.directions import from_optax
    >>> from adama_jax.rates import adama
    >>> learn = learner(maddpg(2, 3, 2), from_optax(optax.sgd(1.0)), adama(), num_agents=2)
    >>> state = learn.init(jax.random.key(0))
    >>> state.rates.rates.actors.shape
    (2,)
    """
    if curvature not in probe.CURVATURES:
        raise ValueError(f"curvature={curvature!r}: choose one of {', '.join(probe.CURVATURES)}")
    if rule.second_order and curvature == "exact" and not algorithm.smooth:
        raise ValueError(
            "curvature='exact': a piecewise-linear critic has no second derivative, so the rule would equal the "
            "first-order one; choose curvature 'secant' or 'lookahead', or a smooth critic such as 'tanh'"
        )

    mean = partial(_mean_over_parts, parts=parts, shared_by=shared_by)

    def init(key: jax.Array, hyper: LearnerHyper | None = None, rate_hyper: RateHyper | None = None) -> LearnerState:
        params = algorithm.init(key)
        return LearnerState(
            params=params,
            targets=jax.tree.map(jnp.copy, params),
            optimisers=Params(direction.actors.init(params.actors), direction.critic.init(params.critic)),
            rates=rule.init(num_agents, rate_hyper),
            hyper=LearnerHyper(*(jnp.asarray(value, jnp.float32) for value in (hyper or LearnerHyper()))),
            updates=jnp.zeros((), jnp.int32),
        )

    def update(state: LearnerState, batch: Batch, key: jax.Array) -> tuple[LearnerState, UpdateMetrics]:
        actors, critic = state.params
        found = mean(lambda *part: _gradients(algorithm, state, *part), batch, key)
        downhill = jax.tree.map(jnp.negative, found.actors)  # optax descends; the actors climb
        actor_directions, actor_state = direction.actors.update(downhill, state.optimisers.actors, actors)
        critic_direction, critic_state = direction.critic.update(found.critic, state.optimisers.critic, critic)
        contribution = probe.contributions(found.actors, actor_directions)
        bend = _curvature_product(algorithm, curvature, state, actor_directions, contribution)
        signals = Signals(
            contribution=contribution,
            curvature=mean(bend, batch, key) if rule.second_order else jnp.zeros(num_agents),
            critic_term=probe.critic_term(found.value_by_critic, critic_direction),
        )
        rate_state = rule.update(signals, state.rates)
        rates = rate_state.rates
        params = Params(
            tree.step_per_agent(actors, rates.actors, actor_directions),
            tree.step(critic, rates.critic, critic_direction),
        )
        updates = state.updates + 1
        state = LearnerState(
            params=params,
            targets=_move_targets(params, state.targets, updates, target_period, state.hyper.target_step),
            optimisers=Params(actor_state, critic_state),
            rates=rate_state,
            hyper=state.hyper,
            updates=updates,
        )
        return state, UpdateMetrics(found.td_loss, found.value, signals, rates)

    return Learner(init, update)


def _gradients(algorithm: Algorithm, state: LearnerState, batch: Batch, key: jax.Array) -> Gradients:
    k_critic, k_actors = jax.random.split(key)
    actors, critic = state.params
    loss, by_critic = jax.value_and_grad(algorithm.critic_loss)(
        critic, state.targets, batch, state.hyper.discount, k_critic
    )
    value, (by_actors, value_by_critic) = jax.value_and_grad(algorithm.objective, argnums=(0, 1))(
        actors, critic, batch, k_actors
    )
    return Gradients(loss, by_critic, value, by_actors, value_by_critic)


def _curvature_product(
    algorithm: Algorithm, curvature: str, state: LearnerState, directions: PyTree, contribution: jax.Array
) -> Callable[[Batch, jax.Array], jax.Array]:
    """`(batch, key) -> M l_a` of Eq. (3). [N]"""

    def product(batch: Batch, _: jax.Array) -> jax.Array:
        return probe.curvature(curvature, state.hyper.secant_step)(
            lambda actors: algorithm.act(actors, batch.obs),
            lambda action: algorithm.value(state.params.critic, batch.obs, action),
            state.params.actors,
            directions,
            state.rates.rates.actors,
            contribution,
        )

    return product


def _mean_over_parts(
    function: Callable[[Batch, jax.Array], PyTree], batch: Batch, key: jax.Array, parts: int, shared_by: str | None
) -> Any:
    """`function(batch, key)`, which is a mean over transitions, as the mean over equal parts of the minibatch."""
    if parts == 1:
        return function(batch, key)
    if batch.reward.shape[0] % parts:
        raise ValueError(f"a minibatch of {batch.reward.shape[0]} has no {parts} equal parts")
    pieces = jax.tree.map(lambda leaf: _cut(leaf, parts), batch)
    pieces, keys = _own((pieces, jax.random.split(key, parts)), shared_by)
    shapes = jax.eval_shape(function, batch, key)
    zero = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    total, _ = jax.lax.scan(
        lambda total, part: (jax.tree.map(jnp.add, total, function(_as_batch(part[0]), part[1])), None),
        zero,
        (pieces, keys),
    )
    return jax.tree.map(lambda leaf: leaf / parts, _over_devices(total, shared_by))


def _own(pieces: PyTree, shared_by: str | None) -> PyTree:
    """Of the pieces those that are this device's."""
    if shared_by is None:
        return pieces

    def take(leaf: jax.Array) -> jax.Array:
        each = leaf.shape[0] // jax.lax.axis_size(shared_by)
        return jax.lax.dynamic_slice_in_dim(leaf, each * jax.lax.axis_index(shared_by), each)

    return jax.tree.map(take, pieces)


def _over_devices(total: PyTree, shared_by: str | None) -> PyTree:
    """The sum over devices, exchanged as one vector."""
    if shared_by is None:
        return total
    flat, tree_of = ravel_pytree(total)
    return tree_of(jax.lax.psum(flat, shared_by))


def _cut(leaf: jax.Array, parts: int) -> jax.Array:
    """A minibatch's leaf in equal parts, feature-major, as the networks read it.

    [B] to [parts, B / parts]; [N, B, X] to [parts, N, X, B / parts]
    """
    if leaf.ndim == 1:
        return leaf.reshape(parts, -1)
    agents, batch, size = leaf.shape
    return jnp.transpose(leaf.reshape(agents, parts, batch // parts, size), (1, 0, 3, 2))


def _as_batch(piece: Batch) -> Batch:
    """A part as a minibatch: [N, X, B] to [N, B, X], which is the networks' own transposition undone."""
    return jax.tree.map(lambda leaf: leaf if leaf.ndim == 1 else jnp.swapaxes(leaf, 1, 2), piece)


def _move_targets(
    params: Params, targets: Params, updates: jax.Array, period: int | None, target_step: Scalar
) -> Params:
    if period is None:
        return optax.incremental_update(params, targets, target_step)  # pyright: ignore[reportReturnType]
    return optax.periodic_update(params, targets, updates, period)  # pyright: ignore[reportReturnType]
