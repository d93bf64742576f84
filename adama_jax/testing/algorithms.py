"""The contract of an algorithm, and of a critic, which is one's part."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.check import check_algorithm as check_shapes
from adama_jax.errors import promise
from adama_jax.keys import key_of
from adama_jax.rates.rules import fixed
from adama_jax.testing.comparing import close, equal, finite
from adama_jax.training.in_turn import drawn_order
from adama_jax.training.learner import learner
from adama_jax.training.optimizers import from_optax
from adama_jax.training.states import LearnerState
from adama_jax.tree import step_per_agent
from adama_jax.types import Batch, Params

N, OBS, ACTION, HORIZON = 2, 3, 3, 4
B = 2 * HORIZON
SIZES = (3, 2)  # the second agent's action is padded
HIDDEN = (8, 8)


def check_algorithm(factory: Callable[..., Any], critic: str = "joint") -> None:
    """Check that an algorithm keeps what `Algorithm` promises, for two agents of unequal actions.

    Args:
        factory: of the algorithm; it is called as `algorithms.algorithm` says.
        critic: the name of the critic, or its import path.

    Raises:
        AssertionError: a sentence about the first promise that is broken.

    >>> check_algorithm(lambda **sizes: None)
    Traceback (most recent call last):
    AssertionError: the factory made a NoneType, and must make an Algorithm
    """
    algorithm = small(factory, critic)
    check_shapes(algorithm, SIZES, OBS, B)
    check_noise(algorithm)
    check_actions(algorithm)
    check_greedy(algorithm)
    check_update(algorithm)


def small(factory: Callable[..., Any], critic: str = "joint") -> Algorithm:
    """The algorithm at the sizes of these checks."""
    return factory(
        num_agents=N,
        obs_size=OBS,
        action_size=ACTION,
        action_sizes=SIZES,
        horizon=HORIZON,
        hidden=HIDDEN,
        actor_activation="tanh",
        critic_activation="tanh",
        critic=critic,
    )


def random_batch(discrete: bool = False) -> Batch:
    """A minibatch in which nothing terminates."""
    keys = jax.random.split(key_of(5), 4)
    drawn = jax.random.uniform(keys[1], (N, B, ACTION), minval=-1)
    action = drawn.at[1, :, SIZES[1] :].set(0.0)
    if discrete:
        own = drawn.at[1, :, SIZES[1] :].set(-jnp.inf)
        action = jax.nn.one_hot(jnp.argmax(own, axis=-1), ACTION)
    obs = jax.random.normal(keys[0], (N, B, OBS))
    reward = jax.random.normal(keys[2], (B,))
    next_obs = jax.random.normal(keys[3], (N, B, OBS))
    return Batch(obs, action, reward, next_obs, terminated=jnp.zeros(B))


def check_noise(algorithm: Algorithm) -> None:
    """An episode's noise has an entry a step, and explores."""
    params = _once(algorithm.init)(key_of(0))
    noise = algorithm.draw(key_of(1), HORIZON)
    obs = random_batch().obs[:, :1]
    sample = _once(algorithm.sample)
    actions = []
    for step in range(HORIZON):
        of_step = jax.tree.map(lambda leaf, t=step: leaf[t], noise)
        share = jnp.float32(1.0)
        actions.append(sample(params.actors, obs, of_step, share))
    # Discrete actions of two steps may well be the same ones.
    differs = [not equal(actions[0], other) for other in actions[1:]]
    promise(any(differs), "sample must give other actions for other entries of draw")


def check_actions(algorithm: Algorithm) -> None:
    """Actions are within [-1, 1], or one-hot, and what pads them is 0."""
    params = _once(algorithm.init)(key_of(0))
    obs = 100 * random_batch().obs
    noise = algorithm.draw(key_of(1), 1)
    first = jax.tree.map(lambda leaf: leaf[0], noise)
    share = jnp.float32(0.5)
    found = {
        "act": _once(algorithm.act)(params.actors, obs),
        "sample": _once(algorithm.sample)(params.actors, obs[:, :1], first, share),
    }
    for name, action in found.items():
        most = float(jnp.max(jnp.abs(action)))
        promise(most <= 1.0, f"{name} must give actions in [-1, 1], also for large obs")
        promise(
            bool(jnp.all(action[1, :, SIZES[1] :] == 0.0)),
            f"{name} must give 0 beyond an agent's own action_sizes",
        )
        if algorithm.actions == "discrete":
            ones = jnp.sum(action == 1.0, axis=-1) == 1
            zeros = jnp.sum(action == 0.0, axis=-1) == ACTION - 1
            promise(bool(jnp.all(ones & zeros)), f"{name} must give one-hot actions")
            continue
        promise(
            bool(jnp.all(action[0] != 0.0)),
            f"{name} must give an agent all of its own action",
        )


