"""Worlds of gymnax's and of JaxMARL's kind."""

from typing import NamedTuple

import gymnax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.envs.gymnax import from_gymnax
from adama_jax.envs.jaxmarl import from_jaxmarl
from adama_jax.errors import SettingError
from adama_jax.testing import check_env


class Box(NamedTuple):
    low: float
    high: float
    shape: tuple[int, ...]


class Discrete(NamedTuple):
    n: int


class Params(NamedTuple):
    max_steps_in_episode: int = 4


class Cart:
    """gymnax's kind: a place; the world ends beyond 2, and is done after 4 steps."""

    default_params = Params()
    space: NamedTuple = Box(0.0, 4.0, (1,))

    def action_space(self, params):
        return self.space

    def reset(self, key, params):
        place = jax.random.uniform(key, (1,))
        return place, (place, jnp.int32(0))

    def step_env(self, key, state, action, params):
        place, time = state
        place, time = place + action, time + 1
        done = (place[0] > 2) | (time >= params.max_steps_in_episode)
        return place, (place, time), -place[0], done, {}

    def step(self, key, state, action, params):
        raise AssertionError("it would start anew")


class Pair:
    """JaxMARL's kind: two agents with unlike observations and actions."""

    agents = ("a", "b")
    max_steps = 4

    def action_space(self, agent):
        return Box(-1.0, 1.0, (1,)) if agent == "a" else Box(0.0, 2.0, (2,))

    def seen(self, state):
        return {"a": state[0][:2], "b": state[0]}

    def reset(self, key):
        state = (jax.random.uniform(key, (3,)), jnp.int32(0))
        return self.seen(state), state

    def step_env(self, key, state, actions):
        moved = state[0] + jnp.concatenate([actions["a"], actions["b"]])
        state = (moved, state[1] + 1)
        done = state[1] >= self.max_steps
        rewards = {"a": moved[0], "b": 3 * moved[0]}
        dones = {"a": done, "b": done, "__all__": done}
        return self.seen(state), state, rewards, dones, {}


def test_a_world_of_gymnax_s_kind():
    env = from_gymnax(Cart())
    check_env(env)
    assert (env.spec.horizon, env.spec.action_sizes) == (4, (1,))
    state = env.reset(jax.random.key(0))
    start = float(state.world[0][0])
    # -1 is the box's low end, 0.
    state, transition = env.step(jax.random.key(0), state, jnp.array([[-1.0]]))
    assert float(transition.reward) == -start and not bool(transition.terminated)
    # 0 is its middle, 2: beyond the end.
    state, transition = env.step(jax.random.key(0), state, jnp.array([[0.0]]))
    assert float(state.world[0][0]) == pytest.approx(start + 2)
    assert bool(transition.terminated)


def test_a_time_limit_of_their_own_ends_no_world():
    for env in (from_gymnax(Cart()), from_jaxmarl(Pair())):
        state = env.reset(jax.random.key(0))
        for _ in range(4):
            shape = (env.spec.num_agents, env.spec.action_size)
            still = -jnp.ones(shape)
            state, transition = env.step(jax.random.key(0), state, still)
            assert not bool(transition.terminated)


def test_a_world_of_jaxmarl_s_kind():
    env = from_jaxmarl(Pair(), horizon=3)
    check_env(env)
    assert env.spec.action_sizes == (1, 2) and env.spec.obs_size == 3
    state = env.reset(jax.random.key(0))
    obs = env.observe(env.snapshot(state))
    place = state.world[0]
    np.testing.assert_array_equal(obs, jnp.stack([place.at[2].set(0.0), place]))
    action = jnp.array([[0.5, 0.0], [-1.0, 1.0]])
    new, transition = env.step(jax.random.key(0), state, action)
    moved = new.world[0] - place
    np.testing.assert_allclose(moved, [0.5, 0.0, 2.0], rtol=1e-5)
    assert float(transition.reward) == pytest.approx(2 * float(new.world[0][0]))


def test_gymnax_s_own_pendulum(loose_broadcasting):
    check_env(from_gymnax(*gymnax.make("Pendulum-v1"), horizon=10))
    with pytest.raises(
        SettingError, match=r"of CartPole: must be a Box, .* a Discrete"
    ):
        from_gymnax(*gymnax.make("CartPole-v1"))


def test_what_cannot_be_adapted_is_one_line():
    with pytest.raises(SettingError, match="horizon=5: must be at most 4"):
        from_gymnax(Cart(), horizon=5)
    endless = Cart()
    endless.default_params = None
    with pytest.raises(SettingError, match="Cart has no time limit"):
        from_gymnax(endless)
    endless.space = Box(-float("inf"), 1.0, (1,))
    with pytest.raises(SettingError, match="must have bounds that are finite"):
        from_gymnax(endless, horizon=5)
    endless.space = Discrete(3)
    with pytest.raises(SettingError, match="it is a Discrete"):
        from_gymnax(endless, horizon=5)
