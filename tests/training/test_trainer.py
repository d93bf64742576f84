"""Training as a whole: probe worlds with known answers, equivalences bit for bit, memory."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.rivals import RIVALS
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import scenario_config
from adama_jax.execution.build import make_hyper, make_rule, make_train
from adama_jax.keys import key_of
from adama_jax.rates.rules import RateHyper, adama, fixed
from adama_jax.training.learner import LearnerHyper, learner
from adama_jax.training.optimizers import named_optimizer
from adama_jax.training.population import AXES, population
from adama_jax.training.replay import ring_replay
from adama_jax.training.rollout import exploring_rollout, greedy_rollout
from adama_jax.training.trainer import (
    Exploration,
    TrainHyper,
    exploration_share,
    trainer,
)
from tests.games import probe_env
from tests.helpers import identical, leaves, small

PROBE_RATES = RateHyper(critic_rate=0.02, actor_budget=0.01)


def train_probe(env, episodes=600, rule=None, rates=PROBE_RATES, begin=None):
    """A small run on a probe world, with Adam: its state, its algorithm and its functions.

    With `begin` it goes on with that state's networks and episodes.
    """
    n = env.spec.num_agents
    algorithm = maddpg(n, 2, 1, (16, 16), "tanh", "tanh")
    learn = learner(
        algorithm, named_optimizer("adam"), rule or fixed(), n, target_period=10
    )
    buffer = ring_replay(200, 64, env.spec.snapshot_size)
    train = trainer(env, algorithm, learn, buffer, eval_episodes=8)
    setting = TrainHyper(rates, LearnerHyper(discount=0.5), Exploration(1.0, 1.0, 1.0))
    state = train.init(jax.random.key(0), setting)
    if begin is not None:
        before = begin.learner
        learned = state.learner._replace(params=before.params, targets=before.targets)
        state = state._replace(learner=learned, replay=begin.replay)
    state, _ = jax.jit(train.chunk, static_argnums=1)(state, episodes)
    return state, algorithm, train


def q(state, algorithm, obs, action):
    return float(
        algorithm.value(
            state.learner.params.critic, jnp.array([[obs]]), jnp.array([[[action]]])
        )[0]
    )


def test_ladder_1_a_constant_reward_is_its_value():
    state, algorithm, _ = train_probe(probe_env(lambda x, t, a: jnp.ones(())))
    assert q(state, algorithm, [0.0, 0.0], 0.3) == pytest.approx(1.0, abs=0.1)


def test_ladder_2_the_value_follows_the_observation():
    draw = lambda key: jnp.where(jax.random.bernoulli(key), 1.0, -1.0)  # noqa: E731
    state, algorithm, _ = train_probe(probe_env(lambda x, t, a: x, draw=draw))
    assert q(state, algorithm, [1.0, 0.0], 0.0) == pytest.approx(1.0, abs=0.15)
    assert q(state, algorithm, [-1.0, 0.0], 0.0) == pytest.approx(-1.0, abs=0.15)


def test_ladder_3_a_reward_one_step_away_is_discounted():
    state, algorithm, _ = train_probe(
        probe_env(lambda x, t, a: (t == 1.0).astype(jnp.float32), horizon=2)
    )
    assert q(state, algorithm, [0.0, 1.0], 0.0) == pytest.approx(1.0, abs=0.15)
    assert q(state, algorithm, [0.0, 0.0], 0.0) == pytest.approx(0.5, abs=0.15)


def test_ladder_4_a_time_limit_bootstraps():
    """The same one-step world without termination: Q = 1 + 0.5 Q'.

    The next state is at time 1, unseen but like.
    """
    ends, _, _ = train_probe(probe_env(lambda x, t, a: jnp.ones(())))
    goes_on, algorithm, _ = train_probe(
        probe_env(lambda x, t, a: jnp.ones(()), horizon=4, terminates=False)
    )
    assert q(ends, algorithm, [0.0, 0.0], 0.0) == pytest.approx(1.0, abs=0.1)
    assert q(goes_on, algorithm, [0.0, 3.0], 0.0) == pytest.approx(2.0, abs=0.3)


def test_ladder_5_the_actor_finds_the_action():
    env = probe_env(lambda x, t, a: -jnp.sum((a - 0.5) ** 2))
    state, algorithm, _ = train_probe(env, episodes=1500)
    action = algorithm.act(state.learner.params.actors, jnp.zeros((1, 1, 2)))
    assert float(action[0, 0, 0]) == pytest.approx(0.5, abs=0.12)


def test_ladder_6_a_team_agrees_under_adama():
    """Two agents must act alike and high; the team's reward alone says so.

    The critic learns first: actors that move before it knows anything may end at 1, where their
    tanh learns slowly. So done all of seeds 0 to 15 end above -0.011, and act at 0.46 to 0.62.
    """
    env = probe_env(
        lambda x, t, a: -((a[0, 0] - a[1, 0]) ** 2) - (a[0, 0] - 0.5) ** 2, num_agents=2
    )
    still = RateHyper(critic_rate=0.02, actor_budget=0.0)
    knows, _, before = train_probe(env, rates=still)
    assert float(jax.jit(before.evaluate)(knows)) < -0.15
    rates = RateHyper(total_rate=0.02, critic_scale=2.0)
    state, algorithm, train = train_probe(env, rule=adama(), rates=rates, begin=knows)
    assert float(jax.jit(train.evaluate)(state)) > -0.05
    actions = algorithm.act(state.learner.params.actors, jnp.zeros((2, 1, 2)))
    np.testing.assert_allclose(actions[:, 0, 0], [0.5, 0.5], atol=0.2)


def test_exploration_at_its_ends():
    schedule = Exploration(1.0, 0.1, 10_000.0)
    shares = [float(exploration_share(schedule, e)) for e in (0, 2_500, 10_000, 40_000)]
    np.testing.assert_allclose(shares, [1.0, 0.775, 0.1, 0.1], rtol=1e-6)
    env = probe_env(lambda x, t, a: jnp.zeros(()), horizon=2000, terminates=False)
    algorithm = maddpg(num_agents=1, obs_size=2, action_size=1)
    actors = algorithm.init(jax.random.key(1)).actors
    # An actor whose weights are zero does what its last bias says, whatever it sees.
    actors = jax.tree.map(jnp.zeros_like, actors)
    actors["params"]["MLP_0"]["Dense_2"]["bias"] = jnp.full((1, 1), np.arctanh(0.6))
    explore = jax.jit(exploring_rollout(env, algorithm))
    none, noisy, mixed = (
        explore(jax.random.key(0), actors, jnp.array(e)).action for e in (0.0, 1.0, 0.5)
    )
    greedy = jax.jit(greedy_rollout(env, algorithm.act))(
        jax.random.key(0), actors
    ).action
    np.testing.assert_allclose(greedy, 0.6, rtol=1e-6)
    np.testing.assert_array_equal(none, greedy)
    assert (
        abs(float(noisy.mean())) < 0.05
        and float(noisy.min()) < -0.99
        and float(noisy.max()) > 0.99
    )
    np.testing.assert_allclose(mixed, 0.5 * 0.6 + 0.5 * noisy, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_chunks_of_any_length_are_the_same_bits():
    """1 x 200 = 2 x 100 = 8 x 25 updates, at vmap width 2."""
    members = population(make_train(small()), 2, jax.devices()[:1])
    ends = []
    for length in (200, 100, 25):
        state = members.init([0, 1], make_hyper(small()))
        for _ in range(200 // length):
            state, _ = members.chunk(state, length)
        ends.append(state)
    identical(ends[0], ends[1])
    identical(ends[0], ends[2])


@pytest.mark.slow
def test_a_seed_is_the_same_bits_at_any_width():
    """Widths 2, 3 and 5; and close to a run alone (width 1), which XLA compiles otherwise."""
    config = small("adama_2nd")
    train = make_train(config)
    runs = {}
    for width in (2, 3, 5):
        members = population(train, width, jax.devices()[:1])
        runs[width] = members.chunk(
            members.init(range(7, 7 + width), make_hyper(config)), 100
        )
    for width in (3, 5):
        for a, b in zip(
            leaves(runs[2][0].learner.params),
            leaves(runs[width][0].learner.params),
            strict=True,
        ):
            np.testing.assert_array_equal(a[:2], b[:2])
        jax.tree.map(
            lambda a, b: np.testing.assert_array_equal(a[:2], b[:2]),
            runs[2][1],
            runs[width][1],
        )
    alone, _ = jax.jit(train.chunk, static_argnums=1)(
        train.init(jax.random.key(7), make_hyper(config)), 100
    )
    for a, b in zip(
        leaves(alone.learner.params), leaves(runs[2][0].learner.params), strict=True
    ):
        np.testing.assert_allclose(a, b[0], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_grid_is_one_program():
    """Seeds and float hyperparameters share the population axis; each member is as if alone."""
    config = small()
    members = population(make_train(config), 4, jax.devices()[:1])
    grid = make_hyper(config)
    grid = grid._replace(
        rates=grid.rates._replace(total_rate=np.array([0.01, 0.02, 0.01, 0.02])),
        learner=grid.learner._replace(discount=np.array([0.9, 0.9, 0.5, 0.5])),
    )
    state, metrics = members.chunk(members.init([3, 3, 3, 3], grid), 100)
    one = make_hyper(config)
    one = one._replace(
        rates=one.rates._replace(total_rate=0.02),
        learner=one.learner._replace(discount=0.9),
    )
    pair = population(make_train(config), 2, jax.devices()[:1])
    alone, alone_metrics = pair.chunk(pair.init([3, 3], one), 100)
    for a, b in zip(
        leaves(state.learner.params), leaves(alone.learner.params), strict=True
    ):
        np.testing.assert_array_equal(a[1], b[0])
    np.testing.assert_array_equal(metrics.value[1], alone_metrics.value[0])
    np.testing.assert_allclose(
        metrics.critic_rate + metrics.actor_budget, [0.01, 0.02, 0.01, 0.02], rtol=1e-5
    )
    assert len(set(np.asarray(metrics.value).tolist())) == 4


def test_nothing_is_traced_twice_in_ten_chunks(monkeypatch):
    traces = []
    train = make_train(small())
    counted = train._replace(
        chunk=lambda state, length: (
            traces.append("chunk"),
            train.chunk(state, length),
        )[1],
        evaluate=lambda state: (traces.append("evaluate"), train.evaluate(state))[1],
    )
    members = population(counted, 3, jax.devices()[:1])
    state = members.init(range(3), make_hyper(small()))
    for _ in range(10):
        state, _ = members.chunk(state, 10)
        members.evaluate(state)
    assert sorted(traces) == ["chunk", "evaluate"]


WITHIN_EPISODES = {
    "learning.envs_per_run": 4,
    "learning.update_every": 5,
    "learning.warmup_steps": 1000,
}


@pytest.mark.parametrize(
    ("width", "changes"),
    [
        (1, {}),
        pytest.param(3, {}, marks=pytest.mark.slow),
        pytest.param(3, WITHIN_EPISODES, marks=pytest.mark.slow),
    ],
)
def test_the_buffer_is_written_in_place(width, changes):
    """At least 99% of the buffer aliased, temporary memory under 5% of it.

    Predator-prey, 4e6 transitions a member.
    """
    many = {"episodes": 200_000, "learning.capacity": 4_000_000}
    config = with_settings(scenario_config("predator_prey"), many | changes)
    train = make_train(config)
    members = population(train, width, jax.devices()[:1])
    hyper = jax.tree.map(
        lambda leaf: jnp.full((width,), leaf, jnp.float32), make_hyper(config)
    )
    init = jax.vmap(train.init, out_axes=AXES)
    state = jax.eval_shape(init, jax.vmap(jax.random.key)(jnp.arange(width)), hyper)
    memory = members.chunk.lower(state, 100).compile().memory_analysis()
    buffer = state.replay.rows.size * state.replay.rows.dtype.itemsize
    assert buffer > width * 4_000_000 * 20 * 4
    assert memory.alias_size_in_bytes >= 0.99 * buffer
    assert memory.temp_size_in_bytes < 0.05 * buffer


def test_a_snapshot_is_ten_floats_in_predator_prey():
    train = make_train(scenario_config("predator_prey"))
    state = jax.eval_shape(
        train.init, jax.random.key(0), make_hyper(scenario_config("predator_prey"))
    )
    assert state.replay.rows.shape == (50_000, 21, 20)
    run_bytes = state.replay.rows.size * state.replay.rows.dtype.itemsize
    assert 500 * run_bytes < 60 * 2**30


EVERY_4_EPISODES = {"learning.updates_per_episode": 3, "learning.target_period": 4}
EVERY_12_UPDATES = {
    "learning.updates_per_episode": 3,
    "learning.target_period": 12,
    "learning.target_unit": "updates",
}
# 5 pieces of two steps an episode, an update after each.
WITHIN_4_EPISODES = {"learning.update_every": 2, "learning.target_period": 4}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(EVERY_4_EPISODES, marks=pytest.mark.slow),
        EVERY_12_UPDATES,
        WITHIN_4_EPISODES,
    ],
    ids=str,
)
def test_targets_are_copied_every_so_many_episodes_or_updates(changes):
    """After 3 of 4 episodes the targets are the networks of the start; after 4 today's."""
    config = with_settings(small(), changes)
    train = make_train(config)
    chunk = jax.jit(train.chunk, static_argnums=1)
    start = train.init(jax.random.key(0), make_hyper(config))
    three, _ = chunk(start, 3)
    jax.tree.map(
        np.testing.assert_array_equal, three.learner.targets, start.learner.params
    )
    four, _ = chunk(three, 1)
    jax.tree.map(
        np.testing.assert_array_equal, four.learner.targets, four.learner.params
    )
    assert not np.array_equal(
        jax.tree.leaves(four.learner.targets)[1],
        jax.tree.leaves(start.learner.params)[1],
    )


