"""The one train step: gradients once, rates from them, then all updates (Algorithm 1, lines 10-14).

The learner composes an algorithm, an optimizer and a rate rule. It never sees an environment or a
buffer, only a batch.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adama_jax import tree
from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.rates import probe
from adama_jax.rates.rules import RateHyper, RateRule
from adama_jax.training.batches import check_batch
from adama_jax.training.gradients import (
    CurvatureInputs,
    Gradients,
    actors_gradient,
    critic_gradient,
    curvature_product,
    downhill,
    gradients,
)
from adama_jax.training.in_turn import Start, drawn_order, gradients_in_turn
from adama_jax.training.microbatches import mean_over_microbatches
from adama_jax.training.optimizers import Optimizer
from adama_jax.training.states import (
    LearnerHyper,
    LearnerState,
    UpdateMetrics,
    nothing_measured,
)
from adama_jax.training.targets import moved_targets, with_targets
from adama_jax.types import Batch, Params, PyTree, Rates, Scalar, Signals


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
    measure_actors = partial(actors_gradient, algorithm)
    measure_critic = partial(critic_gradient, algorithm)
    measure_curvature = partial(curvature_product, algorithm, curvature)

    def init(
        key: jax.Array,
        hyper: LearnerHyper | None = None,
        rate_hyper: RateHyper | None = None,
    ) -> LearnerState:
        params = algorithm.init(key)
        # Copies: the state is donated to a compiled step, which refuses a buffer given twice.
        targets = jax.tree.map(jnp.copy, with_targets(algorithm, params))
        numbers = [jnp.asarray(value, jnp.float32) for value in hyper or LearnerHyper()]
        measured = None
        if algorithm.actors_every > 1:
            measured = nothing_measured(num_agents, algorithm.part_names)
        return LearnerState(
            params=params,
            targets=targets,
            optimizers=optimizer.init(params),
            rule=rule.init(num_agents, rate_hyper),
            hyper=LearnerHyper(*numbers),
            updates=jnp.zeros((), jnp.int32),
            measured=measured,
        )

    def where_gradients_are(state: LearnerState) -> LearnerState:
        """The same state with the parameters at which the optimizer wants its gradients."""
        if optimizer.gradients_at is None:
            return state
        at = optimizer.gradients_at(state.params, state.optimizers, state.rule.rates)
        return state._replace(params=at)

    def update(
        state: LearnerState,
        batch: Batch,
        key: jax.Array,
    ) -> tuple[LearnerState, UpdateMetrics]:
        check_batch(batch, num_agents, agent_major)
        if algorithm.actors_every == 1:
            return update_all(state, batch, key)

        def and_remember(*given: Any) -> tuple[LearnerState, UpdateMetrics]:
            moved, metrics = update_all(*given)
            return moved._replace(measured=metrics), metrics

        # The same for all members: under `vmap` it stays a condition, so that what an update of
        # the critic alone leaves out costs nothing.
        due = state.updates % algorithm.actors_every == 0
        return jax.lax.cond(due, and_remember, update_critic, state, batch, key)

    def update_critic(
        state: LearnerState,
        batch: Batch,
        key: jax.Array,
    ) -> tuple[LearnerState, UpdateMetrics]:
        """At the present rate; what the rates adapt to is not measured."""
        assert state.measured is not None
        seen = where_gradients_are(state)
        loss, gradient = mean(measure_critic, _context(seen), batch, key)
        direction, own_state = optimizer.critic.update(
            gradient, state.optimizers.critic, state.params.critic
        )
        rate = state.rule.rates.critic
        critic = tree.step(state.params.critic, rate, direction)
        params = state.params._replace(critic=critic)
        updates = state.updates + 1
        targets = state.targets
        # Soft ones move with the actors; a copy is due when it is due.
        if target_period is not None:
            targets = move_targets(params, state, updates)
        moved = state._replace(
            params=params,
            targets=targets,
            optimizers=state.optimizers._replace(critic=own_state),
            updates=updates,
        )
        return moved, state.measured._replace(td_loss=loss)

    def in_turn(
        state: LearnerState,
        found: Gradients,
        batch: Batch,
        key: jax.Array,
        order: jax.Array,
    ) -> Gradients:
        """The same, with the actors' taken one after another."""

        def gradient(actors: PyTree) -> PyTree:
            params = state.params._replace(actors=actors)
            context = _context(state._replace(params=params))
            return mean(measure_actors, context, batch, key)

        start = Start(
            actors=state.params.actors,
            gradient=found.value_by_actors,
            optimizer=state.optimizers.actors,
            rates=state.rule.rates.actors,
        )
        by_actors = gradients_in_turn(gradient, optimizer.actors, start, order)
        return found._replace(value_by_actors=by_actors)

    def second_order(
        state: LearnerState,
        directions: Params,
        at_start: PyTree,
        contributions: jax.Array,
        batch: Batch,
        key: jax.Array,
    ) -> jax.Array:
        """What the curvature adds to these contributions. [N]"""
        # A pass over the minibatch of its own, so only where it is read.
        if not rule.second_order:
            return jnp.zeros(num_agents)
        from_start = contributions
        if algorithm.in_turn:
            from_start = probe.contributions(at_start, directions.actors, num_agents)
        inputs = _curvature_inputs(state, directions, from_start)
        product = mean(measure_curvature, inputs, batch, key)
        if algorithm.in_turn:
            # What those before an agent changed is in its contribution already.
            product = product - (contributions - from_start)
        return product

    def move_targets(
        params: Params,
        state: LearnerState,
        updates: jax.Array,
    ) -> Params:
        return moved_targets(
            algorithm,
            params,
            state.targets,
            updates,
            target_period,
            state.hyper.target_step,
        )

    def update_all(
        state: LearnerState,
        batch: Batch,
        key: jax.Array,
    ) -> tuple[LearnerState, UpdateMetrics]:
        order = None
        if algorithm.in_turn:
            key, order = drawn_order(key, num_agents)
        seen = where_gradients_are(state)
        found = mean(measure, _context(seen), batch, key)
        at_start = found.value_by_actors
        if order is not None:
            found = in_turn(seen, found, batch, key, order)
        directions, optimizers = optimizer.update(
            downhill(found), state.optimizers, state.params
        )

        uphill = found.value_by_actors
        contributions = probe.contributions(uphill, directions.actors, num_agents)
        signals = Signals(
            contribution=contributions,
            curvature=second_order(
                seen, directions, at_start, contributions, batch, key
            ),
            critic_term=probe.critic_term(found.value_by_critic, directions.critic),
        )

        # The rates adapt first, and this very update already steps by them.
        rule_state = rule.update(signals, state.rule)
        params = _step(algorithm, state.params, rule_state.rates, directions)
        updates = state.updates + 1
        moved = LearnerState(
            params=params,
            targets=move_targets(params, state, updates),
            optimizers=optimizers,
            rule=rule_state,
            hyper=state.hyper,
            updates=updates,
        )
        return moved, _metrics(found, signals, rule_state.rates)

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


def _metrics(found: Gradients, signals: Signals, rates: Rates) -> UpdateMetrics:
    return UpdateMetrics(
        td_loss=found.td_loss,
        value=found.value,
        signals=signals,
        rates=rates,
        parts=found.parts,
    )


def _context(state: LearnerState) -> tuple[Params, Params, Scalar]:
    """What the gradients need beside a minibatch."""
    return state.params, state.targets, state.hyper.discount


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
