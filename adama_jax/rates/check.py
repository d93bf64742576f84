"""Whether a rate rule has the shapes that `RateRule` promises. Nothing is computed for it."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.errors import promise, promise_shape
from adama_jax.rates.rules import RateHyper, RateRule
from adama_jax.tree import shapes_of
from adama_jax.types import Rates, Scalar, Signals

AGENTS = 4  # whatever there are in the end: a rule is told


def check_rule(rule: Any, own: Mapping[str, Scalar] | None = None) -> None:
    """Check a rule's functions by tracing each of them once.

    Args:
        rule: a `RateRule`.
        own: the numbers of its own that it finds in `hyper.own`.

    Raises:
        AssertionError: a sentence about the first promise of `RateRule` that is broken.

    >>> from adama_jax.rates.rules import fixed
    >>> check_rule(fixed())
    >>> check_rule(fixed)
    Traceback (most recent call last):
    AssertionError: the factory made a function, and must make a RateRule
    """
    promise(
        isinstance(rule, RateRule),
        f"the factory made a {type(rule).__name__}, and must make a RateRule",
    )
    hyper = RateHyper(own=dict(own or {}))
    state = jax.eval_shape(lambda: rule.init(AGENTS, hyper))
    rates: Any = getattr(state, "rates", None)
    promise(isinstance(rates, Rates), "init's state must have `rates`, which are Rates")
    promise_shape("init's rates.critic", rates.critic, "()", ())
    promise_shape("init's rates.actors", rates.actors, "(N,)", (AGENTS,))
    each: Any = jax.ShapeDtypeStruct((AGENTS,), jnp.float32)
    number: Any = jax.ShapeDtypeStruct((), jnp.float32)
    given: Any = Signals(each, each, number)
    before = shapes_of(state)
    after = shapes_of(jax.eval_shape(rule.update, given, state))
    promise(
        before == after,
        "update's state must have the structure, shapes and types of the state that it was given: "
        f"{before} became {after}",
    )
