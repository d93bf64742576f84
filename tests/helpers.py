"""What several test modules use: small configurations, fake runs, and what it means for runs to be
equal.
"""

import dataclasses
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.config.exhibits import Exhibit, Length, load_exhibits
from adama_jax.config.names import with_settings
from adama_jax.config.options import Training
from adama_jax.config.schema import Config, scenario_config
from adama_jax.execution.actors import load_actors
from adama_jax.execution.observer import Hooks
from adama_jax.screen.console import Screen
from adama_jax.storage.checkpoints import Checkpoints
from adama_jax.storage.folder import RunFiles, run_folder
from adama_jax.storage.reader import load_run
from adama_jax.storage.writer import FinishedSeed, Kept, RunWriter
from adama_jax.studies.exhibits import shown

# Seconds after which something that does not end hangs, on a busy machine too. How long things
# take is for `make bench`: no test asserts it.
HANG = 60


def wait_until(what: Callable[[], bool], seconds: float = HANG) -> None:
    """Return once it is so; AssertionError if it hangs."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not so after {seconds} seconds"
        time.sleep(0.02)


def small(method="adama", **changes) -> Config:
    config = dataclasses.replace(
        scenario_config("going_together"), method=method, episodes=400, **changes
    )
    return dataclasses.replace(
        config,
        learning=dataclasses.replace(config.learning, batch_size=32, capacity=1000),
    )


def leaves(state):
    """Every leaf as a NumPy array, keys by their data."""
    arrays = []
    for leaf in jax.tree.leaves(state):
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        arrays.append(np.asarray(jax.random.key_data(leaf) if is_key else leaf))
    return arrays


def identical(left, right):
    for a, b in zip(leaves(left), leaves(right), strict=True):
        np.testing.assert_array_equal(a, b)


QUIET = Screen(file=io.StringIO())


def tiny(method="fixed", **changes):
    return with_settings(
        small(method),
        {"episodes": 120, "seeds": 2, "evaluation.episodes": 5, **changes},
    )


ONE = jax.devices()[:1]


def short(method="adama", **changes):
    """Six chunks, two a point."""
    return tiny(
        method,
        **{
            "episodes": 150,
            "evaluation.every": 50,
            "learning.updates_per_episode": 4,
            **changes,
        },
    )


ALWAYS = Training(checkpoint_minutes=0)  # a checkpoint after each chunk


def stop_at(edge, **others):
    """Hooks that stop training at the end of its `edge`-th chunk, from 1; beside them others."""
    edges = []

    def stop():
        edges.append(None)
        return len(edges) == edge

    return Hooks(stop=stop, **others)


def arrays_of_run(run):
    """The curves and the greedy episodes of a run, by name."""
    return run.metrics | {
        f"rollout.{name}": value for name, value in run.rollout._asdict().items()
    }


def assert_equal_arrays(left, right):
    """The curves and the greedy episodes, to the bit."""
    one, other = arrays_of_run(left), arrays_of_run(right)
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def assert_equal_runs(left, right):
    """All arrays, and the log, to the bit."""
    assert_equal_arrays(left, right)
    for name in ("metrics.jsonl", "config.json"):
        assert (left.folder / name).read_text(encoding="utf-8") == (
            right.folder / name
        ).read_text(encoding="utf-8")
    one, other = (
        load_actors(run.folder / "actors.npz").params for run in (left, right)
    )
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)


def assert_equal_states(left, right, episode):
    """Every leaf of the last checkpoint: parameters, targets, optimizers, rates, replay, keys,
    counters.
    """
    for kind in ("state", "replay"):
        found = []
        for folder in (left, right):
            (place,) = folder.rglob(f"checkpoints/*/{kind}")
            with Checkpoints(place, read_only=True) as checkpoints:
                found.append(checkpoints.read(episode).arrays)
        assert set(found[0]) == set(found[1])
        assert (
            len(found[0]) > 2
            if kind == "state"
            else set(found[0]) == {"replay.rows", "replay.added"}
        )
        for name, value in found[0].items():
            np.testing.assert_array_equal(value, found[1][name], err_msg=name)


def fake_config(method="adama", seeds=5, **changes):
    return with_settings(
        scenario_config("going_together"), {"method": method, "seeds": seeds, **changes}
    )


def fake_run(
    out,
    method="adama",
    finals=(1.0, 2.0, 3.0, 4.0, 5.0),
    diverged=None,
    points=20,
    config=None,
    log=None,
):
    """A run folder whose curves rise in a straight line to `finals`, with `log` as its log."""
    config = config or fake_config(method, len(finals))
    course = np.linspace(0, 1, points)[None] * np.array(finals)[:, None]
    scalars = (
        "train_return",
        "critic_rate",
        "actor_budget",
        "critic_term",
        "td_loss",
        "value",
    )
    metrics = {name: np.abs(course) + 1e-3 for name in scalars} | {
        "eval_return": course,
        "actor_rates": np.stack([course + 1, 2 - course / 9], axis=-1),
        "contributions": np.ones((len(finals), points, 2)),
    }
    rollout = {
        "positions": np.random.default_rng(0).random((len(finals), 2, 4, 3, 2)),
        "reward": np.ones((5, 2, 3)),
    }
    entities = {
        "kind": np.array(["agent", "agent", "landmark"]),
        "name": np.array(["a", "b", "c"]),
        "radius": np.full(3, 0.1),
    }
    meta = {
        "diverged": diverged or {},
        "updates_per_second": 1234.0,
        "wall_seconds": 1.0,
        "git_commit": "0" * 40,
        "device": {"used": 2, "kind": "cpu"},
        "versions": {"jax": "0.10"},
        "finished_at": "2026-11-22T00:00:00Z",
    }
    seeds = list(config.seed_range)
    with RunWriter(run_folder(out, config), config) as writer:
        for row, seed in enumerate(seeds):
            kept = Kept(
                episode=100 * np.arange(1, points + 1),
                curves={name: each[row] for name, each in metrics.items()},
                rollout={name: value[row] for name, value in rollout.items()},
                actors={"params.w": np.ones(2)},
                about=FinishedSeed(1.0, 100 * points, None),
            )
            writer.keep(seed, kept)
        if log is not None:
            RunFiles(writer.partial).log.write_text(log, encoding="utf-8")
        folder = writer.finish(entities, {}, meta)
    return load_run(folder)


def of_an_earlier_version(folder: Path) -> None:
    """Take the digests from a run's `meta.json`: earlier versions wrote none."""
    path = folder / "meta.json"
    meta = json.loads(path.read_text(encoding="utf-8"))
    for name in ("seal", "sha256"):
        del meta[name]
    path.write_text(json.dumps(meta), encoding="utf-8")


