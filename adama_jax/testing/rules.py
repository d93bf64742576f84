"""The contract of a rate rule."""

import operator
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.errors import promise
from adama_jax.rates.check import check_rule as check_shapes
from adama_jax.rates.rules import RateHyper, RateRule, RateState
from adama_jax.testing.comparing import close, finite
from adama_jax.tree import shapes_of
from adama_jax.types import Signals

N = 4
# Values at which the rules of the paper move visibly in a few updates.
USUAL = RateHyper(smoothing=0.9, critic_scale=5.0)


def check_rule(
    rule: RateRule,
    hyper: RateHyper = USUAL,
    scale_free: bool = True,
    order_free: bool = True,
) -> None:
    """Check that a rate rule keeps what `RateRule` promises.

    Args:
        rule: the rule.
        hyper: its hyperparameters, with the numbers of its own in `own`.
        scale_free: whether the actors' rates are not to depend on the scale of contributions and
            curvature, which grows with that of Q. The paper's do not.
        order_free: whether agents may be named in any order; not where they take turns.

    Raises:
        AssertionError: a sentence about the first promise that is broken.

    >>> from adama_jax.rates.rules import steer
    >>> check_rule(steer()._replace(second_order=True))
    Traceback (most recent call last):
    AssertionError: a rule with second_order=True must read the curvature
    """
    check_shapes(rule, hyper.own)
    check_finite(rule, hyper)
    if order_free:
        check_order(rule, hyper)
    check_curvature(rule, hyper)
    check_types(rule, hyper)
    check_grid(rule, hyper)
    if scale_free:
        check_scale(rule, hyper)


def check_finite(rule: RateRule, hyper: RateHyper) -> None:
    """Rates are finite and not negative, also where nothing contributes."""
    nothing = Signals(jnp.zeros(N), jnp.zeros(N), jnp.zeros(()))
    for given in ([nothing] * 5, usual_signals()):
        state = updated(rule, hyper, given)
        promise(finite(state), "a state must stay finite, also where all signals are 0")
        least = min(float(state.rates.critic), float(jnp.min(state.rates.actors)))
        promise(least >= 0, "no rate may be negative")


def check_order(rule: RateRule, hyper: RateHyper) -> None:
    """Agents may be named in any order."""
    order = np.array([2, 0, 3, 1])
    shuffled = []
    for one in usual_signals():
        of_agents = (one.contribution[order], one.curvature[order])
        shuffled.append(Signals(*of_agents, one.critic_term))
    rates = updated(rule, hyper, usual_signals()).rates.actors
    others = updated(rule, hyper, shuffled).rates.actors
    promise(
        close(rates[order], others),
        "agents in another order must have the same rates in that order",
    )


def check_scale(rule: RateRule, hyper: RateHyper) -> None:
    """The actors' rates forget the scale of Q. The balance does not: that is m's job."""
    small = updated(rule, hyper, usual_signals()).rates.actors
    large = updated(rule, hyper, usual_signals(scale=1e4)).rates.actors
    promise(
        close(small, large, relative=1e-4),
        "contributions and curvature that are 10,000 times as large must give the same rates of "
        "the actors (scale_free=False, if yours are not meant to)",
    )


def check_types(rule: RateRule, hyper: RateHyper) -> None:
    """An update is compiled once: it leaves shapes and types as they are."""
    traced: list[RateState] = []

    def noted(signals: Signals, state: RateState) -> RateState:
        traced.append(state)
        return rule.update(signals, state)

    update = jax.jit(noted)
    state = rule.init(N, hyper)
    for signals in usual_signals():
        new = update(signals, state)
        promise(
            shapes_of(new) == shapes_of(state),
            "an update must leave the state's shapes and types as they are",
        )
        state = new
    promise(
        len(traced) == 1,
        "an update must not be compiled again for the second call: let init make arrays of the "
        "types that update gives, none of them a Python number",
    )


def check_curvature(rule: RateRule, hyper: RateHyper) -> None:
    """Second-order rules, and only they, read the curvature."""
    more = jnp.arange(float(N))
    given = usual_signals()
    bent = [one._replace(curvature=one.curvature + more) for one in given]
    rates = updated(rule, hyper, usual_signals()).rates
    reads = not close(rates.actors, updated(rule, hyper, bent).rates.actors)
    must = "must read" if rule.second_order else "must not read"
    promise(
        reads == rule.second_order,
        f"a rule with second_order={rule.second_order} {must} the curvature",
    )


def check_grid(rule: RateRule, hyper: RateHyper) -> None:
    """Hyperparameters are arrays in the state: a grid of them is one `vmap`."""
    shares = jnp.linspace(0.5, 1.0, 3)
    grid = jax.tree.map(lambda value: shares * jnp.float32(value), hyper)
    signals = usual_signals()[0]

    def first(hyper: RateHyper) -> RateState:
        return rule.update(signals, rule.init(N, hyper))

    try:
        batched = jax.vmap(first)(grid)
    except jax.errors.JAXTypeError as error:
        line = str(error).splitlines()[0]
        raise AssertionError(
            f"hyperparameters must stay arrays, for a vmap over a grid of them: {line}"
        ) from error
    for place in range(len(shares)):
        alone = first(jax.tree.map(operator.itemgetter(place), grid))
        one = jax.tree.map(operator.itemgetter(place), batched.rates)
        promise(
            close(one, alone.rates, relative=1e-6),
            "a vmap over hyperparameters must give what each of them gives alone: init takes them, "
            "and the state keeps them",
        )


def usual_signals(scale: float = 1.0) -> list[Signals]:
    """Signals of five updates for four agents, contributions all above 0."""
    found = []
    for seed in range(5):
        drawn = np.random.default_rng(seed).random((2, N)).astype(np.float32)
        contribution = jnp.array(drawn[0] * scale)
        curvature = jnp.array((drawn[1] - 0.5) * scale)
        found.append(Signals(contribution, curvature, jnp.array(3.0)))
    return found


def updated(rule: RateRule, hyper: RateHyper, signals: Sequence[Signals]) -> RateState:
    """The state after these updates."""
    state = rule.init(N, hyper)
    for one in signals:
        state = rule.update(one, state)
    return state
