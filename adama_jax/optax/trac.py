"""TRAC: a scale for what another optimizer has done since the start, found without tuning.

Muppidi, Zhang and Yang, Fast TRAC (NeurIPS 2024), Algorithms 1 and 2; the authors' code is
github.com/ComputationalRobotics/TRAC. Changed here: what the other optimizer has added up is kept
in the state, instead of divided out of the parameters again, so that a learning rate may come from
outside. The two differ by rounding.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

DISCOUNTS = (0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)
"""Of the past, one for each tuner; the scale is the sum of theirs."""
# Of each tuner; the paper's epsilon.
FIRST_SCALE = 1e-8
EPS = 1e-8
# erfi grows as exp(x^2): this is still far from the largest float32.
LARGEST_ARGUMENT = 9.0


class TracState(NamedTuple):
    """What TRAC remembers."""

    base: Any  # state of the optimizer it scales
    added: Any  # sum of that optimizer's steps, of the parameters' structure
    scale: jax.Array  # by which they count now, []
    variance: jax.Array  # of each tuner, [6]
    sigma: jax.Array  # of each tuner, [6]


def trac(base: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
    """The optimizer with its steps' sum scaled: parameters = start + scale * sum of its steps.

    The scale begins at about 0 and grows while gradients agree with the way that was gone.

    Args:
        base: the optimizer, at learning rate 1.

    >>> import jax.numpy as jnp, optax
    >>> tx = trac(optax.adam(1.0))
    >>> params = jnp.array([1.0, -2.0])
    >>> state = tx.init(params)
    >>> for _ in range(200):
    ...     updates, state = tx.update(params, state, params)  # the gradient of |params|^2 / 2
    ...     params = optax.apply_updates(params, updates)
    >>> bool(jnp.linalg.norm(params) < 0.5)
    True
    """
    inner = optax.with_extra_args_support(base)

    def init(params: Any) -> TracState:
        number = len(DISCOUNTS)
        return TracState(
            base=inner.init(params),
            added=optax.tree.zeros_like(params),
            scale=jnp.float32(number * FIRST_SCALE),
            variance=jnp.zeros(number),
            sigma=jnp.full(number, 1e-8),
        )

    def update(
        updates: Any,
        state: TracState,
        params: Any = None,
        **extra_args: Any,
    ) -> tuple[Any, TracState]:
        steps, base_state = inner.update(updates, state.base, params, **extra_args)
        # Theirs is divided by scale + EPS, which forgets some of it while the scale is small.
        kept = state.scale / (state.scale + EPS)
        before = optax.tree.scale(kept, state.added)
        along = optax.tree.vdot(updates, before)
        discounts = jnp.asarray(DISCOUNTS)
        variance = discounts**2 * state.variance + along**2
        sigma = discounts * state.sigma - along
        # A negative one would go back beyond the start.
        scale = jnp.maximum(jnp.sum(_scales(sigma, variance)), 0.0)
        added = optax.tree.add(before, steps)

        def moved(new: jax.Array, old: jax.Array) -> jax.Array:
            return scale * new - state.scale * old

        # optax's types know no transformation with a state of one's own.
        updates = jax.tree.map(moved, added, state.added)
        return updates, TracState(base_state, added, scale, variance, sigma)

    made: Any = optax.GradientTransformationExtraArgs
    return made(init, update)


def _scales(sigma: jax.Array, variance: jax.Array) -> jax.Array:
    """What each tuner says, Algorithm 2. [6], [6] to [6]"""
    agreement = sigma / (jnp.sqrt(2 * variance) + EPS)
    unit = erfi(jnp.float32(0.5**0.5))
    bounded = jnp.clip(agreement, -LARGEST_ARGUMENT, LARGEST_ARGUMENT)
    return FIRST_SCALE * erfi(bounded) / unit


def erfi(x: jax.Array) -> jax.Array:
    """The imaginary error function, -i erf(i x), to 5e-6 of its value. Any shape.

    By Rybicki's sum for Dawson's integral (Press et al., Numerical Recipes, section 6.10), and by
    the series where x is small. JAX has neither.

    >>> import jax.numpy as jnp
    >>> [round(float(y), 4) for y in erfi(jnp.array([-1.0, 0.0, 0.1, 2.0]))]
    [-1.6504, 0.0, 0.1132, 18.5648]
    """
    size = jnp.abs(x)
    series = size * (1 + size**2 / 3 + size**4 / 10 + size**6 / 42)
    return (
        jnp.sign(x) * jnp.where(size < 0.2, series, _by_dawson(size)) * 2 / jnp.pi**0.5
    )


def _by_dawson(x: jax.Array) -> jax.Array:
    """exp(x^2) times Dawson's integral, for x of at least 0.2. Any shape."""
    apart = 0.4
    # The sum runs over odd numbers; it is centred on the even one next to x.
    centre = 2 * jnp.round(x / (2 * apart))
    offset = x - centre * apart
    total = jnp.zeros_like(x)
    for odd in range(-11, 12, 2):
        total += jnp.exp(-((offset - odd * apart) ** 2)) / (centre + odd)
    return jnp.exp(x**2) * total / jnp.pi**0.5
