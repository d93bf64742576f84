"""The one train step: gradients once, rates from them, then all updates (Algorithm 1, lines 10-14).

The learner composes an algorithm, an optimizer and a rate rule. It never sees an environment or a
buffer, only a batch.
"""

from collections.abc import Callable, Mapping
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
from adama_jax.training.microbatches import mean_over_microbatches
from adama_jax.training.optimizers import Optimizer
from adama_jax.training.settings import Learning
from adama_jax.types import Batch, Params, PyTree, Rates, Scalar, Signals


class LearnerHyper(NamedTuple):
    """Float hyperparameters of the learner. The defaults are those of the settings of the same names."""

    discount: Scalar = Learning.discount  # gamma
    target_step: Scalar = Learning.target_step  # target += step (online - target), if soft
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


class Gradients(NamedTuple):
    """The losses of an update and their gradients; those of `value` point uphill."""

    td_loss: jax.Array  # []
    value: jax.Array  # J, []
    value_by_actors: PyTree  # every leaf leading with N
    value_by_critic: PyTree
    td_loss_by_critic: PyTree
    others: Mapping[str, PyTree]  # of each further group's loss, by that group


class Learner(NamedTuple):
    """A train step.

    init: `(key, hyper=None, rate_hyper=None) -> LearnerState`.
    update: `(state, batch, key) -> (state, metrics)`.
    """

    init: Callable[..., LearnerState]
    update: Callable[[LearnerState, Batch, jax.Array], tuple[LearnerState, UpdateMetrics]]


