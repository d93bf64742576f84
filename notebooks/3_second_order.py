# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Second order: what it sees, and when it sees nothing
#
# Eq. (3) adds $M l_a$ to the contributions, where
# $M_{ij} = \frac1B\sum_b u_{bi}^\top \left[\partial^2 Q/\partial a_i \partial a_j\right] u_{bj}$ and $u_{bi}$ is how
# actor $i$'s action in sample $b$ changes per unit of its rate. Here we train a critic for a while in *clustering*
# (8 agents), and look at $M$.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from adama_jax import (
    make_algorithm,
    make_env,
    make_hyper,
    make_train,
    scenario_config,
    with_settings,
)
from adama_jax.rates import probe

small = {"episodes": 300, "learning.batch_size": 256}


# %%
def trained(activation):
    """Actors and critic after 300 episodes, and a minibatch to look at them with."""
    config = with_settings(
        scenario_config("clustering"), small | {"networks.critic_activation": activation}
    )
    env, train = make_env(config), make_train(config)
    algorithm = make_algorithm(config, env)
    state = train.init(jax.random.key(0), make_hyper(config))
    state, _ = jax.jit(train.chunk, static_argnums=1)(state, config.episodes)
    episodes = train.play(state, jax.random.split(jax.random.key(1), 30))
    obs = jax.vmap(jax.vmap(env.observe))(episodes.snapshot).reshape(
        -1, env.spec.num_agents, env.spec.obs_size
    )
    obs = jnp.swapaxes(obs, 0, 1)
    params = state.learner.params
    return algorithm, params, obs


def pieces(algorithm, params, obs):
    """What `probe` reads; the directions are those of plain gradient ascent."""

    def policy(actors):
        return algorithm.act(actors, obs)

    def value(action):
        return algorithm.value(params.critic, obs, action)

    directions = jax.grad(lambda actors: jnp.mean(value(policy(actors))))(params.actors)
    return probe.Along(policy, value, params.actors, directions)


# %%
rates = jnp.full(8, 1e-2 / jnp.sqrt(8.0))
looks = {activation: pieces(*trained(activation)) for activation in ("relu", "tanh")}
matrices = {activation: probe.pairwise_matrix(look) for activation, look in looks.items()}
products = {
    activation: {name: probe.curvature(name)(look, rates) for name in probe.CURVATURES}
    for activation, look in looks.items()
}

# %% [markdown]
# ## The pairwise matrix
#
# A ReLU critic is linear in the actions wherever it has a derivative, so every second derivative is exactly zero: the
# printed second-order rule then *is* the first-order one, bit for bit. With tanh there is something to see: off the
# diagonal, how much one actor's move changes what another's is worth.

# %%
figure, row = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for axes, (activation, matrix) in zip(row, matrices.items(), strict=True):
    size = max(float(jnp.abs(matrix).max()), 1e-12)
    picture = axes.imshow(matrix, cmap="RdBu", vmin=-size, vmax=size)
    axes.set(
        title=f"{activation} critic: largest |M| {float(jnp.abs(matrix).max()):.2g}",
        xlabel="agent j",
        ylabel="agent i",
    )
    figure.colorbar(picture, ax=axes, shrink=0.8)
plt.show()
assert not np.any(matrices["relu"])

# %% [markdown]
# ## Three ways to $M l_a$
#
# * `exact`: one Hessian-vector product. Zero for ReLU, so it is refused there.
# * `secant`: the difference of two action gradients, a step of 0.1 either way, which averages over a ReLU critic's
#   kinks.
# * `lookahead`: the gradient at the rates in use minus the one at zero, no Taylor expansion at all; it also has the
#   actors' own second derivatives, which Eq. (3) drops.

# %%
figure, row = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for axes, (activation, found) in zip(row, products.items(), strict=True):
    for place, (name, product) in enumerate(found.items()):
        axes.bar(np.arange(8) + 0.27 * (place - 1), product, width=0.25, label=name)
    axes.axhline(0, color="black", lw=0.6)
    axes.set(title=f"{activation} critic", xlabel="agent", ylabel=r"$(M l_a)_i$")
    axes.legend()
plt.show()

# %% [markdown]
# ## How large is it beside the first order?

# %%
for activation, look in looks.items():
    contribution = probe.contributions(look.directions, look.directions)
    for name, product in products[activation].items():
        ratio = float(jnp.linalg.norm(product) / jnp.linalg.norm(contribution))
        print(f"{activation:5} {name:10} |M l_a| / |c| = {ratio:.1e}")

# %% [markdown]
# At learning rates of $10^{-2}$ the second order is a small correction of the first. Whether it changes what is learned
# is an experiment, not a formula: Figure 7 (`experiments/figure7.toml`).
