"""How cost grows, on one core with one thread: with runs, agents, replay and rate rules; what an episode is made of.

    .venv/bin/python -m benchmarks.scaling [rounds]

Milliseconds are medians over rounds in which every program of a group runs once. Run it on an idle machine. Writes
`benchmarks/scaling.json`.
"""

import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.one_core import take_one_core

take_one_core()

import dataclasses

import jax

from adama_jax.compose import make_algorithm, make_env, make_hyper, make_train
from adama_jax.config import Config
from adama_jax.methods import METHODS
from adama_jax.rollout import make_rollout
from adama_jax.runtime import machine
from adama_jax.train import TrainState
from benchmarks.programs import (
    MATMUL_FLOPS,
    STEPS,
    Program,
    busy,
    config,
    episode_program,
    matmul_program,
    population_program,
    sampled_program,
    side_by_side,
    update_bytes,
    update_flops,
    update_program,
)

ROUNDS, UNROLLS = 7, (1, 2, 4, 20)
RUNS, AGENTS, CAPACITIES = (1, 2, 4, 16, 64), (2, 4, 8, 16, 32), (10_000, 100_000, 1_000_000)


def with_capacity(transitions: int) -> Config:
    """A full replay of so many transitions."""
    base = config("adama")
    learning = dataclasses.replace(base.learning, capacity=transitions)
    return dataclasses.replace(base, learning=learning, episodes=transitions // base.horizon)


class Full:
    """Whole episodes with a ring that is full: the state stays in place between calls, as in training."""

    def __init__(self, setting: Config):
        train = make_train(setting)
        state = jax.jit(train.init)(jax.random.key(0), make_hyper(setting))
        slots = state.replay.snapshot.shape[0]
        self._state: TrainState = state._replace(replay=state.replay._replace(added=state.replay.added + slots))
        self._advance = jax.jit(lambda state: train.chunk(state, STEPS), donate_argnums=0)

    def __call__(self, _: None) -> Any:
        self._state, metrics = self._advance(self._state)
        return metrics


def rollout_program(setting: Config, runs: int) -> Program:
    """STEPS episodes of each of `runs` runs, acting as in training."""
    env = make_env(setting)
    algorithm = make_algorithm(setting, env)
    play = jax.vmap(make_rollout(env, algorithm.act), in_axes=(0, 0, None))
    actors = jax.vmap(algorithm.init)(jax.random.split(jax.random.key(0), runs)).actors

    def episodes(actors: Any) -> jax.Array:
        def one(total: jax.Array, key: jax.Array) -> tuple[jax.Array, None]:
            episode = play(jax.random.split(key, runs), actors, 0.5)
            return total + episode.reward.sum() + episode.snapshot.sum() + episode.action.sum(), None

        return jax.lax.scan(one, jax.numpy.zeros(()), jax.random.split(jax.random.key(1), STEPS))[0]

    return jax.jit(episodes), actors


def milliseconds(programs: Mapping[str, Program], rounds: int) -> dict[str, float]:
    """Of one repetition, of STEPS."""
    taken = side_by_side(programs, rounds)
    return {name: 1e3 * statistics.median(one[name] for one in taken) / STEPS for name in programs}


def main(rounds: int) -> None:
    other = busy()
    measured: dict[str, Any] = {}
    whole = {str(runs): population_program(config("adama"), runs) for runs in RUNS}
    measured["runs: a whole episode of one run"] = {
        name: value / int(name) for name, value in milliseconds(whole, rounds).items()
    }
    measured["runs: an episode's 20 steps of one run"] = {
        name: value / int(name)
        for name, value in milliseconds({str(n): rollout_program(config("adama"), n) for n in RUNS}, rounds).items()
    }
    for method in ("adama", "adama_2nd"):
        found = milliseconds({str(n): update_program(config(method, n)) for n in AGENTS}, rounds)
        measured[f"agents: update, {method}"] = found
    work = {str(n): update_flops(n, 2 * (n + 1)) / 1e6 for n in AGENTS}
    measured["agents: MFLOP of an update"] = work
    full = {str(size): (Full(with_capacity(size)), None) for size in CAPACITIES}
    measured["replay: a whole episode, ring full"] = milliseconds(full, rounds)
    measured["rules: update"] = milliseconds({name: update_program(config(name)) for name in METHODS}, rounds)
    turns = {str(unroll): population_program(config("adama"), 2, unroll) for unroll in UNROLLS}
    measured["unroll: a whole episode of 2 runs"] = milliseconds(turns, rounds)
    pieces = {
        "20 steps of the world, acting": rollout_program(config("adama"), 1),
        "update of 1024": update_program(config("adama")),
        "update, minibatch drawn and observed": sampled_program(config("adama")),
        "whole episode": episode_program(config("adama")),
        "a 1024 x 1024 matmul": matmul_program(),
    }
    found = milliseconds(pieces, rounds)
    found["a 1024 x 1024 matmul"] *= STEPS  # it is one
    measured["an episode's parts"] = found
    rate = MATMUL_FLOPS / found["a 1024 x 1024 matmul"] / 1e6
    flops, least = update_flops(4, 10), update_bytes(4, 10, 10)
    roofline = {
        "MFLOP of an update": flops / 1e6,
        "least KB of an update": least / 1e3,
        "floating-point operations a byte": flops / least,
        "GFLOP/s of a large matmul": rate,
        "floor of an update, ms": flops / rate / 1e6,
        "measured, ms": found["update of 1024"],
        "share of the matmul's rate": flops / rate / 1e6 / found["update of 1024"],
    }
    report = {"milliseconds": measured, "roofline": roofline, "rounds": rounds, "busy_before": other}
    for group, values in (measured | {"roofline": roofline}).items():
        print(group, {name: round(value, 3) for name, value in values.items()})
    text = json.dumps(report | {"machine": machine()}, indent=2)
    Path(__file__).with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
