"""What rounds of training hand to whom: on worlds and learners that show what they are given."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.rates.rules import fixed
from adama_jax.training.learner import (
    Learner,
    LearnerHyper,
    UpdateMetrics,
    learner,
)
from adama_jax.training.optimizers import named_optimizer
from adama_jax.training.population import population
from adama_jax.training.replay import Transitions, on_policy_replay, ring_replay
from adama_jax.training.rollout import exploring_rollout
from adama_jax.training.rounds import minibatch
from adama_jax.training.trainer import Exploration, TrainHyper, trainer
from adama_jax.types import Params, Rates, Signals
from tests.games import probe_env
from tests.helpers import leaves


def shares_played(together=1, updates=1, rounds=6):
    """The share of exploration of each stored episode: an algorithm that acts by it shows it."""
    env = probe_env(lambda x, t, a: jnp.ones(()), terminates=False)
    algorithm = maddpg(1, 2, 1, (4,))._replace(
        sample=lambda actors, obs, noise, share: jnp.full((1, 1, 1), share)
    )
    learn = learner(algorithm, named_optimizer("sgd"), fixed(), 1)
    train = trainer(
        env,
        algorithm,
        learn,
        ring_replay(rounds * together, 4, 2),
        updates_per_episode=updates,
        envs_per_run=together,
    )
    hyper = TrainHyper(exploration=Exploration(start=1.0, end=0.2, episodes=4.0))
    state, _ = jax.jit(train.chunk, static_argnums=1)(
        train.init(jax.random.key(0), hyper), rounds
    )
    return state.replay.rows[:, 0, 2]


@pytest.mark.parametrize("updates", [1, 3])
def test_exploration_falls_by_episodes_in_the_loop(updates):
    np.testing.assert_allclose(
        shares_played(updates=updates), [1.0, 0.8, 0.6, 0.4, 0.2, 0.2], rtol=1e-6
    )


def test_exploration_falls_by_the_episodes_of_all_worlds_together():
    np.testing.assert_allclose(
        shares_played(together=2, rounds=3), [1.0, 1.0, 0.6, 0.6, 0.2, 0.2], rtol=1e-6
    )


class Seen(NamedTuple):
    """The state of a learner that learns nothing and reports what it is given."""

    updates: jax.Array
    params: Params
    hyper: LearnerHyper = LearnerHyper()


def reporting(report):
    """A learner whose metrics are `report(update, batch, key)`, a number, wherever one stands."""

    def init(key, hyper=None, rate_hyper=None):
        actors = jax.random.normal(key, (1,))
        return Seen(jnp.zeros((), jnp.int32), Params(actors, jnp.zeros(())))

    def update(state, batch, key):
        number = report(state.updates, batch, key)
        signals = Signals(number[None], jnp.zeros(1), number)
        rates = Rates(critic=number, actors=jnp.stack([3 * number, 4 * number]))
        metrics = UpdateMetrics(number, number, signals, rates)
        return state._replace(updates=state.updates + 1), metrics

    return Learner(init, update)


def train_reporting(report, env=None, n_step=1, **options):
    """A trainer of episodes of two steps, compiled, with such a learner: its parts."""
    env = env or probe_env(
        lambda x, t, a: 1 + t, horizon=2, draw=jax.random.normal, terminates=False
    )
    algorithm = maddpg(1, 2, 1, (4,))._replace(
        sample=lambda actors, obs, noise, share: noise[None],
        act=lambda actors, obs: jnp.zeros((1, obs.shape[1], 1)),
    )
    replay = ring_replay(8, 64, 2, n_step)
    train = trainer(env, algorithm, reporting(report), replay, **options)
    return train, jax.jit(train.chunk, static_argnums=1)


def test_rates_of_a_point_are_the_last_update_s_and_the_rest_are_means():
    """Two updates in each of three episodes, which report their numbers: 0, 1, ... 5."""
    train, chunk = train_reporting(
        lambda update, batch, key: update.astype(jnp.float32), updates_per_episode=2
    )
    _, point = chunk(train.init(jax.random.key(0), TrainHyper()), 3)
    assert float(point.critic_rate) == 5.0
    np.testing.assert_array_equal(point.actor_rates, [15.0, 20.0])
    # The norm of them.
    assert float(point.actor_budget) == 25.0
    means = [point.critic_term, point.td_loss, point.value, point.contributions[0]]
    np.testing.assert_array_equal(means, [2.5, 2.5, 2.5, 2.5])
    np.testing.assert_array_equal(point.train_return, 3.0)


def test_the_first_update_learns_from_the_episode_just_played():
    """The rewards are 1 and 2; a buffer in which nothing is yet would give zeros."""
    train, chunk = train_reporting(lambda update, batch, key: jnp.min(batch.reward))
    _, point = chunk(train.init(jax.random.key(0), TrainHyper()), 1)
    np.testing.assert_array_equal(point.td_loss, 1.0)


@pytest.mark.parametrize(
    "report",
    [
        lambda update, batch, key: jnp.mean(batch.obs[0, :, 0]),
        lambda update, batch, key: jax.random.uniform(key),
    ],
    ids=["minibatch", "key"],
)
def test_every_update_has_a_minibatch_and_a_key_of_its_own(report):
    train, chunk = train_reporting(report, updates_per_episode=3)
    state = train.init(jax.random.key(0), TrainHyper())
    found = []
    for _ in range(3):
        # The last update's number, and the mean of three.
        state, point = chunk(state, 1)
        found += [float(point.critic_rate), float(point.value)]
    assert len(set(found)) == 6


def test_the_first_update_that_is_not_finite_is_the_one_that_is_dated():
    """Not finite from the third update on: number 2, and the TD loss is the first leaf."""
    train, chunk = train_reporting(
        lambda update, batch, key: jnp.where(update >= 2, jnp.nan, 1.0)
    )
    state, point = chunk(train.init(jax.random.key(0), TrainHyper()), 2)
    assert int(state.non_finite.update) == -1 and float(point.train_return) == 3.0
    state, point = chunk(state, 3)
    assert (int(state.non_finite.update), int(state.non_finite.leaf)) == (2, 0)
    # What a world pays for what is no action says nothing.
    assert np.isnan(point.train_return) and np.isnan(train.evaluate(state))


def test_a_minibatch_is_what_was_stored():
    """Observations before and after, and the agents' actions in their order."""
    env = probe_env(lambda x, t, a: x, num_agents=2)
    stored = Transitions(
        snapshot=jnp.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        action=jnp.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]),
        reward=jnp.array([7.0, 8.0, 9.0]),
        next_snapshot=jnp.array([[2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]),
        terminated=jnp.array([0.0, 1.0, 0.0]),
    )
    batch = minibatch(env, stored)
    for agent in range(2):
        np.testing.assert_array_equal(batch.obs[agent], stored.snapshot)
        np.testing.assert_array_equal(batch.next_obs[agent], stored.next_snapshot)
        np.testing.assert_array_equal(
            batch.action[agent, :, 0], stored.action[:, agent]
        )
    np.testing.assert_array_equal(batch.reward, stored.reward)
    np.testing.assert_array_equal(batch.terminated, stored.terminated)


