"""Robots in JaxMARL's own interface: its MABrax, with every agent on the joints that it is said to
have. For JaxMARL's baselines and anything else that takes a `MultiAgentEnv`.

Who drives and sees what follows from the joints' names, by the model (`envs/robots/views.py`).
JaxMARL 0.2.0 has lists of numbers instead, for five tasks (environments/mabrax/mappings.py). Read
side by side with Brax 0.14.2:

* ant_4x2: an agent sees one leg and drives another. Brax's actuators begin with leg 4, the lists
  with leg 1: agent_0 sees leg 1 and drives leg 4, agent_1 sees leg 2 and drives leg 1, and so on.
* halfcheetah_6x1: the rows are those of an observation that begins with the torso's x, which Brax
  leaves out, so that each is the one after the right one: agent_0 drives bthigh and sees bshin and
  its velocity for its own. The last row of agent_5 does not exist; JAX reads the last one there is.
* walker2d_2x3: no agent sees the torso's angle, nor how fast it turns.
* humanoid_9|8: the rows from 45 on are those of Gym's observation of 376; Brax's has 244. They show
  other inertias, velocities and forces than they are meant to, and the last row many times. The
  first 45 are right, but that the lower body sees three joints of the abdomen, of which one is next
  to it.
* hopper_3x1: right. Rows and actuators are the same as here.

What else differs, wherever the lists are right:

* Actions are clipped to [-1, 1], the action space. JaxMARL's are not: Brax clips the torque and
  charges for the action as it is, so that the reward falls with the square of what has no effect.
* With homogenisation "max" an id of N numbers comes first, then what the agent sees. JaxMARL begins
  that right behind the id's 1, over the rest of the id: at another place for each agent.
* `step_env` gives the last observation of an episode. JaxMARL's gives that of the next start, which
  is, by Brax's wrapper, the same start again.
* The time limit ends an episode here as there; `info["truncation"]` says of every agent that it was
  the time alone. JaxMARL has Brax's whole `info` instead, which is not by agent.
* Under mjx the solver has the iterations with which it agrees with MuJoCo (docs/locomotion.md).
* On the humanoids an agent sees positions and velocities, and no inertias and forces.
* Any other partition too (`envs/robots/joints.py`): ant_2x4, say, or "hopper_2|1".
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.bounds import UP_TO_MILLION, OneOf, Whole
from adama_jax.envs.robots.joints import ROBOTS, partition
from adama_jax.envs.robots.locomotion import brax_robot
from adama_jax.envs.robots.views import (
    model_joints,
    neighbours,
    observation_rows,
    within,
)
from adama_jax.envs.worlds import LocomotionWorld
from adama_jax.errors import SettingError, needed_by
from adama_jax.keys import key_of

with needed_by(__name__):
    from flax import struct

    from adama_jax.envs.mpe.jaxmarl_import import whole_jaxmarl

    # First, and silently: a class of JaxMARL's is to be that of who imports JaxMARL later.
    whole_jaxmarl()
    from jaxmarl.environments import multi_agent_env
    from jaxmarl.environments.spaces import Box

Backend = Literal["mjx", "spring", "generalized", "positional"]
Homogenisation = Literal["max", "concat"]
ByAgent = dict[str, jax.Array]  # arrays by the agents' names

NOBODY = -1  # the row of an entry that only fills up

ALLOWED = {
    "episode_length": UP_TO_MILLION,
    "homogenisation_method": OneOf(("None", "max", "concat")),
    "backend": OneOf(get_args(Backend)),
    "obsk": Whole(0, 100),
}


@struct.dataclass
class RobotState(multi_agent_env.State):
    """JaxMARL's state, which has `done` [] and `step` [], with Brax's `robot`."""

    robot: Any


class MABrax(multi_agent_env.MultiAgentEnv):
    """A robot as JaxMARL's `MultiAgentEnv`; everyone gets the robot's reward.

    >>> env = MABrax("ant_4x2")
    >>> env.agents
    ['agent_0', 'agent_1', 'agent_2', 'agent_3']
    >>> env.observation_space("agent_0").shape, env.action_space("agent_0").shape
    ((18,), (2,))
    """

    def __init__(
        self,
        env_name: str,
        episode_length: int = 1000,
        homogenisation_method: Homogenisation | None = None,
        backend: Backend = "positional",
        obsk: int = 1,
    ) -> None:
        """Load the robot. The parameters but the last are JaxMARL's, and so are their defaults.

        Args:
            env_name: a key of `ROBOTS` and, behind "_", a partition of its joints: "ant_4x2".
            episode_length: steps after which an episode is over.
            homogenisation_method: how agents come to have observations and actions of one size.
                None: they have not. "max": filled up with zeros at the end, behind an id of N
                numbers, 1 for the agent itself. "concat": the whole observation and the whole
                action, in which what is not the agent's is 0 and is not read.
            backend: the physics.
            obsk: the distance, in joints, up to which an agent sees positions of others' joints. It
                always sees the body and the positions and velocities of its own joints.

        Raises:
            SettingError: one of them is not allowed.
        """
        _check("episode_length", episode_length)
        _check("homogenisation_method", str(homogenisation_method))
        _check("backend", backend)
        _check("obsk", obsk)
        name, _, shares = env_name.partition("_")
        teams = partition(name, shares)
        super().__init__(len(teams))
        self._env_name = env_name
        # As JaxMARL's MPE worlds call it; `from_jaxmarl` reads it.
        self.max_steps = episode_length

        world = LocomotionWorld(name, shares, backend)
        self.env = brax_robot(world)
        model = self.sys.mj_model
        joints = model_joints(model)
        any_key = key_of(0)
        first = jax.eval_shape(self.env.reset, any_key)
        obs_size = first.obs.shape[0]
        seen = _seen(teams, model, ROBOTS[name].unseen, obsk)
        driven = [[joints[joint].actuator for joint in team] for team in teams]
        # For each entry of an agent's observation or action the row of the whole one, or NOBODY.
        self._rows = _entries(seen, obs_size, homogenisation_method)
        self._actuators = _entries(driven, len(joints), homogenisation_method)
        self._control_source = _sources(self._actuators, len(joints))
        id_size = self.num_agents if homogenisation_method == "max" else 0
        self._ids = np.eye(self.num_agents, id_size, dtype=np.float32)

        for index, agent in enumerate(self.agents):
            sees = id_size + len(self._rows[index])
            does = len(self._actuators[index])
            self.observation_spaces[agent] = Box(-jnp.inf, jnp.inf, (sees,))
            self.action_spaces[agent] = Box(-1.0, 1.0, (does,))

    @property
    def name(self) -> str:
        """The robot and its partition."""
        return self._env_name

    @property
    def sys(self) -> Any:
        """Brax's system, for its renderer."""
        return self.env.sys

    # Pyright wants any `State` to be allowed where JaxMARL's worlds have states of their own.
    def reset(self, key: jax.Array) -> tuple[ByAgent, RobotState]:  # pyright: ignore
        """A start: what the agents see, and the state."""
        state = RobotState(
            done=jnp.zeros((), bool),
            step=jnp.zeros((), jnp.int32),
            robot=self.env.reset(key),
        )
        return self.get_obs(state), state

    def step_env(  # pyright: ignore
        self,
        key: jax.Array,
        state: RobotState,
        actions: ByAgent,
    ) -> tuple[ByAgent, RobotState, ByAgent, ByAgent, ByAgent]:
        """One step, without a new start behind the last one; `step` has that.

        Args:
            key: not used; the robots know no chance but in their starts.
            state: before the step.
            actions: of each agent, as large as its action space; clipped to it.

        Returns:
            Observations, state, rewards [], whether it is over [] (all by agent; the latter two
            also for "__all__"), and `truncation`, whether that is by the time alone. [N]

        Raises:
            SettingError: an action has not the shape of its space.
        """
        control = self.map_agents_to_global_action(actions)
        robot = self.env.step(state.robot, control)
        step = state.step + 1
        fell = robot.done > 0
        late = step >= self.max_steps
        done: jax.Array = fell | late
        reward: jax.Array = robot.reward
        state = RobotState(done, step, robot)
        everyone = [*self.agents, "__all__"]
        rewards = dict.fromkeys(everyone, reward)
        dones = dict.fromkeys(everyone, done)
        # By agent, for that is how JaxMARL's scripts reshape whatever is in there.
        info = {"truncation": jnp.full(self.num_agents, late & ~fell)}
        return self.get_obs(state), state, rewards, dones, info

    def get_obs(self, state: RobotState) -> ByAgent:  # pyright: ignore
        """What each agent sees in a state."""
        return self.map_global_obs_to_agents(state.robot.obs)

    def map_global_obs_to_agents(self, global_obs: jax.Array) -> ByAgent:
        """What each agent sees of Brax's observation. [O]"""
        observations = {}
        for index, agent in enumerate(self.agents):
            rows = self._rows[index]
            own = jnp.where(rows != NOBODY, global_obs[rows], 0.0)
            observations[agent] = jnp.concatenate([self._ids[index], own])
        return observations

    def map_agents_to_global_action(self, agent_actions: ByAgent) -> jax.Array:
        """Brax's action [actuators] of the agents', clipped to [-1, 1]."""
        given = []
        for agent in self.agents:
            action = agent_actions[agent]
            wanted = self.action_spaces[agent].shape
            # One of another size would move what comes behind it to other actuators.
            if action.shape != wanted:
                raise SettingError(
                    f"action of {agent}: must be of shape {wanted}, is of {action.shape}; with "
                    "homogenisation_method=max all agents' actions are of one"
                )
            given.append(action)
        one_behind_the_other = jnp.concatenate(given)
        control = one_behind_the_other[self._control_source]
        return jnp.clip(control, -1.0, 1.0)


