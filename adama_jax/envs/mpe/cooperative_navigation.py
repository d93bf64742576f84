"""Cooperative navigation (section 4.1): every agent has a landmark of its own to reach.

The agent farthest from its landmark sets the reward.
"""

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Env
from adama_jax.envs.mpe.velocity import VelocityMPE, velocity_env
from adama_jax.envs.worlds import VelocityWorld


class CooperativeNavigation(VelocityMPE):
    """Reward -max_i d_i: distance of agent i to landmark i."""

    def __init__(self, world: VelocityWorld):
        numbers = range(1, world.num_agents + 1)
        landmarks = tuple(f"landmark {number}" for number in numbers)
        super().__init__(world, landmarks)

    def team_reward(self, positions: jax.Array) -> jax.Array:
        agents = positions[: self.num_agents]
        landmarks = positions[self.num_agents :]
        distances = jnp.linalg.norm(agents - landmarks, axis=-1)
        return -jnp.max(self.weights() * self.lost(distances))


def make(world: VelocityWorld, horizon: int, name: str) -> Env:
    """The world for any number of agents."""
    return velocity_env(CooperativeNavigation(world), name, horizon)
