"""Games with known answers: algorithms whose critic is given, and small worlds."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.envs.env import Env, EnvSpec, Transition
from adama_jax.rates.rules import RateRule
from adama_jax.training.learner import Learner, learner
from adama_jax.training.optimizers import from_optax
from adama_jax.types import Batch, Params


def game(payoff: Callable[[jax.Array], jax.Array], start: jax.Array) -> Algorithm:
    """Agents whose parameters are their actions, [N, 1]; the critic is payoff plus constant."""

    def act(actors: jax.Array, obs: jax.Array) -> jax.Array:
        return jnp.broadcast_to(actors[:, None, :], (*obs.shape[:2], 1))

    def value(critic: jax.Array, obs: jax.Array, action: jax.Array) -> jax.Array:
        return jax.vmap(payoff, in_axes=1)(action[..., 0]) + critic

    def objective(
        params: Params,
        targets: Params,
        batch: Batch,
        discount: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        return jnp.mean(value(params.critic, batch.obs, act(params.actors, batch.obs)))

    return Algorithm(
        init=lambda key: Params(start[:, None], jnp.zeros(())),
        act=act,
        sample=lambda actors, obs, noise, share: act(actors, obs),
        value=value,
        critic_loss=lambda params, targets, batch, discount, key: 0.0 * params.critic,
        objective=objective,
        smooth=True,
    )


def play_game(
    payoff: Callable[[jax.Array], jax.Array],
    start: jax.Array,
    rule: RateRule,
    steps: int,
    curvature: str = "exact",
) -> tuple[jax.Array, jax.Array]:
    """Actions and rates after each step. [steps, N] x 2"""
    num_agents = start.shape[0]
    learn: Learner = learner(
        game(payoff, start), from_optax(optax.sgd(1.0)), rule, num_agents, curvature
    )
    batch = empty_batch(num_agents)

    def one(state, _):
        state, metrics = learn.update(state, batch, jax.random.key(0))
        return state, (state.params.actors[:, 0], metrics.rates.actors)

    return jax.lax.scan(one, learn.init(jax.random.key(0)), None, length=steps)[1]


def empty_batch(num_agents: int) -> Batch:
    # Not as many transitions as agents: a train step refuses those.
    size = num_agents + 1
    zeros = jnp.zeros((num_agents, size, 1))
    return Batch(zeros, zeros, jnp.zeros(size), zeros, jnp.zeros(size))


def random_batch(
    num_agents: int, obs_size: int, action_size: int, seed: int, size: int = 16
) -> Batch:
    """Transitions that have nothing to do with one another; a fifth of them terminate."""
    keys = jax.random.split(jax.random.key(seed), 4)
    shape = (num_agents, size)
    return Batch(
        obs=jax.random.normal(keys[0], (*shape, obs_size)),
        action=jax.random.uniform(keys[1], (*shape, action_size), minval=-1),
        reward=jax.random.normal(keys[2], (size,)),
        next_obs=jax.random.normal(keys[3], (*shape, obs_size)),
        terminated=(jnp.arange(size) % 5 == 0).astype(jnp.float32),
    )


def probe_env(
    reward: Callable[[jax.Array, jax.Array, jax.Array], jax.Array],
    horizon: int = 1,
    num_agents: int = 1,
    draw: Callable[[jax.Array], jax.Array] = lambda key: jnp.zeros(()),
    terminates: bool = True,
) -> Env:
    """A world of `horizon` steps; all agents observe its snapshot, (a number, the time).

    `draw(key)` gives the number at a reset; `reward(number, time, action [N, 1]) -> []`.
    """
    spec = EnvSpec(
        "probe", num_agents, 2, 1, (1,) * num_agents, 2, horizon, terminates, ()
    )

    def step(key, state, action):
        number, time = state
        ended = time + 1 >= horizon if terminates else jnp.asarray(False)
        new = jnp.stack([number, time + 1])
        return new, Transition(reward(number, time, action), ended)

    return Env(
        spec=spec,
        reset=lambda key: jnp.stack([draw(key), jnp.zeros(())]),
        step=step,
        snapshot=lambda state: state,
        observe=lambda snapshot: jnp.broadcast_to(snapshot[None], (num_agents, 2)),
        positions=lambda snapshot: jnp.zeros((0, 2)),
    )