def _seen(
    teams: Sequence[Sequence[str]],
    model: Any,
    unseen: int,
    distance: int,
) -> list[list[int]]:
    """Rows of Brax's observation that each agent sees, in their order there."""
    rows = observation_rows(model, unseen)
    near = neighbours(model)
    views = []
    for team in teams:
        view = list(rows.body)
        view += [rows.position[name] for name in within(distance, team, near)]
        view += [rows.velocity[name] for name in team]
        views.append(sorted(view))
    return views


def _entries(
    owned: Sequence[list[int]],
    size: int,
    method: Homogenisation | None,
) -> list[np.ndarray]:
    """For each agent the row of the whole array that each of its entries is, or `NOBODY`.

    Args:
        owned: rows of each agent.
        size: of the whole array.
        method: how they come to be of one size.
    """
    widest = max(len(rows) for rows in owned)
    everything = range(size)
    entries = []
    for rows in owned:
        if method == "concat":
            laid_out = [row if row in rows else NOBODY for row in everything]
        elif method == "max":
            missing = widest - len(rows)
            laid_out = rows + [NOBODY] * missing
        else:
            laid_out = rows
        entries.append(np.array(laid_out))
    return entries


def _sources(actuators: Sequence[np.ndarray], size: int) -> np.ndarray:
    """For each actuator the index of its action among the agents', one behind the other."""
    source = np.full(size, NOBODY)
    place = 0
    for drives in actuators:
        for actuator in drives:
            if actuator != NOBODY:
                source[actuator] = place
            place += 1
    return source


def _check(name: str, value: Any) -> None:
    bound = ALLOWED[name]
    if isinstance(bound, Whole) and not isinstance(value, int):
        raise SettingError(f"{name}={value}: must be a whole number")
    if not bound.allows(value):
        raise SettingError(f"{name}={value}: must be {bound.words}")
