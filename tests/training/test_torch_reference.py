"""The PyTorch reference of the benchmarks computes what we do; skipped where PyTorch is missing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from adama_jax.config.schema import scenario_config
from adama_jax.execution.build import make_algorithm, make_env
from adama_jax.types import Batch
from benchmarks import torch_maddpg
from benchmarks.torch_maddpg import settings_of

CONFIG = scenario_config("predator_prey")


def test_losses_and_gradients_are_ours():
    """The same weights and minibatch: TD loss, J and both gradients, to 1e-5."""
    env = make_env(CONFIG)
    algorithm = make_algorithm(CONFIG, env)
    keys = jax.random.split(jax.random.key(0), 6)
    params, targets = algorithm.init(keys[0]), algorithm.init(keys[1])
    n, batch_size = env.spec.num_agents, CONFIG.learning.batch_size
    batch = Batch(
        obs=jax.random.normal(keys[2], (n, batch_size, env.spec.obs_size)),
        action=jax.random.uniform(keys[3], (n, batch_size, 2), minval=-1),
        reward=jax.random.normal(keys[4], (batch_size,)),
        next_obs=jax.random.normal(keys[5], (n, batch_size, env.spec.obs_size)),
        terminated=jnp.zeros(batch_size),
    )
    loss, of_loss = jax.value_and_grad(algorithm.critic_loss)(
        params, targets, batch, CONFIG.learning.discount, keys[0]
    )
    value, of_value = jax.value_and_grad(algorithm.objective)(
        params, targets, batch, CONFIG.learning.discount, keys[0]
    )
    by_critic, by_actors = of_loss.critic, of_value.actors
    learner = torch_maddpg.Learner(
        settings_of(CONFIG),
        *(torch_maddpg.weights_of(x) for x in (params.actors, params.critic)),
    )
    learner.target_actors, learner.target_critic = (
        torch_maddpg.weights_of(x) for x in (targets.actors, targets.critic)
    )
    given = [
        torch.from_numpy(np.array(x))
        for x in (batch.obs, batch.action, batch.reward, batch.next_obs)
    ]
    their_loss, their_critic, their_value, their_actors = learner.gradients(*given)
    np.testing.assert_allclose(
        [their_loss.item(), their_value.item()], [float(loss), float(value)], rtol=1e-5
    )
    for ours, theirs in ((by_critic, their_critic), (by_actors, their_actors)):
        for one, other in zip(torch_maddpg.weights_of(ours), theirs, strict=True):
            scale = float(one.abs().max())
            np.testing.assert_allclose(
                other.numpy(), one.numpy(), rtol=1e-5, atol=1e-5 * scale
            )


def test_the_world_is_ours():
    """Predators that chase, unsteadily: positions, observations and rewards."""
    env = make_env(CONFIG)
    world = torch_maddpg.World(settings_of(CONFIG), np.random.default_rng(0))
    state, rng = env.reset(jax.random.key(3)), np.random.default_rng(1)
    world.positions = np.array(state.p_pos)
    rewards = []
    for _ in range(200):
        toward = np.sign(world.positions[-1] - world.positions[:-1])
        action = np.clip(toward + rng.uniform(-1, 1, toward.shape), -1, 1).astype(
            np.float32
        )
        state, transition = env.step(jax.random.key(0), state, jnp.asarray(action))
        obs, reward = world.step(action)
        np.testing.assert_allclose(obs, env.observe(env.snapshot(state)), atol=1e-4)
        world.positions = np.array(state.p_pos)
        assert reward == float(transition.reward)
        rewards.append(reward)
    assert len(set(rewards)) > 1


def test_an_update_descends_and_climbs():
    """SGD's signs, and the targets' period."""
    run = torch_maddpg.Run(
        settings_of(CONFIG)._replace(batch_size=64, capacity=1000), seed=0
    )
    run.play()
    batch = run.replay.sample()
    before = run.learner.gradients(*batch)
    run.learner.update(batch)
    after = run.learner.gradients(*batch)
    assert after[0] < before[0] and run.learner.updates == 1
    learner = run.learner
    assert not torch.equal(learner.actors[0], learner.target_actors[0])
    for _ in range(19):
        learner.update(batch)
    assert torch.equal(learner.actors[0], learner.target_actors[0])
