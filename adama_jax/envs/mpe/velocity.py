"""The base of the paper's four MPE worlds: JaxMARL's `SimpleMPE` with two-dimensional actions that are velocities.

The paper does not publish its arena; ours, and what speaks for it, is in the project's spec, section 5. Starts are
uniform in a box centred on 0, agents do not block each other, and rewards are those after the move.
"""

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.envs.env import Env
from adama_jax.envs.mpe.jaxmarl import from_jaxmarl
from adama_jax.envs.mpe.jaxmarl_import import SimpleMPE, State
from adama_jax.envs.worlds import VelocityWorld


class VelocityMPE(SimpleMPE):
    """`position += step * action`. A scenario adds `team_reward`, and may change `observation` and `move`."""

    def __init__(self, world: VelocityWorld, landmarks: tuple[str, ...], agent_name: str = "agent"):
        self.world = world
        super().__init__(
            num_agents=world.num_agents,
            num_landmarks=len(landmarks),
            agents=[f"{agent_name} {i + 1}" for i in range(world.num_agents)],
            landmarks=list(landmarks),
            action_type="Continuous",
            rad=jnp.full((world.num_agents + len(landmarks),), 0.04 * world.side),
        )
        self.action_spaces = {agent: _Pair() for agent in self.agents}
        self.others = np.array(
            [[j for j in range(self.num_entities) if j != i] for i in range(self.num_agents)]
        )

    def reset(self, key: jax.Array) -> tuple[dict[str, jax.Array], State]:  # pyright: ignore
        """Uniform in the box, or always the start of `start_seed`."""
        if self.world.start == "fixed":
            key = jax.random.key(self.world.start_seed)
        half = self.world.side / 2
        positions = jax.random.uniform(key, (self.num_entities, 2), minval=-half, maxval=half)
        state = State(
            p_pos=positions,
            p_vel=jnp.zeros_like(positions),
            c=jnp.zeros((self.num_agents, 0)),
            done=jnp.array(False),
            step=jnp.array(0),
        )
        return self.get_obs(state), state

    def set_actions(self, actions: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Velocities [N, 2] as they are, and no communication."""
        return jnp.stack([actions[agent] for agent in self.agents]), jnp.zeros((self.num_agents, 0))

    def _world_step(
        self, key: jax.Array, state: State, u: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        return self.move(state.p_pos, self.world.step * u), state.p_vel

    def move(self, positions: jax.Array, change: jax.Array) -> jax.Array:
        """New positions of all entities. [entities, 2], [N, 2] to [entities, 2]"""
        return positions.at[: self.num_agents].add(change)

    def observation(self, positions: jax.Array) -> jax.Array:
        """Relative positions of the other agents, then of the landmarks. [entities, 2] to [N, O]"""
        relative = positions[self.others] - positions[: self.num_agents, None]
        return relative.reshape(self.num_agents, -1)

    def team_reward(self, positions: jax.Array) -> jax.Array:
        """The team's reward at these positions of the entities. [entities, 2] to []"""
        raise TypeError(f"{type(self).__name__} has no team_reward")

    def get_obs(self, state: State) -> dict[str, jax.Array]:  # pyright: ignore
        """Observations by agent name, each [O]."""
        return dict(zip(self.agents, self.observation(state.p_pos), strict=True))

    def rewards(self, state: State) -> dict[str, jax.Array]:
        """The team's reward, for every agent."""
        return dict.fromkeys(self.agents, self.team_reward(state.p_pos))


class _Pair:
    """The shape of a two-dimensional action: all that the adapter asks of a space."""

    shape = (2,)


def velocity_env(
    world: VelocityMPE, name: str, horizon: int, kinds: dict[str, str] | None = None
) -> Env:
    """A `VelocityMPE` as an `Env`; its snapshot is the positions, since nothing else changes."""
    return from_jaxmarl(world, name, horizon, fields=("p_pos",), kinds=kinds, as_given=True)
