"""How a tree of parameters holds its agents: stacked, or by name.

Everywhere `agents` says which:

* a number N: every leaf leads with an axis of that length, `[N, ...]`, as `jax.vmap` over the
  agents' networks makes it;
* names, such as `("agent_0", "agent_1")`: a mapping with one tree for each name, whose networks may
  be of different shapes. N-vectors are in the order of the names, not the mapping's.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.tree import inner, inner_per_agent
from adama_jax.types import PyTree

Agents = int | Sequence[str]


def checked(agents: Agents) -> Agents:
    """The same agents, as a number or as a tuple of names.

    Raises:
        ValueError: no agent, or a name given twice.
        TypeError: neither a number nor names.

    >>> checked(["left", "right"])
    ('left', 'right')
    >>> checked(0)
    Traceback (most recent call last):
    ValueError: agents=0: must be at least 1, or the agents' names
    """
    if isinstance(agents, jax.Array):
        raise TypeError(
            "agents: must be a Python number or names, not an array; "
            "with optax.inject_hyperparams name it in static_args"
        )
    if isinstance(agents, int) and not isinstance(agents, bool):
        if agents < 1:
            raise ValueError(
                f"agents={agents}: must be at least 1, or the agents' names"
            )
        return agents
    if isinstance(agents, str) or not isinstance(agents, Sequence):
        raise TypeError(
            f"agents={agents!r}: must be the number of agents, or a sequence of their names"
        )
    names = tuple(agents)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"agents={names}: must be one name or more, each once")
    return names


def count(agents: Agents) -> int:
    """N.

    >>> count(3), count(("left", "right"))
    (3, 2)
    """
    return agents if isinstance(agents, int) else len(agents)


def check(
    tree: PyTree,
    agents: Agents,
    what: str,
) -> None:
    """Refuse a tree that does not hold these agents; `what` it is begins the message.

    Raises:
        ValueError: a leaf does not lead with N, or the names are not the mapping's.

    >>> import jax.numpy as jnp
    >>> check({"w": jnp.zeros((4, 3))}, 2, "actors")
    Traceback (most recent call last):
    ValueError: actors['w'] is of shape (4, 3): must be (2, ...), one entry for each of 2 agents; \
for a mapping of agents give their names, agents=('agent_0', ...)
    """
    if isinstance(agents, int):
        _check_stacked(tree, agents, what)
    else:
        _check_names(tree, tuple(agents), what)


def _check_stacked(
    tree: PyTree,
    number: int,
    what: str,
) -> None:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    if not leaves:
        raise ValueError(f"{what}: must hold arrays of shape ({number}, ...), has none")
    for path, leaf in leaves:
        shape = jnp.shape(leaf)
        if shape[:1] != (number,):
            raise ValueError(
                f"{what}{jax.tree_util.keystr(path)} is of shape {shape}: must be "
                f"({number}, ...), one entry for each of {number} agents; for a mapping of "
                "agents give their names, agents=('agent_0', ...)"
            )


def _check_names(
    tree: PyTree,
    names: tuple[str, ...],
    what: str,
) -> None:
    wanted = f"must be a mapping with the keys {', '.join(names)}"
    if not isinstance(tree, Mapping):
        raise ValueError(
            f"{what} is a {type(tree).__name__}: {wanted}; for actors that are stacked on a "
            f"leading axis give their number, agents={len(names)}"
        )
    if set(tree) != set(names):
        raise ValueError(f"{what} has the keys {', '.join(map(str, tree))}: {wanted}")
    for name in names:
        if not jax.tree.leaves(tree[name]):
            raise ValueError(f"{what}[{name!r}]: must hold arrays, has none")


def inner_of_each(
    left: PyTree,
    right: PyTree,
    agents: Agents,
) -> jax.Array:
    """Inner product of two trees of the same structure for each agent. [N]

    >>> import jax.numpy as jnp
    >>> tree = {"small": jnp.ones(2), "large": jnp.ones((3, 3))}
    >>> inner_of_each(tree, tree, agents=("small", "large")).tolist()
    [2.0, 9.0]
    """
    if isinstance(agents, int):
        return inner_per_agent(left, right)
    return jnp.stack([inner(left[name], right[name]) for name in agents])


def map_with_rates(
    function: Callable[[jax.Array, PyTree], PyTree],
    rates: jax.Array,
    tree: PyTree,
    agents: Agents,
) -> PyTree:
    """`function(rate [], an agent's tree)` for each agent; `rates` is [N].

    >>> import jax.numpy as jnp
    >>> tree = {"left": jnp.ones(2), "right": jnp.ones(1)}
    >>> moved = map_with_rates(jnp.multiply, jnp.array([2.0, 3.0]), tree, ("left", "right"))
    >>> moved["left"].tolist(), moved["right"].tolist()
    ([2.0, 2.0], [3.0])
    """
    if isinstance(agents, int):
        return jax.vmap(function)(rates, tree)
    return mapped(tree, lambda name, own: function(rates[agents.index(name)], own))


def mapped(
    tree: Mapping[str, PyTree],
    function: Callable[[str, PyTree], Any],
) -> Any:
    """A mapping of the same type, whose values are `function(name, value)`."""
    made: Any = type(tree)
    return made({name: function(name, value) for name, value in tree.items()})
