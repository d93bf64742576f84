"""Predator-prey (section 4.1): slower predators, which learn, chase a faster prey in a walled box.

The prey runs by rule.
"""

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Env
from adama_jax.envs.mpe.jaxmarl import flight, unit_or_zero
from adama_jax.envs.mpe.velocity import VelocityMPE, velocity_env
from adama_jax.envs.worlds import PredatorPreyWorld

WALL_ZONE = 0.8  # beyond this share of the half side the prey is pushed inwards
WALL_PUSH = 20.0  # ... by this much per unit of excess


class PredatorPrey(VelocityMPE):
    """Reward: the number of predators that touch the prey, the one entity after the predators.

    Prey and predators move at the same time, from the same positions.
    """

    def __init__(self, world: PredatorPreyWorld):
        # The prey takes a landmark's row: it is observed like one, and nobody learns to drive it.
        super().__init__(world, landmarks=("prey",), agent_name="predator")
        self.walled = world

    def move(self, positions: jax.Array, change: jax.Array) -> jax.Array:
        half = self.walled.side / 2
        moved = positions[:-1] + change
        predators = jnp.clip(moved, -half, half)
        prey = self._run(positions)
        return jnp.concatenate([predators, prey[None]])

    def observation(self, positions: jax.Array) -> jax.Array:
        """The others, the prey, and the agent's own position. [entities, 2] to [N, O]"""
        relative = super().observation(positions)
        # Relative positions do not say how far the walls are; only the own position does.
        own = positions[:-1]
        return jnp.concatenate([relative, own], axis=-1)

    def team_reward(self, positions: jax.Array) -> jax.Array:
        touches = self._touches(positions)
        return jnp.sum(self.weights() * touches)

    def _touches(self, positions: jax.Array) -> jax.Array:
        """Which predators touch the prey. [N], bool"""
        predators = positions[:-1]
        prey = positions[-1:]
        apart = predators - prey
        distances = jnp.linalg.norm(apart, axis=-1)
        return distances < self.walled.touch_radius

    def _run(self, positions: jax.Array) -> jax.Array:
        """The prey's next position: at full speed away from predators and walls. [2]"""
        prey = positions[-1]
        predators = positions[:-1]
        half = self.walled.side / 2
        from_centre = jnp.abs(prey)
        excess = jnp.maximum(from_centre - WALL_ZONE * half, 0.0)
        # Without the walls' push the prey would run into a corner and stay there.
        outwards = jnp.sign(prey)
        wall = WALL_PUSH * excess * outwards
        push = flight(prey, predators) - wall
        direction = unit_or_zero(push)
        moved = prey + self.walled.prey_step * direction
        moved = jnp.clip(moved, -half, half)
        # A touched prey stays, so that other predators can come; the paper gives no rule for it.
        held = jnp.any(self._touches(positions))
        return jnp.where(held, prey, moved)


def make(world: PredatorPreyWorld, horizon: int, name: str) -> Env:
    """The world for any number of predators and one prey."""
    return velocity_env(PredatorPrey(world), name, horizon, kinds={"prey": "prey"})
