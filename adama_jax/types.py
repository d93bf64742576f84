"""Shared array bundles, and the axis letters that every docstring of the package uses.

| letter | axis |
|---|---|
| B | transitions in a minibatch |
| N | agents |
| O, A | observation and action sizes, padded to the largest agent's |
| Z | size of a snapshot, the compact state that observations are a function of |
| T | steps of an episode |
| E | episodes that a replay buffer holds, or that an evaluation plays |
| S | seeds (the population axis of `vmap`) |
| P | points of a learning curve |

Minibatches are agent-major, `[N, B, O]`: on a CPU `[N, B, I] x [N, I, O]` runs more than twice as fast as
`[B, N, I] x [N, I, O]`.
"""

from typing import Any, NamedTuple

import jax

PyTree = Any
Scalar = jax.Array | float  # an array of shape [], or a number


class Params(NamedTuple):
    """Parameters of the learner: `actors` (every leaf leads with N) and `critic`."""

    actors: PyTree
    critic: PyTree


class Batch(NamedTuple):
    """A minibatch of transitions: `terminated` is 1.0 where the world ended, never at a mere time limit."""

    obs: jax.Array  # [N, B, O]
    action: jax.Array  # [N, B, A], in [-1, 1]
    reward: jax.Array  # [B], the team's
    next_obs: jax.Array  # [N, B, O]
    terminated: jax.Array  # [B], 0.0 or 1.0


class Episode(NamedTuple):
    """One episode as it is stored: T + 1 snapshots, T of the rest."""

    snapshot: jax.Array  # [T + 1, Z]
    action: jax.Array  # [T, N * A]
    reward: jax.Array  # [T]
    terminated: jax.Array  # [T], bool


class Signals(NamedTuple):
    """All that a rate rule ever sees of the learning: two N-vectors and a number (`probe` measures them).

    contribution: c_i = <g_i, d_i>, first-order gain of the objective per unit of actor i's rate. [N]
    curvature: M l_a of Eq. (3), what the second order adds to the contributions at the current rates. [N]
    critic_term: kappa = |<dJ/dphi, d_c>| of Eq. (2). []
    """

    contribution: jax.Array
    curvature: jax.Array
    critic_term: jax.Array


class Rates(NamedTuple):
    """Learning rates: `critic` is l_c, a scalar; `actors` is l_a, an N-vector whose norm is the actors' budget."""

    critic: jax.Array
    actors: jax.Array
