"""Draw the pictures of docs/explanation/adama.md, from the functions of `adama_jax.rates`.

`python docs/figures/draw.py [FOLDER]` writes them beside this file, or into the folder.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from adama_jax import RateHyper, RateRule, Signals, fixed, steer
from adama_jax.rates.equations import balance_rates, steer_rates, uniform_direction
from adama_jax.rates.probe import contributions

mpl.use("agg")
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
# How much each agent matters: a little more, and twenty times as much.
ALIKE = jnp.array([1.0, 0.5])
UNEQUAL = jnp.array([4.0, 0.2])


def objective(action: jax.Array, weights: jax.Array) -> jax.Array:
    """J = -sum_i w_i (a_i - 1)^2: all should go to 1, some matter more. [N], [N] to []"""
    return -jnp.sum(weights * (action - 1) ** 2)


def contribution() -> Figure:
    """What a rate of an actor buys, and the slope of that at zero: its contribution."""
    action = jnp.zeros(2)
    gradient = jax.grad(objective)(action, ALIKE)
    slopes = contributions(gradient, gradient, agents=2)
    figure, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
    rates = jnp.linspace(0, 0.5, 60)
    for agent, color in enumerate((BLUE, ORANGE)):
        along = jnp.zeros(2).at[agent].set(gradient[agent])

        def gain_at(rate: jax.Array, direction: jax.Array = along) -> jax.Array:
            after = objective(action + rate * direction, ALIKE)
            return after - objective(action, ALIKE)

        gain = jax.vmap(gain_at)(rates)
        slope = float(slopes[agent])
        label = f"agent {agent}: slope $c_{agent}$ = {slope:.3g}"
        axes.plot(rates, gain, color=color, lw=2, label=label)
        axes.plot(rates, slope * rates, color=color, ls="--", lw=1)
    axes.set(
        xlabel="rate of this actor alone", ylabel="gain in J of one step", ylim=(0, 1.3)
    )
    axes.legend(loc="upper left")
    return figure


def share() -> Figure:
    """Eq. (2): the critic's share of l against kappa / m, and how it follows in time."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(8.6, 3.3), layout="constrained", width_ratios=(1, 1.2)
    )
    ratio = jnp.linspace(0, 1.3, 200)

    def settled(kappa: jax.Array) -> tuple[jax.Array, jax.Array]:
        # Without smoothing the rates are at once where they settle.
        return balance_rates(l_c=0.5, kappa=kappa, l=1.0, m=1.0, alpha=0.0, eps=0.1)

    critic, actors = jax.vmap(settled)(ratio)
    left.plot(ratio, critic, color=GREEN, lw=2, label="critic, $l_c / l$")
    left.plot(ratio, actors, color=BLUE, lw=2, label=r"actors, $|l_a| / l$")
    for bound, word in ((0.1, r"$\epsilon$"), (0.9, r"$1 - \epsilon$")):
        left.axhline(bound, color=GREY, lw=0.8, ls=":")
        left.text(0.36, bound + 0.015, word, color=GREY)
    left.set(xlabel=r"$\kappa / m$", ylabel="share of the total", ylim=(0, 1))
    left.legend(loc="center right", fontsize=8)

    kappa = jnp.where((jnp.arange(1000) // 250) % 2 == 0, 60.0, 5.0)
    right.plot(
        jnp.clip(kappa / 50, 0.1, 0.9), color=GREY, lw=1, label=r"clipped $\kappa / m$"
    )
    for alpha, color in ((0.9, ORANGE), (0.99, GREEN)):

        def follow(l_c, each, alpha=alpha):
            l_c, _ = balance_rates(l_c, each, l=1.0, m=50.0, alpha=alpha, eps=0.1)
            return l_c, l_c

        _, path = jax.lax.scan(follow, jnp.float32(0.5), kappa)
        right.plot(path, color=color, lw=2, label=rf"$l_c / l$, $\alpha$ = {alpha}")
    right.set(xlabel="update", ylim=(0, 1.3), yticks=np.linspace(0, 1, 6))
    right.legend(fontsize=8, loc="upper center", ncols=3)
    return figure


def turning() -> Figure:
    """Eq. (1): the vector of rates turns towards the contributions, on its circle."""
    figure, row = plt.subplots(1, 2, figsize=(8.2, 4.1), layout="constrained")
    gain = jnp.array([9.0, 1.0])
    angles = np.linspace(0, np.pi / 2, 90)
    for axes, floor in zip(row, (0.0, 0.3), strict=True):
        axes.plot(np.cos(angles), np.sin(angles), color=GREY, lw=1)
        target = gain / jnp.linalg.norm(gain)
        axes.annotate(
            "", target, (0, 0), arrowprops={"arrowstyle": "->", "color": ORANGE}
        )
        axes.text(0.05, 0.88, "rates", color=BLUE, fontsize=9)
        axes.text(0.05, 0.81, "contributions", color=ORANGE, fontsize=9)
        rates = uniform_direction(2)
        for step in range(9):
            strength = 1 if step == 0 else 0.35
            axes.annotate(
                "",
                rates,
                (0, 0),
                arrowprops={"arrowstyle": "->", "color": BLUE, "alpha": strength},
            )
            axes.plot(*rates, "o", color=BLUE, ms=4)
            rates = steer_rates(rates, gain, eta=1.0, alpha=0.8, floor=floor)
        axes.text(0.73, 0.73, "equal at first", color=BLUE, fontsize=9)
        axes.set(
            title="as printed, floor 0" if floor == 0 else f"floor {floor:g}",
            xlabel=r"$l_{a,0} / \eta$",
            ylabel=r"$l_{a,1} / \eta$",
            xlim=(0, 1.1),
            ylim=(0, 1.1),
            aspect="equal",
        )
    return figure


def climb(rule: RateRule, steps: int = 200) -> tuple[jax.Array, jax.Array]:
    """Rates, and what is still missing of J, along the way. [steps, N], [steps]"""

    def step(carry, _):
        action, state = carry
        gradient = jax.grad(objective)(action, UNEQUAL)
        found = contributions(gradient, gradient, agents=2)
        state = rule.update(Signals(found, jnp.zeros(2), jnp.zeros(())), state)
        action = action + state.rates.actors * gradient
        return (action, state), (state.rates.actors, -objective(action, UNEQUAL))

    return jax.lax.scan(step, (jnp.zeros(2), rule.init(2)), None, length=steps)[1]


def unequal() -> Figure:
    """The unequal game: who matters more gets the larger rate, and the team arrives sooner."""
    hyper = RateHyper(actor_budget=0.01, smoothing=0.9)
    rules: dict[str, tuple[Callable[..., RateRule], str]] = {
        "Eq. (1)": (steer, "-"),
        "equal rates": (fixed, "--"),
    }
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.3), layout="constrained")
    for name, (rule, line) in rules.items():
        rates, missing = climb(rule(hyper))
        left.plot(rates[:, 0], color=BLUE, ls=line, label=f"agent 0, {name}")
        left.plot(rates[:, 1], color=ORANGE, ls=line, label=f"agent 1, {name}")
        right.plot(missing, color="black", ls=line, label=name)
    left.set(xlabel="update", ylabel="rate", ylim=(0, 0.0105))
    left.legend(fontsize=8)
    right.set(xlabel="update", ylabel="missing of J", yscale="log")
    right.legend(fontsize=8)
    return figure


FIGURES = {
    "contribution": contribution,
    "share": share,
    "turning": turning,
    "unequal": unequal,
}


def draw(folder: Path) -> list[Path]:
    """Draw all of them; the same functions give the same files."""
    paths = []
    with mpl.rc_context({"svg.hashsalt": "adama", "svg.fonttype": "path"}):
        for name, figure_of in FIGURES.items():
            figure = figure_of()
            path = folder / f"{name}.svg"
            figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
            plt.close(figure)
            paths.append(path)
    return paths


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
