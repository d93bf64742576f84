"""The update rules of AdaMa, Eqs. (1), (2) and (3) of Jiang & Lu (AAMAS 2023), on small arrays.

Symbols are the paper's: l_a [N] the actors' rates, l_c [] the critic's, eta [] the norm that l_a is
held to, l, m, alpha, eps [] the hyperparameters, c [N] the actors' contributions, kappa [] the
critic's term. Nothing here knows a network, an optimizer or an environment.
"""

import jax
import jax.numpy as jnp

from adama_jax.types import Scalar


def unit(x: jax.Array, otherwise: jax.Array) -> jax.Array:
    """`x / |x|`, without overflow or underflow, and `otherwise` where x is zero; NaN stays NaN. [N]

    >>> import jax.numpy as jnp
    >>> unit(jnp.array([3e-30, 4e-30]), otherwise=jnp.array([1.0, 0.0])).tolist()
    [0.6000000238418579, 0.800000011920929]
    """
    largest = jnp.max(jnp.abs(x))
    is_zero = largest == 0
    # Contributions of 1e-30 are real, and their squares are not float32's: scale first.
    scaled = x / jnp.where(is_zero, 1.0, largest)
    norm = jnp.sqrt(jnp.sum(scaled**2))
    # No 0 / 0 is computed, not even where the other branch is taken: jax_debug_nans stops there.
    norm = jnp.where(is_zero, 1.0, norm)
    return jnp.where(is_zero, otherwise, scaled / norm)


def uniform_direction(num_agents: int) -> jax.Array:
    """The direction of equal rates, 1 / sqrt(N) for each actor (section 4.6). [N]"""
    return jnp.full((num_agents,), 1.0 / jnp.sqrt(num_agents))


def balance_rates(
    l_c: Scalar,
    kappa: Scalar,
    l: Scalar,
    m: Scalar,
    alpha: Scalar,
    eps: Scalar,
) -> tuple[Scalar, Scalar]:
    """Eq. (2): the critic's rate follows its effect on the Q-value; the actors get the rest of l.

    Args:
        l_c: the critic's present rate. []
        kappa: |<dJ/dphi, d_c>|, the critic's effect on the Q-value per unit of rate. []
        l: the total, l_c + |l_a|. []
        m: the kappa at which the whole total would go to the critic. []
        alpha: smoothing, 0 <= alpha < 1. []
        eps: the least share of the total that either side keeps, 0 <= eps < 0.5. []

    Returns:
        The new (l_c, eta). [], []

    >>> l_c, eta = balance_rates(l_c=0.005, kappa=25.0, l=0.01, m=50.0, alpha=0.9, eps=0.1)
    >>> round(float(l_c), 6), round(float(eta), 6)
    (0.005, 0.005)
    """
    share = jnp.clip(kappa / m, eps, 1 - eps)
    l_c = alpha * l_c + (1 - alpha) * l * share
    return l_c, l - l_c


def steer_rates(
    l_a: jax.Array,
    gain: jax.Array,
    eta: Scalar,
    alpha: Scalar,
    floor: Scalar,
) -> jax.Array:
    """Eqs. (1) and (3): turn the actors' rates towards where the Q-value grows most.

    With `gain` = c, the contributions, this is Eq. (1); with `gain` = c + M l_a, the gradient of
    the second-order gain, it is Eq. (3). Where `gain` is zero it says nothing, and the direction
    stays.

    Args:
        l_a: present rates. [N]
        gain: derivative of the gain in Q with respect to each rate. [N]
        eta: the norm to hold the rates to. []
        alpha: smoothing, 0 <= alpha < 1. []
        floor: least component of the target direction before it is normalised again, so that no
            actor stops; 0 gives the printed formula. No printed equation has it. The one public
            figure of rates, in the paper's version of 2020, shows such a floor at 0.1.

    Returns:
        The new rates, of norm eta. [N]

    >>> import jax.numpy as jnp
    >>> l_a, gain = jnp.array([0.0, 1.0]), jnp.array([1.0, 0.0])
    >>> steer_rates(l_a, gain, eta=2.0, alpha=0.0, floor=0.0).tolist()
    [2.0, 0.0]
    """
    num_agents = l_a.shape[0]
    present = unit(l_a, otherwise=uniform_direction(num_agents))
    target = unit(gain, otherwise=present)
    # With a floor of 0 negative components must pass, as in the printed formula.
    floored = jnp.where(floor > 0, jnp.maximum(target, floor), target)
    target = unit(floored, otherwise=present)
    l_a = alpha * l_a + (1 - alpha) * eta * target
    # The mean of two vectors of norm eta is shorter than eta: the budget is restored. Where the two
    # cancel, the target alone decides.
    return eta * unit(l_a, otherwise=target)
