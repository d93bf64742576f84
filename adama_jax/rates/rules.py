"""Rate rules: bundles `(init, update)` that turn measured signals into learning rates.

A rate rule sees N-vectors (`types.Signals`) and never a network. Its hyperparameters are arrays in
its state, as in `optax.inject_hyperparams`, so that one compiled program runs a grid of them under
`vmap`.

The named methods of section 4.1 are made of four rules: `fixed`, `steer`, `balance` and `adama`,
the first being the paper's baseline.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.rates.equations import balance_rates, steer_rates, uniform_direction
from adama_jax.rates.settings import RateOptions, check_numbers
from adama_jax.types import Rates, Scalar, Signals

# A default that all rules of the paper share; nobody writes to it.
NOTHING_OF_ITS_OWN: dict[str, Scalar] = {}


class RateHyper(NamedTuple):
    """Float hyperparameters of every rate rule; each reads its own. The paper's names in brackets.

    The defaults are those of the settings of the same names.
    """

    total_rate: Scalar = RateOptions.total_rate  # [l] of the balancing rules
    critic_scale: Scalar = float(RateOptions.critic_scale)  # [m]; not with `auto_scale`
    smoothing: Scalar = RateOptions.smoothing  # [alpha]
    clip: Scalar = RateOptions.clip  # [eps]
    # [l_c] of the rules that do not balance.
    critic_rate: Scalar = RateOptions.critic_rate
    # [|l_a|] of the rules that do not balance.
    actor_budget: Scalar = RateOptions.actor_budget
    direction_floor: Scalar = RateOptions.direction_floor
    # Of a rule that declares numbers of its own, by their names.
    own: dict[str, Scalar] = NOTHING_OF_ITS_OWN


def as_arrays(hyper: RateHyper) -> RateHyper:
    """The same numbers as float32 arrays."""
    return jax.tree.map(lambda value: jnp.asarray(value, jnp.float32), hyper)


class RateState(NamedTuple):
    """State of a rate rule."""

    rates: Rates  # the present ones
    hyper: RateHyper
    updates: jax.Array  # so far, [], int32
    # Of the first `trial_updates` updates, for `auto_scale`, []
    mean_critic_term: jax.Array


class RateRule(NamedTuple):
    """A rate rule.

    init: `(num_agents, hyper=None) -> RateState`; `hyper` replaces the factory's defaults.
    update: `(signals, state) -> RateState`; the rates to use are `state.rates` of the result.
    second_order: whether `signals.curvature` is read; where it is not, it need not be measured.
    reads_critic_term: the same of `signals.critic_term`.
    """

    init: Callable[..., RateState]
    update: Callable[[Signals, RateState], RateState]
    second_order: bool
    reads_critic_term: bool = True


def fixed(hyper: RateHyper = RateHyper()) -> RateRule:
    """Constant rates (section 4.1, "Fixed lr").

    l_c = critic_rate, each actor actor_budget / sqrt(N).

    >>> rule = fixed(RateHyper(critic_rate=1e-2, actor_budget=2.0))
    >>> rule.init(4).rates.actors.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return _rule(hyper, balances=False, steers=False)


def steer(hyper: RateHyper = RateHyper(), second_order: bool = False) -> RateRule:
    """Constant l_c and |l_a|; Eq. (1), or Eq. (3) with `second_order`, turns l_a (section 4.1).

    >>> import jax.numpy as jnp
    >>> rule = steer(RateHyper(actor_budget=1.0, smoothing=0.0, direction_floor=0.0))
    >>> signals = Signals(jnp.array([3.0, 4.0]), jnp.zeros(2), jnp.zeros(()))
    >>> [round(rate, 6) for rate in rule.update(signals, rule.init(2)).rates.actors.tolist()]
    [0.6, 0.8]
    """
    return _rule(hyper, balances=False, steers=True, second_order=second_order)


def balance(
    hyper: RateHyper = RateHyper(), auto_scale: bool = False, trial_updates: int = 100
) -> RateRule:
    """Eq. (2) balances l_c against |l_a|; the actors share equally (section 4.1).

    >>> import jax.numpy as jnp
    >>> rule = balance(RateHyper(total_rate=1.0, critic_scale=10.0, smoothing=0.0))
    >>> state = rule.update(Signals(jnp.ones(4), jnp.zeros(4), jnp.array(2.5)), rule.init(4))
    >>> float(state.rates.critic), state.rates.actors.tolist()
    (0.25, [0.375, 0.375, 0.375, 0.375])
    """
    return _rule(
        hyper,
        balances=True,
        steers=False,
        auto_scale=auto_scale,
        trial_updates=trial_updates,
    )