def all_different(rows):
    """Whether no two rows of an array are equal."""
    rows = np.asarray(rows).reshape(len(rows), -1)
    return len(np.unique(rows, axis=0)) == len(rows)


def test_seeds_differ_in_networks_episodes_and_noise_and_one_seed_does_not():
    env = probe_env(
        lambda x, t, a: x, num_agents=2, draw=jax.random.normal, terminates=False
    )
    algorithm = maddpg(2, 2, 1, (4,))
    learn = learner(algorithm, named_optimizer("sgd"), fixed(), 2)
    train = trainer(env, algorithm, learn, ring_replay(4, 4, 2))
    members = population(train, 4, jax.devices()[:1])
    seeds = [0, 1, 2, 0]
    state = members.init(seeds, TrainHyper())
    kernel = state.learner.params.actors["params"]["MLP_0"]["Dense_0"]["kernel"]
    assert all_different(kernel[:3])
    # Nor do the agents of a member begin alike.
    assert all_different(kernel[0])
    kernel = state.learner.params.critic["params"]["MLP_0"]["Dense_0"]["kernel"]
    assert all_different(kernel[:3])
    state, _ = members.chunk(state, 2)
    # Three members' two episodes: what their starts drew, and the noise of both agents.
    played = np.asarray(state.replay.rows)[:3, :2, 0]
    assert all_different(played[..., 0].reshape(6))
    assert all_different(played[..., 2:4].reshape(12))
    for leaf in leaves(state):
        if leaf.ndim and len(leaf) == len(seeds):
            np.testing.assert_array_equal(leaf[0], leaf[3])


