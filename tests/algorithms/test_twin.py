"""Twin critics: two networks that share nothing, round any critic."""

from pkgutil import resolve_name

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.algorithms.critics.joint import JointCritic
from adama_jax.algorithms.critics.twin import TwinCritic
from adama_jax.algorithms.settings import CRITICS

N, B, OBS, ACTION = 2, 5, 3, 2
OBSERVED = jax.ShapeDtypeStruct((N, B, OBS), jnp.float32)
DONE = jax.ShapeDtypeStruct((N, B, ACTION), jnp.float32)


@pytest.mark.parametrize("critic", CRITICS)
def test_it_goes_round_every_critic(critic):
    twin = TwinCritic(resolve_name(CRITICS[critic].path), hidden=(8, 8))
    key = jax.eval_shape(lambda: jax.random.key(0))
    params = jax.eval_shape(twin.init, key, OBSERVED, DONE)
    first, second = (params["params"][name] for name in ("first", "second"))
    assert jax.tree.structure(first) == jax.tree.structure(second)

    def value(params, obs, action):
        return twin.apply(params, obs, action, method="value")

    assert jax.eval_shape(twin.apply, params, OBSERVED, DONE).shape == (2, B)
    assert jax.eval_shape(value, params, OBSERVED, DONE).shape == (B,)


def test_each_is_the_critic_with_its_own_parameters():
    """So the second enters no value of the first, and no gradient of it."""
    twin = TwinCritic(JointCritic, (8, 8), "tanh")
    obs = jax.random.normal(jax.random.key(1), (N, B, OBS))
    action = jax.random.uniform(jax.random.key(2), (N, B, ACTION), minval=-1)
    params = jax.jit(twin.init)(jax.random.key(0), obs, action)
    alone = JointCritic((8, 8), "tanh")
    both = twin.apply(params, obs, action)
    for row, name in enumerate(("first", "second")):
        own = {"params": params["params"][name]}
        np.testing.assert_allclose(both[row], alone.apply(own, obs, action), rtol=1e-6)
    assert not np.any(both[0] == both[1])

    def value(params):
        return jnp.mean(twin.apply(params, obs, action, method="value"))

    found = jax.grad(value)(params)["params"]
    assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(found["second"]))
    assert any(np.any(leaf != 0) for leaf in jax.tree.leaves(found["first"]))
