"""AdaMa and its baseline as optax transformations, each number by its name.

The paper's other rules: `from_rule(adama_jax.steer(RateHyper(...)), ...)`.
"""

from typing import Literal

import optax

from adama_jax.optax.from_rule import Number, OneOrTwo, from_rule
from adama_jax.rates import rules
from adama_jax.rates.agents import Agents
from adama_jax.rates.settings import RateOptions

NumberOrAuto = Number | Literal["auto"]


def adama(
    optimizer: OneOrTwo,
    agents: Agents,
    total_rate: Number = RateOptions.total_rate,
    critic_scale: NumberOrAuto = "auto",
    smoothing: Number = RateOptions.smoothing,
    clip: Number = RateOptions.clip,
    direction_floor: Number = RateOptions.direction_floor,
    second_order: bool = False,
    trial_updates: int = 100,
    check_rate: bool = True,
) -> optax.GradientTransformationExtraArgs:
    """AdaMa (Algorithm 1) as an optax transformation.

    Args:
        optimizer: which way to step: any optax transformation, built at learning rate 1, or
            `Groups(actors=..., critic=...)` of two.
        agents: their number N, where every leaf of the actors leads with N; or their names, where
            the actors are a mapping with a tree for each, of whatever shapes.
        total_rate: [l] the critic's rate plus the norm of the actors'. It and the four below may
            be schedules, functions of the number of updates.
        critic_scale: [m] the kappa at which the critic would get all of l; "auto": the mean of
            kappa over the first `trial_updates` updates.
        smoothing: [alpha] weight of the old rates in an update of theirs.
        clip: [eps] least share of l that critic and actors keep.
        direction_floor: least component of the actors' target direction; 0 is the printed formula.
        second_order: Eq. (3) in place of Eq. (1): `update` wants `curvature=`.
        trial_updates: [K] of `critic_scale="auto"`.
        check_rate: refuse an optimizer whose first step shows that it is not built at rate 1.

    Returns:
        A transformation of `{"actors": ..., "critic": ...}` or of a NamedTuple with these fields.
        Other groups of parameters, such as a temperature, have a transformation of their own, by
        `optax.partition`. With `optax.inject_hyperparams`:
        `static_args=("agents", "trial_updates")`.

    Raises:
        ValueError: bad `agents`, or a number out of its bounds; from `init`, parameters that are
            not as promised, and an optimizer not at rate 1; from `update`, an argument that is
            missing or of a wrong shape.
        TypeError: `agents` is neither a number nor names; the optimizer is no transformation; from
            `update`, a state that is not this transformation's.

    >>> import jax.numpy as jnp, optax
    >>> tx = adama(optax.sgd(1.0), agents=("left", "right"), smoothing=0.0, direction_floor=0.0)
    >>> params = {"actors": {"left": jnp.ones(1), "right": jnp.ones(2)}, "critic": jnp.ones(4)}
    >>> gradients = {"actors": {"left": jnp.array([2.0]), "right": jnp.ones(2)},
    ...              "critic": jnp.ones(4)}
    >>> state = tx.init(params)
    >>> updates, state = tx.update(gradients, state, params, value_by_critic=jnp.ones(4))
    >>> [round(rate, 6) for rate in state.rule.rates.actors.tolist()]  # as 4 to 2, |l_a| = 0.001
    [0.000894, 0.000447]
    """
    numbers = {
        "total_rate": total_rate,
        "smoothing": smoothing,
        "clip": clip,
        "direction_floor": direction_floor,
    }
    auto_scale = _auto(critic_scale, numbers)
    rule = rules.adama(
        second_order=second_order, auto_scale=auto_scale, trial_updates=trial_updates
    )
    return from_rule(rule, optimizer, agents, check_rate, numbers)


def fixed(
    optimizer: OneOrTwo,
    agents: Agents,
    critic_rate: Number = RateOptions.critic_rate,
    actor_budget: Number = RateOptions.actor_budget,
    check_rate: bool = True,
) -> optax.GradientTransformationExtraArgs:
    """The baseline: constant rates, each actor `actor_budget` / sqrt(N).

    The same as a plain optimizer; here to compare with by changing one name.

    >>> import optax
    >>> tx = fixed(optax.adam(1.0), agents=3, critic_rate=2e-3, actor_budget=1e-3)
    """
    numbers = {"critic_rate": critic_rate, "actor_budget": actor_budget}
    return from_rule(rules.fixed(), optimizer, agents, check_rate, numbers)


def _auto(critic_scale: Number | Literal["auto"], numbers: dict[str, Number]) -> bool:
    """Whether m is to be measured; otherwise it is one of the numbers."""
    if isinstance(critic_scale, str):
        if critic_scale != "auto":
            raise ValueError(
                f'critic_scale={critic_scale!r}: must be a number, or "auto"'
            )
        return True
    numbers["critic_scale"] = critic_scale
    return False
