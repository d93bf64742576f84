"""Cooperative navigation (section 4.1): every agent has a landmark of its own; the farthest one sets the reward."""

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Env
from adama_jax.envs.mpe.velocity import VelocityMPE, velocity_env
from adama_jax.envs.worlds import VelocityWorld


class CooperativeNavigation(VelocityMPE):
    """Reward -max_i d_i: distance of agent i to landmark i."""

    def __init__(self, world: VelocityWorld):
        super().__init__(
            world, landmarks=tuple(f"landmark {i + 1}" for i in range(world.num_agents))
        )

    def team_reward(self, positions: jax.Array) -> jax.Array:
        agents, landmarks = positions[: self.num_agents], positions[self.num_agents :]
        return -jnp.max(jnp.linalg.norm(agents - landmarks, axis=-1))


def make(world: VelocityWorld, horizon: int, name: str) -> Env:
    """The world for any number of agents."""
    return velocity_env(CooperativeNavigation(world), name, horizon)
