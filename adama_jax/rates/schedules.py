"""Schedules: any rule's rates, scaled as training goes on.

As in optax (`warmup_cosine_decay_schedule` and its like), but round a rate rule: what the rule
remembers is as it would be without.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.rates.rules import RateHyper, RateRule, RateState
from adama_jax.types import Rates, Scalar, Signals


class ScheduledState(NamedTuple):
    """State of a scheduled rule."""

    rates: Rates  # the present ones, scaled
    inner: Any  # the rule's own state, with its own rates
    updates: jax.Array  # so far, [], int32
    end: Scalar  # share at the last update, []
    warmup: Scalar  # share of the updates over which it rises, []


def scheduled(
    rule: RateRule,
    shape: str,
    scaled: str,
    updates: int,
) -> RateRule:
    """The rule with its rates scaled by `share_at`.

    Args:
        rule: any.
        shape: "linear" or "cosine", from 1 to the end's share.
        scaled: whose rates: "all", "critic" or "actors".
        updates: of the whole run; later ones have the end's share.

    The end's share and that of the warm-up are `hyper.own["schedule_end"]` and
    `hyper.own["warmup_share"]`.

    >>> from adama_jax.rates.rules import fixed
    >>> own = {"schedule_end": 0.0, "warmup_share": 0.5}
    >>> rule = scheduled(fixed(), "linear", "critic", updates=4)
    >>> state = rule.init(2, RateHyper(critic_rate=1.0, actor_budget=2.0**0.5, own=own))
    >>> signals = Signals(jnp.zeros(2), jnp.zeros(2), jnp.zeros(()))
    >>> for _ in range(4):
    ...     state = rule.update(signals, state)
    ...     print(float(state.rates.critic), [round(x, 4) for x in state.rates.actors.tolist()])
    0.5 [1.0, 1.0]
    1.0 [1.0, 1.0]
    0.5 [1.0, 1.0]
    0.0 [1.0, 1.0]
    """

    def init(num_agents: int, hyper: RateHyper | None = None) -> ScheduledState:
        own = {} if hyper is None else hyper.own
        inner: RateState = rule.init(num_agents, hyper)
        end = own.get("schedule_end", 0.0)
        warmup = own.get("warmup_share", 0.0)
        return ScheduledState(
            # Copies: the state is donated to a compiled step, which refuses a buffer given twice.
            rates=jax.tree.map(jnp.copy, inner.rates),
            inner=inner,
            updates=jnp.zeros((), jnp.int32),
            end=jnp.asarray(end, jnp.float32),
            warmup=jnp.asarray(warmup, jnp.float32),
        )

    def update(signals: Signals, state: ScheduledState) -> ScheduledState:
        inner = rule.update(signals, state.inner)
        number = state.updates + 1
        share = share_at(number / updates, shape, state.end, state.warmup)
        critic, actors = inner.rates
        if scaled in ("all", "critic"):
            critic = share * critic
        if scaled in ("all", "actors"):
            actors = share * actors
        return state._replace(rates=Rates(critic, actors), inner=inner, updates=number)

    made: Any = rule._replace
    return made(init=init, update=update)


def share_at(
    time: jax.Array,
    shape: str,
    end: Scalar,
    warmup: Scalar,
) -> jax.Array:
    """By how much rates are scaled. []

    Args:
        time: how much of the run is over, in [0, 1]. []
        shape: "linear" or "cosine".
        end: the share at time 1. []
        warmup: the share rises from 0 in proportion to time until then. []

    >>> times = [0.05, 0.1, 0.55, 1.0]
    >>> [round(float(share_at(jnp.float32(t), "cosine", 0.2, 0.1)), 3) for t in times]
    [0.5, 1.0, 0.6, 0.2]
    """
    rising = time / jnp.maximum(warmup, jnp.finfo(jnp.float32).tiny)
    since = jnp.clip((time - warmup) / (1 - warmup), 0.0, 1.0)
    left = 1 - since
    if shape == "cosine":
        left = (1 + jnp.cos(jnp.pi * since)) / 2
    falling = end + (1 - end) * left
    return jnp.where(time < warmup, rising, falling)
