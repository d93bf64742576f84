# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # AdaMa on a toy game
#
# Two agents choose a number each and share a payoff that we know in full:
#
# $$Q(a_1, a_2) = 3 a_1 + a_2 - \tfrac12 (a_1^2 + a_2^2) + c\, a_1 a_2 .$$
#
# Nothing is learned about $Q$ here, so what AdaMa measures can be checked by hand, and what its
# rule does with the measurements can be watched alone.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from adama_jax import RateHyper, Signals, adama, steer
from adama_jax.rates import probe

# %% [markdown]
# ## Contributions and curvature, by hand and measured
#
# At $a = 0$ the gradient is $g = (3, 1)$. With plain gradient ascent an actor's direction is its
# gradient, so its
# **contribution** is $c_i = g_i^2 = (9, 1)$: what a unit of rate buys to first order (section 3.2).
# To second order the actors' moves meet: $M_{ij} = g_i\, \partial^2 Q / \partial a_i \partial a_j\,
# g_j$, that is
#
# $$M = \begin{pmatrix} -9 & 3c \\ 3c & -1 \end{pmatrix}, \qquad
#   \frac{\partial \Delta Q}{\partial l_a} = c + M l_a \quad\text{(Eq. 3).}$$

# %%
coupling = 0.8


def payoff(action):
    """Q of the joint action. [N, B, A] to [B]"""
    first = action[0, :, 0]
    second = action[1, :, 0]
    cost = (first**2 + second**2) / 2
    return 3 * first + second - cost + coupling * first * second


def policy(actors):
    """An actor's only parameter is its action. [N, 1] to [N, B=1, A=1]"""
    return actors[:, None, :]


def objective(actors):
    """What the actors climb. [N, 1] to []"""
    return jnp.mean(payoff(policy(actors)))


actors = jnp.zeros((2, 1))
gradient = jax.grad(objective)(actors)
contribution = probe.contributions(gradient, gradient, agents=2)
along = probe.Along(policy, payoff, actors, gradient)
matrix = probe.pairwise_matrix(along)
by_hand = np.array([[-9, 3 * coupling], [3 * coupling, -1]])
print("contributions", contribution, "by hand", [9, 1])
print("M\n", matrix, "\nby hand\n", by_hand)

# %% [markdown]
# One Hessian-vector product gives $M l_a$ without the matrix, whatever the number of agents is.

# %%
rates = jnp.array([0.2, 0.3])
product = probe.exact(along, rates)
print("M l_a, product", product, "matrix", matrix @ rates)

# %% [markdown]
# ## How the rates move
#
# Eq. (1) turns the vector of rates towards the contributions and keeps its norm. We let both agents
# climb the payoff for 60 steps, with the rates from the first and from the second order.


# %%
def climb(rule, steps=60):
    """Rates and payoff along the way. [steps, N], [steps]"""

    def step(carry, _):
        actors, state = carry
        value, gradient = jax.value_and_grad(objective)(actors)
        along = probe.Along(policy, payoff, actors, gradient)
        signals = Signals(
            contribution=probe.contributions(gradient, gradient, agents=2),
            curvature=probe.exact(along, state.rates.actors),
            critic_term=jnp.zeros(()),
        )
        state = rule.update(signals, state)
        rates = state.rates.actors
        actors = actors + rates[:, None] * gradient
        return (actors, state), (rates, value)

    start = (jnp.zeros((2, 1)), rule.init(2))
    _, path = jax.lax.scan(step, start, None, length=steps)
    return path


hyper = RateHyper(actor_budget=0.4, smoothing=0.8, direction_floor=0.1)
paths = {
    "first order, Eq. (1)": climb(steer(hyper)),
    "second order, Eq. (3)": climb(steer(hyper, second_order=True)),
}
# Where the gradient is zero: a_1 - c a_2 = 3 and a_2 - c a_1 = 1.
optimum = jnp.linalg.solve(
    jnp.array([[1.0, -coupling], [-coupling, 1.0]]),
    jnp.array([3.0, 1.0]),
)
best = float(objective(optimum[:, None]))

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for name, line in zip(paths, ("-", "--"), strict=True):
    rates, value = paths[name]
    shares = rates / jnp.linalg.norm(rates, axis=1, keepdims=True)
    left.plot(shares[:, 0], "#0072B2", ls=line, label=f"agent 0, {name}")
    left.plot(shares[:, 1], "#D55E00", ls=line, label=f"agent 1, {name}")
    right.plot(best - value, ls=line, label=name)
left.set(xlabel="step", ylabel=r"$l_{a,i}/|l_a|$", ylim=(0, 1.05))
right.set(xlabel="step", ylabel="payoff still missing", yscale="log")
left.legend(fontsize=7)
right.legend(fontsize=8)
plt.show()

# %% [markdown]
# At first agent 0 buys nine times what agent 1 does and takes most of the budget; soon both
# gradients are alike, and so are the rates. The second order sees the curvature ahead and is a
# little less eager. In a game this easy none of it changes how soon the payoff is reached.
#
# ## The floor
#
# Printed as it is, Eq. (1) lets an actor's rate fall to nothing. The one public figure of the paper
# stops at 0.1 of the norm, so the target direction has a floor (`direction_floor`, 0.1 by default;
# 0 is the printed formula).

# %%
signals = Signals(
    contribution=jnp.array([1.0, 0.0]),
    curvature=jnp.zeros(2),
    critic_term=jnp.zeros(()),
)
figure, axes = plt.subplots(figsize=(5.5, 3.2), layout="constrained")
for floor in (0.0, 0.1, 0.3):
    hyper = RateHyper(actor_budget=1.0, smoothing=0.97, direction_floor=floor)
    rule = steer(hyper)
    state = rule.init(2)
    shares = []
    for _ in range(200):
        state = rule.update(signals, state)
        shares.append(float(state.rates.actors[1]))
    axes.plot(shares, label=f"floor {floor}")
axes.set(
    xlabel="update", ylabel="share of an actor that contributes nothing", ylim=(0, None)
)
axes.legend()
plt.show()

# %% [markdown]
# ## What m does
#
# Eq. (2) gives the critic the share $\operatorname{clip}(\kappa / m, \epsilon, 1 - \epsilon)$ of
# $l$: $\kappa$ says how far the critic's own update moves the Q-values that the actors climb, and
# $m$ is the $\kappa$ at which the critic gets all that it can. `adama calibrate SCENARIO` measures
# it.

# %%
kappas = jnp.linspace(0, 120, 200)
figure, axes = plt.subplots(figsize=(5.5, 3.2), layout="constrained")


def settled(m):
    """The critic's rate for each kappa, once nothing is left of the old rates."""
    rule = adama(RateHyper(total_rate=1e-2, critic_scale=m, smoothing=0.0))

    def after_one_update(kappa):
        signals = Signals(
            contribution=jnp.ones(2),
            curvature=jnp.zeros(2),
            critic_term=kappa,
        )
        return rule.update(signals, rule.init(2)).rates.critic

    return jax.vmap(after_one_update)(kappas)


for m in (20.0, 50.0, 100.0):
    axes.plot(kappas, settled(m), label=f"m = {m:g}")
axes.set(xlabel=r"critic term $\kappa$", ylabel=r"critic's rate $l_c$", ylim=(0, 0.01))
axes.legend(title="l = 0.01, clip = 0.1")
plt.show()
