"""Any JaxMARL MPE world with continuous actions as an `Env`: agents stacked and padded, one team reward.

JaxMARL's dictionaries keyed by agent names stop here. Sizes are read off a real reset, because the declared spaces
are wrong for some settings. `step_env` is used, never `step`, which resets by itself and hides the last observation.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Entity, Env, EnvSpec, Transition
from adama_jax.envs.mpe.jaxmarl_import import State, whole_jaxmarl
from adama_jax.envs.worlds import JaxMARLWorld

FORCES = 5  # JaxMARL's movement action: no-op, left, right, down, up, each in [0, 1]


def from_jaxmarl(
    world: Any,
    name: str,
    horizon: int,
    learners: Sequence[str] | None = None,
    others: Callable[[State], dict[str, jax.Array]] | None = None,
    fields: Sequence[str] | None = None,
    kinds: dict[str, str] | None = None,
    as_given: bool = False,
) -> Env:
    """Wrap a JaxMARL MPE world.

    Args:
        world: the JaxMARL environment (a `SimpleMPE`), with continuous actions.
        name: for `spec.name`.
        horizon: T; MPE worlds end by their time limit only.
        learners: names of the agents that learn; None means all. The team's reward is the mean of theirs.
        others: actions of the remaining agents, by name, in JaxMARL's own terms.
        fields: the parts of JaxMARL's state that make a snapshot; None means all but `done` and `step`.
        kinds: kind of an entity, by name, for drawing; agents are "agent", landmarks "landmark".
        as_given: hand the world our actions as they are; otherwise, where JaxMARL has five forces in [0, 1], ours are
            two signed ones in [-1, 1], and communication is rescaled from [-1, 1] to [0, 1].

    >>> import jax
    >>> env = from_jaxmarl(whole_jaxmarl().make("MPE_simple_spread_v3", action_type="Continuous"), "spread", horizon=25)
    >>> env.spec.num_agents, env.spec.obs_size, env.spec.action_size
    (3, 18, 2)
    >>> state = env.reset(jax.random.key(0))
    >>> env.observe(env.snapshot(state)).shape
    (3, 18)
    """
    team = list(learners or world.agents)
    template = jax.eval_shape(world.reset, jax.random.key(0))[1]
    present = [field for field, value in vars(template).items() if value is not None]
    kept = list(fields or (field for field in present if field not in ("done", "step")))
    shapes = [getattr(template, field) for field in kept]
    sizes = [shape.size for shape in shapes]
    native = {agent: world.action_space(agent).shape[0] for agent in team}
    action_sizes = tuple(
        size if as_given or size < FORCES else size - FORCES + 2 for size in native.values()
    )
    decode = (lambda action, size: action[:size]) if as_given else _to_native

    def reset(key: jax.Array) -> State:
        return world.reset(key)[1]

    def step(key: jax.Array, state: State, action: jax.Array) -> tuple[State, Transition]:
        moves = {agent: decode(action[i], native[agent]) for i, agent in enumerate(team)}
        moves |= others(state) if others else {}
        _, state, rewards, _, _ = world.step_env(key, state, moves)
        reward = jnp.mean(jnp.stack([jnp.asarray(rewards[agent], jnp.float32) for agent in team]))
        return state, Transition(reward, jnp.asarray(False), state.step >= horizon)

    def snapshot(state: State) -> jax.Array:
        return jnp.concatenate(
            [getattr(state, field).astype(jnp.float32).ravel() for field in kept]
        )

    def restore(snapshot: jax.Array) -> State:
        parts = jnp.split(snapshot, [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)])
        values = {
            field: part.reshape(shape.shape).astype(shape.dtype)
            for field, part, shape in zip(kept, parts, shapes, strict=True)
        }
        blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), template)
        return blank.replace(**values)

    def observe(snapshot: jax.Array) -> jax.Array:
        obs = world.get_obs(restore(snapshot))
        return jnp.stack([_pad(obs[agent], obs_size) for agent in team])

    observations = jax.eval_shape(lambda key: world.reset(key)[0], jax.random.key(0))
    obs_size = max(observations[agent].shape[0] for agent in team)
    names = [*world.agents, *world.landmarks]
    default_kinds = ["agent"] * world.num_agents + ["landmark"] * world.num_landmarks
    entities = tuple(
        Entity((kinds or {}).get(entity) or kind, entity, float(radius))
        for entity, kind, radius in zip(names, default_kinds, world.rad, strict=True)
    )
    spec = EnvSpec(
        name=name,
        num_agents=len(team),
        obs_size=obs_size,
        action_size=max(action_sizes),
        action_sizes=action_sizes,
        snapshot_size=sum(sizes),
        horizon=horizon,
        terminates=False,
        entities=entities,
    )
    return Env(spec, reset, step, snapshot, observe, lambda snapshot: restore(snapshot).p_pos)


def make(world: JaxMARLWorld, horizon: int, name: str) -> Env:
    """A registered JaxMARL MPE scenario by its name, `MPE_simple_tag_v3` say.

    Raises:
        ValueError: the scenario does not take one of the options.
    """
    given = {
        key: getattr(world, key)
        for key in (
            "num_agents",
            "num_landmarks",
            "num_adversaries",
            "num_good_agents",
            "num_obs",
            "local_ratio",
        )
        if getattr(world, key) is not None
    }
    facmac = name.startswith("MPE_simple_facmac")
    kwargs: dict[str, Any] = given if facmac else {**given, "action_type": "Continuous"}
    env: Any = whole_jaxmarl().make(name, **kwargs)
    if facmac:  # its prey moves itself
        idle = {agent: jnp.zeros(FORCES) for agent in env.good_agents}
        return from_jaxmarl(
            env, name, horizon, env.adversaries, lambda state: idle, kinds=_prey(env)
        )
    if name.startswith("MPE_simple_tag") and world.prey == "environment":
        return from_jaxmarl(env, name, horizon, env.adversaries, _fleeing(env), kinds=_prey(env))
    return from_jaxmarl(env, name, horizon)


def flight(prey: jax.Array, predators: jax.Array) -> jax.Array:
    """Sum of the pushes away from each predator, each of length 1 / distance. [2], [..., 2] to [2]"""
    apart = prey[None] - predators
    square = jnp.sum(apart**2, axis=-1, keepdims=True)
    return jnp.sum(apart / jnp.maximum(square, 1e-8), axis=0)


def unit_or_zero(x: jax.Array) -> jax.Array:
    """`x / |x|`, and zero where x is. [2]"""
    norm = jnp.linalg.norm(x)
    return jnp.where(norm > 0, x / jnp.where(norm > 0, norm, 1.0), 0.0)


def _prey(env: Any) -> dict[str, str]:
    return dict.fromkeys(env.good_agents, "prey")


def _fleeing(env: Any) -> Callable[[State], dict[str, jax.Array]]:
    """Simple_tag's good agents at full force away from the adversaries."""
    hunters = env.num_adversaries

    def actions(state: State) -> dict[str, jax.Array]:
        predators = state.p_pos[:hunters]
        return {
            agent: _to_native(unit_or_zero(flight(state.p_pos[hunters + i], predators)), FORCES)
            for i, agent in enumerate(env.good_agents)
        }

    return actions


def _to_native(action: jax.Array, size: int) -> jax.Array:
    """Our action in [-1, 1] as JaxMARL's of `size` entries in [0, 1]; padding is dropped. [A] to [size]"""
    if size < FORCES:
        return (action[:size] + 1) / 2
    x, y = action[0], action[1]
    forces = jnp.maximum(jnp.stack([jnp.zeros_like(x), -x, x, -y, y]), 0.0)
    return jnp.concatenate([forces, (action[2 : size - FORCES + 2] + 1) / 2])


def _pad(obs: jax.Array, size: int) -> jax.Array:
    return jnp.pad(obs, (0, size - obs.shape[0]))
