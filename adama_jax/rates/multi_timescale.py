"""Multi-timescale learning: agents take turns at learning fast, while the others learn slowly.

Nekoei et al., Dealing With Non-stationarity in Decentralized Cooperative Multi-Agent Deep
Reinforcement Learning via Multi-Timescale Learning (CoLLAs 2023). Changed here: it is theirs for
independent learners; the one centralised critic learns fast throughout.
"""

import jax
import jax.numpy as jnp

from adama_jax.rates.rules import RateHyper, RateRule, RateState, as_arrays
from adama_jax.types import Rates, Signals

DEFAULTS = RateHyper(
    own={"learning_rate": 1e-3, "slow_share": 0.1, "switching_period": 1000.0}
)


def multi_timescale(hyper: RateHyper = DEFAULTS) -> RateRule:
    """The agents in order, each fast for `switching_period` updates.

    A slow one's rate is `slow_share` of `learning_rate`.

    >>> own = {"learning_rate": 1.0, "slow_share": 0.5, "switching_period": 1.0}
    >>> rule = multi_timescale(RateHyper(own=own))
    >>> signals = Signals(jnp.zeros(2), jnp.zeros(2), jnp.zeros(()))
    >>> state = rule.init(2)
    >>> for _ in range(3):
    ...     state = rule.update(signals, state)
    ...     print(state.rates.actors.tolist())
    [1.0, 0.5]
    [0.5, 1.0]
    [1.0, 0.5]
    """

    def init(num_agents: int, given: RateHyper | None = None) -> RateState:
        arrays = as_arrays(given or hyper)
        updates = jnp.zeros((), jnp.int32)
        return RateState(
            rates=_rates(arrays, updates, num_agents),
            hyper=arrays,
            updates=updates,
            mean_critic_term=jnp.zeros(()),
        )

    def update(signals: Signals, state: RateState) -> RateState:
        num_agents = signals.contribution.shape[0]
        rates = _rates(state.hyper, state.updates, num_agents)
        return state._replace(rates=rates, updates=state.updates + 1)

    return RateRule(init, update, second_order=False, reads_critic_term=False)


def _rates(hyper: RateHyper, updates: jax.Array, num_agents: int) -> Rates:
    """At the update after `updates` others."""
    own = hyper.own
    turns = jnp.floor(updates / own["switching_period"])
    fast = jnp.arange(num_agents) == turns % num_agents
    share = jnp.where(fast, 1.0, own["slow_share"])
    # An array given twice could not be donated to a compiled step.
    return Rates(
        critic=jnp.copy(own["learning_rate"]), actors=own["learning_rate"] * share
    )
