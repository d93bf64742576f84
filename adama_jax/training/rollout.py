"""Playing episodes, inside the compiled program."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.algorithms.networks import action_mask
from adama_jax.envs.env import Env
from adama_jax.types import Episode, PyTree

Act = Callable[[PyTree, jax.Array], jax.Array]
Rollout = Callable[[jax.Array, PyTree, jax.Array], Episode]


def make_rollout(env: Env, act: Act, unroll: int = 1) -> Rollout:
    """Play one episode of `env.spec.horizon` steps.

    Args:
        env, act: who plays where.
        unroll: steps in one turn of the compiled loop; the same result, a longer program.

    Returns:
        `(key, actors, epsilon) -> Episode`. Actions are (1 - epsilon) a + epsilon u, u uniform in [-1, 1]
        (section 4.6). A world that terminates early starts anew within the episode, from the same start (resetting
        a robot costs as much as a step): the terminated transition never looks at the snapshot after it.

    >>> import jax
    >>> from adama_jax.envs.mpe.clustering import make
    >>> from adama_jax.envs.worlds import VelocityWorld
    >>> env = make(VelocityWorld(num_agents=3, side=1.2, step=0.1), horizon=5, name="clustering")
    >>> still = lambda actors, obs: jax.numpy.zeros((3, 1, 2))
    >>> episode = make_rollout(env, still)(jax.random.key(0), None, 0.0)
    >>> episode.snapshot.shape, bool((episode.snapshot[0] == episode.snapshot[-1]).all())
    ((6, 6), True)
    """
    spec = env.spec

    def rollout(key: jax.Array, actors: PyTree, epsilon: jax.Array) -> Episode:
        k_reset, k_noise, k_steps = jax.random.split(key, 3)
        shape = (spec.horizon, spec.num_agents, spec.action_size)
        noise = jax.random.uniform(k_noise, shape, minval=-1.0, maxval=1.0)
        mask = action_mask(spec.action_sizes, spec.action_size)

        def step(state: Any, inputs: tuple[jax.Array, jax.Array]) -> tuple[Any, Episode]:
            noise, key = inputs
            snapshot = env.snapshot(state)
            action = act(actors, env.observe(snapshot)[:, None])[:, 0]
            action = ((1 - epsilon) * action + epsilon * noise) * mask
            state, transition = env.step(key, state, action)
            if spec.terminates:
                state = jax.tree.map(
                    lambda new, old: jnp.where(transition.terminated, new, old), start, state
                )
            return state, Episode(
                snapshot, action.ravel(), transition.reward, transition.terminated
            )

        start = env.reset(k_reset)
        inputs = (noise, jax.random.split(k_steps, spec.horizon))
        last, steps = jax.lax.scan(step, start, inputs, unroll=unroll)
        snapshots = jnp.concatenate([steps.snapshot, env.snapshot(last)[None]])
        return steps._replace(snapshot=snapshots)

    return rollout


def episode_return(episode: Episode) -> jax.Array:
    """The undiscounted return of an episode, up to its first termination. []

    >>> import jax.numpy as jnp
    >>> fell = jnp.array([False, True, False])
    >>> float(episode_return(Episode(jnp.zeros((4, 1)), jnp.zeros((3, 1)), jnp.array([1.0, 2.0, 4.0]), fell)))
    3.0
    """
    ended = jnp.cumsum(episode.terminated)
    return jnp.sum(jnp.where(ended - episode.terminated == 0, episode.reward, 0.0))
