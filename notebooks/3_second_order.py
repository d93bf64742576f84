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
# Eq. (3) adds $M l_a$ to the contributions, where $M_{ij} = \frac1B\sum_b u_{bi}^\top
# \left[\partial^2 Q/\partial a_i \partial a_j\right] u_{bj}$ and $u_{bi}$ is how actor $i$'s action
# in sample $b$ changes per unit of its rate. Here we train a critic for a while in *clustering* (8
# agents), and look at $M$.

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
    settings = small | {"networks.critic_activation": activation}
    config = with_settings(scenario_config("clustering"), settings)
    env = make_env(config)
    train = make_train(config)
    state = train.init(jax.random.key(0), make_hyper(config))
    state, _ = jax.jit(train.chunk, static_argnums=1)(state, config.episodes)

    keys = jax.random.split(jax.random.key(1), 30)
    episodes = train.play(state, keys)
    snapshots = episodes.snapshot.reshape(-1, env.spec.snapshot_size)
    obs = jax.vmap(env.observe)(snapshots)  # [B, N, O]
    algorithm = make_algorithm(config, env)
    return algorithm, state.learner.params, jnp.swapaxes(obs, 0, 1)


def pieces(algorithm, params, obs):
    """What `probe` reads; the directions are those of plain gradient ascent."""

    def policy(actors):
        return algorithm.act(actors, obs)

    def value(action):
        return algorithm.value(params.critic, obs, action)

    def objective(actors):
        return jnp.mean(value(policy(actors)))

    directions = jax.grad(objective)(params.actors)
    return probe.Along(policy, value, params.actors, directions)


# %%
rates = jnp.full(8, 1e-2 / jnp.sqrt(8.0))
looks = {activation: pieces(*trained(activation)) for activation in ("relu", "tanh")}
matrices = {}
products = {}
for activation, look in looks.items():
    matrices[activation] = probe.pairwise_matrix(look)
    products[activation] = {}
    for name in probe.CURVATURES:
        product = probe.curvature(name)
        products[activation][name] = product(look, rates)

# %% [markdown]
# ## The pairwise matrix
#
# A ReLU critic is linear in the actions wherever it has a derivative, so every second derivative is
# exactly zero: the printed second-order rule then *is* the first-order one, bit for bit. With tanh
# there is something to see: off the diagonal, how much one actor's move changes what another's is
# worth.

# %%
figure, row = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for axes, (activation, matrix) in zip(row, matrices.items(), strict=True):
    largest = float(jnp.abs(matrix).max())
    size = max(largest, 1e-12)
    picture = axes.imshow(matrix, cmap="RdBu", vmin=-size, vmax=size)
    axes.set_title(f"{activation} critic: largest |M| {largest:.2g}")
    axes.set(xlabel="agent j", ylabel="agent i")
    figure.colorbar(picture, ax=axes, shrink=0.8)
plt.show()
assert not np.any(matrices["relu"])

# %% [markdown]
# ## Three ways to $M l_a$
#
# * `exact`: one Hessian-vector product. Zero for ReLU, so it is refused there.
# * `secant`: the difference of two action gradients, a step of 0.1 either way, which averages over
#   a ReLU critic's kinks.
# * `lookahead`: the gradient at the rates in use minus the one at zero, no Taylor expansion at all;
#   it also has the actors' own second derivatives, which Eq. (3) drops.

# %%
figure, row = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for axes, (activation, found) in zip(row, products.items(), strict=True):
    for index, (name, product) in enumerate(found.items()):
        offset = 0.27 * (index - 1)
        axes.bar(np.arange(8) + offset, product, width=0.25, label=name)
    axes.axhline(0, color="black", lw=0.6)
    axes.set(title=f"{activation} critic", xlabel="agent", ylabel=r"$(M l_a)_i$")
    axes.legend()
plt.show()

# %% [markdown]
# ## How large is it beside the first order?

# %%
for activation, look in looks.items():
    contribution = probe.contributions(look.directions, look.directions, agents=8)
    first_order = jnp.linalg.norm(contribution)
    for name, product in products[activation].items():
        ratio = float(jnp.linalg.norm(product) / first_order)
        print(f"{activation:5} {name:10} |M l_a| / |c| = {ratio:.1e}")

# %% [markdown]
# At learning rates of $10^{-2}$ the second order is a small correction of the first. Whether it
# changes what is learned is an experiment, not a formula: Figure 7 (`experiments/figure7.toml`).
