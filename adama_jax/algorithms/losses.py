"""The learner's losses as functions of arrays (section 3.1)."""

import chex
import jax
import jax.numpy as jnp


def td_target(
    reward: jax.Array,
    terminated: jax.Array,
    next_value: jax.Array,
    discount: jax.Array | float,
) -> jax.Array:
    """y = r + gamma (1 - terminated) Q^-(o', pi^-(o')). All [B] but `discount`, [].

    A time limit is not a termination: it bootstraps.

    >>> import jax.numpy as jnp
    >>> reward, terminated = jnp.array([1.0, 1.0]), jnp.array([0.0, 1.0])
    >>> td_target(reward, terminated, next_value=jnp.array([10.0, 10.0]), discount=0.5).tolist()
    [6.0, 1.0]
    """
    chex.assert_rank([reward, terminated, next_value], 1)
    return reward + discount * (1 - terminated) * next_value


def td_loss(value: jax.Array, target: jax.Array) -> jax.Array:
    """delta = mean_b (Q - y)^2, the target held constant. Both [B]; the result [].

    >>> import jax.numpy as jnp
    >>> float(td_loss(jnp.array([1.0, 2.0]), jnp.array([0.0, 0.0])))
    2.5
    """
    chex.assert_equal_shape([value, target])
    chex.assert_rank(value, 1)
    # The target depends on parameters too where an algorithm takes it from the online networks;
    # the TD error's gradient is by the value alone.
    error = value - jax.lax.stop_gradient(target)
    return jnp.mean(error**2)


def td_lambda_target(
    reward: jax.Array,
    terminated: jax.Array,
    next_value: jax.Array,
    discount: jax.Array | float,
    trace: jax.Array | float,
) -> jax.Array:
    """The TD(lambda) targets of whole episodes, of T steps each.

    y_t = r_t + gamma (1 - terminated_t) ((1 - lambda) Q_{t+1} + lambda y_{t+1}), and beyond the
    last step, which is a time limit, Q alone. All [E, T] but `discount` and `trace`, [].

    Args:
        reward, terminated: of each step.
        next_value: Q after each step.
        discount: gamma.
        trace: lambda.

    >>> import jax.numpy as jnp
    >>> reward, never = jnp.array([[1.0, 2.0]]), jnp.zeros((1, 2))
    >>> td_lambda_target(reward, never, jnp.array([[4.0, 8.0]]), 0.5, 0.5).tolist()
    [[3.5, 6.0]]
    """
    chex.assert_equal_shape([reward, terminated, next_value])
    chex.assert_rank([reward, terminated, next_value], 2)

    def step(
        later: jax.Array,
        inputs: tuple[jax.Array, jax.Array, jax.Array],
    ) -> tuple[jax.Array, jax.Array]:
        reward, terminated, next_value = inputs
        beyond = (1 - trace) * next_value + trace * later
        target = reward + discount * (1 - terminated) * beyond
        return target, target

    # Time leads in a scan; it runs from the end.
    by_time = (reward.T, terminated.T, next_value.T)
    _, targets = jax.lax.scan(step, next_value[:, -1], by_time, reverse=True)
    return targets.T