def test_evaluation_starts_are_the_same_for_all_members_and_moments():
    """A greedy episode pays what was drawn at its start, twice."""
    env = probe_env(
        lambda x, t, a: x, horizon=2, draw=jax.random.normal, terminates=False
    )

    def one(seed, eval_seed=0, episodes=0):
        train, chunk = train_reporting(
            lambda update, batch, key: jnp.zeros(()),
            env,
            eval_episodes=3,
            eval_seed=eval_seed,
        )
        state = train.init(jax.random.key(seed), TrainHyper())
        if episodes:
            state, _ = chunk(state, episodes)
        return float(train.evaluate(state))

    assert one(seed=0) == one(seed=1) == one(seed=0, episodes=2)
    assert one(seed=0) != one(seed=0, eval_seed=1)
    keys = jax.random.split(jax.random.key(0), 3)
    drawn = [float(env.reset(jax.random.split(key, 3)[0])[0]) for key in keys]
    assert one(seed=0) == pytest.approx(2 * np.mean(drawn), rel=1e-5)


def filled_rows(state, episodes):
    """Stored rows without the last of each episode: [episodes, T, Z + N * A + 2]"""
    return np.asarray(state.replay.rows)[:episodes, :-1]


def test_a_round_is_what_its_parts_make_of_its_keys():
    """By hand: three keys a round, one an episode, two an update."""
    env = probe_env(
        lambda x, t, a: x * a[0, 0], horizon=3, draw=jax.random.normal, terminates=False
    )
    algorithm = maddpg(1, 2, 1, (4,))
    learn = learner(algorithm, named_optimizer("adam"), fixed(), 1, target_period=2)
    replay = ring_replay(3, 4, 2)
    options = {"updates_per_episode": 2, "envs_per_run": 2}
    train = trainer(env, algorithm, learn, replay, **options)
    hyper = TrainHyper(exploration=Exploration(start=1.0, end=0.2, episodes=4.0))
    start = train.init(jax.random.key(0), hyper)
    after, _ = jax.jit(train.chunk, static_argnums=1)(start, 3)

    explore = exploring_rollout(env, algorithm)

    def one_round(carry, share):
        learned, buffer, key = carry
        key, k_rollouts, k_updates = jax.random.split(key, 3)
        keys = jax.random.split(k_rollouts, 2)
        actors = learned.params.actors
        episodes = jax.vmap(explore, in_axes=(0, None, None))(keys, actors, share)
        for row in range(2):
            one = jax.tree.map(lambda leaf, row=row: leaf[row], episodes)
            buffer = replay.add(buffer, one)

        def update(learned, key):
            k_sample, k_update = jax.random.split(key)
            batch = minibatch(env, replay.sample(buffer, k_sample))
            return learn.update(learned, batch, k_update)

        learned, _ = jax.lax.scan(update, learned, jax.random.split(k_updates, 4))
        return (learned, buffer, key), None

    @jax.jit
    def by_hand(state):
        carry = (state.learner, state.replay, state.key)
        shares = jnp.array([1.0, 0.6, 0.2])
        return jax.lax.scan(one_round, carry, shares)[0]

    found = (after.learner, after.replay, after.key)
    for one, other in zip(leaves(found), leaves(by_hand(start)), strict=True):
        # Two programs: the last bits may differ, but not those of keys and counters.
        exact = np.issubdtype(one.dtype, np.integer)
        tolerance = 0.0 if exact else 1e-5
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def learning_within(every, each, **options):
    """A trainer of two worlds, with episodes of four steps, that updates within them."""
    env = probe_env(
        lambda x, t, a: x * a[0, 0], horizon=4, draw=jax.random.normal, terminates=False
    )
    algorithm = maddpg(1, 2, 1, (4,))
    learn = learner(algorithm, named_optimizer("sgd"), fixed(), 1)
    train = trainer(
        env,
        algorithm,
        learn,
        ring_replay(6, 8, 2),
        envs_per_run=2,
        update_every=every,
        updates_each=each,
        **options,
    )
    return train, jax.jit(train.chunk, static_argnums=1)


