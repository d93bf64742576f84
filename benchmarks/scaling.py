"""How cost grows, on one core with one thread: with runs, agents, replay and rate rules.

    .venv/bin/python -m benchmarks.scaling [GROUP ...]

Groups: runs, agents, replay, rules, unroll, parts (what an episode is made of), sizes, draw;
without arguments every one. Milliseconds are medians over rounds in which every program of a group
runs once. Run it on an idle machine. Adds to `benchmarks/scaling.json`.
"""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.one_core import take_one_core

take_one_core()

import dataclasses

import jax
import jax.numpy as jnp

from adama_jax.config.methods import METHODS
from adama_jax.config.schema import Config
from adama_jax.execution.build import make_algorithm, make_env, make_hyper, make_train
from adama_jax.storage.provenance import machine
from adama_jax.training.replay import Replay, ReplayState, ring_replay
from adama_jax.training.rollout import exploring_rollout
from adama_jax.training.trainer import TrainState
from benchmarks.programs import (
    MATMUL_FLOPS,
    STEPS,
    Program,
    busy,
    config,
    episode_program,
    matmul_program,
    matmul_share,
    population_program,
    sampled_program,
    side_by_side,
    update_bytes,
    update_flops,
    update_program,
)
from benchmarks.reports import read_report, write_report

ROUNDS = 5
RUNS = (1, 2, 4, 16, 64)
AGENTS = (2, 4, 8, 16, 32)
CAPACITIES = (10_000, 100_000, 1_000_000)
UNROLLS = (1, 2, 4, 20)
SIZES = (128, 256, 512, 1024)  # of microbatches
DRAWING = 4  # runs that draw from their rings at once


def with_capacity(transitions: int) -> Config:
    """A full replay of so many transitions."""
    base = config("adama")
    learning = dataclasses.replace(base.learning, capacity=transitions)
    return dataclasses.replace(
        base, learning=learning, episodes=transitions // base.horizon
    )


class Full:
    """Whole episodes with a ring that is full; the state stays in place between calls."""

    def __init__(self, setting: Config):
        train = make_train(setting)
        state = jax.jit(train.init)(jax.random.key(0), make_hyper(setting))
        slots = state.replay.rows.shape[0]
        full = state.replay._replace(added=state.replay.added + slots)
        self._state: TrainState = state._replace(replay=full)
        # Donated, so that the ring is written in place.
        self._advance = jax.jit(
            lambda state: train.chunk(state, STEPS), donate_argnums=0
        )

    def __call__(self, _: None) -> Any:
        self._state, metrics = self._advance(self._state)
        return metrics


def rollout_program(setting: Config, runs: int) -> Program:
    """STEPS episodes of each of `runs` runs, acting as in training."""
    env = make_env(setting)
    algorithm = make_algorithm(setting, env)
    play = jax.vmap(exploring_rollout(env, algorithm), in_axes=(0, 0, None))
    keys = jax.random.split(jax.random.key(0), runs)
    actors = jax.vmap(algorithm.init)(keys).actors

    def episodes(actors: Any) -> jax.Array:
        def one(total: jax.Array, key: jax.Array) -> tuple[jax.Array, None]:
            episode = play(jax.random.split(key, runs), actors, jnp.asarray(0.5))
            # Summed, so that nothing of it is left out as unread.
            total = total + episode.reward.sum()
            total = total + episode.snapshot.sum()
            return total + episode.action.sum(), None

        return _summed(one)

    return jax.jit(episodes), actors


def _summed(one: Callable[[jax.Array, jax.Array], tuple[jax.Array, None]]) -> jax.Array:
    """A sum over STEPS turns, each with a key of its own."""
    keys = jax.random.split(jax.random.key(1), STEPS)
    total, _ = jax.lax.scan(one, jnp.zeros(()), keys)
    return total


def milliseconds(programs: Mapping[str, Program], rounds: int) -> dict[str, float]:
    """Of one repetition, of STEPS."""
    taken = side_by_side(programs, rounds)
    found = {}
    for name in programs:
        median = statistics.median(one[name] for one in taken)
        found[name] = 1e3 * median / STEPS
    return found


def runs(rounds: int) -> dict[str, Any]:
    """Vmapped runs, of which each has its share of the time."""
    whole = {str(n): population_program(config("adama"), n) for n in RUNS}
    steps = {str(n): rollout_program(config("adama"), n) for n in RUNS}
    return {
        "runs: a whole episode of one run": _per_run(whole, rounds),
        "runs: an episode's 20 steps of one run": _per_run(steps, rounds),
    }


def _per_run(programs: Mapping[str, Program], rounds: int) -> dict[str, float]:
    """Milliseconds of a run; a program's name is how many of them it holds."""
    taken = milliseconds(programs, rounds)
    return {name: value / int(name) for name, value in taken.items()}


