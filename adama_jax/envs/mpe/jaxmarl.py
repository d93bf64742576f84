"""Any JaxMARL MPE world as an `Env`: agents stacked, one team reward.

JaxMARL's dictionaries keyed by agent names stop here. Sizes are read off a real reset, because the
declared spaces are wrong for some settings. `step_env` is used, never `step`, which resets by
itself and hides the last observation.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import Tracer

from adama_jax.envs.env import Entity, Env, EnvSpec, Transition
from adama_jax.envs.mpe.jaxmarl_import import State
from adama_jax.envs.mpe.jaxmarl_made import jaxmarl_world
from adama_jax.envs.worlds import JaxMARLWorld
from adama_jax.keys import key_of

FORCES = 5  # JaxMARL's movement action: no-op, left, right, down, up, each in [0, 1]
AXES = 2  # ours: right and up, each in [-1, 1]

# Neither is seen by an agent: `done` is not used, and the time limit is kept by the rollout.
NOT_IN_A_SNAPSHOT = ("done", "step")

ByAgent = dict[str, jax.Array]  # JaxMARL's arrays, by the agents' names
Others = Callable[[State], ByAgent]


def from_jaxmarl(
    world: Any,
    name: str,
    horizon: int,
    learners: Sequence[str] | None = None,
    others: Others | None = None,
    fields: Sequence[str] | None = None,
    kinds: Mapping[str, str] | None = None,
    as_given: bool = False,
) -> Env:
    """Wrap a JaxMARL MPE world.

    Discrete actions are one-hot here and numbers there.

    Args:
        world: the JaxMARL environment (a `SimpleMPE`), with either type of actions.
        name: for `spec.name`.
        horizon: T; MPE worlds end by their time limit only.
        learners: names of the agents that learn; None means all. The team's reward is the mean of
            theirs.
        others: actions of the remaining agents, by name, in JaxMARL's own terms.
        fields: the fields of JaxMARL's state that make a snapshot; None means all but `done` and
            `step`.
        kinds: kind of an entity, by name, for drawing; agents are "agent", landmarks "landmark".
        as_given: hand the world our continuous actions as they are; otherwise, where JaxMARL has
            five forces in [0, 1], ours are two signed ones in [-1, 1], and communication is
            rescaled from [-1, 1] to [0, 1].

    >>> import jax
    >>> from adama_jax.envs.mpe.jaxmarl_import import whole_jaxmarl
    >>> spread = whole_jaxmarl().make("MPE_simple_spread_v3", action_type="Continuous")
    >>> env = from_jaxmarl(spread, "spread", horizon=25)
    >>> env.spec.num_agents, env.spec.obs_size, env.spec.action_size
    (3, 18, 2)
    >>> state = env.reset(jax.random.key(0))
    >>> env.observe(env.snapshot(state)).shape
    (3, 18)
    """
    team = list(learners or world.agents)
    spaces = [world.action_space(agent) for agent in team]
    # A world has one type of actions.
    discrete = _is_discrete(spaces[0])
    natives = [_native(space, as_given) for space in spaces]
    sizes = tuple(native.our_size for native in natives)
    first_obs, first_state = jax.eval_shape(world.reset, key_of(0))
    obs_size = max(first_obs[agent].shape[0] for agent in team)
    layout = _layout(first_state, fields)

    def reset(key: jax.Array) -> State:
        return world.reset(key)[1]

    def step(
        key: jax.Array,
        state: State,
        action: jax.Array,
    ) -> tuple[State, Transition]:
        moves = {}
        for index, agent in enumerate(team):
            moves[agent] = natives[index].of_ours(action[index])
        if others is not None:
            moves |= others(state)
        _, state, rewards, _, _ = world.step_env(key, state, moves)
        of_team = []
        for agent in team:
            # Some worlds give Python numbers, some arrays of another type.
            reward = jnp.asarray(rewards[agent], jnp.float32)
            of_team.append(reward)
        mean = jnp.mean(jnp.stack(of_team))
        never = jnp.asarray(False)
        return state, Transition(mean, terminated=never)

    def snapshot(state: State) -> jax.Array:
        return _pack(layout, state)

    def observe(snapshot: jax.Array) -> jax.Array:
        state = _unpack(layout, snapshot)
        obs = world.get_obs(state)
        padded = [_padded(obs[agent], obs_size) for agent in team]
        return jnp.stack(padded)

    def positions(snapshot: jax.Array) -> jax.Array:
        state = _unpack(layout, snapshot)
        return state.p_pos

    spec = EnvSpec(
        name=name,
        num_agents=len(team),
        obs_size=obs_size,
        action_size=max(sizes),
        action_sizes=sizes,
        snapshot_size=sum(layout.sizes),
        horizon=horizon,
        terminates=False,
        entities=_entities(world, kinds or {}),
        discrete=discrete,
    )
    return Env(
        spec=spec,
        reset=reset,
        step=step,
        snapshot=snapshot,
        observe=observe,
        positions=positions,
    )


def make(world: JaxMARLWorld, horizon: int, name: str) -> Env:
    """A registered JaxMARL MPE scenario by its name, `MPE_simple_tag_v3` say, or a preset's of it.

    Raises:
        ValueError: JaxMARL has no such scenario.
        TypeError: the scenario does not take one of the options; `config.checks` finds this first.
    """
    env = jaxmarl_world(world, name)
    # Its prey is moved by JaxMARL itself, which still wants an action for it.
    if name.startswith("MPE_simple_facmac"):
        idle = {agent: jnp.zeros(FORCES) for agent in env.good_agents}
        return from_jaxmarl(
            env,
            name,
            horizon,
            learners=env.adversaries,
            others=lambda state: idle,
            kinds=_prey(env),
        )

    if name.startswith("MPE_simple_tag") and world.prey == "environment":
        return from_jaxmarl(
            env,
            name,
            horizon,
            learners=env.adversaries,
            others=_fleeing(env),
            kinds=_prey(env),
        )
    return from_jaxmarl(env, name, horizon)


def flight(prey: jax.Array, predators: jax.Array) -> jax.Array:
    """Sum of the pushes away from each predator, each of length 1 / distance. [2], [..., 2] to [2]

    >>> flight(jnp.array([0.5, 0.0]), jnp.array([[0.0, 0.0]])).tolist()
    [2.0, 0.0]
    """
    apart = prey[None] - predators
    square = jnp.sum(apart**2, axis=-1, keepdims=True)
    # A predator on top of the prey pushes nowhere, rather than to a place that is not a number.
    pushes = apart / jnp.maximum(square, 1e-8)
    return jnp.sum(pushes, axis=0)


def unit_or_zero(x: jax.Array) -> jax.Array:
    """`x / |x|`, and zero where x is. [2]

    >>> unit_or_zero(jnp.array([0.0, 5.0])).tolist(), unit_or_zero(jnp.zeros(2)).tolist()
    ([0.0, 1.0], [0.0, 0.0])
    """
    norm = jnp.linalg.norm(x)
    # Both branches of `where` are computed, so that the one not taken must not divide by 0 either.
    safe_norm = jnp.where(norm > 0, norm, 1.0)
    return jnp.where(norm > 0, x / safe_norm, 0.0)


class _Native(NamedTuple):
    """An agent's actions of JaxMARL's."""

    our_size: int  # of ours for them
    of_ours: Callable[[jax.Array], jax.Array]


def _is_discrete(space: Any) -> bool:
    return hasattr(space, "n")


def _native(space: Any, as_given: bool) -> _Native:
    if _is_discrete(space):
        count = int(space.n)
        return _Native(count, lambda action: jnp.argmax(action[:count]))
    (size,) = space.shape
    if as_given:
        return _Native(size, lambda action: action[:size])
    return _Native(_our_size(size), lambda action: _to_native(action, size))


class _Layout(NamedTuple):
    """Which fields of JaxMARL's state a snapshot holds, one after the other, and of what shapes."""

    template: State
    fields: tuple[str, ...]
    sizes: tuple[int, ...]


