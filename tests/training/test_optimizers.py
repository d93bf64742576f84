"""Any optax optimizer at learning rate 1."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.config.schema import OPTIMIZERS
from adama_jax.rates.rules import RateHyper, fixed
from adama_jax.training.optimizers import from_optax, named_optimizer
from adama_jax.tree import step_per_agent


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop", "adagrad"])
def test_fixed_rates_on_an_optimizer_are_that_optimizer(name):
    rate, params = 0.01, jnp.arange(12.0).reshape(2, 6)
    rates = fixed(RateHyper(actor_budget=rate * np.sqrt(2))).init(2).rates.actors
    ours, theirs = named_optimizer(name).actors, getattr(optax, name)(rate)
    state, their_state = ours.init(params), theirs.init(params)
    their_params = params
    for i in range(5):
        gradients = jnp.sin(params + i)
        updates, state = ours.update(gradients, state, params)
        params = step_per_agent(params, rates, updates)
        their_updates, their_state = theirs.update(
            jnp.sin(their_params + i), their_state, their_params
        )
        their_params = optax.apply_updates(their_params, their_updates)
        np.testing.assert_allclose(params, their_params, rtol=2e-5)


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
    assert set(OPTIMIZERS) == set(possible) - unusable


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
