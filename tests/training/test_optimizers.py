"""Any optax optimizer at learning rate 1."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.config.checks import validate
from adama_jax.config.names import with_settings
from adama_jax.config.schema import OPTIMIZERS, scenario_config
from adama_jax.errors import SettingError
from adama_jax.rates.rules import RateHyper, fixed
from adama_jax.training.optimizers import (
    NOT_PROPORTIONAL,
    from_optax,
    named_optimizer,
)
from adama_jax.tree import step_per_agent

RATE = 0.03
STEPS = 60


def start():
    """Two agents' parameters, which differ."""
    return {
        "w": jnp.linspace(-1.0, 2.0, 24).reshape(2, 3, 4),
        "b": jnp.array([[0.3, -0.4], [0.5, 1.0]]),
    }


def trained(transformation, step):
    """Parameters after 60 steps; the signs of most gradients change, of some they never do."""

    def one(carry, number):
        params, state = carry
        # Not of the parameters: then rounding would grow from step to step.
        gradients = jax.tree.map(lambda leaf: jnp.sin(leaf + number) + leaf, start())
        updates, state = transformation.update(gradients, state, params)
        return (step(params, updates), state), None

    def train(params):
        carry = (params, transformation.init(params))
        return jax.lax.scan(one, carry, jnp.arange(STEPS))[0][0]

    # It runs once, so that optimizing it does not pay.
    fast = {"xla_backend_optimization_level": 0}
    return jax.jit(train, compiler_options=fast)(start())


def ours(transformation):
    rates = fixed(RateHyper(actor_budget=RATE * np.sqrt(2))).init(2).rates.actors
    return trained(
        transformation, lambda params, updates: step_per_agent(params, rates, updates)
    )


def theirs(name):
    one = getattr(optax, name)(RATE)
    both = optax.GradientTransformation(jax.vmap(one.init), jax.vmap(one.update))
    return trained(both, optax.apply_updates)


def farthest(left, right):
    return max(
        float(jnp.max(jnp.abs(one - other)))
        for one, other in zip(
            jax.tree.leaves(left), jax.tree.leaves(right), strict=True
        )
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fixed_rates_on_an_optimizer_are_that_optimizer(name):
    found = ours(named_optimizer(name).actors)
    expected = theirs(name)
    # It has moved: equal parameters that never changed would say nothing.
    assert farthest(expected, start()) > 1e-4
    assert farthest(found, expected) < 5e-3 * farthest(expected, start())


@pytest.mark.parametrize("name", NOT_PROPORTIONAL)
def test_what_is_not_proportional_to_its_rate_is_refused_by_name(name):
    at_rate_1 = from_optax(getattr(optax, name)(1.0), check_rate=False).actors
    expected = theirs(name)
    # Refused for a reason: this is what would have been trained.
    assert farthest(ours(at_rate_1), expected) > 0.02 * farthest(expected, start())
    message = f"optimizer='{name}': its step is not proportional"
    with pytest.raises(ValueError, match=message):
        named_optimizer(name)
    config = with_settings(scenario_config("clustering"), {"optimizer": name})
    with pytest.raises(
        SettingError,
        match=rf"^optimizer={name}: .*must be one of sgd",
    ):
        validate(config)


def test_a_global_norm_does_not_couple_agents():
    tx = from_optax(optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0))).actors
    small = jnp.array([[0.1, 0.0], [0.0, 0.2]])
    large = small.at[1].mul(1e6)
    first = [tx.update(g, tx.init(g), g)[0][0] for g in (small, large)]
    np.testing.assert_array_equal(*first)


def test_the_configuration_names_every_optimizer_of_optax_that_will_do():
    """What the command line allows, without importing JAX, is what optax has."""
    possible = []
    for name in dir(optax):
        factory = getattr(optax, name)
        if (
            not name.islower()
            or not callable(factory)
            or name.startswith(("_", "scale_by"))
        ):
            continue
        parameters = inspect.signature(factory).parameters
        required = [
            key for key, value in parameters.items() if value.default is value.empty
        ]
        if "learning_rate" in parameters and required in ([], ["learning_rate"]):
            possible.append(name)
    # Wants a line search; a key; is deprecated.
    unusable = {
        "lbfgs",
        "noisy_sgd",
        "optimistic_adam",
    }
    assert set(OPTIMIZERS) == set(possible) - unusable - set(NOT_PROPORTIONAL)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_gives_finite_directions(name):
    tx = named_optimizer(name)
    gradients = {"w": jnp.ones((2, 3, 4)), "b": jnp.zeros((2, 3))}
    updates, _ = jax.jit(tx.actors.update)(
        gradients, tx.actors.init(gradients), gradients
    )
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(updates))


@pytest.mark.parametrize("name", ["nope", "chain", "polyak_sgd_", "scale"])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=f"optimizer='{name}'"):
        named_optimizer(name)
