"""One learning rate for the critic and for every actor, as most code has it."""

import jax.numpy as jnp

from adama_jax.rates.rules import RateHyper, RateRule, RateState, as_arrays
from adama_jax.types import Rates, Signals


def multiple(hyper: RateHyper = RateHyper(own={"multiple": 1.0})) -> RateRule:
    """`hyper.own["multiple"]` of what an optimizer finds, for the critic and every actor.

    >>> float(multiple().init(2).rates.critic)
    1.0
    """
    return _constant("multiple", hyper)


def one_rate(hyper: RateHyper = RateHyper(own={"learning_rate": 1e-3})) -> RateRule:
    """Constant and equal: l_c = l_i = `hyper.own["learning_rate"]`.

    >>> rule = one_rate(RateHyper(own={"learning_rate": 0.5}))
    >>> rates = rule.init(2).rates
    >>> float(rates.critic), rates.actors.tolist()
    (0.5, [0.5, 0.5])
    """
    return _constant("learning_rate", hyper)


def _constant(name: str, hyper: RateHyper) -> RateRule:
    def init(num_agents: int, given: RateHyper | None = None) -> RateState:
        arrays = as_arrays(given or hyper)
        rate = arrays.own[name]
        return RateState(
            # An array given twice could not be donated to a compiled step.
            rates=Rates(critic=jnp.copy(rate), actors=jnp.full(num_agents, rate)),
            hyper=arrays,
            updates=jnp.zeros((), jnp.int32),
            mean_critic_term=jnp.zeros(()),
        )

    def update(signals: Signals, state: RateState) -> RateState:
        del signals
        return state._replace(updates=state.updates + 1)

    return RateRule(init, update, second_order=False, reads_critic_term=False)
