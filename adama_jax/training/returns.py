"""Returns over several steps, from stretches of stored steps (Sutton 1988; Watkins 1989)."""

import chex
import jax
import jax.numpy as jnp


def n_step_returns(
    reward: jax.Array,
    terminated: jax.Array,
    counted: jax.Array,
    discount: jax.Array | float,
) -> tuple[jax.Array, jax.Array]:
    """r_0 + gamma r_1 + ... of each stretch, and what `td_target` is to take for `terminated`.

    A termination ends a stretch: what follows in the same episode is of a world that started anew.
    Where m steps are counted and none of them terminates, the value beyond them counts gamma^m. One
    factor gamma is `td_target`'s own, so that 1 - gamma^(m - 1) stands for "terminated".

    Args:
        reward, terminated: of n steps in their order. [B, n]
        counted: which of them are the transition's own and those after it that there are: one
            stretch, not empty. [B, n], bool
        discount: gamma. []

    Returns:
        Both [B].

    Three steps; then two, as the episode ends; then one, for the world ended:

    >>> reward = jnp.array([[1.0, 2.0, 4.0]] * 3)
    >>> terminated = jnp.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    >>> counted = jnp.array([[True, True, True], [False, True, True], [True, True, True]])
    >>> [found.tolist() for found in n_step_returns(reward, terminated, counted, 0.5)]
    [[3.0, 4.0, 1.0], [0.75, 0.5, 1.0]]
    """
    chex.assert_rank([reward, terminated, counted], 2)
    ends = terminated * counted
    ended_before = jnp.cumsum(ends, axis=1) - ends > 0
    own = counted & ~ended_before
    # How far a step is from the transition's own; of steps before that, which are not counted, -1.
    steps_before = jnp.cumsum(counted, axis=1) - 1
    weight = jnp.asarray(discount) ** jnp.maximum(steps_before, 0)
    total = jnp.sum(jnp.where(own, weight * reward, 0.0), axis=1)
    further = jnp.sum(counted, axis=1) - 1
    goes_on = 1.0 - jnp.max(ends, axis=1)
    beyond = goes_on * jnp.asarray(discount) ** further
    return total, 1.0 - beyond
