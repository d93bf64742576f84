"""Shared array bundles, and the axis letters that every docstring of the package uses.

| letter | axis |
|---|---|
| B | transitions in a minibatch |
| N | agents |
| O, A | observation and action sizes, padded to the largest agent's |
| Z | size of a snapshot, the compact state that observations are a function of |
| T | steps of an episode |
| E | episodes that a replay buffer holds, or that an evaluation plays |
| S | members of a population (the axis of `vmap`): seeds, each with its hyperparameters |
| P | points of a learning curve |

Minibatches are agent-major, `[N, B, O]`: on a CPU `[N, B, I] x [N, I, O]` runs more than twice as
fast as `[B, N, I] x [N, I, O]`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax

PyTree = Any
Device = Any  # `jax.Device`, which has no types that a checker could read
Scalar = jax.Array | float  # an array of shape [], or a number


class Params(NamedTuple):
    """All that is learned; also of targets, of update directions, and of optimizers' states.

    `others` is what an algorithm learns beside actors and critic, by name, such as a temperature.
    """

    actors: PyTree  # every leaf leads with N
    critic: PyTree
    others: Mapping[str, PyTree] = {}


class Batch(NamedTuple):
    """A minibatch of transitions."""

    obs: jax.Array  # [N, B, O]
    action: jax.Array  # [N, B, A], in [-1, 1], or one-hot
    reward: jax.Array  # [B], the team's
    next_obs: jax.Array  # [N, B, O]
    # [B], 1.0 where the world ended, 0.0 also at a mere time limit; in between where the reward is
    # of several steps, and what is after them counts by one gamma less.
    terminated: jax.Array
    # [], the share of exploration with which it was played, where the algorithm is on-policy.
    share: jax.Array | None = None


class Episode(NamedTuple):
    """One episode as it is stored: T + 1 snapshots, T of the rest."""

    snapshot: jax.Array  # [T + 1, Z]
    action: jax.Array  # [T, N * A]
    reward: jax.Array  # [T]
    terminated: jax.Array  # [T], bool


class Signals(NamedTuple):
    """All that a rate rule ever sees of the learning: two N-vectors and a number.

    `probe` measures them.

    contribution: c_i = <g_i, d_i>, first-order gain of the objective per unit of actor i's rate.
        [N]
    curvature: M l_a of Eq. (3), what the second order adds to the contributions at the current
        rates. [N]
    critic_term: kappa = |<dJ/dphi, d_c>| of Eq. (2). []
    """

    contribution: jax.Array
    curvature: jax.Array
    critic_term: jax.Array


class Rates(NamedTuple):
    """Learning rates: `critic` is l_c; `actors` is l_a, whose norm is the actors' budget."""

    critic: jax.Array  # []
    actors: jax.Array  # [N]
