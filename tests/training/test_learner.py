"""The train step: against DDPG written out by hand, games with known answers, and its own cost."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.rates import rules as rates
from adama_jax.rates.rules import RateHyper
from adama_jax.training.learner import LearnerHyper, learner
from adama_jax.training.optimizers import from_optax, named_optimizer
from adama_jax.types import Batch
from tests.games import empty_batch, game, play_game

N, B, OBS, ACTION = 2, 32, 3, 2


def make(rule=None, num_agents=N, **options):
    algorithm = maddpg(num_agents, OBS, ACTION, (16, 16))
    return algorithm, learner(
        algorithm,
        from_optax(optax.sgd(1.0)),
        rule or rates.adama(),
        num_agents,
        **options,
    )


def random_batch(num_agents=N, seed=0):
    keys = jax.random.split(jax.random.key(seed), 4)
    return Batch(
        obs=jax.random.normal(keys[0], (num_agents, B, OBS)),
        action=jax.random.uniform(keys[1], (num_agents, B, ACTION), minval=-1),
        reward=jax.random.normal(keys[2], (B,)),
        next_obs=jax.random.normal(keys[3], (num_agents, B, OBS)),
        terminated=(jnp.arange(B) % 5 == 0).astype(jnp.float32),
    )


def test_one_agent_at_fixed_rates_is_ddpg():
    """Written out here with nothing but NumPy-like code and jax.grad."""
    rate_a, rate_c, gamma, period = 0.05, 0.02, 0.9, 2
    _, learn = make(rates.fixed(), num_agents=1, target_period=period)
    state = learn.init(
        jax.random.key(0),
        LearnerHyper(discount=gamma),
        RateHyper(critic_rate=rate_c, actor_budget=rate_a),
    )

    def layers(tree):
        dense = tree["params"]["MLP_0"]
        return [
            (dense[f"Dense_{i}"]["kernel"], dense[f"Dense_{i}"]["bias"])
            for i in range(3)
        ]

    def mlp(weights, x):
        for kernel, bias in weights[:-1]:
            x = jnp.maximum(x @ kernel + bias[None], 0)
        return x @ weights[-1][0] + weights[-1][1][None]

    def policy(actor, obs):
        return jnp.tanh(mlp(actor, obs))

    def q(critic, obs, action):
        return mlp(critic, jnp.concatenate([obs, action], 1))[:, 0]

    def td_error(critic, obs, action, y):
        return jnp.mean((q(critic, obs, action) - y) ** 2)

    def objective(actor, critic, obs):
        return jnp.mean(q(critic, obs, policy(actor, obs)))

    actor = jax.tree.map(lambda leaf: leaf[0], layers(state.params.actors))
    critic = layers(state.params.critic)
    old_actor, old_critic = actor, critic
    for i in range(1, 6):
        batch = random_batch(1, seed=i)
        obs, next_obs = batch.obs[0], batch.next_obs[0]
        y = batch.reward + gamma * (1 - batch.terminated) * q(
            old_critic, next_obs, policy(old_actor, next_obs)
        )
        critic_grad = jax.grad(td_error)(critic, obs, batch.action[0], y)
        actor_grad = jax.grad(objective)(actor, critic, obs)
        critic = jax.tree.map(lambda p, g: p - rate_c * g, critic, critic_grad)
        actor = jax.tree.map(lambda p, g: p + rate_a * g, actor, actor_grad)
        if i % period == 0:
            old_actor, old_critic = actor, critic
        state, _ = learn.update(state, batch, jax.random.key(i))
        for ours, theirs in zip(
            jax.tree.leaves((layers(state.params.actors), layers(state.params.critic))),
            jax.tree.leaves((jax.tree.map(lambda leaf: leaf[None], actor), critic)),
            strict=True,
        ):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def products(learn):
    state = learn.init(jax.random.key(0))
    jaxpr = jax.make_jaxpr(learn.update)(state, random_batch(), jax.random.key(0))
    return str(jaxpr).count("dot_general")


def test_first_order_rules_add_no_backward_pass():
    rules = {
        rule.__name__: rule()
        for rule in (rates.fixed, rates.steer, rates.balance, rates.adama)
    }
    counts = {name: products(make(rule)[1]) for name, rule in rules.items()}
    assert len(set(counts.values())) == 1, counts
    # The count can tell.
    assert products(make(rates.adama(second_order=True))[1]) > counts["adama"]


def test_both_step_from_gradients_at_the_same_point():
    """Simultaneous: the actors' step does not see the critic's."""
    algorithm, learn = make(rates.fixed())
    state, batch = learn.init(jax.random.key(0)), random_batch()
    arguments = (
        state.params,
        state.targets,
        batch,
        state.hyper.discount,
        jax.random.key(0),
    )
    gradients = jax.grad(algorithm.objective)(*arguments).actors
    new, metrics = learn.update(state, batch, jax.random.key(0))
    moved = jax.tree.map(lambda a, b: a - b, new.params.actors, state.params.actors)
    expected = jax.tree.map(lambda g: metrics.rates.actors[0] * g, gradients)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-7),
        moved,
        expected,
    )


def test_the_step_is_by_the_rates_of_this_very_update():
    """Q = 3 a_1 + 4 a_2 + c, and a TD loss of (c - 1)^2, all by hand.

    c_i = (9, 16), kappa = |1 x 2| = 2, so l_c = 0.1 x 2 / 8, where it begins with 0.05.
    """
    payoff = game(lambda action: 3 * action[0] + 4 * action[1], jnp.zeros(2))
    payoff = payoff._replace(
        critic_loss=lambda params, targets, batch, discount, key: (
            (params.critic - 1) ** 2
        )
    )
    hyper = RateHyper(
        total_rate=0.1, critic_scale=8.0, smoothing=0.0, direction_floor=0.0
    )
    learn = learner(payoff, from_optax(optax.sgd(1.0)), rates.adama(hyper), 2)
    state, metrics = learn.update(
        learn.init(jax.random.key(0)), empty_batch(2), jax.random.key(0)
    )
    l_c = 0.025
    l_a = (0.1 - l_c) * np.array([9.0, 16.0]) / np.hypot(9.0, 16.0)
    np.testing.assert_allclose(metrics.rates.critic, l_c, rtol=1e-6)
    np.testing.assert_allclose(metrics.rates.actors, l_a, rtol=1e-6)
    np.testing.assert_allclose(state.params.critic, l_c * 2, rtol=1e-6)
    np.testing.assert_allclose(
        state.params.actors[:, 0], l_a * np.array([3.0, 4.0]), rtol=1e-6
    )
    np.testing.assert_array_equal(state.rule.rates.actors, metrics.rates.actors)


def test_metrics_are_of_before_the_step():
    """J = 3 a_1 + 4 a_2 at (1, 1), and the TD loss of a critic that is 2 off."""
    payoff = game(lambda action: 3 * action[0] + 4 * action[1], jnp.ones(2))
    payoff = payoff._replace(
        critic_loss=lambda params, targets, batch, discount, key: (
            (params.critic - 2) ** 2
        )
    )
    learn = learner(payoff, from_optax(optax.sgd(1.0)), rates.fixed(), 2)
    _, metrics = learn.update(
        learn.init(jax.random.key(0)), empty_batch(2), jax.random.key(0)
    )
    np.testing.assert_allclose(
        [metrics.value, metrics.td_loss, metrics.signals.critic_term], [7.0, 4.0, 4.0]
    )
    np.testing.assert_allclose(metrics.signals.contribution, [9.0, 16.0], rtol=1e-6)


@pytest.mark.parametrize("period", [1, 3])
def test_hard_targets_are_copied_every_period(period):
    _, learn = make(target_period=period)
    state = learn.init(jax.random.key(0))
    for i in range(1, 8):
        before = state.targets
        state, _ = learn.update(state, random_batch(seed=i), jax.random.key(i))
        expected = state.params if i % period == 0 else before
        jax.tree.map(np.testing.assert_array_equal, state.targets, expected)


def test_soft_targets_move_by_the_target_step():
    _, learn = make(target_period=None)
    state = learn.init(jax.random.key(0), LearnerHyper(target_step=0.02))
    new, _ = learn.update(state, random_batch(), jax.random.key(0))
    expected = jax.tree.map(
        lambda old, online: 0.98 * old + 0.02 * online, state.targets, new.params
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7),
        new.targets,
        expected,
    )


def test_exact_curvature_of_a_relu_critic_is_refused():
    with pytest.raises(
        ValueError, match=r"curvature='exact'.*choose curvature 'secant'.*smooth critic"
    ):
        make(rates.adama(second_order=True), curvature="exact")
    make(rates.adama(), curvature="exact")  # not read by a first-order rule
    with pytest.raises(ValueError, match="curvature='nope'"):
        make(curvature="nope")


def test_padding_gets_no_gradient():
    """Agent 1 has one action of two: its padding learns nothing, and the target does not see it."""
    algorithm = maddpg(N, OBS, ACTION, (16, 16), action_sizes=(2, 1))
    learn = learner(
        algorithm, from_optax(optax.sgd(1.0)), rates.adama(second_order=True), N
    )
    state, batch = learn.init(jax.random.key(0)), random_batch()
    batch = batch._replace(
        action=batch.action.at[1, :, 1].set(0.0), obs=batch.obs.at[0, :, 2].set(0.0)
    )

    def layer(params, number, leaf="kernel"):
        return params["params"]["MLP_0"][f"Dense_{number}"][leaf]

    new, metrics = learn.update(state, batch, jax.random.key(0))
    for old_leaf, new_leaf in [
        (layer(state.params.actors, 2)[1, :, 1], layer(new.params.actors, 2)[1, :, 1]),
        (
            layer(state.params.actors, 2, "bias")[1, 1],
            layer(new.params.actors, 2, "bias")[1, 1],
        ),
        (layer(state.params.actors, 0)[0, 2], layer(new.params.actors, 0)[0, 2]),
        (layer(state.params.critic, 0)[-1], layer(new.params.critic, 0)[-1]),
    ]:
        np.testing.assert_array_equal(old_leaf, new_leaf)
    assert np.all(
        np.asarray(
            layer(state.params.actors, 2)[1, :, 0]
            != layer(new.params.actors, 2)[1, :, 0]
        ).any()
    )
    kernel = layer(state.targets.critic, 0)
    kernel = kernel.at[-1].set(100.0)  # the padded action's row
    state.targets.critic["params"]["MLP_0"]["Dense_0"]["kernel"] = kernel
    np.testing.assert_array_equal(
        learn.update(state, batch, jax.random.key(0))[1].td_loss, metrics.td_loss
    )


def test_the_agent_that_matters_learns_faster_and_the_team_arrives_sooner():
    """Unequal importance: -4 (a_1 - 1)^2 - 0.2 (a_2 - 1)^2 from the same start."""
    weights = jnp.array([4.0, 0.2])

    def payoff(action):
        return -jnp.sum(weights * (action - 1) ** 2)

    hyper = RateHyper(actor_budget=0.01, smoothing=0.9, critic_rate=0.0)
    start, steps = jnp.zeros(2), 200
    steered, l_a = play_game(payoff, start, rates.steer(hyper), steps)
    uniform, _ = play_game(payoff, start, rates.fixed(hyper), steps)
    np.testing.assert_allclose(jnp.linalg.norm(l_a, axis=1), 0.01, rtol=1e-5)
    assert float(l_a[5, 0]) > 1.5 * float(l_a[5, 1])

    def arrival(actions):
        return int(np.argmax(np.asarray(jax.vmap(payoff)(actions)) > -0.25))

    assert 0 < arrival(steered) < 0.9 * arrival(uniform)


@pytest.mark.parametrize("coupling", [3.0, -3.0])
def test_second_order_sees_a_coupling_that_first_order_cannot(coupling):
    """Q = 2 a_1 + a_2 + k a_1 a_2 at a = 0: by hand c = (4, 1) and M l = k (2 l_2, 2 l_1).

    So k > 0 lifts the weak one.
    """

    def payoff(action):
        return 2 * action[0] + action[1] + coupling * action[0] * action[1]

    hyper = RateHyper(
        actor_budget=0.1, smoothing=0.0, direction_floor=0.0, critic_rate=0.0
    )
    _, first = play_game(payoff, jnp.zeros(2), rates.steer(hyper), 1)
    start_rate = 0.1 / np.sqrt(2)
    by_hand = np.array([4.0, 1.0]) + coupling * 2 * start_rate
    for curvature in ("exact", "secant", "lookahead"):
        _, second = play_game(
            payoff, jnp.zeros(2), rates.steer(hyper, second_order=True), 1, curvature
        )
        np.testing.assert_allclose(
            second[0], 0.1 * by_hand / np.linalg.norm(by_hand), rtol=1e-4
        )
        assert (float(second[0, 1]) > float(first[0, 1])) == (coupling > 0)


@pytest.mark.parametrize("start", [[0.0, 0.0], [-1.0, 1.0], [2.0, -0.5]])
def test_a_team_agrees_under_adama(start):
    """Only (0.5, 0.5) pays: alike, and high. The payoff is known, so that nothing is chance."""

    def payoff(action):
        return -((action[0] - action[1]) ** 2) - (action[0] - 0.5) ** 2

    rule = rates.adama(RateHyper(total_rate=0.2, critic_scale=1.0))
    actions, l_a = play_game(payoff, jnp.array(start), rule, 400)
    np.testing.assert_allclose(actions[-1], [0.5, 0.5], atol=1e-3)
    # The critic, whose loss is zero, keeps no more than Eq. (2) leaves it: a tenth of the total.
    np.testing.assert_allclose(jnp.linalg.norm(l_a[-1]), 0.18, rtol=0.01)


def test_adama_on_adam_learns_a_game():
    """The rates ride on any optimizer: Adam's directions, AdaMa's lengths."""
    weights = jnp.array([4.0, 0.2])
    valley = game(lambda a: -jnp.sum(weights * (a - 1) ** 2), jnp.zeros(2))
    rule = rates.adama(RateHyper(total_rate=0.05, critic_scale=1.0))
    learn = learner(valley, named_optimizer("adam"), rule, 2)
    state = learn.init(jax.random.key(0))
    step = jax.jit(
        lambda state: learn.update(state, empty_batch(2), jax.random.key(0))[0]
    )
    for _ in range(200):
        state = step(state)
    np.testing.assert_allclose(state.params.actors[:, 0], [1.0, 1.0], atol=0.15)


@pytest.mark.parametrize(
    ("curvature", "rtol"),
    [(None, 2e-4), ("exact", 2e-4), ("lookahead", 2e-4), ("secant", 0.05)],
)
@pytest.mark.parametrize("targets", [None, pytest.param(1, marks=pytest.mark.slow)])
def test_a_minibatch_in_microbatches_is_the_whole(curvature, rtol, targets):
    """To rounding; with the secant nearly, for its step has its size in each of them."""
    algorithm = maddpg(N, OBS, ACTION, (16, 16), critic_activation="tanh")
    rule = rates.adama(RateHyper(critic_scale=0.1), second_order=curvature is not None)
    whole, cut = (
        learner(
            algorithm,
            from_optax(optax.sgd(1.0)),
            rule,
            N,
            curvature or "secant",
            targets,
            microbatches=count,
        )
        for count in (None, 4)
    )
    ours, theirs = whole.init(jax.random.key(0)), cut.init(jax.random.key(0))
    for i in range(5):
        batch = random_batch(seed=i)
        ours, seen = whole.update(ours, batch, jax.random.key(i))
        theirs, also = cut.update(theirs, batch, jax.random.key(i))
        for one, other in zip(
            jax.tree.leaves((ours, seen)), jax.tree.leaves((theirs, also)), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-6)


def test_microbatches_take_transitions_and_keys_once_each():
    """An objective that is noisy in its key, and linear in the transitions: its mean by hand."""
    noisy = game(jnp.sum, jnp.zeros(N))._replace(
        objective=lambda params, targets, batch, discount, key: (
            jnp.sum(params.actors) * jnp.mean(batch.reward) * jax.random.normal(key)
            + 0 * params.critic
        )
    )
    learn = learner(
        noisy,
        from_optax(optax.sgd(1.0)),
        rates.fixed(RateHyper(actor_budget=np.sqrt(N))),
        N,
        microbatches=4,
    )
    batch = random_batch()
    state = learn.init(jax.random.key(0))
    moved = (
        learn.update(state, batch, jax.random.key(7))[0].params.actors
        - state.params.actors
    )
    noise = [
        jax.random.normal(jax.random.split(key)[1])
        for key in jax.random.split(jax.random.key(7), 4)
    ]
    quarters = batch.reward.reshape(4, -1).mean(axis=1)
    expected = float(np.mean([a * b for a, b in zip(quarters, noise, strict=True)]))
    np.testing.assert_allclose(moved, np.full_like(moved, expected), rtol=1e-5)


def test_members_take_turns():
    """With microbatches no product has the members' axis; and each learns as it would alone."""
    members, batches = 7, [random_batch(seed=i) for i in range(7)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *batches)
    keys = jax.random.split(jax.random.key(0), members)
    for count in (None, 2):
        _, learn = make(microbatches=count)
        states = jax.vmap(learn.init)(keys)
        together = jax.vmap(learn.update)
        products = [
            line
            for line in str(
                jax.make_jaxpr(together)(states, stacked, keys)
            ).splitlines()
            if "= dot_" in line
        ]
        assert len(products) > 10
        assert any(f"f32[{members}," in line for line in products) == (count is None)
        after, _ = jax.jit(together)(states, stacked, keys)
        alone, _ = jax.jit(learn.update)(learn.init(keys[3]), batches[3], keys[3])
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a[3], b, rtol=1e-4, atol=1e-6),
            after.params,
            alone.params,
        )


