"""A mean over a minibatch, taken over microbatches that a core's caches hold.

On a CPU the hidden activations of a whole minibatch, or of a microbatch for several members of a
population at once, leave the caches: docs/performance.md has what that costs. So microbatches come
one after another, and one member after another. Devices may divide the microbatches.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from adama_jax.algorithms.networks import swap_batch_and_features
from adama_jax.types import Batch, PyTree

Function = Callable[[Any, Batch, jax.Array], PyTree]


def mean_over_microbatches(
    function: Function,
    context: PyTree,
    batch: Batch,
    key: jax.Array,
    count: int | None = None,
    axis_name: str | None = None,
) -> Any:
    """`function(context, batch, key)`, which is a mean over the batch's transitions.

    Args:
        function: `(context, batch, key)` to a tree of means over that batch.
        context: what it needs beside the batch, the same for all microbatches.
        batch, key: the minibatch, and a key that is split among the microbatches.
        count: how many equal microbatches; under `vmap` they are computed one member of the
            population after another. None: the minibatch as it is.
        axis_name: the axis of a `shard_map` whose devices divide the microbatches, and then all
            hold the mean. None: there is no such axis.

    Raises:
        ValueError: `count` does not divide the minibatch, or the devices do not divide `count`.

    >>> import jax.numpy as jnp
    >>> obs, reward = jnp.ones((1, 4, 1)), jnp.arange(4.0)
    >>> batch = Batch(obs, action=obs, reward=reward, next_obs=obs, terminated=0 * reward)
    >>> scaled_mean = lambda scale, batch, key: scale * batch.reward.mean()
    >>> float(mean_over_microbatches(scaled_mean, 2.0, batch, jax.random.key(0), count=2))
    3.0
    """
    if count is None:
        return function(context, batch, key)
    size = batch.reward.shape[0]
    if size % count != 0:
        raise ValueError(
            f"a minibatch of {size} transitions cannot be cut into {count} equal microbatches"
        )
    stacked = jax.tree.map(lambda leaf: _cut(leaf, count), batch)
    keys = jax.random.split(key, count)
    if axis_name is not None:
        stacked, keys = _share_of_this_device((stacked, keys), count, axis_name)
    total = _sum_in_turn(function)(context, stacked, keys)
    if axis_name is not None:
        total = _sum_over_devices(total, axis_name)
    return jax.tree.map(lambda leaf: leaf / count, total)


def _sum_in_turn(function: Function) -> Callable[[PyTree, Batch, jax.Array], PyTree]:
    """The sum of a function over stacked microbatches, one after another."""

    # Jitted so that it is traced once, for its shapes and for the loop.
    @partial(jax.jit, inline=True)
    def of_one(
        context: PyTree,
        stacked: Batch,
        key: jax.Array,
    ) -> PyTree:
        return function(context, jax.tree.map(_uncut, stacked), key)

    # Plain vmap would compute a microbatch of all members at once, which is what leaves the caches.
    @jax.custom_batching.sequential_vmap
    def total(
        context: PyTree,
        stacked: Batch,
        keys: jax.Array,
    ) -> PyTree:
        first, first_key = jax.tree.map(lambda leaf: leaf[0], (stacked, keys))
        shapes = jax.eval_shape(of_one, context, first, first_key)
        zero = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

        def add(
            so_far: PyTree,
            inputs: tuple[Batch, jax.Array],
        ) -> tuple[PyTree, None]:
            microbatch, key = inputs
            found = of_one(context, microbatch, key)
            return jax.tree.map(jnp.add, so_far, found), None

        result, _ = jax.lax.scan(add, zero, (stacked, keys))
        return result

    return total


def _share_of_this_device(
    stacked: PyTree,
    count: int,
    axis_name: str,
) -> PyTree:
    """Of microbatches and their keys, [count, ...], those that this device computes."""
    devices = jax.lax.axis_size(axis_name)
    if count % devices != 0:
        raise ValueError(
            f"{count} microbatches cannot be shared evenly by {devices} devices"
        )
    each = count // devices
    start = each * jax.lax.axis_index(axis_name)

    def own(leaf: jax.Array) -> jax.Array:
        return jax.lax.dynamic_slice_in_dim(leaf, start, each)

    return jax.tree.map(own, stacked)


def _sum_over_devices(total: PyTree, axis_name: str) -> PyTree:
    """The sum over devices, all leaves exchanged as one vector: each exchange has its latency."""
    vector, as_tree = ravel_pytree(total)
    return as_tree(jax.lax.psum(vector, axis_name))


def _cut(leaf: jax.Array, count: int) -> jax.Array:
    """A minibatch's leaf in equal microbatches: [B] to [count, B / count], [N, B, X] likewise.

    The latter as [count, N, X, B / count]: the loop's memory then is laid out as the networks
    compute, and their own transposition, which undoes `_uncut`'s, costs nothing.
    """
    if leaf.ndim == 1:
        return leaf.reshape(count, -1)
    agents, size, features = leaf.shape
    cut = leaf.reshape(agents, count, size // count, features)
    return swap_batch_and_features(jnp.swapaxes(cut, 0, 1))


def _uncut(leaf: jax.Array) -> jax.Array:
    """A leaf of one microbatch as of a minibatch: [N, X, B] to [N, B, X]."""
    if leaf.ndim == 1:
        return leaf
    return swap_batch_and_features(leaf)