def check_greedy(algorithm: Algorithm) -> None:
    """A greedy action is of its own agent's own observation alone."""
    params = _once(algorithm.init)(key_of(0))
    obs = random_batch().obs
    act = _once(algorithm.act)
    action = act(params.actors, obs)
    alone = act(params.actors, obs[:, 2:3])
    promise(
        close(alone, action[:, 2:3], absolute=1e-6),
        "act must choose for each transition by itself",
    )
    blind = act(params.actors, obs.at[1].set(0.0))
    promise(equal(blind[0], action[0]), "act must not look at others' observations")


def check_update(algorithm: Algorithm) -> None:
    """An update is finite, moves what is learned, and measures the contributions right."""
    learn = learner(algorithm, from_optax(optax.sgd(1.0)), fixed(), N)
    state = _once(learn.init)(key_of(0))
    batch = random_batch(algorithm.actions == "discrete")
    key = key_of(9)
    moved, metrics = _once(learn.update)(state, batch, key)
    slope = _once(partial(_slopes, algorithm))(state, batch, key)
    promise(
        float(jnp.min(slope)) > 0, "the objective must depend on every agent's actor"
    )
    promise(
        close(metrics.signals.contribution, slope, relative=1e-4),
        "objective must give one number for one key, and none of it may be stopped: the "
        "contributions are not its derivative",
    )
    if algorithm.parts is not None:
        whole = jnp.sum(jnp.stack(list(metrics.parts.values())))
        promise(
            close(whole, metrics.value, relative=1e-4, absolute=1e-6),
            "parts must add up to the objective",
        )
    _check_moved(algorithm, state, moved)
    promise(finite(moved.params), "an update must leave parameters finite")


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same, compiled: it runs once or twice, so that optimizing it does not pay."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def _slopes(
    algorithm: Algorithm, state: LearnerState, batch: Batch, key: jax.Array
) -> jax.Array:
    """The derivative of the objective by each agent's rate, where it is its turn to move. [N]"""
    # All at once, or one after another.
    turns = jnp.arange(N)[None]
    if algorithm.in_turn:
        key, order = drawn_order(key, N)
        turns = order[:, None]
    # As the learner splits an update's key among the losses.
    k_objective = jax.random.split(key, 2 + len(algorithm.groups))[1]
    discount = jnp.float32(state.hyper.discount)

    def objective(actors: Any) -> jax.Array:
        params = state.params._replace(actors=actors)
        return algorithm.objective(params, state.targets, batch, discount, k_objective)

    actors = state.params.actors
    slopes = jnp.zeros(N)
    for agents in turns:
        directions = jax.grad(objective)(actors)

        def gain(rates: jax.Array, start: Any, directions: Any) -> jax.Array:
            return objective(step_per_agent(start, rates, directions))

        slope = jax.grad(gain)(jnp.zeros(N), actors, directions)
        slopes = slopes.at[agents].set(slope[agents])
        moving = jnp.zeros(N).at[agents].set(state.rule.rates.actors[agents])
        actors = step_per_agent(actors, moving, directions)
    return slopes


def _check_moved(
    algorithm: Algorithm, before: LearnerState, after: LearnerState
) -> None:
    for name in ("actors", "critic"):
        old = getattr(before.params, name)
        promise(
            not equal(old, getattr(after.params, name)),
            f"an update must move the {name}: its loss does not depend on them",
        )
    for name in algorithm.groups:
        promise(
            not equal(before.params.others[name], after.params.others[name]),
            f"an update must move {name}: its loss does not depend on it",
        )
    _check_targets(algorithm, before.targets, after.targets)


def _check_targets(algorithm: Algorithm, before: Params, after: Params) -> None:
    wanted = {name for name, group in algorithm.groups.items() if group.has_target}
    promise(
        set(before.others) == set(after.others) == wanted,
        "targets must have the groups that say has_target",
    )


def check_critic(critic: Any) -> None:
    """Check that a critic values each transition by itself, and reads all agents' actions.

    Args:
        critic: a class of Flax modules, made of `(hidden, activation)`, whose objects make [B] of
            obs [N, B, O] and action [N, B, A].

    Raises:
        AssertionError: a sentence about the first promise that is broken.

    >>> from adama_jax.algorithms.critics.joint import JointCritic
    >>> check_critic(JointCritic)
    """
    network = critic(hidden=HIDDEN, activation="tanh")
    batch = random_batch()
    obs = batch.obs
    action = jax.random.uniform(key_of(2), batch.action.shape, minval=-1)
    params = network.init(key_of(0), obs, action)

    def value(obs: jax.Array, action: jax.Array) -> jax.Array:
        return network.apply(params, obs, action)

    found = value(obs, action)
    promise(
        jnp.shape(found) == (B,),
        f"a critic gives {jnp.shape(found)}, and must give (B,) = ({B},)",
    )
    promise(finite(found), "values must be finite")
    alone = value(obs[:, 2:3], action[:, 2:3])
    promise(close(alone, found[2:3]), "a critic must value each transition by itself")
    for agent in range(N):
        moved = np.asarray(value(obs, action.at[agent].add(0.5)))
        promise(
            bool(np.all(moved != np.asarray(found))),
            f"a critic must read every agent's action: that of agent {agent} changes nothing",
        )
