"""Predator-prey (section 4.1): slower learning predators chase a faster prey that runs by rule, in a walled box."""

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Env
from adama_jax.envs.mpe.jaxmarl import flight, unit_or_zero
from adama_jax.envs.mpe.velocity import VelocityMPE, velocity_env
from adama_jax.envs.worlds import PredatorPreyWorld

WALL_ZONE = 0.8  # beyond this share of the half side the prey is pushed inwards
WALL_PUSH = 20.0  # ... by this much per unit of excess


class PredatorPrey(VelocityMPE):
    """Reward: the number of predators that touch the prey. The prey is the one entity after the predators.

    Prey and predators move at the same time, from the same positions.
    """

    def __init__(self, world: PredatorPreyWorld):
        super().__init__(world, landmarks=("prey",), agent_name="predator")
        self.walled = world

    def move(self, positions: jax.Array, change: jax.Array) -> jax.Array:
        half = self.walled.side / 2
        predators = jnp.clip(positions[:-1] + change, -half, half)
        return jnp.concatenate([predators, self._run(positions)[None]])

    def observation(self, positions: jax.Array) -> jax.Array:
        """The others, the prey, and, since there are walls, the agent's own position. [entities, 2] to [N, O]"""
        return jnp.concatenate([super().observation(positions), positions[:-1]], axis=-1)

    def team_reward(self, positions: jax.Array) -> jax.Array:
        return jnp.sum(self._touches(positions), dtype=jnp.float32)

    def _touches(self, positions: jax.Array) -> jax.Array:
        """Which predators touch the prey. [N], bool"""
        return jnp.linalg.norm(positions[:-1] - positions[-1:], axis=-1) < self.walled.touch_radius

    def _run(self, positions: jax.Array) -> jax.Array:
        """The prey's next position: full speed away from the predators and the walls; it stays while touched. [2]"""
        prey, half = positions[-1], self.walled.side / 2
        excess = jnp.maximum(jnp.abs(prey) - WALL_ZONE * half, 0.0)
        push = flight(prey, positions[:-1]) - WALL_PUSH * excess * jnp.sign(prey)
        moved = jnp.clip(prey + self.walled.prey_step * unit_or_zero(push), -half, half)
        return jnp.where(jnp.any(self._touches(positions)), prey, moved)


def make(world: PredatorPreyWorld, horizon: int, name: str) -> Env:
    """The world for any number of predators and one prey."""
    return velocity_env(PredatorPrey(world), name, horizon, kinds={"prey": "prey"})
