"""What the benchmarks time: updates, minibatches, episodes and a large matmul, as compiled programs."""

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
from adama_jax.training.trainer import minibatch
from adama_jax.types import Batch

STEPS = 20  # of a program that repeats something
MATRIX = 1024
MATMUL_FLOPS = 2.0 * MATRIX**3
Program = tuple[Callable[[Any], Any], Any]  # a compiled function and its argument


def config(
    method: str, num_agents: int = 4, activation: str = "relu", curvature: str = "secant"
) -> Config:
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
    num_agents: int, obs: int, action: int = 2, width: int = 64, batch: int = 1024
) -> float:
    """Floating-point operations of the matrix products of one first-order update, from the shapes."""
    actor = num_agents * (obs * width + width * width + width * action)
    critic = num_agents * (obs + action) * width + width * width + width
    inner_actor = num_agents * (width * width + width * action)  # back to the first layer's output
    inner_critic = width * width + width
    target = actor + critic
    td = critic + critic + inner_critic  # forward, kernels, activations
    objective = (
        actor + critic + critic + inner_critic + num_agents * action * width + actor + inner_actor
    )
    return 2.0 * batch * (target + td + objective)


def update_bytes(
    num_agents: int, obs: int, snapshot: int, action: int = 2, width: int = 64, batch: int = 1024
) -> int:
    """Least bytes of an update: stored transitions once, parameters read and written, targets read.

    What is between (observations, activations) stays in caches or registers in the best case.
    """
    actor = num_agents * (obs * width + width * width + width * action + 2 * width + action)
    critic = num_agents * (obs + action) * width + width * width + width + 2 * width + 1
    return 4 * (batch * (2 * snapshot + num_agents * action + 2) + 3 * (actor + critic))


def activation_bytes(num_agents: int, batch: int = 1024, width: int = 64) -> int:
    """Bytes of hidden activations that an update writes at least once if no two layers are fused.

    Two hidden layers each of: N target and N online actors; the critic at the targets', the stored and the own actions;
    and the same again going back, but for the targets.
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
) -> tuple[Callable[[Any], Any], Any]:
    """STEPS updates in a scan on a fixed minibatch; only the state is kept, so what nobody reads is not computed.

    `whole`: the minibatch undivided and all seeds at once, as elsewhere than on a CPU. `part`: the transitions in a
    part; None: as on a CPU.
    """
    env = make_env(setting)
    env = env._replace(spec=env.spec._replace(obs_size=obs_size or env.spec.obs_size))
    n = env.spec.num_agents
    size = setting.learning.batch_size
    parts = size // part if part else count_microbatches(size, "gpu" if whole else "cpu")
    learn = make_learner(setting, make_algorithm(setting, env), n, parts)
    keys = jax.random.split(jax.random.key(1), 4)
    batch = Batch(
        obs=jax.random.normal(keys[0], (n, size, env.spec.obs_size)),
        action=jax.random.uniform(keys[1], (n, size, env.spec.action_size), minval=-1),
        reward=jax.random.normal(keys[2], (size,)),
        next_obs=jax.random.normal(keys[3], (n, size, env.spec.obs_size)),
        terminated=jnp.zeros(size),
    )

    def steps(state: Any, batch: Batch) -> Any:
        return jax.lax.scan(
            lambda state, key: (learn.update(state, batch, key)[0], None),
            state,
            jax.random.split(keys[0], STEPS),
        )[0]

    hyper = make_hyper(setting)
    init = lambda key: learn.init(key, hyper.learner, hyper.rates)  # noqa: E731
    if seeds is None:
        alone = jax.jit(steps)
        return lambda state: alone(state, batch), init(keys[0])
    batches = jax.tree.map(lambda leaf: jnp.stack([leaf] * seeds), batch)
    states = jax.vmap(init)(jax.random.split(keys[0], seeds))._replace(
        updates=jnp.zeros((), jnp.int32)
    )
    axes = type(states)(0, 0, 0, 0, 0, None)
    many = jax.jit(jax.vmap(steps, in_axes=(axes, 0), out_axes=axes))
    return lambda state: many(state, batches), states


def sampled_program(setting: Config) -> tuple[Callable[[Any], Any], Any]:
    """STEPS updates, each on a minibatch drawn from the replay buffer, observations recomputed from snapshots."""
    env, train = make_env(setting), make_train(setting)
    replay = make_replay(setting, env)
    parts = count_microbatches(setting.learning.batch_size, "cpu")
    learn = make_learner(setting, make_algorithm(setting, env), env.spec.num_agents, parts)
    state = jax.jit(train.chunk, static_argnums=1)(
        train.init(jax.random.key(0), make_hyper(setting)), 100
    )[0]

    def one(learning: Any, key: jax.Array) -> tuple[Any, None]:
        k_sample, k_update = jax.random.split(key)
        return learn.update(
            learning, minibatch(env, replay.sample(state.replay, k_sample)), k_update
        )[0], None

    keys = jax.random.split(jax.random.key(1), STEPS)
    return jax.jit(lambda learning: jax.lax.scan(one, learning, keys)[0]), state.learner


def episode_program(setting: Config) -> tuple[Callable[[Any], Any], Any]:
    """STEPS whole episodes: 20 environment steps, replay and one update each."""
    train = make_train(setting)
    state = train.init(jax.random.key(0), make_hyper(setting))
    return jax.jit(lambda state: train.chunk(state, STEPS)[0]), state


def population_program(setting: Config, runs: int, unroll: int = 1) -> Program:
    """STEPS whole episodes of each of `runs` vmapped runs."""
    train = make_train(setting, unroll)
    init = jax.jit(jax.vmap(train.init, in_axes=(0, None), out_axes=AXES))
    state = init(jax.random.split(jax.random.key(0), runs), make_hyper(setting))
    many = jax.vmap(lambda one: train.chunk(one, STEPS)[0], in_axes=(AXES,), out_axes=AXES)
    return jax.jit(many), state


def matmul_program() -> tuple[Callable[[Any], Any], Any]:
    square = jax.random.normal(jax.random.key(0), (MATRIX, MATRIX))
    return jax.jit(lambda x: x @ square), square


def seconds(program: Callable[[Any], Any], argument: Any) -> float:
    start = time.perf_counter()
    jax.block_until_ready(program(argument))
    return time.perf_counter() - start


def side_by_side(programs: Mapping[str, Program], rounds: int) -> list[dict[str, float]]:
    """Seconds of each program in each round, one after the other within a round; compiled before."""
    for program, argument in programs.values():
        seconds(program, argument)
    return [{name: seconds(*pair) for name, pair in programs.items()} for _ in range(rounds)]


def ratio(rounds: Sequence[Mapping[str, float]], upper: str, lower: str) -> float:
    """The median over rounds."""
    return statistics.median(one[upper] / one[lower] for one in rounds)


def matmul_share(rounds: Sequence[Mapping[str, float]], name: str, flops: float) -> float:
    """A program's floating-point rate over that of the program "matmul". `flops` of a repetition, of STEPS."""
    return statistics.median(
        (flops * STEPS / one[name]) / (MATMUL_FLOPS / one["matmul"]) for one in rounds
    )


def busy() -> float:
    """Share of this machine's cores that something else uses, over a second: believe no figure unless it is about 0."""
    return psutil.cpu_percent(1.0) / 100 * (os.cpu_count() or 1) / len(os.sched_getaffinity(0))
