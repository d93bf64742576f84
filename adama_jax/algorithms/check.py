"""Whether an algorithm has the shapes that `Algorithm` promises. Nothing is computed for it."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.errors import promise, promise_shape
from adama_jax.keys import key_of
from adama_jax.types import Batch

TRANSITIONS = 7  # of a minibatch: a number that is likely to be no other size
STEPS = 4


def check_algorithm(
    algorithm: Any, action_sizes: Sequence[int], obs_size: int, batch: int = TRANSITIONS
) -> None:
    """Check an algorithm's functions by tracing each of them once.

    Args:
        algorithm: an `Algorithm`, made for these sizes.
        action_sizes: of each agent; A is the largest.
        obs_size: O.
        batch: B; for one that learns on-policy a multiple of the T that it was made for.

    Raises:
        AssertionError: a sentence about the first promise of `Algorithm` that is broken.

    >>> from adama_jax.algorithms.maddpg import maddpg
    >>> check_algorithm(maddpg(num_agents=2, obs_size=3, action_size=1), (1, 1), 3)
    >>> check_algorithm(maddpg, (1, 1), 3)
    Traceback (most recent call last):
    AssertionError: the factory made a function, and must make an Algorithm
    """
    promise(
        isinstance(algorithm, Algorithm),
        f"the factory made a {type(algorithm).__name__}, and must make an Algorithm",
    )
    key = jax.eval_shape(lambda: key_of(0))
    share = jax.ShapeDtypeStruct((), jnp.float32)
    like = batch_shapes(len(action_sizes), batch, obs_size, max(action_sizes))
    params = jax.eval_shape(algorithm.init, key)
    _check_params(algorithm, params, len(action_sizes))
    value = jax.eval_shape(algorithm.value, params.critic, like.obs, like.action)
    promise_shape("value", value, "(B,)", (batch,))
    _check_actions(algorithm, params.actors, like, key)
    losses = {
        "critic_loss": algorithm.critic_loss,
        "objective": algorithm.objective,
        **{f"the loss of {name}": each.loss for name, each in algorithm.groups.items()},
    }
    for name, loss in losses.items():
        found = jax.eval_shape(loss, params, params, like, share, key)
        promise_shape(name, found, "()", ())
    if algorithm.parts is not None:
        parts = jax.eval_shape(algorithm.parts, params, params, like, share, key)
        promise(
            set(parts) == set(algorithm.part_names),
            f"part_names must be those of parts: {', '.join(sorted(parts))}",
        )
        for name, part in parts.items():
            promise_shape(f"the part {name} of J", part, "()", ())


def batch_shapes(agents: int, batch: int, obs_size: int, action_size: int) -> Batch:
    """A minibatch, as shapes."""

    def array(*shape: int) -> Any:
        return jax.ShapeDtypeStruct(shape, jnp.float32)

    obs = array(agents, batch, obs_size)
    action = array(agents, batch, action_size)
    return Batch(obs, action, array(batch), obs, array(batch))


def _check_params(algorithm: Algorithm, params: Any, agents: int) -> None:
    promise(
        set(params.others) == set(algorithm.groups),
        f"init's others are {sorted(params.others)}, and must have the names of groups: "
        f"{sorted(algorithm.groups)}",
    )
    for leaf in jax.tree.leaves(params.actors):
        promise(
            leaf.shape[:1] == (agents,),
            f"every leaf of the actors must lead with N = {agents}, not {leaf.shape}",
        )


def _check_actions(algorithm: Algorithm, actors: Any, like: Batch, key: Any) -> None:
    shape = like.action.shape
    found = jax.eval_shape(algorithm.act, actors, like.obs)
    promise_shape("act", found, "(N, B, A)", shape)
    if algorithm.policy is not None:
        found = jax.eval_shape(algorithm.policy, actors, like, key)
        promise_shape("policy", found, "(N, B, A)", shape)
    noise = jax.eval_shape(lambda key: algorithm.draw(key, STEPS), key)
    for leaf in jax.tree.leaves(noise):
        promise(
            leaf.shape[:1] == (STEPS,),
            f"draw gives {leaf.shape} for {STEPS} steps, and must give an entry a step",
        )
    agents, _, action_size = shape

    def sample(actors: Any, obs: jax.Array, noise: Any) -> jax.Array:
        first = jax.tree.map(lambda leaf: leaf[0], noise)
        return algorithm.sample(actors, obs[:, :1], first, jnp.float32(1.0))

    found = jax.eval_shape(sample, actors, like.obs, noise)
    promise_shape("sample", found, "(N, 1, A)", (agents, 1, action_size))