def test_several_updates_an_episode():
    config = small()
    config = dataclasses.replace(
        config, learning=dataclasses.replace(config.learning, updates_per_episode=3)
    )
    train = make_train(config)
    state, metrics = jax.jit(train.chunk, static_argnums=1)(
        train.init(jax.random.key(0), make_hyper(config)), 5
    )
    assert (int(state.episode), int(state.learner.updates)) == (5, 15)
    assert metrics.actor_rates.shape == (2,)


def test_divergence_is_dated_and_stays_in_its_run():
    config = small()
    members = population(make_train(config), 3, jax.devices()[:1])
    hyper = make_hyper(config)
    bad = hyper._replace(
        rates=hyper.rates._replace(total_rate=np.array([0.01, 1e3, 0.01]))
    )
    state, metrics = members.chunk(members.init([0, 1, 2], bad), 100)
    _, good_metrics = members.chunk(members.init([0, 1, 2], hyper), 100)
    at = np.asarray(state.non_finite.update)
    assert at[0] == at[2] == -1 and 0 <= at[1] < 100
    assert np.isnan(metrics.value[1]) or np.isinf(metrics.value[1])
    returns = np.stack([metrics.train_return, members.evaluate(state)])
    np.testing.assert_array_equal(np.isnan(returns), [[False, True, False]] * 2)
    for run in (0, 2):
        np.testing.assert_array_equal(metrics.value[run], good_metrics.value[run])


