"""What the benchmarks time: updates, minibatches, episodes, a large matmul, compiled."""

import dataclasses
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import psutil

from adama_jax.config.schema import Config, scenario_config
from adama_jax.execution.build import (
    make_algorithm,
    make_env,
    make_hyper,
    make_learner,
    make_replay,
    make_train,
)
from adama_jax.execution.devices import count_microbatches
from adama_jax.training.population import AXES
from adama_jax.training.rounds import minibatch
from adama_jax.training.states import LearnerState
from adama_jax.training.trainer import TrainState
from adama_jax.types import Batch

STEPS = 20  # of a program that repeats something
MATRIX = 1024
MATMUL_FLOPS = 2.0 * MATRIX**3
Program = tuple[Callable[[Any], Any], Any]  # a compiled function and its argument


def config(
    method: str,
    num_agents: int = 4,
    activation: str = "relu",
    curvature: str = "secant",
) -> Config:
    """Predator-prey with these settings."""
    base = scenario_config("predator_prey")
    return dataclasses.replace(
        base,
        method=method,
        episodes=1000,
        world=dataclasses.replace(base.world, num_agents=num_agents),
        networks=dataclasses.replace(base.networks, critic_activation=activation),
        rates=dataclasses.replace(base.rates, curvature=curvature),
    )


def update_flops(
    num_agents: int,
    obs: int,
    action: int = 2,
    width: int = 64,
    batch: int = 1024,
) -> float:
    """Floating-point operations of the matrix products of one first-order update.

    From the shapes: a product of a layer is one multiplication and one addition a weight and
    transition. Layers are those of Table 1, two hidden ones of the same width.
    """
    hidden = width * width
    first_actor, last_actor = obs * width, width * action
    first_critic, last_critic = num_agents * (obs + action) * width, width
    actor = num_agents * (first_actor + hidden + last_actor)
    critic = first_critic + hidden + last_critic

    # Going back to the output of the first layer; what is before it needs no gradient.
    back_actor = num_agents * (hidden + last_actor)
    back_critic = hidden + last_critic
    to_actions = num_agents * action * width

    target = actor + critic
    # Forward, gradients of the kernels, gradients of what is between.
    td = critic + critic + back_critic
    through_critic = critic + critic + back_critic + to_actions
    objective = actor + through_critic + actor + back_actor
    return 2.0 * batch * (target + td + objective)


def update_bytes(
    num_agents: int,
    obs: int,
    snapshot: int,
    action: int = 2,
    width: int = 64,
    batch: int = 1024,
) -> int:
    """Least bytes of an update: stored transitions once, parameters read and written, targets read.

    What is between (observations, activations) stays in caches or registers in the best case.
    """
    hidden = width * width
    biases_of_hidden = 2 * width
    actor_kernels = obs * width + hidden + width * action
    actor = num_agents * (actor_kernels + biases_of_hidden + action)
    critic_kernels = num_agents * (obs + action) * width + hidden + width
    critic = critic_kernels + biases_of_hidden + 1
    # Two snapshots, the actions, the reward and whether the world ended.
    transition = 2 * snapshot + num_agents * action + 2
    numbers = batch * transition + 3 * (actor + critic)
    return 4 * numbers


def activation_bytes(num_agents: int, batch: int = 1024, width: int = 64) -> int:
    """Bytes of hidden activations that an update writes at least once if no two layers are fused.

    Two hidden layers each of: N target and N online actors; the critic at the targets', the stored
    and the own actions; and the same again going back, but for the targets.
    """
    forward = 2 * (2 * num_agents + 3)
    back = 2 * (num_agents + 2)
    return 4 * batch * width * (forward + back)


def update_program(
    setting: Config,
    seeds: int | None = None,
    obs_size: int | None = None,
    whole: bool = False,
    part: int | None = None,
) -> Program:
    """STEPS updates in a scan on a fixed minibatch.

    Only the state is kept, so that what nobody reads is not computed.

    Args:
        setting: what is trained.
        seeds: so many vmapped; None: one, without vmap.
        obs_size: of the observations, where it is not to be the world's.
        whole: the minibatch undivided and all seeds at once, as elsewhere than on a CPU.
        part: the transitions in a microbatch; None: as on a CPU.
    """
    env = make_env(setting)
    if obs_size is not None:
        env = env._replace(spec=env.spec._replace(obs_size=obs_size))
    n = env.spec.num_agents
    size = setting.learning.batch_size
    parts = (
        size // part if part else count_microbatches(size, "gpu" if whole else "cpu")
    )
    learn = make_learner(setting, make_algorithm(setting, env), n, parts)
    batch = _random_batch(n, size, env.spec.obs_size, env.spec.action_size)
    key = jax.random.key(1)
    hyper = make_hyper(setting)

    def init(key: jax.Array) -> LearnerState:
        return learn.init(key, hyper.learner, hyper.rates)

    def steps(state: LearnerState, batch: Batch) -> LearnerState:
        def one(state: LearnerState, key: jax.Array) -> tuple[LearnerState, None]:
            state, _ = learn.update(state, batch, key)
            return state, None

        last, _ = jax.lax.scan(one, state, jax.random.split(key, STEPS))
        return last

    if seeds is None:
        alone = jax.jit(steps)
        return lambda state: alone(state, batch), init(key)

    batches = jax.tree.map(lambda leaf: jnp.stack([leaf] * seeds), batch)
    # As in training, the count of updates is one for all, so that it decides for all at once
    # whether the targets are copied.
    count = jnp.zeros((), jnp.int32)
    states = jax.vmap(init)(jax.random.split(key, seeds))._replace(updates=count)
    axes: Any = AXES.learner
    many = jax.jit(jax.vmap(steps, in_axes=(axes, 0), out_axes=axes))
    return lambda state: many(state, batches), states


