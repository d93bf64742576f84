"""Actors that move one after another: each climbs from where those before it have moved to.

Kuba et al., Trust Region Policy Optimisation in Multi-Agent Reinforcement Learning (ICLR 2022) and
Zhong et al., Heterogeneous-Agent Reinforcement Learning (JMLR 2024), whose off-policy algorithms do
it so (HARL's `off_policy_ha_runner.py`).

It is half of Eq. (3): to first order the contribution of agent i, measured there, has
sum_j l_j M_ij of the agents j before it in it. A second-order rule is given the other half.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from adama_jax.tree import step_per_agent
from adama_jax.types import PyTree


class Start(NamedTuple):
    """Where all actors start, and how far they go; every leaf of a tree leads with N."""

    actors: PyTree
    gradient: PyTree  # of J by them, there
    optimizer: PyTree  # its state
    rates: jax.Array  # the present ones, [N]


def drawn_order(key: jax.Array, num_agents: int) -> tuple[jax.Array, jax.Array]:
    """An update's key for its losses, and the order in which its actors move, [N].

    >>> key, order = drawn_order(jax.random.key(0), 3)
    >>> sorted(order.tolist())
    [0, 1, 2]
    """
    k_losses, k_order = jax.random.split(key)
    return k_losses, jax.random.permutation(k_order, num_agents)


def gradients_in_turn(
    gradient: Callable[[PyTree], PyTree],
    optimizer: optax.GradientTransformation,
    start: Start,
    order: jax.Array,
) -> PyTree:
    """Each actor's gradient at the point to which those before it in the order have moved.

    Costs N - 1 gradients by all actors, beside the one at the start.

    Args:
        gradient: of actors, the gradient of J by them.
        optimizer: of the actors, at rate 1; one agent's direction depends on no other's gradient.
        start: where all start.
        order: of the agents, [N].

    J = a_1 a_2 from (2, 3), the second agent first: it moves to 4, which is the other's gradient.

    >>> gradient = jax.grad(lambda actors: actors[0] * actors[1])
    >>> actors, rates = jnp.array([2.0, 3.0]), jnp.array([0.5, 0.5])
    >>> sgd = optax.sgd(1.0)
    >>> start = Start(actors, gradient(actors), sgd.init(actors), rates)
    >>> gradients_in_turn(gradient, sgd, start, order=jnp.array([1, 0])).tolist()
    [4.0, 2.0]
    """

    def turn(
        carry: tuple[PyTree, PyTree],
        pair: tuple[jax.Array, jax.Array],
    ) -> tuple[tuple[PyTree, PyTree], None]:
        moved, uphill = carry
        before, agent = pair
        downhill = jax.tree.map(jnp.negative, uphill)
        directions, _ = optimizer.update(downhill, start.optimizer, start.actors)
        stepped = step_per_agent(start.actors, start.rates, directions)
        moved = _with_entry(moved, stepped, before)
        uphill = _with_entry(uphill, gradient(moved), agent)
        return (moved, uphill), None

    pairs = (order[:-1], order[1:])
    (_, uphill), _ = jax.lax.scan(turn, (start.actors, start.gradient), pairs)
    return uphill


def _with_entry(
    tree: PyTree,
    other: PyTree,
    agent: jax.Array,
) -> PyTree:
    """A tree with one agent's entry of another one."""

    def taken(leaf: jax.Array, others: jax.Array) -> jax.Array:
        return leaf.at[agent].set(others[agent])

    return jax.tree.map(taken, tree, other)
