"""Greedy episodes of trained actors: what they earn, and what there is to film."""

import jax
import numpy as np

from adama_jax.config.options import FILMED_EPISODES
from adama_jax.config.schema import Config
from adama_jax.execution.actors import Actors
from adama_jax.execution.build import make_env
from adama_jax.keys import key_of
from adama_jax.storage.reader import Rollout
from adama_jax.training.rollout import episode_return, greedy_rollout


def play_episodes(
    config: Config,
    actors: Actors,
    row: int,
    like: Rollout,
    count: int,
    start_seed: int,
) -> tuple[np.ndarray, Rollout]:
    """Returns of all episodes, [count], and a rollout of the first few.

    Args:
        config: of the run that the actors are of.
        actors: of all its seeds.
        row: which of them plays.
        like: what there is to draw (kinds, names, radii).
        count: episodes.
        start_seed: their starts are drawn from this seed.
    """
    env = make_env(config)
    params = jax.tree.map(lambda leaf: leaf[row], actors.params)
    keys = jax.random.split(key_of(start_seed), count)
    play_all = jax.vmap(greedy_rollout(env, actors.act), in_axes=(0, None))
    episodes = jax.jit(play_all)(keys, params)
    returns = np.asarray(jax.vmap(episode_return)(episodes))
    # Only the first are drawn: a film of all would be too large to watch.
    first = jax.tree.map(
        lambda leaf: np.asarray(leaf)[None, :FILMED_EPISODES], episodes
    )
    positions = jax.jit(jax.vmap(jax.vmap(env.positions)))(first.snapshot[0])
    rollout = like._replace(
        positions=np.asarray(positions)[None],
        snapshot=first.snapshot,
        reward=first.reward,
        terminated=first.terminated,
    )
    return returns, rollout


def returns_in_words(returns: np.ndarray) -> str:
    """Mean and standard deviation of the returns of episodes, [episodes]."""
    deviation = returns.std(ddof=1) if len(returns) > 1 else 0.0
    mean = f"greedy return {returns.mean():.4g} ± {deviation:.3g}"
    return f"{mean} over {len(returns)} episodes"
