"""What a train step reads and writes, and what it measures."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.rates.rules import RateState
from adama_jax.rates.settings import RateOptions
from adama_jax.training.settings import Learning
from adama_jax.types import Params, Rates, Scalar, Signals


class LearnerHyper(NamedTuple):
    """Float hyperparameters of the learner, with the defaults of the settings of the same names."""

    discount: Scalar = Learning.discount  # gamma
    # Target += step (online - target), if soft.
    target_step: Scalar = Learning.target_step
    secant_step: Scalar = RateOptions.secant_step  # root mean square, in actions


class UpdateMetrics(NamedTuple):
    """What one update measured, before it moved anything; `rates` are those it moved with.

    Of an update that moves the critic alone all but `td_loss` is the last one's that moved all.
    """

    td_loss: jax.Array  # []
    value: jax.Array  # J, []
    signals: Signals
    rates: Rates
    parts: Mapping[str, jax.Array] = {}  # what J is the sum of, each []


class LearnerState(NamedTuple):
    """All that a train step reads and writes."""

    params: Params
    targets: Params  # of `others` those alone that have a target
    optimizers: Params  # their states
    rule: RateState  # of the rate rule; `rule.rates` are the present rates
    hyper: LearnerHyper
    updates: jax.Array  # [], int32; the same for all members of a population
    # At the last update that moved the actors, where not every one does; else None.
    measured: UpdateMetrics | None = None


def nothing_measured(
    num_agents: int,
    part_names: Sequence[str] = (),
) -> UpdateMetrics:
    """Until the first update, of an algorithm with such parts of J."""
    # Each leaf is an array of its own: the state is donated, which refuses a buffer given twice.
    signals = Signals(
        contribution=jnp.zeros(num_agents),
        curvature=jnp.zeros(num_agents),
        critic_term=jnp.zeros(()),
    )
    rates = Rates(critic=jnp.zeros(()), actors=jnp.zeros(num_agents))
    parts = {name: jnp.zeros(()) for name in part_names}
    return UpdateMetrics(jnp.zeros(()), jnp.zeros(()), signals, rates, parts)