def _random_batch(agents: int, size: int, obs: int, action: int) -> Batch:
    """A minibatch of noise: what is in it does not change the time."""
    k_obs, k_action, k_reward, k_next = jax.random.split(jax.random.key(1), 4)
    drawn = jax.random.uniform(k_action, (agents, size, action), minval=-1)
    first = jax.random.normal(k_obs, (agents, size, obs))
    following = jax.random.normal(k_next, (agents, size, obs))
    reward = jax.random.normal(k_reward, (size,))
    never = jnp.zeros(size)
    return Batch(first, drawn, reward, following, terminated=never)


def sampled_program(setting: Config) -> Program:
    """STEPS updates, each on a minibatch drawn from the replay and observed from its snapshots."""
    env = make_env(setting)
    train = make_train(setting)
    algorithm = make_algorithm(setting, env)
    replay = make_replay(setting, env, algorithm)
    parts = count_microbatches(setting.learning.batch_size, "cpu")
    learn = make_learner(setting, algorithm, env.spec.num_agents, parts)
    state = train.init(jax.random.key(0), make_hyper(setting))
    # Something to draw from.
    state, _ = jax.jit(train.chunk, static_argnums=1)(state, 100)

    def one(learning: LearnerState, key: jax.Array) -> tuple[LearnerState, None]:
        k_sample, k_update = jax.random.split(key)
        sample = replay.sample(state.replay, k_sample)
        learning, _ = learn.update(learning, minibatch(env, sample), k_update)
        return learning, None

    @jax.jit
    def steps(learning: LearnerState) -> LearnerState:
        keys = jax.random.split(jax.random.key(1), STEPS)
        last, _ = jax.lax.scan(one, learning, keys)
        return last

    return steps, state.learner


def episode_program(setting: Config) -> Program:
    """STEPS whole episodes: 20 environment steps, replay and one update each."""
    train = make_train(setting)
    state = train.init(jax.random.key(0), make_hyper(setting))
    return jax.jit(lambda state: train.chunk(state, STEPS)[0]), state


def population_program(setting: Config, runs: int, unroll: int = 1) -> Program:
    """STEPS whole episodes of each of `runs` vmapped runs."""
    train = make_train(setting, unroll)
    init = jax.jit(jax.vmap(train.init, in_axes=(0, None), out_axes=AXES))
    keys = jax.random.split(jax.random.key(0), runs)
    state = init(keys, make_hyper(setting))

    def episodes(one: TrainState) -> TrainState:
        one, _ = train.chunk(one, STEPS)
        return one

    many = jax.vmap(episodes, in_axes=(AXES,), out_axes=AXES)
    return jax.jit(many), state


def matmul_program() -> Program:
    """One product of two square matrices: the rate that this machine reaches at best."""
    square = jax.random.normal(jax.random.key(0), (MATRIX, MATRIX))
    return jax.jit(lambda x: x @ square), square


def seconds(program: Callable[[Any], Any], argument: Any) -> float:
    """Of one call, until its result is there."""
    start = time.perf_counter()
    jax.block_until_ready(program(argument))
    return time.perf_counter() - start


def side_by_side(
    programs: Mapping[str, Program], rounds: int
) -> list[dict[str, float]]:
    """Seconds of each program in each round, one after the other within it; compiled before."""
    for program, argument in programs.values():
        seconds(program, argument)

    # Alternating, so that what disturbs the machine for a while disturbs all of them.
    def one_round() -> dict[str, float]:
        return {name: seconds(*program) for name, program in programs.items()}

    return [one_round() for _ in range(rounds)]


def ratio(rounds: Sequence[Mapping[str, float]], upper: str, lower: str) -> float:
    """The median over rounds."""
    return statistics.median(one[upper] / one[lower] for one in rounds)


def matmul_share(
    rounds: Sequence[Mapping[str, float]], name: str, flops: float
) -> float:
    """A program's floating-point rate over that of the program "matmul".

    `flops` are those of one of its STEPS.
    """
    shares = []
    for one in rounds:
        rate = flops * STEPS / one[name]
        best = MATMUL_FLOPS / one["matmul"]
        shares.append(rate / best)
    return statistics.median(shares)


def busy() -> float:
    """Share of our cores that something else uses, over a second.

    Believe no figure unless it is about 0.
    """
    cores_in_use = psutil.cpu_percent(1.0) / 100 * (os.cpu_count() or 1)
    return cores_in_use / len(os.sched_getaffinity(0))
