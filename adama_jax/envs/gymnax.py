"""A world of gymnax's kind as an `Env`: one agent, a Box of actions."""

from typing import Any

import jax

from adama_jax.envs.env import Env
from adama_jax.envs.observed import Foreign, box_of, needed_horizon, observed_env


def from_gymnax(env: Any, params: Any = None, horizon: int | None = None) -> Env:
    """Wrap a world with `reset(key, params)` and `step(key, state, action, params)`.

    The actions are rescaled from [-1, 1] to the Box. gymnax's own `step` starts anew by itself and
    gives the first observation of the next episode: where there is a `step_env`, it is used.

    Args:
        env: the world; its `action_space(params)` must be a Box.
        params: its parameters; None: its `default_params`.
        horizon: T; None: `params.max_steps_in_episode`. A step on which that limit is reached
            terminates nothing: the value beyond it still counts.

    Raises:
        SettingError: the actions are discrete or have no bounds; the horizon is beyond the world's
            own limit, or nobody says what it is.

    >>> import gymnax
    >>> pendulum, params = gymnax.make("Pendulum-v1")
    >>> env = from_gymnax(pendulum, params, horizon=100)
    >>> env.spec.num_agents, env.spec.obs_size, env.spec.action_size
    (1, 3, 1)
    """
    name = type(env).__name__
    params = getattr(env, "default_params", None) if params is None else params
    limit = getattr(params, "max_steps_in_episode", None)
    box = box_of(env.action_space(params), name)
    theirs = env.step_env if hasattr(env, "step_env") else env.step

    def reset(key: jax.Array) -> tuple[Any, jax.Array]:
        obs, state = env.reset(key, params)
        return state, obs.reshape(1, -1)

    def step(
        key: jax.Array, state: Any, action: jax.Array
    ) -> tuple[Any, jax.Array, jax.Array, jax.Array]:
        moved = box.scaled(action[0])
        obs, state, reward, done, _ = theirs(key, state, moved, params)
        return state, obs.reshape(1, -1), reward, done

    return observed_env(
        Foreign(reset, step),
        name,
        [box.size],
        horizon=needed_horizon(horizon, limit, name),
        limit=limit,
    )
