"""Whether an environment has the shapes that `Env` promises. Nothing is computed for it."""

from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.envs.env import Env, EnvSpec, Transition
from adama_jax.errors import promise, promise_shape
from adama_jax.keys import key_of
from adama_jax.tree import shapes_of


def check_shapes(env: Any) -> None:
    """Check an environment's functions against its `spec`, by tracing each of them once.

    Raises:
        AssertionError: a sentence about the first promise of `Env` that is broken.

    >>> from adama_jax.envs.mpe.clustering import make
    >>> from adama_jax.envs.worlds import VelocityWorld
    >>> env = make(VelocityWorld(num_agents=3, side=1.2, step=0.1), horizon=5, name="clustering")
    >>> check_shapes(env)
    >>> check_shapes(env._replace(spec=env.spec._replace(obs_size=9)))
    Traceback (most recent call last):
    AssertionError: observe gives (3, 4), and must give (N, O) = (3, 9)
    """
    promise(
        isinstance(env, Env),
        f"the factory made a {type(env).__name__}, and must make an adama_jax.envs.env.Env "
        "(envs.jaxmarl and envs.gymnax have adapters for worlds of other kinds)",
    )
    check_spec(env.spec)
    spec = env.spec
    key = jax.eval_shape(lambda: key_of(0))
    state = jax.eval_shape(env.reset, key)
    snapshot = jax.eval_shape(env.snapshot, state)
    promise_shape("snapshot", snapshot, "(Z,)", (spec.snapshot_size,))
    obs = jax.eval_shape(env.observe, snapshot)
    promise_shape("observe", obs, "(N, O)", (spec.num_agents, spec.obs_size))
    positions = jax.eval_shape(env.positions, snapshot)
    things = len(spec.entities)
    promise_shape("positions", positions, "(entities, 2)", (things, 2))
    shape = (spec.num_agents, spec.action_size)
    action = jax.ShapeDtypeStruct(shape, jnp.float32)
    _check_step(jax.eval_shape(env.step, key, state, action), state)


def check_spec(spec: EnvSpec) -> None:
    """Check that what a `spec` says is possible.

    Raises:
        AssertionError: a sentence about what is not.
    """
    for name in ("num_agents", "obs_size", "action_size", "snapshot_size", "horizon"):
        value = getattr(spec, name)
        promise(
            isinstance(value, int) and value >= 1,
            f"spec.{name} is {value!r}, and must be a whole number from 1 on",
        )
    sizes = spec.action_sizes
    promise(
        len(sizes) == spec.num_agents and max(sizes) == spec.action_size,
        f"spec.action_sizes is {sizes}, and must have a size for each of the "
        f"{spec.num_agents} agents, the largest of them action_size={spec.action_size}",
    )


def _check_step(found: Any, state: Any) -> None:
    promise(
        isinstance(found, tuple) and len(found) == 2,
        "step must give two things, the new state and a Transition",
    )
    new, transition = found
    promise(
        isinstance(transition, Transition),
        f"step gives a {type(transition).__name__} beside the state, and must give a Transition",
    )
    promise_shape("step's reward", transition.reward, "()", ())
    promise_shape("step's terminated", transition.terminated, "()", ())
    promise(
        transition.terminated.dtype == jnp.bool_,
        f"step's terminated is of {transition.terminated.dtype}, and must be of bool",
    )
    before = shapes_of(state)
    after = shapes_of(new)
    promise(
        before == after,
        f"a state has one structure, and its leaves keep shape and type: reset gives {before}, "
        f"step gives {after}",
    )
