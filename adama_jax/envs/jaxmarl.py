"""A world of JaxMARL's kind, a `MultiAgentEnv`, as an `Env`: agents stacked, one team reward.

For JaxMARL's own MPE worlds `envs.mpe.jaxmarl` knows more: what is in their state, what to draw.
"""

from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Env
from adama_jax.envs.observed import Foreign, box_of, needed_horizon, observed_env
from adama_jax.keys import key_of


def from_jaxmarl(env: Any, horizon: int | None = None, limit: int | None = None) -> Env:
    """Wrap a world with dictionaries by agents' names: `reset(key)`, `step_env(key, state, moves)`.

    The actions are rescaled from [-1, 1] to the agents' Boxes; smaller agents' observations and
    actions are padded with zeros. The team's reward is the mean of the agents'. JaxMARL's own
    `step` starts anew by itself: where there is a `step_env`, it is used.

    Args:
        env: the world, with `agents` and `action_space(agent)`, which must be a Box.
        horizon: T; None: the world's own limit.
        limit: steps after which the world is done because of the time alone, which terminates
            nothing; None: its `max_steps`, if it has them.

    Raises:
        SettingError: an agent's actions are discrete or have no bounds; the horizon is beyond the
            world's own limit, or nobody says what it is.

    >>> from adama_jax.envs.mpe.jaxmarl_import import whole_jaxmarl
    >>> spread = whole_jaxmarl().make("MPE_simple_spread_v3", action_type="Continuous")
    >>> env = from_jaxmarl(spread, horizon=25)
    >>> env.spec.num_agents, env.spec.obs_size, env.spec.action_size
    (3, 18, 5)
    """
    name = type(env).__name__
    agents = list(env.agents)
    limit = getattr(env, "max_steps", None) if limit is None else limit
    boxes = {agent: box_of(env.action_space(agent), agent) for agent in agents}
    theirs = env.step_env if hasattr(env, "step_env") else env.step
    first, _ = jax.eval_shape(env.reset, key_of(0))
    obs_size = max(first[agent].size for agent in agents)

    def stacked(obs: Any) -> jax.Array:
        rows = []
        for agent in agents:
            row = obs[agent].ravel()
            rows.append(jnp.pad(row, (0, obs_size - row.size)))
        return jnp.stack(rows)

    def reset(key: jax.Array) -> tuple[Any, jax.Array]:
        obs, state = env.reset(key)
        return state, stacked(obs)

    def step(
        key: jax.Array, state: Any, action: jax.Array
    ) -> tuple[Any, jax.Array, jax.Array, jax.Array]:
        moves = {}
        for row, agent in enumerate(agents):
            moves[agent] = boxes[agent].scaled(action[row])
        obs, state, rewards, dones, _ = theirs(key, state, moves)
        # Some worlds give Python numbers, some arrays of another type.
        of_team = [jnp.asarray(rewards[agent], jnp.float32) for agent in agents]
        return state, stacked(obs), jnp.mean(jnp.stack(of_team)), dones["__all__"]

    return observed_env(
        Foreign(reset, step),
        name,
        [box.size for box in boxes.values()],
        horizon=needed_horizon(horizon, limit, name),
        limit=limit,
    )