def learner(
    algorithm: Algorithm,
    optimizer: Optimizer,
    rule: RateRule,
    num_agents: int,
    curvature: str = "secant",
    target_period: int | None = 20,
    microbatches: int | None = None,
    axis_name: str | None = None,
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

    Raises:
        ValueError: a second-order rule with `curvature="exact"` and a piecewise-linear critic; an
            unknown curvature; `axis_name` without `microbatches`; at an update, a minibatch that
            `microbatches` does not divide, or microbatches that the devices do not.

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
    gradients = partial(_gradients, algorithm)
    curvature_product = partial(_curvature_product, algorithm, curvature)

    def init(
        key: jax.Array, hyper: LearnerHyper | None = None, rate_hyper: RateHyper | None = None
    ) -> LearnerState:
        params = algorithm.init(key)
        numbers = [jnp.asarray(value, jnp.float32) for value in hyper or LearnerHyper()]
        return LearnerState(
            params=params,
            # Copies: the state is donated to a compiled step, which refuses a buffer given twice.
            targets=jax.tree.map(jnp.copy, _with_targets(algorithm, params)),
            optimizers=optimizer.init(params),
            rule=rule.init(num_agents, rate_hyper),
            hyper=LearnerHyper(*numbers),
            updates=jnp.zeros((), jnp.int32),
        )

    def update(
        state: LearnerState, batch: Batch, key: jax.Array
    ) -> tuple[LearnerState, UpdateMetrics]:
        context = (state.params, state.targets, state.hyper.discount)
        found = mean(gradients, context, batch, key)
        directions, optimizers = optimizer.update(_downhill(found), state.optimizers, state.params)
        contribution = probe.contributions(found.value_by_actors, directions.actors)
        product = jnp.zeros(num_agents)
        if rule.second_order:
            rates, secant_step = state.rule.rates.actors, state.hyper.secant_step
            context = (state.params, directions.actors, rates, contribution, secant_step)
            product = mean(curvature_product, context, batch, key)
        critic_term = probe.critic_term(found.value_by_critic, directions.critic)
        signals = Signals(contribution, product, critic_term)

        # The rates of this very update: Algorithm 1 adapts them first (line 12), then steps.
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
        return moved, UpdateMetrics(found.td_loss, found.value, signals, rule_state.rates)

    return Learner(init, update)


def _check(
    algorithm: Algorithm,
    rule: RateRule,
    curvature: str,
    microbatches: int | None,
    axis_name: str | None,
) -> None:
    if curvature not in probe.CURVATURES:
        raise ValueError(f"curvature={curvature!r}: choose one of {', '.join(probe.CURVATURES)}")
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


def _gradients(
    algorithm: Algorithm, context: tuple[Params, Params, jax.Array], batch: Batch, key: jax.Array
) -> Gradients:
    """Of all parameters at the same point; the context: parameters, targets, discount."""
    params, targets, discount = context
    k_critic, k_actors, *k_others = jax.random.split(key, 2 + len(algorithm.groups))

    def td_loss(critic: PyTree) -> jax.Array:
        online = params._replace(critic=critic)
        return algorithm.critic_loss(online, targets, batch, discount, k_critic)

    def objective(actors: PyTree, critic: PyTree) -> jax.Array:
        online = params._replace(actors=actors, critic=critic)
        return algorithm.objective(online, targets, batch, discount, k_actors)

    loss, loss_by_critic = jax.value_and_grad(td_loss)(params.critic)
    # By the critic too, which kappa asks for: the same backward pass, continued into the critic.
    value_and_gradients = jax.value_and_grad(objective, argnums=(0, 1))
    value, (by_actors, by_critic) = value_and_gradients(params.actors, params.critic)

    def group_loss(own: PyTree, name: str, key: jax.Array) -> jax.Array:
        online = params._replace(others={**params.others, name: own})
        return algorithm.groups[name].loss(online, targets, batch, discount, key)

    others = {}
    for name, k_group in zip(algorithm.groups, k_others, strict=True):
        gradient = jax.grad(partial(group_loss, name=name, key=k_group))
        others[name] = gradient(params.others[name])
    return Gradients(loss, value, by_actors, by_critic, loss_by_critic, others)


def _downhill(found: Gradients) -> Params:
    """What optax is to descend: the objective's gradient negated, for the actors climb."""
    uphill = found.value_by_actors
    return Params(jax.tree.map(jnp.negative, uphill), found.td_loss_by_critic, found.others)


def _curvature_product(
    algorithm: Algorithm, curvature: str, context: PyTree, batch: Batch, key: jax.Array
) -> jax.Array:
    """M l_a of Eq. (3). [N]

    The context: parameters, the actors' directions, rates, contributions, step of a secant.
    """
    params, directions, rates, contribution, secant_step = context
    # The objective's key in `_gradients`: both orders are of the same function of the rates.
    _, k_actors, *_ = jax.random.split(key, 2 + len(algorithm.groups))

    def policy(actors: PyTree) -> jax.Array:
        if algorithm.policy is None:
            return algorithm.act(actors, batch.obs)
        return algorithm.policy(actors, batch.obs, k_actors)

    def value(action: jax.Array) -> jax.Array:
        return algorithm.value(params.critic, batch.obs, action)

    along = probe.Along(policy, value, params.actors, directions)
    return probe.curvature(curvature, secant_step)(along, rates, contribution)


def _step(algorithm: Algorithm, params: Params, rates: Rates, directions: Params) -> Params:
    """All at once: nobody's step sees another's."""
    others = {
        name: tree.step(params.others[name], jnp.float32(group.rate), directions.others[name])
        for name, group in algorithm.groups.items()
    }
    return Params(
        tree.step_per_agent(params.actors, rates.actors, directions.actors),
        tree.step(params.critic, rates.critic, directions.critic),
        others,
    )


def _with_targets(algorithm: Algorithm, params: Params) -> Params:
    """The parameters of which there are targets: actors, critic, and the groups that ask for it."""
    named = {
        name: params.others[name] for name, group in algorithm.groups.items() if group.has_target
    }
    return params._replace(others=named)


def _move_targets(
    algorithm: Algorithm,
    params: Params,
    state: LearnerState,
    updates: jax.Array,
    period: int | None,
) -> Params:
    online: Any = _with_targets(algorithm, params)
    old: Any = state.targets
    if period is None:
        return cast(Params, optax.incremental_update(online, old, state.hyper.target_step))
    return cast(Params, optax.periodic_update(online, old, updates, period))
