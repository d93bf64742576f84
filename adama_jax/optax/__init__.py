"""AdaMa as an optax transformation, for a training loop of one's own.

>>> import jax.numpy as jnp, optax
>>> from adama_jax.optax import adama
>>> tx = adama(optax.adam(1.0), agents=2, total_rate=1e-2)
>>> params = {"actors": jnp.ones((2, 3)), "critic": jnp.ones(4)}
>>> state = tx.init(params)
>>> losses = {"actors": jnp.ones((2, 3)), "critic": jnp.ones(4)}  # their gradients
>>> updates, state = tx.update(losses, state, params, value_by_critic=jnp.ones(4))
>>> params = optax.apply_updates(params, updates)
>>> [round(float(rate), 4) for rate in (state.rule.rates.critic, *state.rule.rates.actors)]
[0.005, 0.0035, 0.0035]
"""

from adama_jax.optax.from_rule import AdamaState, from_rule
from adama_jax.optax.groups import Groups
from adama_jax.optax.per_agent import per_agent
from adama_jax.optax.transformations import adama, fixed

__all__ = ["AdamaState", "Groups", "adama", "fixed", "from_rule", "per_agent"]
