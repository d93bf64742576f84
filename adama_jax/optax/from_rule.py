"""Rate rules as optax transformations over `{"actors": ..., "critic": ...}`.

What an update gets is what any MADDPG-like loop has: the gradients of the actors' and of the
critic's losses, as optax wants them, downhill. Beside them, as extra arguments:

value_by_critic: dJ/dphi, the gradient of the objective J that the actors climb (or of their loss,
    -J: its sign does not matter) by the critic's parameters, in the critic's structure. From
    `jax.grad(actors_loss, argnums=(0, 1))` instead of `jax.grad(actors_loss)`.
critic_term: kappa = |<dJ/dphi, d_c>| [], in its place, where it was measured otherwise.
curvature: of second-order rules: M l_a [N], or a function `(directions, rates [N]) -> [N]` of the
    actors' directions at rate 1, such as one made of `adama_jax.rates.probe.curvature`.

All others go to the optimizers.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from adama_jax.optax.arguments import CurvatureOrProduct, curvature_product, in_float32
from adama_jax.optax.arguments import critic_term as measured_critic_term
from adama_jax.optax.groups import Groups, check_like_parameters, groups_of, with_groups
from adama_jax.optax.per_agent import check_first_step, per_agent
from adama_jax.rates import rules
from adama_jax.rates.agents import Agents, check, checked, count, map_with_rates
from adama_jax.rates.probe import contributions
from adama_jax.rates.rules import RateHyper, RateRule, RateState
from adama_jax.rates.settings import check_numbers
from adama_jax.tree import scaled
from adama_jax.types import PyTree, Scalar, Signals

Number = jax.Array | float | Callable[[jax.Array], Any]
"""A number, or a schedule: a function of the number of updates so far."""

OneOrTwo = optax.GradientTransformation | Groups
"""An optimizer for actors and critic alike, or one for each."""


class AdamaState(NamedTuple):
    """State of the transformation; the rates that the last update used are `rule.rates`."""

    actors: Any  # of the optimizer, for each agent
    critic: Any
    rule: RateState


def from_rule(
    rule: RateRule,
    optimizer: OneOrTwo,
    agents: Agents,
    check_rate: bool = True,
    numbers: Mapping[str, Number] | None = None,
) -> optax.GradientTransformationExtraArgs:
    """Any rate rule, one's own too, as an optax transformation.

    Args:
        rule: `adama_jax.adama(RateHyper(...))`, or any other `RateRule`.
        optimizer, agents, check_rate: as `adama` has them.
        numbers: of the rule, by their names in `RateHyper`, or schedules of them: they are set
            anew at each update. Of the others the rule's state keeps what it began with.

    Raises:
        As `adama`.

    >>> import optax
    >>> from adama_jax.rates.rules import RateHyper, adama as adama_rule
    >>> tx = from_rule(adama_rule(RateHyper(total_rate=1e-2)), optax.sgd(1.0), agents=3)
    """
    pair = optimizer if isinstance(optimizer, Groups) else Groups(optimizer, optimizer)
    for each in pair:
        _check_optimizer(each)
    check_numbers(numbers or {})
    made = _Made(
        rule=rule,
        agents=checked(agents),
        actors=per_agent(pair.actors, agents),
        critic=optax.with_extra_args_support(pair.critic),
        numbers=numbers or {},
        at_rate_1=pair if check_rate else (),
    )
    # optax's types know no state of a class of its own.
    update: Any = partial(_update, made)
    return optax.GradientTransformationExtraArgs(partial(_init, made), update)


class _Made(NamedTuple):
    """What a transformation is made of."""

    rule: RateRule
    agents: Agents
    actors: optax.GradientTransformationExtraArgs
    critic: optax.GradientTransformationExtraArgs
    numbers: Mapping[str, Number]
    # Those of which the first step is looked at.
    at_rate_1: tuple[optax.GradientTransformation, ...]


def _init(made: _Made, params: PyTree) -> AdamaState:
    for optimizer in made.at_rate_1:
        check_first_step(optimizer)
    actors, critic = groups_of(params)
    check(actors, made.agents, "actors")
    number = count(made.agents)
    # The rates that it begins with depend on its numbers.
    hyper = _numbers_now(made, made.rule.init(number))
    return AdamaState(
        actors=made.actors.init(actors),
        critic=made.critic.init(critic),
        rule=made.rule.init(number, hyper),
    )


def _update(
    made: _Made,
    updates: PyTree,
    state: AdamaState,
    params: PyTree | None = None,
    *,
    value_by_critic: PyTree | None = None,
    critic_term: Scalar | None = None,
    curvature: CurvatureOrProduct | None = None,
    **extra_args: Any,
) -> tuple[PyTree, AdamaState]:
    if not isinstance(state, AdamaState):
        raise TypeError(
            f"state: must be what this transformation's init returned, an AdamaState, not a "
            f"{type(state).__name__}"
        )
    losses = groups_of(updates)
    check(losses.actors, made.agents, "actors")
    before = Groups(None, None) if params is None else groups_of(params)
    if params is not None:
        check_like_parameters(losses, before)
    actors, actors_state = made.actors.update(
        losses.actors, state.actors, before.actors, **extra_args
    )
    critic, critic_state = made.critic.update(
        losses.critic, state.critic, before.critic, **extra_args
    )
    # The gradients at hand are those of losses: the objective's point the other way.
    uphill = jax.tree.map(jnp.negative, in_float32(losses.actors))
    contribution = contributions(uphill, in_float32(actors), made.agents)
    present = state.rule.rates.actors
    product = curvature_product(made.rule, curvature, actors, present)
    kappa = measured_critic_term(made.rule, value_by_critic, critic_term, critic)
    # The rates adapt first, and this very update already steps by them.
    hyper = _numbers_now(made, state.rule)
    rule_state = made.rule.update(
        Signals(contribution, product, kappa), state.rule._replace(hyper=hyper)
    )
    rates = rule_state.rates
    steps = Groups(
        actors=map_with_rates(scaled, rates.actors, actors, made.agents),
        critic=scaled(rates.critic, critic),
    )
    new = AdamaState(actors_state, critic_state, rule_state)
    return with_groups(updates, steps), new


def _check_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, optax.GradientTransformation):
        raise TypeError(
            "optimizer: must be an optax transformation, such as optax.adam(1.0), or "
            f"Groups(actors=..., critic=...) of two, not a {type(optimizer).__name__}"
        )


def _numbers_now(made: _Made, state: RateState) -> RateHyper:
    """The rule's numbers, those that were given as they are at this update."""
    now: dict[str, Any] = {}
    for name, value in made.numbers.items():
        now[name] = value(state.updates) if callable(value) else value
    return rules.as_arrays(state.hyper._replace(**now))