def test_microbatches_must_divide_the_minibatch():
    _, learn = make(microbatches=5)
    with pytest.raises(
        ValueError, match="a minibatch of 32 transitions cannot be cut into 5 equal"
    ):
        learn.update(learn.init(jax.random.key(0)), random_batch(), jax.random.key(0))
    with pytest.raises(
        ValueError, match=r"axis_name='devices'.*`microbatches` must be given"
    ):
        make(axis_name="devices")


def test_devices_share_microbatches_evenly():
    """Of three, two devices would leave one out."""
    learn = learner(
        maddpg(N, OBS, ACTION),
        from_optax(optax.sgd(1.0)),
        rates.fixed(RateHyper()),
        N,
        microbatches=3,
        axis_name="one",
    )
    state = learn.init(jax.random.key(0))
    batch = jax.tree.map(
        lambda leaf: leaf[..., :6] if leaf.ndim == 1 else leaf[:, :6], random_batch()
    )
    shared = jax.shard_map(
        lambda state: learn.update(state, batch, jax.random.key(1)),
        mesh=jax.make_mesh((2,), ("one",)),
        in_specs=jax.sharding.PartitionSpec(),
        out_specs=jax.sharding.PartitionSpec(),
        check_vma=False,
    )
    with pytest.raises(
        ValueError, match="3 microbatches cannot be shared evenly by 2 devices"
    ):
        shared(state)
