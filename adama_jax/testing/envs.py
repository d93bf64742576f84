"""The contract of an environment."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.algorithms.networks import action_mask
from adama_jax.envs.check import check_shapes
from adama_jax.envs.env import Env, Transition
from adama_jax.errors import promise
from adama_jax.keys import key_of
from adama_jax.testing.comparing import equal, finite, has_nan

STEPS = 5


def check_env(env: Env) -> None:
    """Check that an environment keeps what `Env` promises, by a few steps of random actions.

    Raises:
        AssertionError: a sentence about the first promise that is broken.

    >>> from adama_jax.envs.mpe.clustering import make
    >>> from adama_jax.envs.worlds import VelocityWorld
    >>> env = make(VelocityWorld(num_agents=3, side=1.2, step=0.1), horizon=5, name="clustering")
    >>> check_env(env)
    >>> check_env(env._replace(observe=lambda snapshot: jnp.log(env.observe(snapshot))))
    Traceback (most recent call last):
    AssertionError: observations must be finite
    """
    check_shapes(env)
    # They run a few times, so that optimizing them does not pay.
    fast = {"xla_backend_optimization_level": 0}
    step = jax.jit(env.step, compiler_options=fast)
    see = jax.jit(partial(_seen, env), compiler_options=fast)
    state = _start(env)
    promise(equal(state, _start(env)), "one key must give one start")
    for number in range(STEPS):
        _check_seen(*see(state))
        key = key_of(number)
        before = jax.tree.map(jnp.copy, state)
        action = random_actions(env, number)
        new, transition = step(key, state, action)
        _check_transition(env, transition)
        # A NaN equals nothing, not even itself: it would look like a step by chance.
        promise(not has_nan(new), "a step must give a state without NaN")
        promise(equal(state, before), "step must not change the state that it is given")
        again = step(key, state, action)
        promise(
            equal((new, transition), again),
            "a step must depend on its key, state and action alone",
        )
        _check_padding(env, step, state, action, number)
        state = new
    _check_seen(*see(state))
    _check_vmap(env)


def _start(env: Env) -> Any:
    # A function of its own, so that it is traced each time.
    return jax.jit(lambda key: env.reset(key))(key_of(0))


def random_actions(env: Env, seed: int) -> jax.Array:
    """Uniform in [-1, 1], or among all discrete ones, and 0 where an action is padded. [N, A]"""
    spec = env.spec
    shape = (spec.num_agents, spec.action_size)
    drawn = jax.random.uniform(key_of(seed + 100), shape, minval=-1.0)
    if spec.discrete:
        own = jnp.where(_mask(env) > 0, drawn, -jnp.inf)
        return jax.nn.one_hot(jnp.argmax(own, axis=-1), spec.action_size)
    return drawn * _mask(env)


def _mask(env: Env) -> jax.Array:
    return action_mask(env.spec.action_sizes, env.spec.action_size)


def _seen(env: Env, state: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    snapshot = env.snapshot(state)
    return snapshot, env.observe(snapshot), env.positions(snapshot)


def _check_seen(snapshot: jax.Array, obs: jax.Array, positions: jax.Array) -> None:
    promise(finite(snapshot), "snapshots must be finite")
    promise(finite(obs), "observations must be finite")
    promise(finite(positions), "positions must be finite")


def _check_transition(env: Env, transition: Transition) -> None:
    promise(finite(transition.reward), "rewards must be finite")
    promise(
        env.spec.terminates or not bool(transition.terminated),
        "the world ended a step, and spec.terminates=False says that it never does; a time limit "
        "is no end: whoever plays the episode keeps it",
    )


def _check_padding(
    env: Env, step: Any, state: Any, action: jax.Array, number: int
) -> None:
    """What pads an action changes nothing."""
    padded = jnp.where(_mask(env) == 0, 0.7, action)
    key = key_of(number)
    promise(
        equal(step(key, state, action), step(key, state, padded)),
        "the entries of an action beyond an agent's action_sizes must change nothing",
    )


def _check_vmap(env: Env) -> None:
    """Many worlds are one `vmap`."""
    actions = random_actions(env, 0)

    def first_reward(key: jax.Array) -> jax.Array:
        return env.step(key, env.reset(key), actions)[1].reward

    keys = jax.eval_shape(lambda: jax.random.split(key_of(1), 2))
    found = jax.eval_shape(jax.vmap(first_reward), keys)
    promise(found.shape == (2,), "a vmap over worlds must give a reward each")
