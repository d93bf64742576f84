"""What optax holds its own transformations to, for every rule, and for both ways to hold agents."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax import optax as ours
from adama_jax.rates import rules
from adama_jax.rates.rules import RateHyper
from adama_jax.types import Params

N = 2
NAMES = ("small", "large")
FACTORIES = {
    "adama": ours.adama,
    "adama_2nd": partial(ours.adama, second_order=True),
    "fixed": ours.fixed,
    "balance": partial(ours.from_rule, rules.balance(RateHyper(critic_scale=3.0))),
    "steer": partial(ours.from_rule, rules.steer()),
}


def stacked(dtype=jnp.float32):
    return {
        "actors": {"w": jnp.ones((N, 3, 2), dtype), "b": jnp.ones((N, 2), dtype)},
        "critic": {"w": jnp.ones((4, 1), dtype)},
    }


def named(dtype=jnp.float32):
    """Two agents whose networks are of different shapes."""
    return {
        "actors": {
            "small": {"w": jnp.ones((3, 2), dtype)},
            "large": {"w": jnp.ones((5, 4), dtype), "b": jnp.ones(4, dtype)},
        },
        "critic": {"w": jnp.ones((4, 1), dtype)},
    }


LAYOUTS = {"stacked": (stacked, N), "named": (named, NAMES)}


@pytest.fixture(params=FACTORIES)
def factory(request):
    return FACTORIES[request.param]


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return LAYOUTS[request.param]


def gradients_of(params, step=0):
    """Of losses; different at each step and in each leaf."""
    leaves, structure = jax.tree.flatten(params)
    found = []
    for number, leaf in enumerate(leaves):
        values = jnp.sin(jnp.arange(leaf.size) + number + step) + 0.5
        found.append(values.reshape(leaf.shape).astype(leaf.dtype))
    return jax.tree.unflatten(structure, found)


def extra(factory, params):
    found = {"value_by_critic": jax.tree.map(jnp.ones_like, params["critic"])}
    if factory is FACTORIES["adama_2nd"]:
        found["curvature"] = jnp.array([0.5, -0.5])
    return found


def types_of(tree):
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype, leaf.weak_type), tree)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_types_stay_and_the_second_call_compiles_nothing(factory, layout, dtype):
    make, agents = layout
    params = make(dtype)
    tx = factory(optax.adam(1.0), agents)
    state = tx.init(params)
    update = jax.jit(tx.update)
    for step in range(3):
        gradients = gradients_of(params, step)
        updates, new = update(gradients, state, params, **extra(factory, params))
        assert types_of(updates) == types_of(gradients)
        assert types_of(new) == types_of(state)
        params, state = optax.apply_updates(params, updates), new
    assert update._cache_size() == 1
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(params))


def test_arguments_of_others_are_accepted(factory, layout):
    make, agents = layout
    params = make()
    # One that reads `value`, and one that does not, in the same chain.
    tx = optax.chain(
        factory(optax.chain(optax.sgd(1.0), optax.identity()), agents),
        optax.polyak_sgd(1.0),
    )
    gradients = gradients_of(params)
    updates, _ = tx.update(
        gradients,
        tx.init(params),
        params,
        value=jnp.array(1.0),
        **extra(factory, params),
    )
    assert jax.tree.structure(updates) == jax.tree.structure(params)


def test_what_it_does_not_know_reaches_the_optimizers():
    params = stacked()
    seen = []

    def update(updates, state, params=None, *, flavour, **others):
        seen.append(flavour)
        return updates, state

    spy = optax.GradientTransformationExtraArgs(
        lambda params: optax.EmptyState(), update
    )
    tx = ours.fixed(spy, N, check_rate=False)
    tx.update(gradients_of(params), tx.init(params), params, flavour="sweet")
    assert seen == ["sweet", "sweet"]


def descend(tx, params, steps=3, **more):
    state = tx.init(params)
    for step in range(steps):
        gradients = gradients_of(params, step)
        value = jax.tree.map(jnp.ones_like, params["critic"])
        updates, state = tx.update(
            gradients, state, params, value_by_critic=value, **more
        )
        params = optax.apply_updates(params, updates)
    return params, state


def assert_near(left, right, rtol=1e-6):
    jax.tree.map(partial(np.testing.assert_allclose, rtol=rtol), left, right)


def test_injected_hyperparameters_are_the_same_and_can_be_changed(layout):
    make, agents = layout
    params = make()
    static = ("agents", "trial_updates")
    factory = optax.inject_hyperparams(ours.adama, static_args=static)
    injected = factory(optax.adam(1.0), agents=agents, total_rate=0.02)
    plain = ours.adama(optax.adam(1.0), agents=agents, total_rate=0.02)
    expected, _ = descend(plain, params)
    found, state = descend(injected, params)
    assert_near(found, expected)

    state.hyperparams["total_rate"] = jnp.float32(0.2)
    state.hyperparams["smoothing"] = jnp.float32(0.0)
    value = jax.tree.map(jnp.ones_like, params["critic"])
    _, state = injected.update(
        gradients_of(params), state, params, value_by_critic=value
    )
    rates = state.inner_state.rule.rates
    total = float(rates.critic + jnp.linalg.norm(rates.actors))
    np.testing.assert_allclose(total, 0.2, rtol=1e-5)


def test_agents_as_a_traced_hyperparameter_is_refused_with_the_way_out():
    factory = optax.inject_hyperparams(ours.adama)
    with pytest.raises(TypeError, match=r"agents: .* name it in static_args"):
        factory(optax.adam(1.0), agents=N).init(stacked())


def test_a_schedule_of_the_total():
    params = stacked()
    schedule = optax.linear_schedule(0.1, 0.0, transition_steps=4)
    tx = ours.adama(optax.sgd(1.0), N, total_rate=schedule, smoothing=0.0)
    totals = []
    state = tx.init(params)
    value = jax.tree.map(jnp.ones_like, params["critic"])
    for _ in range(3):
        _, state = tx.update(gradients_of(params), state, params, value_by_critic=value)
        rates = state.rule.rates
        totals.append(float(rates.critic + jnp.linalg.norm(rates.actors)))
    np.testing.assert_allclose(totals, [0.1, 0.075, 0.05], rtol=1e-5)


def test_a_partition_with_a_temperature(layout):
    """The groups that AdaMa divides its total among, and one beside them."""
    make, agents = layout
    params = make() | {"temperature": jnp.ones(())}
    tx = optax.partition(
        {"shared": ours.adama(optax.adam(1.0), agents), "own": optax.sgd(0.5)},
        {"actors": "shared", "critic": "shared", "temperature": "own"},
    )
    found, _ = descend(tx, params)
    alone, _ = descend(ours.adama(optax.adam(1.0), agents), make())
    assert_near({name: found[name] for name in alone}, alone)
    assert float(found["temperature"]) != 1.0


def test_a_mask_freezes_a_layer_of_the_critic_and_of_the_actors():
    params = {
        "actors": {"w": jnp.ones((N, 3)), "frozen": jnp.ones((N, 3))},
        "critic": {"w": jnp.ones(4), "frozen": jnp.ones(4)},
    }
    mask = {
        "actors": {"w": True, "frozen": False},
        "critic": {"w": True, "frozen": False},
    }
    tx = optax.chain(
        optax.masked(ours.adama(optax.adam(1.0), N), mask),
        optax.masked(optax.set_to_zero(), jax.tree.map(lambda moves: not moves, mask)),
    )
    found, _ = descend(tx, params)
    np.testing.assert_array_equal(found["critic"]["frozen"], 1.0)
    np.testing.assert_array_equal(found["actors"]["frozen"], 1.0)
    assert float(jnp.max(jnp.abs(found["critic"]["w"] - 1.0))) > 1e-4


def test_steps_over_several_minibatches(layout):
    """`MultiSteps` of two equal minibatches is one step of either."""
    make, agents = layout
    params = make()
    tx = ours.adama(optax.adam(1.0), agents)
    twice = optax.MultiSteps(tx, every_k_schedule=2)
    # Not ones: their critic term is 0 but for rounding, which is another one once compiled.
    value = gradients_of(params, step=1)["critic"]
    gradients = gradients_of(params)
    state = twice.init(params)
    for _ in range(2):
        updates, state = twice.update(gradients, state, params, value_by_critic=value)
    once, expected = tx.update(
        gradients, tx.init(params), params, value_by_critic=value
    )
    assert_near(updates, once)
    assert_near(state.inner_opt_state.rule.rates, expected.rule.rates)


def test_gradients_that_are_not_finite_can_be_skipped(layout):
    make, agents = layout
    params = make()
    tx = optax.apply_if_finite(ours.adama(optax.adam(1.0), agents), 3)
    state = tx.init(params)
    broken = jax.tree.map(lambda leaf: leaf * jnp.nan, params)
    value = jax.tree.map(jnp.ones_like, params["critic"])
    update = jax.jit(tx.update)
    updates, after = update(broken, state, params, value_by_critic=value)
    assert all(float(jnp.max(jnp.abs(leaf))) == 0 for leaf in jax.tree.leaves(updates))
    assert_near(after.inner_state, state.inner_state)
    updates, _ = update(gradients_of(params), after, params, value_by_critic=value)
    assert all(float(jnp.max(jnp.abs(leaf))) > 0 for leaf in jax.tree.leaves(updates))


def test_grids_of_the_numbers_vmap():
    params = stacked()

    def rates(total, floor):
        tx = ours.adama(
            optax.adam(1.0), N, total_rate=total, direction_floor=floor, smoothing=0.0
        )
        _, state = descend(tx, params, steps=1)
        return state.rule.rates

    totals = jnp.array([0.01, 0.1])
    found = jax.vmap(rates)(totals, jnp.array([0.0, 0.1]))
    sums = found.critic + jnp.linalg.norm(found.actors, axis=1)
    np.testing.assert_allclose(sums, totals, rtol=1e-5)


def test_without_parameters_where_the_optimizer_needs_none(layout):
    make, agents = layout
    params = make()
    tx = ours.fixed(optax.sgd(1.0), agents)
    updates, _ = tx.update(gradients_of(params), tx.init(params))
    assert jax.tree.structure(updates) == jax.tree.structure(params)


def test_a_named_tuple_of_parameters_stays_one():
    params = Params(actors=jnp.ones((N, 3)), critic=jnp.ones(4))
    tx = ours.fixed(optax.sgd(1.0), N)
    updates, _ = tx.update(params, tx.init(params), params)
    assert isinstance(updates, Params)


def test_fixed_is_the_plain_optimizer(layout):
    make, agents = layout
    params = make()
    rate = 0.03
    tx = ours.fixed(
        optax.adam(1.0), agents, critic_rate=rate, actor_budget=rate * np.sqrt(N)
    )
    found, _ = descend(tx, params)
    expected, _ = descend(optax.with_extra_args_support(optax.adam(rate)), params)
    assert_near(found, expected, rtol=1e-5)


def test_each_agent_has_its_own_global_norm(layout):
    make, agents = layout
    params = make()
    clipped = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0))
    tx = ours.fixed(clipped, agents, actor_budget=np.sqrt(N))
    gradients = gradients_of(params)
    updates, _ = tx.update(gradients, tx.init(params), params)
    norms = ours_norms(updates["actors"], agents)
    np.testing.assert_allclose(norms, np.ones(N), rtol=1e-5)


def ours_norms(tree, agents):
    if isinstance(agents, int):
        return jax.vmap(optax.tree.norm)(tree)
    return [optax.tree.norm(tree[name]) for name in agents]
