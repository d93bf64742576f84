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
from adama_jax.execution.build import make_optimizer
from adama_jax.testing import check_optimizer
from adama_jax.training.optimizers import (
    NOT_PROPORTIONAL,
    from_optax,
    named_optimizer,
)
from adama_jax.types import Params

OF_OPTAX = [name for name, path in OPTIMIZERS.items() if path == f"optax:{name}"]


@pytest.mark.parametrize("name", OF_OPTAX)
def test_every_optimizer_keeps_the_contract(name):
    """Fixed rates on an optimizer are that optimizer at these rates."""
    check_optimizer(getattr(optax, name))
    check_optimizer(named_optimizer(name))


@pytest.mark.parametrize("name", NOT_PROPORTIONAL)
def test_what_is_not_proportional_to_its_rate_is_refused_by_name(name):
    # Refused for a reason: something else would have been trained.
    with pytest.raises(AssertionError, match="must be proportional"):
        check_optimizer(getattr(optax, name))
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


def test_gradients_are_clipped_as_the_configuration_says():
    """Before the optimizer: Adam's first step, a sign, does not show it, but its state does."""
    config = with_settings(
        scenario_config("clustering"),
        {"method": "fixed", "learning.max_grad_norm": 2.0},
    )
    gradients = Params(jnp.array([[3.0, 4.0], [0.0, 0.5]]), jnp.array([0.0, -8.0]))
    plain = make_optimizer(config)
    steps, _ = plain.update(gradients, plain.init(gradients), gradients)
    np.testing.assert_allclose(-steps.actors, [[1.2, 1.6], [0.0, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(-steps.critic, [0.0, -2.0], rtol=1e-6)
    adam = make_optimizer(with_settings(config, {"optimizer": "adam"}))
    _, states = adam.update(gradients, adam.init(gradients), gradients)
    (first_moment,) = [
        leaf
        for leaf in jax.tree.leaves(states.critic)
        if leaf.shape == (2,) and float(leaf[1]) < 0
    ]
    np.testing.assert_allclose(first_moment, [0.0, -0.2], rtol=1e-5)


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
    assert set(OF_OPTAX) == set(possible) - unusable - set(NOT_PROPORTIONAL)


@pytest.mark.parametrize("name", ["nope", "chain", "polyak_sgd_", "scale"])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=f"optimizer='{name}'"):
        named_optimizer(name)
