"""Robots: our adapter against bare Brax, what learning adds to playing, and the physics against one another.

    .venv/bin/python -m benchmarks.locomotion [adapter|backends] [ant_4x2|halfcheetah_2x3]

On one core with one thread; run it on an idle machine. Each ratio is the median over rounds of times taken one after
the other within the round. Without arguments: both parts, both robots. Adds to `benchmarks/locomotion.json`.
"""

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.one_core import take_one_core

take_one_core()

import jax
import jax.numpy as jnp

from adama_jax.config.schema import Config, scenario_config
from adama_jax.envs.env import Env
from adama_jax.envs.robots.locomotion import brax_robot
from adama_jax.execution.build import make_algorithm, make_env
from adama_jax.storage.provenance import machine
from adama_jax.training.rollout import make_rollout
from benchmarks.programs import (
    STEPS,
    matmul_program,
    matmul_share,
    ratio,
    seconds,
    side_by_side,
    update_flops,
    update_program,
)
from benchmarks.reports import read_report, write_report

ROUNDS, BATCHES, WORK = 15, (16, 256), 4096  # WORK: steps of all worlds together in one timed call
SCENARIOS = ("ant_4x2", "halfcheetah_2x3")


BRAX_ITERATIONS = {"ant_4x2": (1, 4), "halfcheetah_2x3": (4, 50)}
BACKENDS = ("spring", "mjx", "positional", "generalized")


def setting(scenario: str, backend: str = "spring") -> Config:
    base = scenario_config(scenario)
    return dataclasses.replace(
        base, world=dataclasses.replace(base.world, backend=backend), horizon=100
    )


def bare(config: Config, batch: int) -> tuple[Callable[[Any], Any], Any]:
    """Brax's own environment: steps under random actions, observations summed."""
    robot = brax_robot(config.world)
    start = jax.jit(jax.vmap(robot.reset))(jax.random.split(jax.random.key(0), batch))

    def one(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        state = jax.vmap(robot.step)(
            state, jax.random.uniform(key, (batch, robot.action_size), minval=-1)
        )
        return state, jnp.sum(state.obs) + jnp.sum(state.reward)

    return _steps(one, batch), start


def adapted(env: Env, batch: int, work: int = WORK) -> tuple[Callable[[Any], Any], Any]:
    """The same through our adapter: every agent's action and observation."""
    start = jax.jit(jax.vmap(env.reset))(jax.random.split(jax.random.key(0), batch))
    n, size = env.spec.num_agents, env.spec.action_size

    def one(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        action = jax.random.uniform(key, (batch, n, size), minval=-1)
        state, transition = jax.vmap(env.step)(jax.random.split(key, batch), state, action)
        obs = jax.vmap(lambda state: env.observe(env.snapshot(state)))(state)
        return state, jnp.sum(obs) + jnp.sum(transition.reward)

    return _steps(one, batch, work), start


def _steps(
    one: Callable[[Any, jax.Array], Any], batch: int, work: int = WORK
) -> Callable[[Any], Any]:
    keys = jax.random.split(jax.random.key(1), work // batch)
    return jax.jit(lambda state: jax.lax.scan(one, state, keys)[1])


def episodes(config: Config, runs: int) -> tuple[Callable[[Any], Any], Any]:
    """An episode of each of `runs` runs, acting as in training."""
    env = make_env(config)
    algorithm = make_algorithm(config, env)
    rollout = make_rollout(env, algorithm.act)
    actors = jax.vmap(algorithm.init)(jax.random.split(jax.random.key(0), runs)).actors
    keys = jax.random.split(jax.random.key(1), runs)
    return jax.jit(
        lambda actors: jax.vmap(rollout, in_axes=(0, 0, None))(keys, actors, 0.5).reward
    ), actors


def measure(config: Config) -> dict[str, float]:
    env = make_env(config)
    programs: dict[str, tuple[Callable[[Any], Any], Any]] = {"matmul": matmul_program()}
    for batch in BATCHES:
        programs[f"bare {batch}"] = bare(config, batch)
        programs[f"ours {batch}"] = adapted(env, batch)
    programs["episodes"] = episodes(config, 2)
    programs["updates"] = update_program(config, seeds=2)
    rounds = side_by_side(programs, ROUNDS)
    work = update_flops(env.spec.num_agents, env.spec.obs_size, env.spec.action_size)

    def median(value: Callable[[dict[str, float]], float]) -> float:
        return statistics.median(value(one) for one in rounds)

    found = {}
    for batch in BATCHES:
        found[f"bare Brax over ours, batch {batch}"] = ratio(
            rounds, f"bare {batch}", f"ours {batch}"
        )
        found[f"ours, steps/s, batch {batch}"] = median(
            lambda one, n=batch: WORK / one[f"ours {n}"]
        )
    step = median(lambda one: one["episodes"] / (2 * config.horizon))
    update = median(lambda one: one["updates"] / (2 * STEPS))
    return found | {
        "a world step in training, microseconds (2 runs)": 1e6 * step,
        "an update of 1024, milliseconds (2 runs)": 1e3 * update,
        "an update, steps of the world": update / step,
        "an update, share of a large matmul's rate": matmul_share(rounds, "updates", 2 * work),
        "share of learning in an episode of 1000 steps with 1 update": update
        / (update + 1000 * step),
        "the same with 1 update a step": update / (update + step),
    }


def compare_backends(scenario: str, batch: int = 16, work: int = 512) -> dict[str, float]:
    """Steps a second of each physics over the default's; Brax's own iterations of MJX's solver too."""
    configs = {backend: setting(scenario, backend) for backend in BACKENDS}
    programs = {
        backend: adapted(make_env(config), batch, work) for backend, config in configs.items()
    }
    own = BRAX_ITERATIONS[scenario]
    world = dataclasses.replace(
        configs["mjx"].world, solver_iterations=own[0], line_search_iterations=own[1]
    )
    theirs = make_env(dataclasses.replace(configs["mjx"], world=world))
    programs["mjx, Brax's iterations"] = adapted(theirs, batch, work)
    for name, (program, argument) in programs.items():
        start = time.perf_counter()
        seconds(program, argument)
        print(f"    {name}: compiled in {time.perf_counter() - start:.0f} s", flush=True)
    rounds = [{name: seconds(*pair) for name, pair in programs.items()} for _ in range(ROUNDS)]
    ratios = {name: ratio(rounds, "spring", name) for name in programs}
    return ratios | {"spring, steps/s": statistics.median(work / one["spring"] for one in rounds)}


def main() -> None:
    parts = {"adapter": lambda scenario: measure(setting(scenario)), "backends": compare_backends}
    for part in [word for word in sys.argv[1:] if word in parts] or parts:
        for scenario in [word for word in sys.argv[1:] if word in SCENARIOS] or SCENARIOS:
            found = parts[part](scenario)
            print(f"{scenario}, {part}")
            for name, value in found.items():
                print(f"    {name:62s} {value:10.3g}", flush=True)
            named = {f"{scenario}, {part}": found | {"machine": machine(used=1)}}
            write_report("locomotion", read_report("locomotion") | named)


if __name__ == "__main__":
    main()
