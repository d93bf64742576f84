"""Robots: our adapter against bare Brax, learning against playing, one physics against another.

    .venv/bin/python -m benchmarks.locomotion [adapter|backends] [ant_4x2|halfcheetah_2x3]

On one core with one thread; run it on an idle machine. Each ratio is the median over rounds of
times taken one after the other within the round. Without arguments: both comparisons, both robots.
Adds to `benchmarks/locomotion.json`.
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
from adama_jax.training.rollout import exploring_rollout
from benchmarks.programs import (
    STEPS,
    Program,
    matmul_program,
    matmul_share,
    ratio,
    seconds,
    side_by_side,
    update_flops,
    update_program,
)
from benchmarks.reports import add_to_report
from benchmarks.words import chosen

ROUNDS = 15
BATCHES = (16, 256)
WORK = 4096  # steps of all worlds together in one timed call
SCENARIOS = ("ant_4x2", "halfcheetah_2x3")

# Of MJX's solver and of its line search, as Brax itself sets them.
BRAX_ITERATIONS = {"ant_4x2": (1, 4), "halfcheetah_2x3": (4, 50)}
BACKENDS = ("spring", "mjx", "positional", "generalized")


def setting(scenario: str, backend: str = "spring") -> Config:
    base = scenario_config(scenario)
    world = dataclasses.replace(base.world, backend=backend)
    return dataclasses.replace(base, world=world, horizon=100)


def bare(config: Config, batch: int) -> Program:
    """Brax's own environment: steps under random actions, observations summed."""
    robot = brax_robot(config.world)
    start = _reset_all(robot.reset, batch)

    def one(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        action = jax.random.uniform(key, (batch, robot.action_size), minval=-1)
        state = jax.vmap(robot.step)(state, action)
        return state, jnp.sum(state.obs) + jnp.sum(state.reward)

    return _steps(one, batch), start


def adapted(env: Env, batch: int, work: int = WORK) -> Program:
    """The same through our adapter: every agent's action and observation."""
    start = _reset_all(env.reset, batch)
    shape = (batch, env.spec.num_agents, env.spec.action_size)

    def observe(state: Any) -> jax.Array:
        return env.observe(env.snapshot(state))

    def one(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        action = jax.random.uniform(key, shape, minval=-1)
        keys = jax.random.split(key, batch)
        state, transition = jax.vmap(env.step)(keys, state, action)
        obs = jax.vmap(observe)(state)
        return state, jnp.sum(obs) + jnp.sum(transition.reward)

    return _steps(one, batch, work), start


def _reset_all(reset: Callable[[jax.Array], Any], batch: int) -> Any:
    """The states of so many worlds."""
    keys = jax.random.split(jax.random.key(0), batch)
    return jax.jit(jax.vmap(reset))(keys)


def _steps(
    one: Callable[[Any, jax.Array], Any],
    batch: int,
    work: int = WORK,
) -> Callable[[Any], Any]:
    """So many turns that all worlds together make `work` steps."""
    keys = jax.random.split(jax.random.key(1), work // batch)
    return jax.jit(lambda state: jax.lax.scan(one, state, keys)[1])


def episodes(config: Config, runs: int) -> Program:
    """An episode of each of `runs` runs, acting as in training."""
    env = make_env(config)
    algorithm = make_algorithm(config, env)
    rollout = exploring_rollout(env, algorithm)
    actors = jax.vmap(algorithm.init)(jax.random.split(jax.random.key(0), runs)).actors
    keys = jax.random.split(jax.random.key(1), runs)
    play = jax.vmap(rollout, in_axes=(0, 0, None))

    def rewards(actors: Any) -> jax.Array:
        return play(keys, actors, jnp.asarray(0.5)).reward

    return jax.jit(rewards), actors


def measure(config: Config) -> dict[str, float]:
    """Our adapter against bare Brax; a step of the world against an update."""
    env = make_env(config)
    programs: dict[str, Program] = {"matmul": matmul_program()}
    for batch in BATCHES:
        programs[f"bare {batch}"] = bare(config, batch)
        programs[f"ours {batch}"] = adapted(env, batch)
    programs["episodes"] = episodes(config, 2)
    programs["updates"] = update_program(config, seeds=2)
    rounds = side_by_side(programs, ROUNDS)
    work = update_flops(env.spec.num_agents, env.spec.obs_size, env.spec.action_size)

    def median(name: str) -> float:
        return statistics.median(one[name] for one in rounds)

    found = {}
    for batch in BATCHES:
        bare_over_ours = ratio(rounds, f"bare {batch}", f"ours {batch}")
        found[f"bare Brax over ours, batch {batch}"] = bare_over_ours
        found[f"ours, steps/s, batch {batch}"] = WORK / median(f"ours {batch}")
    step = median("episodes") / (2 * config.horizon)
    update = median("updates") / (2 * STEPS)
    long_episode = update + 1000 * step
    return found | {
        "a world step in training, microseconds (2 runs)": 1e6 * step,
        "an update of 1024, milliseconds (2 runs)": 1e3 * update,
        "an update, steps of the world": update / step,
        "an update, share of a large matmul's rate": matmul_share(
            rounds, "updates", 2 * work
        ),
        "share of learning in an episode of 1000 steps with 1 update": update
        / long_episode,
        "the same with 1 update a step": update / (update + step),
    }


def compare_backends(
    scenario: str, batch: int = 16, work: int = 512
) -> dict[str, float]:
    """Steps a second of each physics over the default's; MJX with Brax's own iterations too."""
    programs = {}
    for backend in BACKENDS:
        env = make_env(setting(scenario, backend))
        programs[backend] = adapted(env, batch, work)
    solver, line_search = BRAX_ITERATIONS[scenario]
    mjx = setting(scenario, "mjx")
    world = dataclasses.replace(
        mjx.world,
        solver_iterations=solver,
        line_search_iterations=line_search,
    )
    theirs = make_env(dataclasses.replace(mjx, world=world))
    programs["mjx, Brax's iterations"] = adapted(theirs, batch, work)
    for name, (program, argument) in programs.items():
        start = time.perf_counter()
        seconds(program, argument)
        print(
            f"    {name}: compiled in {time.perf_counter() - start:.0f} s", flush=True
        )
    rounds = side_by_side(programs, ROUNDS)
    found = {name: ratio(rounds, "spring", name) for name in programs}
    rates = [work / one["spring"] for one in rounds]
    found["spring, steps/s"] = statistics.median(rates)
    return found


def compare_adapter(scenario: str) -> dict[str, float]:
    return measure(setting(scenario))


COMPARISONS = {"adapter": compare_adapter, "backends": compare_backends}


def main() -> None:
    for name in chosen(sys.argv[1:], list(COMPARISONS)):
        for scenario in chosen(sys.argv[1:], SCENARIOS):
            found = COMPARISONS[name](scenario)
            print(f"{scenario}, {name}")
            for what, value in found.items():
                print(f"    {what:62s} {value:10.3g}", flush=True)
            found_here = found | {"machine": machine(used=1)}
            add_to_report("locomotion", f"{scenario}, {name}", found_here)


if __name__ == "__main__":
    main()
