"""The one train step of the project: gradients once, rates from them, then both updates (Algorithm 1, lines 10-14).

The learner composes an algorithm, an optimizer and a rate rule. It never sees an environment or a buffer, only a batch.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from adama_jax import tree
from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.rates import probe
from adama_jax.rates.rules import RateHyper, RateRule, RateState
from adama_jax.training.microbatches import mean_over_batch
from adama_jax.training.optimizers import Optimizer
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
    optimizer: Optimizer,
    rule: RateRule,
    num_agents: int,
    curvature: str = "secant",
    target_period: int | None = 20,
    parts: int | None = None,
    shared_by: str | None = None,
) -> Learner:
    """Compose an algorithm, an optimizer and a rate rule into a train step.

    Args:
        algorithm, optimizer, rule: the three bundles.
        num_agents: N.
        curvature: how a second-order rule gets M l_a, one of `probe.CURVATURES`; not read by first-order rules.
        target_period: copy the targets every so many updates; None moves them softly, by `hyper.target_step`.
        parts: the minibatch's gradients and curvature are means over so many equal parts, one after another and, under
            `vmap`, one run after another: the same to rounding (a secant's curvature only about: its step has its size
            in each part), and faster on a CPU, whose caches hold a part. None: all of it at once, as a GPU likes it.
        shared_by: the axis of a `shard_map` whose devices divide the parts among themselves, each its own run of them,
            and then all hold the mean; None: there is no such axis.

    Raises:
        ValueError: a second-order rule with `curvature="exact"` and a piecewise-linear critic; an unknown curvature;
            `shared_by` without `parts`; at an update, a minibatch that `parts` does not divide, or parts that the
            devices do not.

    >>> import jax, optax
    >>> from adama_jax.algorithms.maddpg import maddpg
    >>> from adama_jax.training.optimizers import from_optax
    >>> from adama_jax.rates.rules import adama
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
    if shared_by is not None and parts is None:
        raise ValueError(
            f"shared_by={shared_by!r}: devices share the parts of a minibatch, so `parts` must be given"
        )

    mean = partial(mean_over_batch, parts=parts, shared_by=shared_by)
    gradients, bend = (
        partial(_gradients, algorithm),
        partial(_curvature_product, algorithm, curvature),
    )

    def init(
        key: jax.Array, hyper: LearnerHyper | None = None, rate_hyper: RateHyper | None = None
    ) -> LearnerState:
        params = algorithm.init(key)
        return LearnerState(
            params=params,
            targets=jax.tree.map(jnp.copy, params),
            optimisers=Params(
                optimizer.actors.init(params.actors), optimizer.critic.init(params.critic)
            ),
            rates=rule.init(num_agents, rate_hyper),
            hyper=LearnerHyper(
                *(jnp.asarray(value, jnp.float32) for value in (hyper or LearnerHyper()))
            ),
            updates=jnp.zeros((), jnp.int32),
        )

    def update(
        state: LearnerState, batch: Batch, key: jax.Array
    ) -> tuple[LearnerState, UpdateMetrics]:
        actors, critic = state.params
        found = mean(gradients, (state.params, state.targets, state.hyper.discount), batch, key)
        downhill = jax.tree.map(jnp.negative, found.actors)  # optax descends; the actors climb
        actor_directions, actor_state = optimizer.actors.update(
            downhill, state.optimisers.actors, actors
        )
        critic_direction, critic_state = optimizer.critic.update(
            found.critic, state.optimisers.critic, critic
        )
        contribution = probe.contributions(found.actors, actor_directions)
        bends = (
            state.params,
            actor_directions,
            state.rates.rates.actors,
            contribution,
            state.hyper.secant_step,
        )
        signals = Signals(
            contribution=contribution,
            curvature=mean(bend, bends, batch, key) if rule.second_order else jnp.zeros(num_agents),
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
            targets=_move_targets(
                params, state.targets, updates, target_period, state.hyper.target_step
            ),
            optimisers=Params(actor_state, critic_state),
            rates=rate_state,
            hyper=state.hyper,
            updates=updates,
        )
        return state, UpdateMetrics(found.td_loss, found.value, signals, rates)

    return Learner(init, update)


def _gradients(
    algorithm: Algorithm, context: tuple[Params, Params, jax.Array], batch: Batch, key: jax.Array
) -> Gradients:
    """Of parameters, with these targets and this discount."""
    (actors, critic), targets, discount = context
    k_critic, k_actors = jax.random.split(key)
    loss, by_critic = jax.value_and_grad(algorithm.critic_loss)(
        critic, targets, batch, discount, k_critic
    )
    value, (by_actors, value_by_critic) = jax.value_and_grad(algorithm.objective, argnums=(0, 1))(
        actors, critic, batch, k_actors
    )
    return Gradients(loss, by_critic, value, by_actors, value_by_critic)


def _curvature_product(
    algorithm: Algorithm, curvature: str, context: PyTree, batch: Batch, _: jax.Array
) -> jax.Array:
    """M l_a of Eq. (3). The context: parameters, the actors' directions, rates, contributions, step of a secant. [N]"""
    params, directions, rates, contribution, secant_step = context
    return probe.curvature(curvature, secant_step)(
        lambda actors: algorithm.act(actors, batch.obs),
        lambda action: algorithm.value(params.critic, batch.obs, action),
        params.actors,
        directions,
        rates,
        contribution,
    )


def _move_targets(
    params: Params, targets: Params, updates: jax.Array, period: int | None, target_step: Scalar
) -> Params:
    if period is None:
        return optax.incremental_update(params, targets, target_step)  # pyright: ignore[reportReturnType]
    return optax.periodic_update(params, targets, updates, period)  # pyright: ignore[reportReturnType]
