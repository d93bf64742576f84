"""What the rate rules read: the effect of each update on the Q-value, from gradients at hand.

First order: `contributions` and `critic_term` are inner products of gradients that the update
computes anyway. Second order: three ways to the product M l_a of Eq. (3), named in `CURVATURES`,
each a function `(along, rates, contributions=None) -> [N]` of

* along: the minibatch seen from the actors, an `Along`;
* rates: l_a. [N]
* contributions: c, where it is at hand; only `lookahead` reads it, and otherwise computes its own.
  [N]
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp

from adama_jax.rates.agents import Agents, check, count, inner_of_each, map_with_rates
from adama_jax.tree import inner, scaled, step_per_agent
from adama_jax.types import PyTree, Signals

Policy = Callable[[PyTree], jax.Array]
Value = Callable[[jax.Array], jax.Array]


class Along(NamedTuple):
    """A minibatch seen from the actors: what they do there, what it is worth, where they step."""

    policy: Policy  # actors -> action [N, B, A], on the minibatch's observations
    value: Value  # action [N, B, A] -> Q [B], likewise
    actors: PyTree  # parameters, every leaf leading with N
    directions: PyTree  # their update directions at rate 1, in the same shapes


class Curvature(Protocol):
    """The product M l_a of Eq. (3), or its like."""

    def __call__(
        self, along: Along, rates: jax.Array, contributions: jax.Array | None = None
    ) -> jax.Array: ...


def contributions(
    actor_gradients: PyTree,
    directions: PyTree,
    agents: Agents,
) -> jax.Array:
    """c_i = <g_i, d_i>: first-order gain of J per unit of actor i's rate (section 3.2). [N]

    With plain SGD d_i = g_i, and this is the squared gradient norm.

    Args:
        actor_gradients: of J, uphill.
        directions: at rate 1, in the same shapes.
        agents: N, where every leaf leads with N; or the agents' names, where both are mappings
            of agents.

    Raises:
        ValueError: a tree does not hold these agents.

    >>> import jax.numpy as jnp
    >>> g = {"w": jnp.array([[1.0, 2.0], [0.0, 3.0]])}
    >>> contributions(g, g, agents=2).tolist()
    [5.0, 9.0]
    >>> g = {"left": {"w": jnp.ones((4, 4))}, "right": {"w": 2 * jnp.ones((4, 4))}}
    >>> contributions(g, g, agents=("left", "right")).tolist()
    [16.0, 64.0]
    """
    check(actor_gradients, agents, "actor_gradients")
    check(directions, agents, "directions")
    return inner_of_each(actor_gradients, directions, agents)


def critic_term(value_gradient: PyTree, critic_direction: PyTree) -> jax.Array:
    """kappa = |<dJ/dphi, d_c>|: what a unit of the critic's rate does to the Q-value. []

    With plain SGD d_c = -d delta/d phi (section 3.3).

    >>> import jax.numpy as jnp
    >>> float(critic_term({"w": jnp.array([1.0, -2.0])}, {"w": jnp.array([2.0, 2.0])}))
    2.0
    """
    return jnp.abs(inner(value_gradient, critic_direction))


def signals(
    objective: Callable[[PyTree, PyTree], jax.Array],
    actors: PyTree,
    critic: PyTree,
    actor_directions: PyTree,
    critic_direction: PyTree,
    agents: Agents,
    rates: jax.Array | None = None,
) -> Signals:
    """All that a rate rule reads, of any differentiable J(actors, critic) -> [].

    Args:
        objective: J, which the actors climb.
        actors, critic: the parameters.
        actor_directions, critic_direction: where they step, at rate 1.
        agents: N, where the actors are stacked, or their names, where they are a mapping.
        rates: l_a, [N], for a second-order rule; None: the curvature is zero.

    Returns:
        The signals. The curvature is the second derivative of l -> J(actors + l directions) at
        l = 0, times the rates. It holds the actors' own second derivatives, too, which Eq. (3)
        drops; the functions of `CURVATURES` give Eq. (3)'s.

    Raises:
        ValueError: a tree does not hold these agents.

    >>> import jax.numpy as jnp
    >>> def objective(actors, critic):
    ...     return critic * actors["left"][0] * actors["right"][0]
    >>> actors = {"left": jnp.array([2.0]), "right": jnp.array([3.0])}
    >>> ones = {"left": jnp.ones(1), "right": jnp.ones(1)}
    >>> found = signals(objective, actors, jnp.array(1.0), ones, jnp.array(1.0),
    ...                 agents=("left", "right"), rates=jnp.array([0.5, 0.25]))
    >>> found.contribution.tolist(), found.curvature.tolist(), float(found.critic_term)
    ([3.0, 2.0], [0.25, 0.5], 6.0)
    """
    by_actors, by_critic = jax.grad(objective, argnums=(0, 1))(actors, critic)
    first_order = contributions(by_actors, actor_directions, agents)

    def gain(rates: jax.Array) -> jax.Array:
        steps = map_with_rates(scaled, rates, actor_directions, agents)
        return objective(jax.tree.map(jnp.add, actors, steps), critic)

    curvature = jnp.zeros(count(agents))
    if rates is not None:
        no_step = jnp.zeros_like(rates)
        _, curvature = jax.jvp(jax.grad(gain), (no_step,), (rates,))
    return Signals(first_order, curvature, critic_term(by_critic, critic_direction))


def action_change(along: Along) -> tuple[jax.Array, jax.Array]:
    """The actions, and u_bi = (da_i/dtheta_i) d_i, their first-order change at rate 1.

    [N, B, A] both (section 3.4).
    """
    return jax.jvp(along.policy, (along.actors,), (along.directions,))


def exact(
    along: Along, rates: jax.Array, contributions: jax.Array | None = None
) -> jax.Array:
    """M l_a by one Hessian-vector product, whatever N is (Eq. 3). [N]

    (M l_a)_i = mean_b u_bi^T [H_b v_b]_i with v_b = sum_j l_j u_bj. Zero almost everywhere for a
    critic that is piecewise linear in the actions (ReLU): choose `secant` or `lookahead` there.

    >>> import jax.numpy as jnp
    >>> value = lambda action: 3.0 * action[0, :, 0] * action[1, :, 0]  # Q = 3 a_1 a_2
    >>> policy = lambda actors: actors[:, None, :]
    >>> along = Along(policy, value, actors=jnp.zeros((2, 1)), directions=jnp.ones((2, 1)))
    >>> exact(along, rates=jnp.array([0.1, 0.2])).tolist()
    [0.6000000238418579, 0.30000001192092896]
    """
    action, change = action_change(along)
    moved = _at_rates(rates, change)
    gradient = _action_gradient(along.value)
    # Forward over reverse: one product with the Hessian, which is never formed.
    _, product = jax.jvp(gradient, (action,), (moved,))
    return _per_agent(change, product)


def secant(step: jax.Array | float = 0.1) -> Curvature:
    """M l_a from the difference of two action gradients, which averages over a ReLU critic's kinks.

    H v ~ (grad_a Q(a + h v) - grad_a Q(a - h v)) / 2h, with h such that h v has root mean square
    `step` over the joint actions of the minibatch (actions lie in [-1, 1]).

    >>> import jax.numpy as jnp
    >>> value = lambda action: 3.0 * action[0, :, 0] * action[1, :, 0]
    >>> policy = lambda actors: actors[:, None, :]
    >>> along = Along(policy, value, actors=jnp.zeros((2, 1)), directions=jnp.ones((2, 1)))
    >>> [round(x, 4) for x in secant()(along, rates=jnp.array([0.1, 0.2])).tolist()]
    [0.6, 0.3]
    """

    def product(
        along: Along,
        rates: jax.Array,
        contributions: jax.Array | None = None,
    ) -> jax.Array:
        action, change = action_change(along)
        moved = _at_rates(rates, change)
        size = jnp.sqrt(jnp.mean(moved**2))
        # Where nothing moves, `nudge` is zero whatever it is divided by; so is the result.
        nudge = moved * (step / jnp.where(size > 0, size, 1.0))
        gradient = _action_gradient(along.value)
        difference = gradient(action + nudge) - gradient(action - nudge)
        return _per_agent(change, difference) * size / (2 * step)

    return product


def lookahead(
    along: Along, rates: jax.Array, contributions: jax.Array | None = None
) -> jax.Array:
    """What the gradient of l -> J(theta + l d) at the current l_a has beyond the contributions. [N]

    No Taylor expansion at all (beyond the paper): contributions + lookahead is that gradient, to
    all orders, with the actors' own second derivatives that Eq. (3) drops. With `contributions`
    given it costs less than `secant`.

    >>> import jax.numpy as jnp
    >>> value = lambda action: 3.0 * action[0, :, 0] * action[1, :, 0]
    >>> policy = lambda actors: actors[:, None, :]
    >>> along = Along(policy, value, actors=jnp.zeros((2, 1)), directions=jnp.ones((2, 1)))
    >>> [round(x, 4) for x in lookahead(along, rates=jnp.array([0.1, 0.2])).tolist()]
    [0.6, 0.3]
    """

    def slope(rates: jax.Array) -> jax.Array:
        stepped = step_per_agent(along.actors, rates, along.directions)
        action, change = action_change(along._replace(actors=stepped))
        gradient = _action_gradient(along.value)
        return _per_agent(change, gradient(action))

    at_these_rates = slope(rates)
    if contributions is None:
        contributions = slope(jnp.zeros_like(rates))
    return at_these_rates - contributions


def pairwise_matrix(along: Along) -> jax.Array:
    """M itself, M_ij = mean_b u_bi^T [d2Q/da_i da_j] u_bj: the reference for `exact`. [N, N]

    `jax.hessian` over the N rates of l -> mean_b Q(o, a + sum_i l_i u_i), at l = 0; costs N
    products. Also a picture to look at.

    >>> import jax.numpy as jnp
    >>> value = lambda action: 3.0 * action[0, :, 0] * action[1, :, 0]
    >>> policy = lambda actors: actors[:, None, :]
    >>> pairwise_matrix(Along(policy, value, jnp.zeros((2, 1)), jnp.ones((2, 1)))).tolist()
    [[0.0, 3.0], [3.0, 0.0]]
    """
    action, change = action_change(along)

    def gain(rates: jax.Array) -> jax.Array:
        moved = action + _at_rates(rates, change)
        return jnp.mean(along.value(moved))

    no_step = jnp.zeros(action.shape[0], action.dtype)
    return jax.hessian(gain)(no_step)


CURVATURES = ("exact", "secant", "lookahead")


def curvature(name: str, secant_step: jax.Array | float = 0.1) -> Curvature:
    """The way to M l_a of that name, one of `CURVATURES`.

    Raises:
        ValueError: no such name.
    """
    if name not in CURVATURES:
        names = ", ".join(CURVATURES)
        raise ValueError(f"curvature={name!r}: choose one of {names}")
    ways: dict[str, Curvature] = {
        "exact": exact,
        "secant": secant(secant_step),
        "lookahead": lookahead,
    }
    return ways[name]


def _at_rates(rates: jax.Array, change: jax.Array) -> jax.Array:
    """v = l u: the change of the actions at these rates. [N] and [N, B, A] to [N, B, A]"""
    return rates[:, None, None] * change


def _per_agent(change: jax.Array, slope: jax.Array) -> jax.Array:
    """Each agent's change of its actions times a slope by them, summed. [N, B, A] x 2 to [N]"""
    return jnp.sum(change * slope, axis=(1, 2))


def _action_gradient(value: Value) -> Callable[[jax.Array], jax.Array]:
    """`action -> d mean_b Q / d action`, [N, B, A] to [N, B, A]: the mean's 1/B is inside."""
    return jax.grad(lambda action: jnp.mean(value(action)))