def test_updates_within_episodes_are_counted_for_all_worlds_together():
    train, chunk = learning_within(every=2, each=3)
    state, _ = chunk(train.init(jax.random.key(0), TrainHyper()), 2)
    # Two rounds of four steps, three updates after every two of them.
    assert int(state.learner.updates) == 2 * (4 // 2) * 3
    assert int(state.episode) == int(state.replay.added) == 4


def test_an_update_within_an_episode_learns_from_the_steps_that_are_played():
    """The reward is the step's number, from 1: the largest that the minibatches have seen."""
    train, chunk = train_reporting(
        lambda update, batch, key: jnp.max(batch.reward),
        update_every=1,
    )
    _, point = chunk(train.init(jax.random.key(0), TrainHyper()), 1)
    # After the first step 1 alone is there, after the second 2 as well; the last is the rates'.
    assert (float(point.td_loss), float(point.critic_rate)) == (1.5, 2.0)
    train, chunk = train_reporting(
        lambda update, batch, key: jnp.min(batch.reward),
        update_every=1,
    )
    _, point = chunk(train.init(jax.random.key(0), TrainHyper()), 4)
    assert float(point.td_loss) == 1.0


def test_steps_after_an_update_are_by_the_actors_that_it_made():
    """An action is how many updates its actor has had: the steps' actions are 0, 0, 1, 1."""
    env = probe_env(lambda x, t, a: x, horizon=4, terminates=False)
    algorithm = maddpg(1, 2, 1, (4,))._replace(
        sample=lambda actors, obs, noise, share: jnp.full((1, 1, 1), actors)
    )

    def init(key, hyper=None, rate_hyper=None):
        return Seen(jnp.zeros((), jnp.int32), Params(jnp.zeros(()), jnp.zeros(())))

    def update(state, batch, key):
        count = state.updates + 1
        moved = Params(count.astype(jnp.float32), jnp.zeros(()))
        nothing = jnp.zeros(())
        signals = Signals(jnp.zeros(1), jnp.zeros(1), nothing)
        metrics = UpdateMetrics(nothing, nothing, signals, Rates(nothing, jnp.zeros(1)))
        return Seen(count, moved), metrics

    train = trainer(
        env, algorithm, Learner(init, update), ring_replay(4, 4, 2), update_every=2
    )
    state, _ = jax.jit(train.chunk, static_argnums=1)(
        train.init(jax.random.key(0), TrainHyper()), 2
    )
    actions = filled_rows(state, 2)[..., 2]
    np.testing.assert_array_equal(actions, [[0, 0, 1, 1], [2, 2, 3, 3]])


@pytest.mark.slow
def test_updates_within_episodes_are_the_same_in_a_population():
    train, chunk = learning_within(every=2, each=1, warmup_rounds=1)
    alone, _ = chunk(train.init(jax.random.key(1), TrainHyper()), 3)
    members = population(train, 2, jax.devices()[:1])
    state, _ = members.chunk(members.init([0, 1], TrainHyper()), 3)
    assert state.replay.added.shape == state.learner.updates.shape == ()
    np.testing.assert_allclose(state.replay.rows[1], alone.replay.rows, atol=1e-5)
    kernels = leaves(state.learner.params.actors), leaves(alone.learner.params.actors)
    for one, other in zip(*kernels, strict=True):
        np.testing.assert_allclose(one[1], other, atol=1e-5)


def test_rounds_of_random_actions_come_first_and_update_nothing():
    train, chunk = learning_within(every=None, each=1, warmup_rounds=2)
    hyper = TrainHyper(exploration=Exploration(0.0, 0.0, 1.0))
    start = train.init(jax.random.key(0), hyper)
    state, point = chunk(start, 2)
    assert int(state.learner.updates) == 0
    for one, other in zip(leaves(start.learner), leaves(state.learner), strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.isfinite(point.train_return)
    assert np.isnan(point.td_loss) and np.isnan(point.actor_rates).all()
    # Whatever the share of exploration: here it is none, and each action would be the actor's.
    assert all_different(filled_rows(state, 4)[..., 2].reshape(16))
    again, point = chunk(start, 3)
    assert int(again.learner.updates) == 2
    assert np.isfinite(point.td_loss) and np.isfinite(point.actor_rates).all()
    np.testing.assert_array_equal(again.replay.rows[:4], state.replay.rows[:4])
    obs = jnp.asarray(filled_rows(again, 6)[4:, :, :2].reshape(1, 8, 2))
    greedy = maddpg(1, 2, 1, (4,)).act(again.learner.params.actors, obs)
    # Those of after the warm-up were played before the first updates.
    before = maddpg(1, 2, 1, (4,)).act(start.learner.params.actors, obs)
    played = filled_rows(again, 6)[4:, :, 2].ravel()
    np.testing.assert_allclose(played, before[0, :, 0], atol=1e-6)
    assert not np.allclose(played, greedy[0, :, 0], atol=1e-6)


def test_a_point_of_some_rounds_of_random_actions_is_a_mean_over_the_updates():
    """Two updates in each of two episodes, after one of random actions: 0, 1, 2, 3."""
    train, chunk = train_reporting(
        lambda update, batch, key: update.astype(jnp.float32),
        updates_per_episode=2,
        warmup_rounds=1,
    )
    _, point = chunk(train.init(jax.random.key(0), TrainHyper()), 3)
    assert (float(point.td_loss), float(point.critic_rate)) == (1.5, 3.0)
    np.testing.assert_array_equal(point.contributions, [1.5])


def test_rewards_are_scaled_where_they_are_learned_from():
    """Episodes pay 1 + 2, and are reported so."""
    train, chunk = train_reporting(
        lambda update, batch, key: jnp.max(batch.reward), reward_scale=3.0
    )
    _, point = chunk(train.init(jax.random.key(0), TrainHyper()), 1)
    assert (float(point.td_loss), float(point.train_return)) == (6.0, 3.0)


def test_steps_that_do_not_divide_an_episode_are_refused():
    with pytest.raises(ValueError, match=r"^steps=3: must divide the 4 of an episode"):
        learning_within(every=3, each=1)
    env = probe_env(lambda x, t, a: x, horizon=4)
    algorithm = maddpg(1, 2, 1, (4,))
    learn = learner(algorithm, named_optimizer("sgd"), fixed(), 1)
    with pytest.raises(ValueError, match=r"^update_every=2: .*whole episodes only"):
        trainer(env, algorithm, learn, on_policy_replay(1, 2), update_every=2)


def test_rewards_of_several_steps_are_discounted_by_the_member_s_own_discount():
    """Episodes pay 1, then 2, which 0.5 counts once: 1 + 0.5 x 2."""
    train, chunk = train_reporting(
        lambda update, batch, key: jnp.where(
            batch.obs[0, :, 1] == 0.0, batch.reward, jnp.inf
        ).min(),
        n_step=2,
    )
    start = train.init(jax.random.key(0), TrainHyper())
    hyper = LearnerHyper(discount=jnp.float32(0.5))
    start = start._replace(learner=start.learner._replace(hyper=hyper))
    _, point = chunk(start, 1)
    assert float(point.td_loss) == 2.0
