"""Settings of the learning rates: plain data, importable without JAX."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from adama_jax.bounds import POSITIVE, SHARE, SHARE_BELOW_1, UP_TO_BILLION, Between
from adama_jax.fields import TRACED, Elsewhere, ReadUnless, ReadWith, Symbol, declared

A_RATE = Elsewhere(("learning_rate", "lr", "rate", "step_size"))
SCHEDULED = ReadUnless("schedule", "constant")


@dataclass(frozen=True)
class RateOptions:
    """Learning rates (section 3). In brackets the paper's symbol, which the command line takes too.

    The defaults are Table 1's for predator-prey.
    """

    total_rate: Annotated[float, TRACED, Symbol("l"), POSITIVE, A_RATE] = 1e-2
    """[l] l_c + |l_a| of the methods that balance them."""
    critic_scale: Annotated[float | Literal["auto"], TRACED, Symbol("m"), POSITIVE] = (
        50.0
    )
    """[m] kappa at which the critic would get all of l; auto: its mean over the first updates."""
    smoothing: Annotated[float, TRACED, Symbol("alpha"), SHARE_BELOW_1] = 0.99
    """[alpha] Weight of the old rates in an update of theirs."""
    clip: Annotated[float, TRACED, Symbol("eps"), Between(0, 0.5, open_top=True)] = 0.1
    """[eps] Least share of l that critic and actors keep."""
    critic_rate: Annotated[float, TRACED, Symbol("l_c"), POSITIVE, A_RATE] = 7e-3
    """[l_c] The critic's rate, in the methods that do not balance."""
    actor_budget: Annotated[float, TRACED, Symbol("l_a"), POSITIVE, A_RATE] = 2e-3
    """[l_a] Norm of the actors' rates, in the methods that do not balance."""
    direction_floor: Annotated[float, TRACED, SHARE] = 0.1
    """Least component of the actors' target direction, below 1/sqrt(N); 0: none, as printed."""
    curvature: Literal["exact", "secant", "lookahead"] = "secant"
    """How a second-order method measures curvature; exact needs a smooth critic."""
    secant_step: Annotated[float, TRACED, POSITIVE, ReadWith("curvature", "secant")] = (
        0.1
    )
    """Root mean square step in actions of curvature=secant."""
    trial_updates: Annotated[
        int, Symbol("K"), UP_TO_BILLION, ReadWith("critic_scale", "auto")
    ] = 100
    """[K] Updates over which critic_scale=auto takes the mean."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """By what the method's rates are scaled, whatever they are: 1, or what falls from it."""
    schedule_end: Annotated[float, TRACED, SHARE, SCHEDULED] = 0.0
    """What it falls to, at the last update; 1: it does not."""
    warmup_share: Annotated[float, TRACED, SHARE_BELOW_1, SCHEDULED] = 0.0
    """Share of the updates in which it first rises from 0."""
    scheduled_rates: Annotated[Literal["all", "critic", "actors"], SCHEDULED] = "all"
    """Whose rates are scaled."""


def check_numbers(values: Mapping[str, Any]) -> None:
    """Check those of the values that are Python numbers: arrays may be traced, or be grids.

    A rate of 0 is let through: in code of one's own a side may stand still.

    Raises:
        ValueError: a number out of its bounds.

    >>> check_numbers({"smoothing": 1.0})
    Traceback (most recent call last):
    ValueError: smoothing=1.0: must be at least 0 and below 1
    """
    for field in declared(RateOptions):
        value = values.get(field.name)
        if not isinstance(value, int | float):
            continue
        if value == 0 and field.name in ("critic_rate", "actor_budget"):
            continue
        for bound in field.bounds:
            if not bound.allows(value):
                raise ValueError(f"{field.name}={value}: must be {bound.words}")
