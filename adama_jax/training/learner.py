"""The one train step: gradients once, rates from them, then all updates (Algorithm 1, lines 10-14).

The learner composes an algorithm, an optimizer and a rate rule. It never sees an environment or a
buffer, only a batch.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax

from adama_jax import tree
from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.rates import probe
from adama_jax.rates.rules import RateHyper, RateRule, RateState
from adama_jax.rates.settings import RateOptions
from adama_jax.training.batches import check_batch
from adama_jax.training.gradients import (
    CurvatureInputs,
    curvature_product,
    downhill,
    gradients,
)
from adama_jax.training.microbatches import mean_over_microbatches
from adama_jax.training.optimizers import Optimizer
from adama_jax.training.settings import Learning
from adama_jax.types import Batch, Params, Rates, Scalar, Signals


class LearnerHyper(NamedTuple):
    """Float hyperparameters of the learner, with the defaults of the settings of the same names."""

    discount: Scalar = Learning.discount  # gamma
    # Target += step (online - target), if soft.
    target_step: Scalar = Learning.target_step
    secant_step: Scalar = RateOptions.secant_step  # root mean square, in actions


class LearnerState(NamedTuple):
    """All that a train step reads and writes."""

    params: Params
    targets: Params  # of `others` those alone that have a target
    optimizers: Params  # their states
    rule: RateState  # of the rate rule; `rule.rates` are the present rates
    hyper: LearnerHyper
    updates: jax.Array  # [], int32; the same for all members of a population


class UpdateMetrics(NamedTuple):
    """What one update measured, before it moved anything; `rates` are those it moved with."""

    td_loss: jax.Array  # []
    value: jax.Array  # J, []
    signals: Signals
    rates: Rates


class Learner(NamedTuple):
    """A train step.

    init: `(key, hyper=None, rate_hyper=None) -> LearnerState`.
    update: `(state, batch, key) -> (state, metrics)`.
    """

    init: Callable[..., LearnerState]
    update: Callable[
        [LearnerState, Batch, jax.Array], tuple[LearnerState, UpdateMetrics]
    ]


def learner(
    algorithm: Algorithm,
    optimizer: Optimizer,
    rule: RateRule,
    num_agents: int,
    curvature: str = "secant",
    target_period: int | None = 20,
    microbatches: int | None = None,
    axis_name: str | None = None,
    agent_major: bool = False,
) -> Learner:
    """Compose an algorithm, an optimizer and a rate rule into a train step.

    Args:
        algorithm, optimizer, rule: the three bundles.
        num_agents: N.
        curvature: how a second-order rule gets M l_a, one of `probe.CURVATURES`; not read by
            first-order rules.
        target_period: copy the targets every so many updates; None moves them softly, by
            `hyper.target_step`.
        microbatches: the minibatch's gradients and curvature are means over so many equal parts of
            it, one after another and, under `vmap`, one member after another: the same to rounding
            (a secant's curvature only about: its step has its size in each), and faster on a CPU,
            whose caches hold a microbatch. None: all of it at once, as a GPU likes it.
        axis_name: the axis of a `shard_map` whose devices divide the microbatches among
            themselves, and then all hold the mean; None: there is no such axis.
        agent_major: the minibatches are known to be `[N, B, ...]`. Where they are not, one of as
            many transitions as agents is refused: its axes may be swapped, and no shape says so.

    Raises:
        ValueError: a second-order rule with `curvature="exact"` and a piecewise-linear critic; an
            unknown curvature; `axis_name` without `microbatches`; at an update, a minibatch of
            wrong shapes, or one that `microbatches` does not divide, or microbatches that the
            devices do not.

    >>> import jax, optax
    >>> from adama_jax.algorithms.maddpg import maddpg
    >>> from adama_jax.training.optimizers import from_optax
    >>> from adama_jax.rates.rules import adama
    >>> learn = learner(maddpg(2, 3, 2), from_optax(optax.sgd(1.0)), adama(), num_agents=2)
    >>> state = learn.init(jax.random.key(0))
    >>> state.rule.rates.actors.shape
    (2,)
    """
    _check(algorithm, rule, curvature, microbatches, axis_name)
    mean = partial(mean_over_microbatches, count=microbatches, axis_name=axis_name)
    measure = partial(gradients, algorithm)
    measure_curvature = partial(curvature_product, algorithm, curvature)

    def init(
        key: jax.Array,
        hyper: LearnerHyper | None = None,
        rate_hyper: RateHyper | None = None,
    ) -> LearnerState:
        params = algorithm.init(key)
        # Copies: the state is donated to a compiled step, which refuses a buffer given twice.
        targets = jax.tree.map(jnp.copy, _with_targets(algorithm, params))
        numbers = [jnp.asarray(value, jnp.float32) for value in hyper or LearnerHyper()]
        return LearnerState(
            params=params,
            targets=targets,
            optimizers=optimizer.init(params),
            rule=rule.init(num_agents, rate_hyper),
            hyper=LearnerHyper(*numbers),
            updates=jnp.zeros((), jnp.int32),
        )

    def update(
        state: LearnerState,
        batch: Batch,
        key: jax.Array,
    ) -> tuple[LearnerState, UpdateMetrics]:
        check_batch(batch, num_agents, agent_major)
        context = (state.params, state.targets, state.hyper.discount)
        found = mean(measure, context, batch, key)
        directions, optimizers = optimizer.update(
            downhill(found), state.optimizers, state.params
        )

        uphill = found.value_by_actors
        contributions = probe.contributions(uphill, directions.actors, num_agents)
        product = jnp.zeros(num_agents)
        # A pass over the minibatch of its own, so only where it is read.
        if rule.second_order:
            inputs = _curvature_inputs(state, directions, contributions)
            product = mean(measure_curvature, inputs, batch, key)
        signals = Signals(
            contribution=contributions,
            curvature=product,
            critic_term=probe.critic_term(found.value_by_critic, directions.critic),
        )

        # The rates adapt first, and this very update already steps by them.
        rule_state = rule.update(signals, state.rule)
        params = _step(algorithm, state.params, rule_state.rates, directions)
        updates = state.updates + 1
        moved = LearnerState(
            params=params,
            targets=_move_targets(algorithm, params, state, updates, target_period),
            optimizers=optimizers,
            rule=rule_state,
            hyper=state.hyper,
            updates=updates,
        )
        metrics = UpdateMetrics(
            td_loss=found.td_loss,
            value=found.value,
            signals=signals,
            rates=rule_state.rates,
        )
        return moved, metrics

    return Learner(init, update)


def _check(
    algorithm: Algorithm,
    rule: RateRule,
    curvature: str,
    microbatches: int | None,
    axis_name: str | None,
) -> None:
    if curvature not in probe.CURVATURES:
        names = ", ".join(probe.CURVATURES)
        raise ValueError(f"curvature={curvature!r}: choose one of {names}")
    if rule.second_order and curvature == "exact" and not algorithm.smooth:
        raise ValueError(
            "curvature='exact': a piecewise-linear critic has no second derivative, so the rule "
            "would equal the first-order one; choose curvature 'secant' or 'lookahead', or a "
            "smooth critic such as 'tanh'"
        )
    if axis_name is not None and microbatches is None:
        raise ValueError(
            f"axis_name={axis_name!r}: devices share the microbatches of a minibatch, so "
            "`microbatches` must be given"
        )


def _curvature_inputs(
    state: LearnerState,
    directions: Params,
    contributions: jax.Array,
) -> CurvatureInputs:
    return CurvatureInputs(
        params=state.params,
        directions=directions.actors,
        rates=state.rule.rates.actors,
        contributions=contributions,
        secant_step=state.hyper.secant_step,
    )


def _step(
    algorithm: Algorithm,
    params: Params,
    rates: Rates,
    directions: Params,
) -> Params:
    """All at once: nobody's step sees another's."""
    others = {}
    for name, group in algorithm.groups.items():
        rate = jnp.float32(group.rate)
        others[name] = tree.step(params.others[name], rate, directions.others[name])
    return Params(
        actors=tree.step_per_agent(params.actors, rates.actors, directions.actors),
        critic=tree.step(params.critic, rates.critic, directions.critic),
        others=others,
    )


def _with_targets(algorithm: Algorithm, params: Params) -> Params:
    """The parameters of which there are targets: actors, critic, and the groups that ask for it."""
    others = {}
    for name, group in algorithm.groups.items():
        if group.has_target:
            others[name] = params.others[name]
    return params._replace(others=others)


def _move_targets(
    algorithm: Algorithm,
    params: Params,
    state: LearnerState,
    updates: jax.Array,
    period: int | None,
) -> Params:
    # optax's types are of its own trees, which include ours.
    online: Any = _with_targets(algorithm, params)
    old: Any = state.targets
    if period is None:
        new = optax.incremental_update(online, old, state.hyper.target_step)
    else:
        new = optax.periodic_update(online, old, updates, period)
    return cast(Params, new)