OURS = ("going_together", "cooperative_navigation", "predator_prey", "clustering")
# One of JaxMARL's; the robots' take longer than all others together.
ONE_OF_EACH = {("MPE_simple_spread_v3", "adama_2nd")}


def _is_usual(name, method):
    # The rivals differ in optimizers, whatever the world: one of each kind, in one of them.
    kinds = ("adam_rel", "schedule_free_adam", "prodigy_global", "multi_timescale")
    rival = method in RIVALS and (name != "clustering" or method not in kinds)
    return (name in OURS and not rival) or (name, method) in ONE_OF_EACH


EVERY = [
    pytest.param(
        name,
        method,
        marks=[] if _is_usual(name, method) else pytest.mark.slow,
    )
    for name in SCENARIOS
    for method in METHODS
]


@pytest.mark.parametrize(("scenario", "method"), EVERY)
def test_every_configuration_has_consistent_shapes(
    scenario, method, loose_broadcasting
):
    config = dataclasses.replace(scenario_config(scenario), method=method, episodes=50)
    if method == "adam_rel":
        config = with_settings(config, {"learning.targets": "hard"})
    train = make_train(config)
    state = jax.eval_shape(train.init, jax.random.key(0), make_hyper(config))
    after, metrics = jax.eval_shape(lambda state: train.chunk(state, 2), state)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), after) == jax.tree.map(
        lambda x: (x.shape, x.dtype), state
    )
    assert metrics.actor_rates.shape == metrics.contributions.shape
    assert jax.eval_shape(train.evaluate, state).shape == ()