EXPERIMENTS = Path(__file__).parents[1] / "experiments"
SHORT = Length(0.01)


def of_going_together(exhibit: Exhibit, results: Path, length: Length = SHORT):
    return shown(
        exhibit, load_exhibits(EXPERIMENTS), length, results, ["going_together"]
    )


def fake_grid(results: Path, best=(0.004, 0.007), lost=(0.01, 0.01), skip=0):
    """The grid of going together on disk: `best` is best of those of which no seed diverged."""
    for row in of_going_together(load_exhibits(EXPERIMENTS)["grid"], results)[skip:]:
        pair = row.config.rates.critic_rate, row.config.rates.actor_budget
        finals = {best: (3.0, 3.0, 3.0), lost: (9.0, 9.0, 9.0)}.get(
            pair, (1.0, 2.0, 1.0)
        )
        fake_run(
            results,
            finals=finals,
            config=row.config,
            diverged={"101": 7} if pair == lost else None,
        )


# Of the trials of a search, which end at 1, 2, 3 and 4.
TRIAL_RATES = (0.001, 0.002, 0.003, 0.004)


def fake_trial(out, rate, seed, seeds):
    """A run of fixed rates that ends at a thousand times the critic's, its seeds a little apart."""
    changes = {
        "rates.critic_rate": rate,
        "rates.actor_budget": 0.001,
        "seed": seed,
        "episodes": 700,
    }
    config = with_settings(fake_config("fixed", seeds), changes)
    finals = 1000 * rate + 0.01 * np.arange(seeds)
    return fake_run(out, config=config, finals=finals)


def fake_search(out):
    """Four trials, on seeds that are reported and on those of the choice, and a method at 2.75."""
    choice = [fake_trial(out, rate, 100, 3) for rate in TRIAL_RATES]
    report = [fake_trial(out, rate, 0, 5) for rate in TRIAL_RATES]
    config = with_settings(fake_config("adama", 5), {"episodes": 700})
    method = fake_run(out, config=config, finals=2.75 + 0.01 * np.arange(5))
    return report, choice, method
