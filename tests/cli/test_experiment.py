"""An experiment by the command line: what it leaves, and what the same command does again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adama_jax.execution.loop import DRAWN_EPISODES
from adama_jax.storage.reader import load_run


def read_json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """One small experiment by the command line, in a process of its own."""
    out = tmp_path_factory.mktemp("results")
    words = "experiment going_together methods=adama,fixed seeds=3 episodes=250 batch_size=64"
    more = ["modern=false", "evaluation.episodes=5", f"out={out}"]
    command = [sys.executable, "-m", "adama_jax", *words.split(), *more]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return out, done.stdout, command


def test_an_experiment_leaves_everything_on_disk(experiment):
    out, text, _ = experiment
    folder = out / "going_together"
    assert {
        "learning_curves.png",
        "rates.png",
        "rollout.gif",
        "results.csv",
        "results.md",
    } <= {path.name for path in folder.iterdir()}
    runs = sorted(path for path in folder.iterdir() if path.is_dir())
    assert [path.name.split("-")[0] for path in runs] == ["adama", "fixed"]
    for path in runs:
        run = load_run(path)
        points, seeds, agents = 3, 3, 2
        np.testing.assert_array_equal(run.metrics["episode"], [100, 200, 250])
        for name in (
            "train_return",
            "eval_return",
            "critic_rate",
            "actor_budget",
            "critic_term",
            "td_loss",
            "value",
        ):
            assert run.metrics[name].shape == (seeds, points)
            assert np.all(np.isfinite(run.metrics[name]))
        for name in ("actor_rates", "contributions"):
            assert run.metrics[name].shape == (seeds, points, agents)
        rollout, episodes = run.rollout, (seeds, DRAWN_EPISODES)
        things = len(rollout.kind)
        assert rollout.agent.shape == (things,) and rollout.seconds == 0.0
        assert rollout.terminated.shape == (*episodes, 10)
        assert rollout.snapshot.shape == (*episodes, 11, 2 * things)
        assert run.config.rates.critic_scale == 10.0
        assert run.config.world.step == 0.3
        assert {
            "git_commit",
            "versions",
            "device",
            "wall_seconds",
            "updates_per_second",
        } <= set(run.meta)
        np.testing.assert_allclose(
            run.meta["updates_per_second"] * run.meta["wall_seconds"],
            250 * 3,
            rtol=1e-6,
        )
        lines = [
            json.loads(line)
            for line in (path / "metrics.jsonl")
            .read_text(encoding="utf-8")
            .splitlines()
        ]
        assert [line["episode"] for line in lines] == [100, 200, 250]
        np.testing.assert_allclose(
            lines[1]["eval_return"], run.metrics["eval_return"][:, 1], rtol=1e-6
        )
    assert "IQM" in text and "fixed" in text


def test_a_finished_run_is_not_run_again(experiment):
    out, _, command = experiment
    before = {path: path.stat().st_mtime_ns for path in out.rglob("meta.json")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0 and done.stdout.count("finished already") == 2
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("meta.json")}


@pytest.mark.slow
def test_force_runs_it_again_to_the_same_numbers(experiment):
    out, _, command = experiment
    (path,) = (
        path
        for path in (out / "going_together").iterdir()
        if path.name.startswith("fixed")
    )
    before, stamp = load_run(path).metrics, (path / "meta.json").stat().st_mtime_ns
    again = [word.replace("methods=adama,fixed", "methods=fixed") for word in command]
    done = subprocess.run(
        [*again, "force=true"],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0
    assert (path / "meta.json").stat().st_mtime_ns > stamp
    after = load_run(path).metrics
    assert set(before) == set(after)
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name])
    assert not list(out.rglob("*.partial")) and not list(out.rglob("*.old"))


@pytest.mark.slow
def test_divergence_is_told_and_is_code_1(tmp_path):
    words = "train going_together l=10 seeds=2 episodes=300 batch_size=64"
    command = [sys.executable, "-m", "adama_jax", *words.split(), f"out={tmp_path}"]
    wide = os.environ | {"COLUMNS": "120"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=wide, encoding="utf-8"
    )
    assert done.returncode == 1
    assert "seed 0 diverged: not finite from episode" in done.stdout
    assert "(2 of 2 seeds diverged)" in " ".join(done.stdout.split())
    (folder,) = (tmp_path / "going_together").iterdir()
    meta = read_json(folder / "meta.json")
    assert set(meta["diverged"]) == {"0", "1"} and all(
        0 <= episode < 300 for episode in meta["diverged"].values()
    )
    # Nothing is trained, or counted, after that chunk.
    stopped = 2 * 100 * (1 + max(meta["diverged"].values()) // 100)
    np.testing.assert_allclose(
        meta["updates_per_second"] * meta["wall_seconds"], stopped, rtol=1e-6
    )