def _layout(template: State, fields: Sequence[str] | None) -> _Layout:
    """The layout for states of the template's shapes; None chooses all that agents may see."""
    if fields is None:
        fields = []
        for field, shape in vars(template).items():
            # A world that has no goals has None there.
            if shape is not None and field not in NOT_IN_A_SNAPSHOT:
                fields.append(field)
    sizes = [getattr(template, field).size for field in fields]
    return _Layout(template, tuple(fields), tuple(sizes))


def _pack(layout: _Layout, state: State) -> jax.Array:
    """A snapshot of the state. [Z]"""
    flat = []
    for field in layout.fields:
        value = getattr(state, field)
        # One type for all, since a replay stores one array: MPE's integers are small, so exact.
        flat.append(value.astype(jnp.float32).ravel())
    return jnp.concatenate(flat)


def _unpack(layout: _Layout, snapshot: jax.Array) -> State:
    """The state of a snapshot [Z]; what is not in it is zero."""
    *starts, _ = itertools.accumulate(layout.sizes)
    pieces = jnp.split(snapshot, starts)
    values = {}
    for field, piece in zip(layout.fields, pieces, strict=True):
        shape = getattr(layout.template, field)
        values[field] = piece.reshape(shape.shape).astype(shape.dtype)
    blank = jax.tree.map(_zeros, layout.template)
    return blank.replace(**values)


