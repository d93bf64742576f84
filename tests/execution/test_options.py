"""A run with every option of the base learner on: trained, kept, read back, begun again."""

import jax
import numpy as np
import pytest

from adama_jax.config.checks import validate
from adama_jax.config.identity import config_hash
from adama_jax.errors import Interrupted
from adama_jax.execution.actors import load_actors
from adama_jax.execution.build import make_env
from adama_jax.execution.play import play_episodes
from adama_jax.execution.runner import run
from adama_jax.reporting.export import export_actors
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.policy import load_policy
from adama_jax.storage.reader import load_run
from tests.helpers import ONE, assert_equal_runs, short, stop_at

OPTIONS = {
    "learning.envs_per_run": 5,
    "learning.update_every": 5,
    "learning.updates_each": 2,
    "learning.warmup_steps": 60,
    "learning.target_unit": "updates",
    "learning.n_step": 3,
    "learning.others_actions": "replayed",
    "learning.pre_tanh_penalty": 1e-3,
    "learning.max_grad_norm": 0.5,
    "learning.reward_scale": 2.0,
    "learning.normalize_obs": True,
    "networks.layer_norm": True,
    "exploration.noise": "gaussian",
    "exploration.start": 0.1,
}


@pytest.fixture(scope="module")
def optional(tmp_path_factory):
    """The run."""
    config = short(**OPTIONS)
    validate(config)
    out = tmp_path_factory.mktemp("optional")
    run([config], out, devices=ONE)
    return load_run(run_folder(out, config))


def test_each_option_makes_another_run():
    hashes = {config_hash(short(**{name: value})) for name, value in OPTIONS.items()}
    assert len(hashes - {config_hash(short())}) == len(OPTIONS)


@pytest.mark.slow
def test_its_curves_begin_after_the_random_rounds(optional):
    assert np.isfinite(optional.metrics["td_loss"]).all()
    assert np.isfinite(optional.metrics["eval_return"]).all()
    # 60 steps are two rounds of five episodes of ten: 28 rounds have 2 x 2 updates.
    updates = optional.meta["updates_per_second"] * optional.meta["wall_seconds"]
    assert updates == pytest.approx(2 * 28 * 4)


@pytest.mark.slow
def test_its_actors_act_as_they_did_in_training_played_and_exported(optional, tmp_path):
    folder = optional.folder
    actors = load_actors(folder / "actors.npz")
    returns, _ = play_episodes(optional.config, actors, 1, optional.rollout, 5, 0)
    last = optional.metrics["eval_return"][1, -1]
    np.testing.assert_allclose(returns.mean(), last, rtol=1e-4)
    target = tmp_path / "mine.npz"
    export_actors(folder, target, seed=1, half=True)
    policy = load_policy(target)
    env = make_env(optional.config)
    snapshots = optional.rollout.snapshot[1, 0]
    obs = np.moveaxis(np.asarray(jax.vmap(env.observe)(snapshots)), 1, 0)
    own = jax.tree.map(lambda leaf: leaf[1], actors.params)
    expected = actors.act(own, obs)
    np.testing.assert_allclose(policy(obs), expected, atol=0.02)
    exact = load_policy(folder / "actors.npz", seed=1)
    np.testing.assert_allclose(exact(obs), expected, atol=1e-5)
    assert np.abs(expected).mean() > 0.01


@pytest.mark.slow
def test_stopped_and_begun_again_it_is_the_same_to_the_bit(optional, tmp_path):
    config = optional.config
    for _ in range(2):
        with pytest.raises(Interrupted):
            run([config], tmp_path, stop_at(1), ONE)
    assert RunFolder.of(tmp_path, config).partial.path.is_dir()
    run([config], tmp_path, devices=ONE)
    assert_equal_runs(optional, load_run(run_folder(tmp_path, config)))
