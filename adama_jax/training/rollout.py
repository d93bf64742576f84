"""Playing episodes, inside the compiled program."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.envs.ends import before_the_end
from adama_jax.envs.env import Env
from adama_jax.types import Episode, PyTree

Act = Callable[[PyTree, jax.Array], jax.Array]


def greedy_rollout(
    env: Env,
    act: Act,
    unroll: int = 1,
) -> Callable[[jax.Array, PyTree], Episode]:
    """One episode of `env.spec.horizon` steps by the best actions that the actors know.

    Args:
        env: where.
        act: an algorithm's, `(actors, obs [N, B, O]) -> action [N, B, A]`.
        unroll: steps in one turn of the compiled loop; the same result, a longer program.

    Returns:
        `(key, actors) -> Episode`. A world that terminates early starts anew within the episode,
        from the same start (resetting a robot costs as much as a step): the terminated transition
        never looks at the snapshot after it.

    >>> import jax
    >>> from adama_jax.envs.mpe.clustering import make
    >>> from adama_jax.envs.worlds import VelocityWorld
    >>> env = make(VelocityWorld(num_agents=3, side=1.2, step=0.1), horizon=5, name="clustering")
    >>> still = lambda actors, obs: jax.numpy.zeros((3, 1, 2))
    >>> episode = greedy_rollout(env, still)(jax.random.key(0), None)
    >>> episode.snapshot.shape, bool((episode.snapshot[0] == episode.snapshot[-1]).all())
    ((6, 6), True)
    """

    def rollout(key: jax.Array, actors: PyTree) -> Episode:
        # As an exploring episode splits it, so that both start alike from a key.
        k_reset, _, k_steps = jax.random.split(key, 3)

        def choose(obs: jax.Array, noise: None) -> jax.Array:
            return act(actors, obs)

        return _play(env, choose, None, k_reset, k_steps, unroll)

    return rollout


def exploring_rollout(
    env: Env,
    algorithm: Algorithm,
    unroll: int = 1,
) -> Callable[[jax.Array, PyTree, jax.Array], Episode]:
    """One episode as it is played to learn from, by the algorithm's `sample` and `draw`.

    Args:
        env, unroll: as `greedy_rollout` has them.
        algorithm: whose actors play.

    Returns:
        `(key, actors, share) -> Episode`, with the share of exploration that `sample` is given.
    """

    def rollout(
        key: jax.Array,
        actors: PyTree,
        share: jax.Array,
    ) -> Episode:
        k_reset, k_noise, k_steps = jax.random.split(key, 3)
        noise = algorithm.draw(k_noise, env.spec.horizon)

        def choose(obs: jax.Array, noise: Any) -> jax.Array:
            return algorithm.sample(actors, obs, noise, share)

        return _play(env, choose, noise, k_reset, k_steps, unroll)

    return rollout


class Pieces(NamedTuple):
    """An exploring episode that is played some steps at a time.

    begin: `(key) -> (start, inputs)`: the world's first state, and what is random in each piece;
        every leaf of the inputs leads with the pieces.
    play: `(start, state, inputs of a piece, actors, share) -> (state, Episode)`: so many steps on
        from a state. The episode is of these steps alone.
    """

    begin: Callable[[jax.Array], tuple[Any, Any]]
    play: Callable[..., tuple[Any, Episode]]


def rollout_in_pieces(
    env: Env,
    algorithm: Algorithm,
    steps: int,
    unroll: int = 1,
) -> Pieces:
    """Pieces of `steps` steps, a divisor of T, which make the episode of `exploring_rollout`.

    The actors may be others in each piece. `joined` puts the pieces together.

    Args:
        env, algorithm, unroll: as `exploring_rollout` has them.
        steps: of a piece.

    Raises:
        ValueError: they do not divide T.
    """
    horizon = env.spec.horizon
    if horizon % steps:
        raise ValueError(f"steps={steps}: must divide the {horizon} of an episode")

    def begin(key: jax.Array) -> tuple[Any, Any]:
        k_reset, k_noise, k_steps = jax.random.split(key, 3)
        noise = algorithm.draw(k_noise, horizon)
        keys = jax.random.split(k_steps, horizon)

        def in_pieces(leaf: jax.Array) -> jax.Array:
            return leaf.reshape(-1, steps, *leaf.shape[1:])

        return env.reset(k_reset), jax.tree.map(in_pieces, (noise, keys))

    def play(
        start: Any,
        state: Any,
        inputs: Any,
        actors: PyTree,
        share: jax.Array,
    ) -> tuple[Any, Episode]:
        def choose(
            obs: jax.Array,
            noise: Any,
        ) -> jax.Array:
            return algorithm.sample(actors, obs, noise, share)

        return _steps(env, choose, start, state, inputs, unroll)

    return Pieces(begin, play)


def joined(pieces: Episode) -> Episode:
    """Consecutive pieces of an episode as one; every leaf leads with the pieces.

    >>> import jax.numpy as jnp
    >>> snapshot = jnp.array([[[0.0], [1.0], [2.0]], [[2.0], [3.0], [4.0]]])
    >>> each = jnp.zeros((2, 2))
    >>> joined(Episode(snapshot, each[..., None], each, each)).snapshot.ravel().tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """

    def in_a_row(leaf: jax.Array) -> jax.Array:
        return leaf.reshape(-1, *leaf.shape[2:])

    # The last snapshot of a piece is the first of the next.
    before = in_a_row(pieces.snapshot[:, :-1])
    after_the_last = pieces.snapshot[-1, -1:]
    whole = jax.tree.map(in_a_row, pieces)
    return whole._replace(snapshot=jnp.concatenate([before, after_the_last]))


def _play(
    env: Env,
    choose: Callable[[jax.Array, Any], jax.Array],
    noise: Any,
    k_reset: jax.Array,
    k_steps: jax.Array,
    unroll: int,
) -> Episode:
    """An episode by `choose`: `(obs [N, 1, O], noise of the step) -> action [N, 1, A]`."""
    start = env.reset(k_reset)
    keys = jax.random.split(k_steps, env.spec.horizon)
    _, episode = _steps(env, choose, start, start, (noise, keys), unroll)
    return episode


def _steps(
    env: Env,
    choose: Callable[[jax.Array, Any], jax.Array],
    start: Any,
    state: Any,
    inputs: Any,
    unroll: int,
) -> tuple[Any, Episode]:
    """Steps on from a state, in an episode that began at `start`; an input each: noise and key."""

    def step(state: Any, inputs: tuple[Any, jax.Array]) -> tuple[Any, Episode]:
        noise, key = inputs
        snapshot = env.snapshot(state)
        obs = env.observe(snapshot)[:, None]
        action = choose(obs, noise)[:, 0]
        state, transition = env.step(key, state, action)
        # Only where the world can end early: a select over a whole state is not free.
        if env.spec.terminates:
            state = _select(transition.terminated, start, state)
        played = Episode(
            snapshot=snapshot,
            action=action.ravel(),
            reward=transition.reward,
            terminated=transition.terminated,
        )
        return state, played

    last, steps = jax.lax.scan(step, state, inputs, unroll=unroll)
    # The snapshot before each step, and the one after the last: T + 1.
    after_the_last = env.snapshot(last)[None]
    snapshots = jnp.concatenate([steps.snapshot, after_the_last])
    return last, steps._replace(snapshot=snapshots)


def _select(
    condition: jax.Array,
    one: Any,
    other: Any,
) -> Any:
    """One state where the condition holds, else the other."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)


def episode_return(episode: Episode) -> jax.Array:
    """The undiscounted return of an episode, up to its first termination. []

    >>> import jax.numpy as jnp
    >>> fell = jnp.array([False, True, False])
    >>> reward = jnp.array([1.0, 2.0, 4.0])
    >>> float(episode_return(Episode(jnp.zeros((4, 1)), jnp.zeros((3, 1)), reward, fell)))
    3.0
    """
    counted = before_the_end(episode.terminated)
    return jnp.sum(jnp.where(counted, episode.reward, 0.0))
