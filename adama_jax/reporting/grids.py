"""Grids of fixed rates: which runs are one, and where its best pair lies."""

from collections.abc import Mapping, Sequence

import numpy as np

from adama_jax.reporting.summary import final_returns
from adama_jax.storage.reader import Run

Pair = tuple[float, float]  # l_c and |l_a|


def fixed_rates(run: Run) -> Pair:
    """The rates of a run that keeps them."""
    return run.config.rates.critic_rate, run.config.rates.actor_budget


def is_grid(runs: Sequence[Run]) -> bool:
    """Whether runs are a grid of fixed rates: every pair of their l_c and |l_a| once."""
    if {run.config.method for run in runs} != {"fixed"}:
        return False
    pairs = set()
    critic = set()
    actors = set()
    for run in runs:
        pair = fixed_rates(run)
        pairs.add(pair)
        critic.add(pair[0])
        actors.add(pair[1])
    once = len(pairs) == len(runs)
    combinations = len(critic) * len(actors)
    whole = len(runs) == combinations
    return once and whole and len(runs) > 1


def best_is_on_the_edge(runs: Sequence[Run]) -> bool:
    """Whether the best pair of a grid has the least or the largest rate of an axis.

    Then better rates may lie beyond the grid. An axis with one rate was not searched and has no
    edge. Where no setting's seeds all stayed finite there is no best.
    """
    means = np.array([final_returns(run).mean() for run in runs])
    if np.isnan(means).all():
        return False
    best = fixed_rates(runs[int(np.nanargmax(means))])
    axes = zip(*(fixed_rates(run) for run in runs), strict=True)
    for rate, rates in zip(best, axes, strict=True):
        least = min(rates)
        most = max(rates)
        if least < most and rate in (least, most):
            return True
    return False


def edge_note(grids: Mapping[str, Sequence[Run]]) -> str:
    """Words on the scenarios in whose grid the best pair lies on the edge; nothing if in none."""
    names = []
    for scenario, runs in grids.items():
        if best_is_on_the_edge(runs):
            names.append(scenario.replace("_", " "))
    if not names:
        return ""
    where = f"in {', '.join(names)}" if len(names) < len(grids) else "in every scenario"
    return f", on the grid's edge {where}: rates beyond were not tried"
