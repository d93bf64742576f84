"""The two groups of parameters that a transformation of this room divides the total rate among."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp

from adama_jax.types import PyTree

WANTED = 'must be {"actors": ..., "critic": ...}, or a NamedTuple with these fields'


class Groups(NamedTuple):
    """One thing for the actors, and one for the critic."""

    actors: Any
    critic: Any


def groups_of(tree: PyTree) -> Groups:
    """The actors and the critic of parameters, gradients or updates.

    Raises:
        ValueError: they are not there, or there are parameters beside them.

    >>> groups_of({"actors": 1.0, "critic": 2.0})
    Groups(actors=1.0, critic=2.0)
    >>> groups_of({"actor": 1.0, "critic": 2.0})
    Traceback (most recent call last):
    ValueError: parameters with the groups actor, critic: must be {"actors": ..., "critic": ...}, \
or a NamedTuple with these fields
    """
    groups = _all_groups(tree)
    names = ", ".join(map(str, groups))
    if not set(Groups._fields) <= set(groups):
        raise ValueError(f"parameters with the groups {names}: {WANTED}")
    for name, own in groups.items():
        # `optax.partition` leaves the others' groups in place, empty.
        if name not in Groups._fields and jax.tree.leaves(own):
            raise ValueError(
                f"parameters with the groups {names}: the rates are shared by actors and critic "
                f"alone; give {name!r} a transformation of its own, by optax.partition"
            )
    return Groups(groups["actors"], groups["critic"])


def with_groups(tree: PyTree, groups: Groups) -> PyTree:
    """The same tree with these actors and this critic.

    >>> with_groups({"actors": 1.0, "critic": 2.0}, Groups(3.0, 4.0))
    {'actors': 3.0, 'critic': 4.0}
    """
    if isinstance(tree, Mapping):
        made: Any = type(tree)
        return made({**tree, **groups._asdict()})
    return tree._replace(**groups._asdict())


def check_like_parameters(gradients: Groups, parameters: Groups) -> None:
    """Refuse gradients whose shapes are not the parameters'.

    They would be broadcast, and the parameters would grow: an axis of the minibatch is left where
    a mean was forgotten.

    Raises:
        ValueError: the first leaf that differs.

    >>> import jax.numpy as jnp
    >>> each_transition = Groups({"w": jnp.ones((8, 2))}, jnp.ones(3))
    >>> check_like_parameters(each_transition, Groups({"w": jnp.ones(2)}, jnp.ones(3)))
    Traceback (most recent call last):
    ValueError: the gradient of actors['w'] is of shape (8, 2): must be the parameter's, (2,)
    """
    for name, found, wanted in zip(Groups._fields, gradients, parameters, strict=True):
        shapes = {
            path: jnp.shape(leaf) for path, leaf in jax.tree.leaves_with_path(wanted)
        }
        for path, leaf in jax.tree.leaves_with_path(found):
            shape = shapes.get(path)
            if shape is not None and jnp.shape(leaf) != shape:
                raise ValueError(
                    f"the gradient of {name}{jax.tree_util.keystr(path)} is of shape "
                    f"{jnp.shape(leaf)}: must be the parameter's, {shape}"
                )


def _all_groups(tree: PyTree) -> Mapping[str, Any]:
    if isinstance(tree, Mapping):
        return cast(Mapping[str, Any], tree)
    if hasattr(tree, "_asdict"):
        return tree._asdict()
    raise ValueError(f"parameters of type {type(tree).__name__}: {WANTED}")