def test_worlds_played_together_are_episodes_of_one_run():
    """Two rounds of three worlds: six different episodes, and the updates of six."""
    config = small()
    config = dataclasses.replace(
        config,
        learning=dataclasses.replace(
            config.learning, envs_per_run=3, updates_per_episode=2
        ),
    )
    train = make_train(config)
    state, metrics = jax.jit(train.chunk, static_argnums=1)(
        train.init(jax.random.key(0), make_hyper(config)), 2
    )
    assert (
        int(state.episode),
        int(state.replay.added),
        int(state.learner.updates),
    ) == (6, 6, 12)
    played = np.asarray(state.replay.rows)[:6]
    assert len(np.unique(played[:, 0], axis=0)) == 6
    rewards = played[:, :, -2].sum(axis=1)
    np.testing.assert_allclose(metrics.train_return, rewards.mean(), rtol=1e-5)


def test_evaluations_can_have_keys_of_their_own():
    """With a seed that no member has; with a member's they share two, which both only split."""

    def keys(seed, count):
        data = jax.random.key_data(jax.random.split(key_of(seed), count))
        return {tuple(each) for each in data.tolist()}

    members = set().union(*(keys(seed, 2) for seed in range(5)))
    assert len(members) == 10
    assert members & keys(0, 100) == keys(0, 2)
    assert not members & keys(5, 100)


