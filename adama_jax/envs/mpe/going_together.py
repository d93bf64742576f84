"""Going together (section 4.1): two agents reach one landmark without leaving each other."""

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Env
from adama_jax.envs.mpe.velocity import VelocityMPE, velocity_env
from adama_jax.envs.worlds import VelocityWorld


class GoingTogether(VelocityMPE):
    """Reward -0.5 (d_1 + d_2) - d_12: distances to the landmark, and between the two agents."""

    def __init__(self, world: VelocityWorld):
        super().__init__(world, landmarks=("landmark",))

    def team_reward(self, positions: jax.Array) -> jax.Array:
        first, second, landmark = positions
        first_away = self.lost(jnp.linalg.norm(first - landmark))
        second_away = self.lost(jnp.linalg.norm(second - landmark))
        apart = self.lost(jnp.linalg.norm(first - second))
        of_first, of_second = self.weights()
        away = of_first * first_away + of_second * second_away
        return -0.5 * away - apart


def make(world: VelocityWorld, horizon: int, name: str) -> Env:
    """The world for exactly two agents."""
    return velocity_env(GoingTogether(world), name, horizon)