def _zeros(shape: jax.ShapeDtypeStruct) -> jax.Array:
    return jnp.zeros(shape.shape, shape.dtype)


def _entities(world: Any, kinds: Mapping[str, str]) -> tuple[Entity, ...]:
    """JaxMARL's agents, then its landmarks, as its positions have them."""
    usual_kinds = {
        **dict.fromkeys(world.agents, "agent"),
        **dict.fromkeys(world.landmarks, "landmark"),
    }
    entities = []
    for name, radius in zip(usual_kinds, world.rad, strict=True):
        kind = kinds.get(name, usual_kinds[name])
        entity = Entity(kind, name, _number(radius))
        entities.append(entity)
    return tuple(entities)


def _number(radius: Any) -> float:
    # In a world whose lengths are traced, nobody draws.
    return math.nan if isinstance(radius, Tracer) else float(radius)


def _prey(env: Any) -> dict[str, str]:
    return dict.fromkeys(env.good_agents, "prey")


def _fleeing(env: Any) -> Others:
    """Simple_tag's good agents at full force away from the adversaries."""
    hunters = env.num_adversaries
    discrete = _is_discrete(env.action_space(env.good_agents[0]))

    def actions(state: State) -> ByAgent:
        predators = state.p_pos[:hunters]
        chosen = {}
        for index, agent in enumerate(env.good_agents):
            # JaxMARL's rows are the adversaries, the good agents, the landmarks.
            prey = state.p_pos[hunters + index]
            force = unit_or_zero(flight(prey, predators))
            forces = _to_native(force, FORCES)
            # One force at a time: the strongest of them.
            chosen[agent] = jnp.argmax(forces) if discrete else forces
        return chosen

    return actions


def _our_size(native: int) -> int:
    """Numbers in an action of ours for one of JaxMARL's: the five forces become two."""
    return native if native < FORCES else native - FORCES + AXES


def _to_native(action: jax.Array, size: int) -> jax.Array:
    """Our action in [-1, 1] as JaxMARL's of `size` entries in [0, 1]. [A] to [size]

    What pads our action is dropped.
    """
    if size < FORCES:
        # An agent that only speaks.
        return (action[:size] + 1) / 2
    x = action[0]
    y = action[1]
    no_op = jnp.zeros_like(x)
    # A force of either sign is one of two opposite forces that are never negative.
    signed = jnp.stack([no_op, -x, x, -y, y])
    forces = jnp.maximum(signed, 0.0)
    spoken = action[AXES : _our_size(size)]
    return jnp.concatenate([forces, (spoken + 1) / 2])


def _padded(obs: jax.Array, size: int) -> jax.Array:
    missing = size - obs.shape[0]
    return jnp.pad(obs, (0, missing))