def test_points_of_the_curves_fall_between_rounds():
    config = small()
    for together, points in ((1, 100), (3, 102), (64, 128), (400, 400)):
        learning = dataclasses.replace(config.learning, envs_per_run=together)
        assert dataclasses.replace(config, learning=learning).points_every == points


def test_methods_differ_in_optimizer_and_rule_only():
    paper = {
        "adama": ("sgd", "adama", False),
        "adama_2nd": ("sgd", "adama", True),
        "fixed": ("sgd", "fixed", False),
        "direction": ("sgd", "steer", False),
        "direction_2nd": ("sgd", "steer", True),
        "balance": ("sgd", "balance", False),
        "adagrad": ("adagrad", "fixed", False),
        "rmsprop": ("rmsprop", "fixed", False),
    }
    for name, (optimizer, rule, second_order) in paper.items():
        method = METHODS[name]
        assert method.rule == f"adama_jax.rates.rules:{rule}"
        assert (method.optimizer, method.second_order) == (optimizer, second_order)
    for name, method in METHODS.items():
        assert make_rule(small(name)).second_order == method.second_order


def test_auto_scale_finds_m_in_the_loop():
    config = small()
    config = dataclasses.replace(
        config,
        rates=dataclasses.replace(config.rates, critic_scale="auto", trial_updates=5),
    )
    train = make_train(config)
    init = train.init(jax.random.key(0), make_hyper(config))
    five, metrics = jax.jit(train.chunk, static_argnums=1)(init, 5)
    np.testing.assert_allclose(
        five.learner.rule.mean_critic_term, metrics.critic_term, rtol=1e-5
    )
    more, _ = jax.jit(train.chunk, static_argnums=1)(five, 5)
    np.testing.assert_array_equal(
        more.learner.rule.mean_critic_term, five.learner.rule.mean_critic_term
    )
