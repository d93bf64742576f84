"""A population's state as named arrays in this process's memory, and back.

That is what a checkpoint holds. What saving needs to know of a leaf beside its name follows from
where it stands in the state.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax import tree
from adama_jax.keys import key_of_data
from adama_jax.training.population import AXES
from adama_jax.training.trainer import TrainState
from adama_jax.types import PyTree

Arrays = Mapping[str, np.ndarray]


class Leaf(NamedTuple):
    """What saving needs to know of a leaf of a population's state."""

    shape: tuple[int, ...]
    dtype: str
    # Whether its first axis is the members'; else it is the same for all.
    per_member: bool
    replay: bool  # the replay may be saved less often than the rest
    parameter: bool  # a member whose parameters are not finite has diverged


Leaves = dict[str, Leaf]


def leaves_of(like: TrainState) -> Leaves:
    """The leaves by the names that `named_arrays` gives them.

    Args:
        like: a population's state; its leaves may be shapes.
    """
    in_replay = _nowhere(like)._replace(replay=_everywhere(True, like.replay))
    params = _everywhere(True, like.learner.params)
    in_params = _nowhere(like)
    in_params = in_params._replace(learner=in_params.learner._replace(params=params))
    marks = zip(
        jax.tree.leaves(_has_members(like)),
        jax.tree.leaves(in_replay),
        jax.tree.leaves(in_params),
        strict=True,
    )
    found = {}
    names = tree.leaf_names(like)
    for name, leaf, own in zip(names, jax.tree.leaves(like), marks, strict=True):
        data = jax.eval_shape(jax.random.key_data, leaf) if _is_key(leaf) else leaf
        found[name] = Leaf(tuple(data.shape), str(data.dtype), *own)
    return found


def _has_members(like: TrainState) -> PyTree:
    """At each leaf whether its first axis is the members', as `AXES` says for whole parts."""

    def mark(axis: int | None, part: PyTree) -> PyTree:
        return _everywhere(axis is not None, part)

    # None is what `AXES` has where there is no such axis; JAX would take it for no leaf at all.
    return jax.tree.map(mark, AXES, like, is_leaf=lambda axis: axis is None)


def named_arrays(state: PyTree, into: Arrays | None = None) -> dict[str, np.ndarray]:
    """Copies of all leaves by their dotted names; keys as their data.

    The state may be donated afterwards.

    Args:
        state: a population's.
        into: arrays to copy into (`room_for`): fresh memory costs ten times as long as the copy.

    >>> state = {"key": jax.random.key(7), "x": jnp.ones(2)}
    >>> {name: leaf.tolist() for name, leaf in named_arrays(state).items()}
    {'key': [0, 7], 'x': [1.0, 1.0]}
    """
    names = tree.leaf_names(state)
    leaves = jax.tree.leaves(state)
    copies = {}
    for name, leaf in zip(names, leaves, strict=True):
        room = into[name] if into is not None else None
        copies[name] = _copy(leaf, room)
    return copies


def room_for(leaves: Leaves) -> dict[str, np.ndarray]:
    """Arrays for `named_arrays` to copy into."""
    # Written to, for the system gives no memory before: the copy would have to wait for it.
    return {name: np.full(leaf.shape, 0, leaf.dtype) for name, leaf in leaves.items()}


def on_devices(arrays: Arrays, like: PyTree, shardings: PyTree) -> PyTree:
    """The state again, on its devices, once it is there.

    Args:
        arrays: at least the leaves that `named_arrays` gave.
        like: a state of the same structure; its leaves may be shapes.
        shardings: where each leaf goes, a prefix of `like`.
    """
    names = tree.leaf_names(like)
    leaves, structure = jax.tree.flatten(like)
    each = jax.tree.leaves(jax.tree.map(_everywhere, shardings, like))
    values = []
    for name, leaf, sharding in zip(names, leaves, each, strict=True):
        # No alias: the state will be donated, and the arrays are somebody else's.
        value = jax.device_put(arrays[name], sharding, may_alias=False)
        if _is_key(leaf):
            value = key_of_data(value)
        values.append(value)
    state = jax.tree.unflatten(structure, values)
    # The arrays may be overwritten as soon as this returns.
    return jax.block_until_ready(state)


def to_numpy(values: PyTree, members: int) -> PyTree:
    """Results of the first members as NumPy arrays; what only filled up the devices is dropped."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[:members], values)


def _nowhere(like: TrainState) -> TrainState:
    return jax.tree.map(lambda _: False, like)


def _everywhere(value: Any, part: PyTree) -> PyTree:
    """A tree of that structure, with the same value at each leaf."""
    return jax.tree.map(lambda _: value, part)


def _copy(leaf: Any, copy: np.ndarray | None) -> np.ndarray:
    """One copy, whether the leaf is on one device or spread over several."""
    if _is_key(leaf):
        leaf = jax.random.key_data(leaf)
    room = np.empty(leaf.shape, leaf.dtype) if copy is None else copy
    for shard in leaf.addressable_shards:
        room[shard.index] = np.asarray(shard.data)
    return room


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