def adama(
    hyper: RateHyper = RateHyper(),
    second_order: bool = False,
    auto_scale: bool = False,
    trial_updates: int = 100,
) -> RateRule:
    """AdaMa: Eq. (2), then Eq. (1), or Eq. (3) with `second_order` (Algorithm 1).

    Args:
        hyper: float hyperparameters, held in the state.
        second_order: read `signals.curvature`.
        auto_scale: take m to be the mean of kappa over the first `trial_updates` updates of this
            very member (the running mean until then), section 4.4.1's recipe without a trial run,
            instead of `hyper.critic_scale`.
        trial_updates: K of section 4.4.1.

    Raises:
        ValueError: `trial_updates` is below 1, or a number of `hyper` is out of its bounds.

    >>> import jax.numpy as jnp
    >>> rule = adama(RateHyper(total_rate=1e-2, critic_scale=50.0))
    >>> state = rule.init(2)
    >>> signals = Signals(jnp.array([9.0, 1.0]), jnp.zeros(2), jnp.array(80.0))
    >>> for _ in range(500):
    ...     state = rule.update(signals, state)
    >>> round(float(state.rates.critic), 4), [round(x, 4) for x in state.rates.actors.tolist()]
    (0.009, [0.001, 0.0001])
    """
    return _rule(
        hyper,
        balances=True,
        steers=True,
        second_order=second_order,
        auto_scale=auto_scale,
        trial_updates=trial_updates,
    )


def _rule(
    defaults: RateHyper,
    *,
    balances: bool,
    steers: bool,
    second_order: bool = False,
    auto_scale: bool = False,
    trial_updates: int = 100,
) -> RateRule:
    """Each rule is two choices: is the total balanced, and are the actors' rates steered."""
    if trial_updates < 1:
        raise ValueError(f"trial_updates={trial_updates}: must be at least 1")
    check_numbers(defaults._asdict())

    def init(num_agents: int, hyper: RateHyper | None = None) -> RateState:
        # Arrays, so that a grid of them is one program.
        arrays = as_arrays(hyper or defaults)
        critic = arrays.critic_rate
        budget = arrays.actor_budget
        if balances:
            # Nothing is measured yet: half of the total for each side.
            critic = budget = arrays.total_rate / 2
        rates = Rates(
            critic=jnp.asarray(critic),
            actors=budget * uniform_direction(num_agents),
        )
        return RateState(
            rates=rates,
            hyper=arrays,
            updates=jnp.zeros((), jnp.int32),
            mean_critic_term=jnp.zeros(()),
        )

    def update(signals: Signals, state: RateState) -> RateState:
        hyper = state.hyper
        mean = _trial_mean(state, signals.critic_term, trial_updates)

        critic = state.rates.critic
        budget = hyper.actor_budget
        if balances:
            scale = _positive(mean) if auto_scale else hyper.critic_scale
            critic, budget = balance_rates(
                l_c=critic,
                kappa=signals.critic_term,
                l=hyper.total_rate,
                m=scale,
                alpha=hyper.smoothing,
                eps=hyper.clip,
            )

        if not steers:
            actors = budget * uniform_direction(state.rates.actors.shape[0])
        else:
            gain = signals.contribution
            if second_order:
                gain = gain + signals.curvature
            actors = steer_rates(
                l_a=state.rates.actors,
                gain=gain,
                eta=budget,
                alpha=hyper.smoothing,
                floor=hyper.direction_floor,
            )
        return RateState(
            rates=Rates(jnp.asarray(critic), actors),
            hyper=hyper,
            updates=state.updates + 1,
            mean_critic_term=mean,
        )

    return RateRule(init, update, second_order, reads_critic_term=balances)


def _positive(mean: jax.Array) -> jax.Array:
    """A mean of kappa that can be divided by: it is 0 where the critic has no effect yet. []"""
    return jnp.maximum(mean, jnp.finfo(jnp.float32).tiny)


def _trial_mean(
    state: RateState, critic_term: jax.Array, trial_updates: int
) -> jax.Array:
    """Mean of kappa over the first `trial_updates` updates; constant after them. []"""
    count = state.updates + 1
    # A running mean, so that it serves from the first update on.
    change = (critic_term - state.mean_critic_term) / count
    mean = state.mean_critic_term + change
    return jnp.where(count <= trial_updates, mean, state.mean_critic_term)
