"""Clustering (section 4.1): the agents gather at the centre of their own positions."""

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Env
from adama_jax.envs.mpe.velocity import VelocityMPE, velocity_env
from adama_jax.envs.worlds import VelocityWorld


class Clustering(VelocityMPE):
    """Reward -sum_i dist(x_i, mean x)."""

    def __init__(self, world: VelocityWorld):
        super().__init__(world, landmarks=())

    def team_reward(self, positions: jax.Array) -> jax.Array:
        centre = jnp.mean(positions, axis=0, keepdims=True)
        distances = jnp.linalg.norm(positions - centre, axis=-1)
        return -jnp.sum(self.weights() * self.lost(distances))


def make(world: VelocityWorld, horizon: int, name: str) -> Env:
    """The world for any number of agents."""
    return velocity_env(Clustering(world), name, horizon)
