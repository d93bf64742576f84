"""The interface of an algorithm: what is learned, without any learning rate or optimizer.

A factory of an algorithm (`settings.ALGORITHMS`) is called with these keywords, and may ignore what
it has no use for: `num_agents`, `obs_size`, `action_size` (N, O, A), `action_sizes` (each agent's
true one), `horizon` (T), `hidden`, `actor_activation`, `critic_activation` and `critic` (the
networks' settings), and the settings of its own that its entry declares (`settings.OwnSettings`).
To act again with stored actors it is called without the critic's, T and those of its own. Where an
option of the learner is on that an algorithm has to follow, also with `layer_norm`,
`others_actions` or `pre_tanh_penalty`, as `maddpg` has them; one that is off is never named.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.types import Batch, Params, PyTree

Loss = Callable[[Params, Params, Batch, jax.Array, jax.Array], jax.Array]
Parts = Callable[[Params, Params, Batch, jax.Array, jax.Array], Mapping[str, jax.Array]]


class Group(NamedTuple):
    """How a group of parameters beside actors and critic is trained, such as a temperature.

    loss: `(params, targets, batch, discount, key) -> []`, to be minimised over this group alone.
    rate: its learning rate. It is no part of the total l that the rate rules divide.
    has_target: whether `targets.others` has a copy of it, moved as the other targets are.
    """

    loss: Loss
    rate: float
    has_target: bool = False


class Algorithm(NamedTuple):
    """An actor-critic algorithm as pure functions. Keys are for algorithms that draw noise.

    A loss gets all parameters; the learner differentiates it by those that it is to move.

    init: `(key) -> Params`; its `others` has the names of `groups`.
    act: `(actors, obs [N, B, O]) -> action [N, B, A]` in [-1, 1], the best one it knows: greedy.
    sample: `(actors, obs [N, 1, O], noise, share) -> action [N, 1, A]`, to explore. `noise` is one
        entry of what `draw` gave; `share` falls from 1 as the settings `exploration` say, and an
        algorithm that explores by its own policy may ignore it. What pads an action is 0.
    value: `(critic, obs [N, B, O], action [N, B, A]) -> Q [B]`.
    critic_loss: `(params, targets, batch, discount, key) -> []`, minimised over the critic.
    objective: the same arguments, J, maximised over the actors.
    smooth: whether `value` has second derivatives in the actions that are not zero almost
        everywhere.
    draw: `(key, steps) -> noise`, all that is random in the actions of an episode; every leaf leads
        with T, an entry a step. One key a step unless given.
    policy: `(actors, batch, key) -> action`, the actions that `objective` values when it has this
        key: second-order rules look along it. None: `act` of the batch's observations.
    groups: of the further parameters, by name.
    actors_every: updates of the critic for each one of everything else: actors, groups, soft
        targets and, with the actors, the rates. The first update moves all.
    in_turn: whether the actors move one after another, in an order drawn anew at each update, each
        by its gradient at the point to which those before it have moved.
    parts: the same arguments as `objective`, what J is the sum of where it is more than the mean
        value of the actions: terms [] by name, logged apart. None: J is that mean alone.
    part_names: of these parts, in any order.
    actions: what it chooses: "continuous" ones, or "discrete" ones, which are one-hot wherever an
        action is said to be in [-1, 1]; A then is how many there are.
    replay: "ring" draws transitions of all episodes that the buffer holds; "on_policy" gives those
        of the last round of episodes alone, all of them in order, B = rounds' episodes x T, with
        the `share` of exploration that they were sampled with.
    """

    init: Callable[[jax.Array], Params]
    act: Callable[[PyTree, jax.Array], jax.Array]
    sample: Callable[[PyTree, jax.Array, Any, jax.Array], jax.Array]
    value: Callable[[PyTree, jax.Array, jax.Array], jax.Array]
    critic_loss: Loss
    objective: Loss
    smooth: bool
    draw: Callable[[jax.Array, int], Any] = jax.random.split
    policy: Callable[[PyTree, Batch, jax.Array], jax.Array] | None = None
    groups: Mapping[str, Group] = {}
    actors_every: int = 1
    in_turn: bool = False
    parts: Parts | None = None
    part_names: tuple[str, ...] = ()
    actions: Literal["continuous", "discrete"] = "continuous"
    replay: Literal["ring", "on_policy"] = "ring"


def sum_of(parts: Parts) -> Loss:
    """The objective of an algorithm that says what its J is the sum of.

    >>> import jax.numpy as jnp
    >>> objective = sum_of(lambda *given: {"value": jnp.array(2.0), "entropy": jnp.array(0.5)})
    >>> float(objective(*[None] * 5))
    2.5
    """

    def objective(*given: Any) -> jax.Array:
        found = parts(*given)
        return jnp.sum(jnp.stack(list(found.values())))

    return objective
