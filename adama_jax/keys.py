"""Keys of random numbers, always of one implementation, whatever JAX is set to."""

from typing import Any

import jax

# That of the published runs. JAX's default can be set from outside, and with its faster
# implementations a member's numbers would depend on who is beside it in a program.
IMPLEMENTATION = "threefry2x32"


def key_of(seed: Any) -> jax.Array:
    """The key of a seed, an integer or a traced one. []

    >>> key_of(7) == jax.random.key(7, impl="threefry2x32")
    Array(True, dtype=bool)
    """
    return jax.random.key(seed, impl=IMPLEMENTATION)


def key_of_data(data: Any) -> jax.Array:
    """The key again of which `jax.random.key_data` gave the data. []

    >>> key_of_data(jax.random.key_data(key_of(7))) == key_of(7)
    Array(True, dtype=bool)
    """
    return jax.random.wrap_key_data(data, impl=IMPLEMENTATION)
