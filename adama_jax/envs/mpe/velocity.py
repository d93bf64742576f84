"""The base of the paper's four MPE worlds: JaxMARL's `SimpleMPE` with actions that are velocities.

The paper does not publish its arena: the side, the step of an agent, the starts, and the prey's
speed and reach are this project's, each an option of `envs.worlds`. They were chosen so that an
agent can cross most of the box in an episode, and so that kappa of Eq. (2) is in training of the
order of Table 1's m; they are plausible, not the authors'. Starts are uniform in a box centred on
0, agents do not block each other, and rewards are those after the move.
"""

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.envs.env import Env, Transition
from adama_jax.envs.mpe.jaxmarl import ByAgent, from_jaxmarl
from adama_jax.envs.mpe.jaxmarl_import import SimpleMPE, State
from adama_jax.envs.worlds import VelocityWorld
from adama_jax.keys import key_of
from adama_jax.types import Scalar

DRAWN_RADIUS = 0.04  # of an entity, as a share of the side; only pictures show it


class VelocityMPE(SimpleMPE):
    """`position += step * action`, with two-dimensional actions.

    A scenario adds `team_reward`, and may change `observation` and `move`.
    """

    def __init__(
        self,
        world: VelocityWorld,
        landmarks: tuple[str, ...],
        agent_name: str = "agent",
    ):
        self.world = world
        numbers = range(1, world.num_agents + 1)
        num_entities = world.num_agents + len(landmarks)
        super().__init__(
            num_agents=world.num_agents,
            num_landmarks=len(landmarks),
            agents=[f"{agent_name} {number}" for number in numbers],
            landmarks=list(landmarks),
            action_type="Continuous",
        )
        # Not given to JaxMARL's constructor, which asks whether it is positive: it may be traced.
        self.rad = jnp.full((num_entities,), DRAWN_RADIUS * world.side)
        # JaxMARL's own spaces are of five forces; here an action is a velocity.
        self.action_spaces = dict.fromkeys(self.agents, _Pair())
        others = []
        for agent in range(world.num_agents):
            everybody = np.arange(num_entities)
            others.append(np.delete(everybody, agent))
        # Of each agent, the rows of the others among the positions. [N, entities - 1]
        self.others = np.array(others)

    def reset(self, key: jax.Array) -> tuple[ByAgent, State]:  # pyright: ignore
        """Uniform in the box, or always the start of `start_seed`."""
        if self.world.start == "fixed":
            key = key_of(self.world.start_seed)
        half = self.world.side / 2
        positions = jax.random.uniform(
            key,
            shape=(self.num_entities, 2),
            minval=-half,
            maxval=half,
        )
        state = State(
            p_pos=positions,
            p_vel=jnp.zeros_like(positions),
            c=jnp.zeros((self.num_agents, 0)),
            done=jnp.array(False),
            step=jnp.array(0),
        )
        return self.get_obs(state), state

    def set_actions(self, actions: ByAgent) -> tuple[jax.Array, jax.Array]:
        """Velocities [N, 2] as they are, and no communication."""
        in_order = [actions[agent] for agent in self.agents]
        velocities = jnp.stack(in_order)
        communication = jnp.zeros((self.num_agents, 0))
        return velocities, communication

    # JaxMARL calls this from `step_env`; ours leaves out its forces, friction and collisions.
    def _world_step(
        self,
        key: jax.Array,
        state: State,
        u: jax.Array,
    ) -> tuple[jax.Array, jax.Array]:
        change = self.world.step * u
        positions = self.move(state.p_pos, change)
        return positions, state.p_vel

    def move(self, positions: jax.Array, change: jax.Array) -> jax.Array:
        """New positions of all entities. [entities, 2], [N, 2] to [entities, 2]"""
        wall = or_infinite(self.world.walls * self.world.side / 2)
        agents = positions[: self.num_agents] + change
        return positions.at[: self.num_agents].set(jnp.clip(agents, -wall, wall))

    def observation(self, positions: jax.Array) -> jax.Array:
        """Relative positions of the other agents, then of the landmarks. [entities, 2] to [N, O]

        With `observe_own` the agent's own position comes last.
        """
        agents = positions[: self.num_agents, None]
        relative = positions[self.others] - agents
        seen = relative.reshape(self.num_agents, -1)
        if not self.world.observe_own:
            return seen
        return jnp.concatenate([seen, agents[:, 0]], axis=-1)

    def weights(self) -> jax.Array:
        """Of the agents in the reward: geometric, of mean 1. [N]"""
        last = max(self.num_agents - 1, 1)
        powers = jnp.arange(self.num_agents) / last
        ratio = jnp.asarray(self.world.weight_ratio, jnp.float32)
        weights = ratio**powers
        return weights / jnp.mean(weights)

    def lost(self, distances: jax.Array) -> jax.Array:
        """What is lost by distances: no more than `reward_radius`, if there is one. Any shape."""
        return jnp.minimum(distances, or_infinite(self.world.reward_radius))

    def team_reward(self, positions: jax.Array) -> jax.Array:
        """The team's reward at these positions of the entities. [entities, 2] to []"""
        raise TypeError(f"{type(self).__name__} has no team_reward")

    def get_obs(self, state: State) -> ByAgent:  # pyright: ignore
        """Observations by agent name, each [O]."""
        observations = self.observation(state.p_pos)
        return dict(zip(self.agents, observations, strict=True))

    def rewards(self, state: State) -> ByAgent:
        """The team's reward, for every agent."""
        reward = self.team_reward(state.p_pos)
        return dict.fromkeys(self.agents, reward)


def or_infinite(length: Scalar) -> jax.Array:
    """A length, infinite where it is given as 0. []

    >>> float(or_infinite(0.0)), float(or_infinite(2.0))
    (inf, 2.0)
    """
    return jnp.where(jnp.asarray(length) > 0, length, jnp.inf)


class _Pair:
    """The shape of a two-dimensional action: all that the adapter asks of a space."""

    shape = (2,)


def velocity_env(
    world: VelocityMPE,
    name: str,
    horizon: int,
    kinds: dict[str, str] | None = None,
) -> Env:
    """A `VelocityMPE` as an `Env`.

    Args:
        world: the scenario.
        name: for `spec.name`.
        horizon: T, steps of an episode.
        kinds: kind of an entity, by name, where it is not "agent" or "landmark".
    """
    env = from_jaxmarl(
        world,
        name,
        horizon,
        # The positions are the whole snapshot: velocities and communication never change here.
        fields=("p_pos",),
        kinds=kinds,
        as_given=True,
    )

    def step(
        key: jax.Array,
        state: State,
        action: jax.Array,
    ) -> tuple[State, Transition]:
        after, transition = env.step(key, state, action)
        ends = jnp.asarray(world.world.ends_at_horizon, jnp.float32) > 0
        over = after.step >= horizon
        return after, transition._replace(terminated=ends & over)

    return env._replace(step=step)
