"""Speed of the train step, as ratios measured side by side in one run, on one core with one thread.

Run it on an idle machine: `make bench`. Prints a table and writes `benchmarks/train_step.json`.
Each ratio is the median, over rounds, of times taken one after the other within the round.
"""

import os

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"

import dataclasses
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from adama_jax.compose import make_algorithm, make_env, make_hyper, make_learner, make_replay, make_train
from adama_jax.config import Config, scenario_config
from adama_jax.runtime import machine
from adama_jax.train import minibatch
from adama_jax.types import Batch

ROUNDS, STEPS = 15, 20
MATRIX = 1024


def config(method: str, num_agents: int = 4, activation: str = "relu", curvature: str = "secant") -> Config:
    base = scenario_config("predator_prey")
    return dataclasses.replace(
        base,
        method=method,
        episodes=1000,
        world=dataclasses.replace(base.world, num_agents=num_agents),
        networks=dataclasses.replace(base.networks, critic_activation=activation),
        rates=dataclasses.replace(base.rates, curvature=curvature),
    )


def update_flops(num_agents: int, obs: int, action: int = 2, width: int = 64, batch: int = 1024) -> float:
    """Floating-point operations of the matrix products of one first-order update, from the shapes."""
    actor = num_agents * (obs * width + width * width + width * action)
    critic = num_agents * (obs + action) * width + width * width + width
    inner_actor = num_agents * (width * width + width * action)  # back to the first layer's output
    inner_critic = width * width + width
    target = actor + critic
    td = critic + critic + inner_critic  # forward, kernels, activations
    objective = actor + critic + critic + inner_critic + num_agents * action * width + actor + inner_actor
    return 2.0 * batch * (target + td + objective)


def update_program(
    setting: Config, seeds: int | None = None, parts: int | None = None
) -> tuple[Callable[[Any], Any], Any]:
    """STEPS updates in a scan on a fixed minibatch; only the state is kept, so what nobody reads is not computed."""
    env = make_env(setting)
    n = env.spec.num_agents
    learn = make_learner(setting, make_algorithm(setting, env), n, parts)
    keys = jax.random.split(jax.random.key(1), 4)
    size = setting.learning.batch_size
    batch = Batch(
        obs=jax.random.normal(keys[0], (n, size, env.spec.obs_size)),
        action=jax.random.uniform(keys[1], (n, size, env.spec.action_size), minval=-1),
        reward=jax.random.normal(keys[2], (size,)),
        next_obs=jax.random.normal(keys[3], (n, size, env.spec.obs_size)),
        terminated=jnp.zeros(size),
    )

    def steps(state: Any, batch: Batch) -> Any:
        return jax.lax.scan(
            lambda state, key: (learn.update(state, batch, key)[0], None), state, jax.random.split(keys[0], STEPS)
        )[0]

    hyper = make_hyper(setting)
    init = lambda key: learn.init(key, hyper.learner, hyper.rates)  # noqa: E731
    if seeds is None:
        alone = jax.jit(steps)
        return lambda state: alone(state, batch), init(keys[0])
    batches = jax.tree.map(lambda leaf: jnp.stack([leaf] * seeds), batch)
    states = jax.vmap(init)(jax.random.split(keys[0], seeds))._replace(updates=jnp.zeros((), jnp.int32))
    axes = type(states)(0, 0, 0, 0, 0, None)
    many = jax.jit(jax.vmap(steps, in_axes=(axes, 0), out_axes=axes))
    return lambda state: many(state, batches), states


def sampled_program(setting: Config) -> tuple[Callable[[Any], Any], Any]:
    """STEPS updates, each on a minibatch drawn from the replay buffer, observations recomputed from snapshots."""
    env, train, replay = make_env(setting), make_train(setting), make_replay(setting)
    learn = make_learner(setting, make_algorithm(setting, env), env.spec.num_agents)
    state = jax.jit(train.chunk, static_argnums=1)(train.init(jax.random.key(0), make_hyper(setting)), 100)[0]

    def one(learning: Any, key: jax.Array) -> tuple[Any, None]:
        k_sample, k_update = jax.random.split(key)
        return learn.update(learning, minibatch(env, replay.sample(state.replay, k_sample)), k_update)[0], None

    keys = jax.random.split(jax.random.key(1), STEPS)
    return jax.jit(lambda learning: jax.lax.scan(one, learning, keys)[0]), state.learner


def episode_program(setting: Config) -> tuple[Callable[[Any], Any], Any]:
    """STEPS whole episodes: 20 environment steps, replay and one update each."""
    train = make_train(setting)
    state = train.init(jax.random.key(0), make_hyper(setting))
    return jax.jit(lambda state: train.chunk(state, STEPS)[0]), state


