"""A mean over a minibatch, taken in parts that a core's caches hold, one run of a population after another.

On a CPU the hidden activations of a whole minibatch, or of a part of it for several runs at once, leave the caches:
docs/performance.md has what that costs. Devices may divide the parts among themselves.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from adama_jax.types import Batch, PyTree


def mean_over_batch(
    function: Callable[[Any, Batch, jax.Array], PyTree],
    context: PyTree,
    batch: Batch,
    key: jax.Array,
    parts: int | None = None,
    shared_by: str | None = None,
) -> Any:
    """`function(context, batch, key)`, which is a mean over the batch's transitions.

    Args:
        function: `(context, batch, key)` to a tree of means over that batch.
        context: what it needs beside the batch, the same for all parts.
        batch, key: the minibatch, and a key that is split among the parts.
        parts: how many equal parts; under `vmap` they are computed one run after another. None: as it is.
        shared_by: the axis of a `shard_map` whose devices divide the parts, and then all hold the mean.

    Raises:
        ValueError: `parts` does not divide the minibatch, or the devices do not divide the parts.

    >>> import jax.numpy as jnp
    >>> obs, reward = jnp.ones((1, 4, 1)), jnp.arange(4.0)
    >>> batch = Batch(obs, action=obs, reward=reward, next_obs=obs, terminated=0 * reward)
    >>> float(mean_over_batch(lambda scale, batch, key: scale * batch.reward.mean(), 2.0, batch, jax.random.key(0), 2))
    3.0
    """
    if parts is None:
        return function(context, batch, key)
    if batch.reward.shape[0] % parts:
        raise ValueError(f"a minibatch of {batch.reward.shape[0]} has no {parts} equal parts")

    one = jax.jit(
        lambda context, piece, key: function(context, _as_batch(piece), key), inline=True
    )  # traced once

    @jax.custom_batching.sequential_vmap
    def total(context: PyTree, pieces: Batch, keys: jax.Array) -> PyTree:
        shapes = jax.eval_shape(one, context, *jax.tree.map(lambda leaf: leaf[0], (pieces, keys)))
        zero = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        add = lambda so_far, part: (jax.tree.map(jnp.add, so_far, one(context, *part)), None)  # noqa: E731
        return jax.lax.scan(add, zero, (pieces, keys))[0]

    pieces = jax.tree.map(lambda leaf: _cut(leaf, parts), batch)
    pieces, keys = _own((pieces, jax.random.split(key, parts)), shared_by)
    return jax.tree.map(
        lambda leaf: leaf / parts, _over_devices(total(context, pieces, keys), shared_by)
    )


def _own(pieces: tuple[Batch, jax.Array], shared_by: str | None) -> tuple[Batch, jax.Array]:
    """Of the pieces, and of the keys, those that are this device's."""
    if shared_by is None:
        return pieces
    devices = jax.lax.axis_size(shared_by)
    if (parts := len(pieces[1])) % devices:
        raise ValueError(f"a minibatch in {parts} parts cannot be shared by {devices} devices")

    def take(leaf: jax.Array) -> jax.Array:
        each = leaf.shape[0] // devices
        return jax.lax.dynamic_slice_in_dim(leaf, each * jax.lax.axis_index(shared_by), each)

    return jax.tree.map(take, pieces)


def _over_devices(total: PyTree, shared_by: str | None) -> PyTree:
    """The sum over devices, exchanged as one vector."""
    if shared_by is None:
        return total
    flat, tree_of = ravel_pytree(total)
    return tree_of(jax.lax.psum(flat, shared_by))


def _cut(leaf: jax.Array, parts: int) -> jax.Array:
    """A minibatch's leaf in equal parts, feature-major, as the networks read it.

    [B] to [parts, B / parts]; [N, B, X] to [parts, N, X, B / parts]
    """
    if leaf.ndim == 1:
        return leaf.reshape(parts, -1)
    agents, batch, size = leaf.shape
    return jnp.transpose(leaf.reshape(agents, parts, batch // parts, size), (1, 0, 3, 2))


def _as_batch(piece: Batch) -> Batch:
    """A part as a minibatch: [N, X, B] to [N, B, X], which is the networks' own transposition undone."""
    return jax.tree.map(lambda leaf: leaf if leaf.ndim == 1 else jnp.swapaxes(leaf, 1, 2), piece)