def agents(rounds: int) -> dict[str, Any]:
    """More agents: the update alone.

    With predator-prey's observations of 2 (N + 1) numbers, and with 10 whatever N is.
    """
    found = {}
    for method in ("adama", "adama_2nd"):
        own = {str(n): update_program(config(method, n)) for n in AGENTS}
        ten = {str(n): update_program(config(method, n), obs_size=10) for n in AGENTS}
        found[f"agents: update, {method}"] = milliseconds(own, rounds)
        found[f"agents, observations of 10: update, {method}"] = milliseconds(
            ten, rounds
        )
    own_work = {str(n): update_flops(n, 2 * (n + 1)) / 1e6 for n in AGENTS}
    ten_work = {str(n): update_flops(n, 10) / 1e6 for n in AGENTS}
    found["agents: MFLOP of an update"] = own_work
    found["agents, observations of 10: MFLOP of an update"] = ten_work
    return found


def replay(rounds: int) -> dict[str, Any]:
    """A full ring."""
    full: dict[str, Program] = {}
    for size in CAPACITIES:
        full[str(size)] = (Full(with_capacity(size)), None)
    return {"replay: a whole episode, ring full": milliseconds(full, rounds)}


def rules(rounds: int) -> dict[str, Any]:
    """Each method's update."""
    updates = {name: update_program(config(name)) for name in METHODS}
    return {"rules: update": milliseconds(updates, rounds)}


def unroll(rounds: int) -> dict[str, Any]:
    """Steps of the world in one turn of the loop."""
    turns = {
        str(steps): population_program(config("adama"), 2, steps) for steps in UNROLLS
    }
    return {"unroll: a whole episode of 2 runs": milliseconds(turns, rounds)}


def parts(rounds: int) -> dict[str, Any]:
    """What an episode is made of, and the roofline."""
    pieces = {
        "20 steps of the world, acting": rollout_program(config("adama"), 1),
        "update of 1024": update_program(config("adama")),
        "update, minibatch drawn and observed": sampled_program(config("adama")),
        "whole episode": episode_program(config("adama")),
        "a 1024 x 1024 matmul": matmul_program(),
    }
    found = milliseconds(pieces, rounds)
    # Of the matmul a program holds one, not STEPS.
    found["a 1024 x 1024 matmul"] *= STEPS
    rate = MATMUL_FLOPS / found["a 1024 x 1024 matmul"] / 1e6
    flops = update_flops(4, 10)
    least = update_bytes(4, 10, 10)
    floor = flops / rate / 1e6
    roofline = {
        "MFLOP of an update": flops / 1e6,
        "least KB of an update": least / 1e3,
        "floating-point operations a byte": flops / least,
        "GFLOP/s of a large matmul": rate,
        "floor of an update, ms": floor,
        "measured, ms": found["update of 1024"],
        "share of the matmul's rate": floor / found["update of 1024"],
    }
    return {"an episode's parts": found, "roofline": roofline}


def sizes(rounds: int) -> dict[str, Any]:
    """Of microbatches, 2 runs taking turns: the share of a large matmul's rate."""
    found = {}
    for n in AGENTS:
        setting = config("adama", n)
        programs = {
            str(size): update_program(setting, seeds=2, part=size) for size in SIZES
        }
        taken = side_by_side(programs | {"matmul": matmul_program()}, rounds)
        flops = 2 * update_flops(n, 2 * (n + 1))
        shares = {name: matmul_share(taken, name, flops) for name in programs}
        found[f"sizes: N = {n}"] = shares
    return found


def draw(rounds: int) -> dict[str, Any]:
    """1024 transitions from each of 4 runs' rings, STEPS times."""
    spec = make_env(config("adama")).spec
    actions = spec.num_agents * spec.action_size
    # A row of the ring: the snapshot, the actions, the reward, whether the world ended.
    width = spec.snapshot_size + actions + 2
    programs = {}
    for episodes in (200, 50_000):
        buffer = ring_replay(episodes, 1024, spec.snapshot_size)
        rows = jnp.ones((DRAWING, episodes, spec.horizon + 1, width))
        state = ReplayState(rows, added=jnp.full((), episodes))
        programs[str(episodes)] = (_drawn(buffer), state)
    taken = milliseconds(programs, rounds)
    return {
        "draw: of one run": {name: value / DRAWING for name, value in taken.items()}
    }


def _drawn(buffer: Replay) -> Callable[[ReplayState], jax.Array]:
    one_ring = ReplayState(rows=0, added=None)  # pyright: ignore
    sample = jax.vmap(buffer.sample, in_axes=(one_ring, 0))

    def draws(state: ReplayState) -> jax.Array:
        def one(total: jax.Array, key: jax.Array) -> tuple[jax.Array, None]:
            found = sample(state, jax.random.split(key, DRAWING))
            return total + sum(leaf.sum() for leaf in found), None

        return _summed(one)

    return jax.jit(draws)


GROUPS = {
    "runs": runs,
    "agents": agents,
    "replay": replay,
    "rules": rules,
    "unroll": unroll,
    "parts": parts,
    "sizes": sizes,
    "draw": draw,
}


def main(chosen: Sequence[str]) -> None:
    report = read_report("scaling") or {"milliseconds": {}, "made": {}}
    for name in chosen or GROUPS:
        other = busy()
        for title, values in GROUPS[name](ROUNDS).items():
            shown = {what: round(value, 3) for what, value in values.items()}
            print(title, shown, flush=True)
            report["milliseconds"][title] = values
        report["made"][name] = {
            "rounds": ROUNDS,
            "busy_before": other,
            "machine": machine(1),
        }
        write_report("scaling", report)


if __name__ == "__main__":
    main(sys.argv[1:])
