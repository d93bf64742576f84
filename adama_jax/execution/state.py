"""A population's state as named arrays in this process's memory, and back: what a checkpoint holds."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax import tree
from adama_jax.storage.checkpoints import Shapes
from adama_jax.storage.files import Arrays
from adama_jax.types import PyTree


def to_host(state: PyTree, into: Arrays | None = None) -> dict[str, np.ndarray]:
    """Copies of all leaves by their dotted names; keys as their data. The state may be donated afterwards.

    Args:
        state: a population's.
        into: arrays to copy into (`room_for`): fresh memory costs ten times as long as the copy.

    >>> {name: leaf.tolist() for name, leaf in to_host({"key": jax.random.key(7), "x": jnp.ones(2)}).items()}
    {'key': [0, 7], 'x': [1.0, 1.0]}
    """
    names = tree.leaf_names(state)
    return {
        name: _copy(leaf, (into or {}).get(name))
        for name, leaf in zip(names, jax.tree.leaves(state), strict=True)
    }


def room_for(shapes: Shapes) -> dict[str, np.ndarray]:
    """Arrays for `to_host`, their memory touched."""
    return {name: np.full(shape, 0, dtype) for name, (shape, dtype) in shapes.items()}


def shapes_of(like: PyTree) -> Shapes:
    """What `to_host` gives for a state of these shapes: shape and dtype by name."""
    raw = [
        jax.eval_shape(jax.random.key_data, leaf) if _is_key(leaf) else leaf
        for leaf in jax.tree.leaves(like)
    ]
    return {
        name: (leaf.shape, str(leaf.dtype))
        for name, leaf in zip(tree.leaf_names(like), raw, strict=True)
    }


def from_host(arrays: Arrays, like: PyTree, shardings: PyTree) -> PyTree:
    """The state again, on its devices.

    Args:
        arrays: at least the leaves that `to_host` gave.
        like: a state of the same structure; its leaves may be shapes.
        shardings: where each leaf goes, a prefix of `like`.
    """
    places = jax.tree.leaves(
        jax.tree.map(lambda place, part: jax.tree.map(lambda _: place, part), shardings, like)
    )
    leaves, structure = jax.tree.flatten(like)
    values = []
    for name, leaf, place in zip(tree.leaf_names(like), leaves, places, strict=True):
        value = jax.device_put(arrays[name], place, may_alias=False)  # the state will be donated
        values.append(jax.random.wrap_key_data(value) if _is_key(leaf) else value)
    return jax.tree.unflatten(structure, values)


def _copy(leaf: Any, copy: np.ndarray | None) -> np.ndarray:
    """One copy, whether the leaf is on one device or spread over several."""
    if _is_key(leaf):
        leaf = jax.random.key_data(leaf)
    copy = np.empty(leaf.shape, leaf.dtype) if copy is None else copy
    for shard in leaf.addressable_shards:
        copy[shard.index] = np.asarray(shard.data)
    return copy


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