def matmul_program() -> tuple[Callable[[Any], Any], Any]:
    square = jax.random.normal(jax.random.key(0), (MATRIX, MATRIX))
    return jax.jit(lambda x: x @ square), square


def seconds(program: Callable[[Any], Any], argument: Any) -> float:
    start = time.perf_counter()
    jax.block_until_ready(program(argument))
    return time.perf_counter() - start


def main() -> None:
    programs = {
        "matmul": matmul_program(),
        "fixed": update_program(config("fixed")),
        "adama": update_program(config("adama")),
        "adama, 4 seeds": update_program(config("adama"), seeds=4),
        "adama, sampled": sampled_program(config("adama")),
        "adama, whole episode": episode_program(config("adama")),
        "adama, N=8": update_program(config("adama", 8)),
        "adama, tanh critic": update_program(config("adama", activation="tanh")),
        "adama_2nd exact, tanh critic": update_program(config("adama_2nd", 4, "tanh", "exact")),
        "adama, tanh critic, N=8": update_program(config("adama", 8, "tanh")),
        "adama_2nd exact, tanh critic, N=8": update_program(config("adama_2nd", 8, "tanh", "exact")),
        "adama_2nd secant": update_program(config("adama_2nd")),
        "adama_2nd secant, N=8": update_program(config("adama_2nd", 8)),
        "undivided adama": update_program(config("adama"), parts=1),
        "undivided adama, 4 seeds": update_program(config("adama"), seeds=4, parts=1),
        "undivided adama, N=8": update_program(config("adama", 8), parts=1),
        "undivided adama_2nd secant": update_program(config("adama_2nd"), parts=1),
    }
    for program, argument in programs.values():
        seconds(program, argument)  # compile
    rounds = [{name: seconds(*pair) for name, pair in programs.items()} for _ in range(ROUNDS)]

    def ratio(upper: str, lower: str) -> float:
        return statistics.median(one[upper] / one[lower] for one in rounds)

    matmul_flops = 2.0 * MATRIX**3
    work = update_flops(4, 10)

    def share(name: str) -> float:
        return statistics.median((work * STEPS / one[name]) / (matmul_flops / one["matmul"]) for one in rounds)

    milliseconds = {name: 1e3 * statistics.median(one[name] for one in rounds) / STEPS for name in programs}
    milliseconds["matmul"] *= STEPS
    rows = {
        "(a) adama train step, share of a large matmul's rate": (share("adama, sampled"), ">= 0.5"),
        "    the same without sampling the minibatch": (share("adama"), ""),
        "(b) adama over fixed": (ratio("adama", "fixed"), "<= 1.12"),
        "(c) adama_2nd over adama, exact, tanh critic, N=4": (
            ratio("adama_2nd exact, tanh critic", "adama, tanh critic"), "<= 1.35"),
        "(c) the same, N=8": (ratio("adama_2nd exact, tanh critic, N=8", "adama, tanh critic, N=8"), "<= 1.35"),
        "    adama_2nd over adama, secant, ReLU critic, N=4": (ratio("adama_2nd secant", "adama"), "<= 1.35"),
        "    the same, N=8": (ratio("adama_2nd secant, N=8", "adama, N=8"), "<= 1.35"),
        "(d) 4 vmapped seeds over 1, per seed": (ratio("adama, 4 seeds", "adama") / 4, "<= 1.25"),
        "    whole episode over update": (ratio("adama, whole episode", "adama"), ""),
        "(e) adama, minibatch undivided over in parts": (ratio("undivided adama", "adama"), ""),
        "    the same, 4 vmapped seeds": (ratio("undivided adama, 4 seeds", "adama, 4 seeds"), ""),
        "    undivided over in parts, N=8": (ratio("undivided adama, N=8", "adama, N=8"), ""),
        "    adama_2nd, secant, undivided over in parts": (ratio("undivided adama_2nd secant", "adama_2nd secant"), ""),
    }  # fmt: skip
    gflops = matmul_flops / (1e6 * milliseconds["matmul"])
    print(f"update: {work / 1e6:.0f} MFLOP; large matmul: {gflops:.0f} GFLOP/s on one core")
    for name, (value, goal) in rows.items():
        print(f"{name:56s} {value:6.2f}  {goal}")
    report = {
        "ratios": {name.strip(): value for name, (value, _) in rows.items()},
        "milliseconds_per_update": milliseconds,
        "update_flops": work,
        "matmul_gflops": gflops,
        "machine": machine(),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
