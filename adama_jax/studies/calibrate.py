"""A trial run that tells m: the mean of kappa over its first K updates (section 4.4.1)."""

import dataclasses
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from adama_jax.config.schema import Config
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.training.population import host, population

ROWS = 10  # of the table


class Trial(NamedTuple):
    """kappa, the critic term, in the first rounds of a run: the mean over a round's updates. [S, rounds]"""

    critic_term: np.ndarray

    @property
    def means(self) -> np.ndarray:
        """Each seed's mean. [S]"""
        return self.critic_term.mean(axis=1)

    @property
    def scale(self) -> float:
        """m: the mean over updates and finite seeds; NaN if there is none."""
        good = self.means[np.isfinite(self.means)]
        return float(good.mean()) if good.size else float("nan")


def trial(config: Config) -> Trial:
    """Run the first K = `rates.trial_updates` updates of a configuration, and nothing else.

    A round of episodes has no more updates than K; with several worlds a run K is rounded up to a multiple of them.

    >>> import dataclasses
    >>> from adama_jax.config.schema import scenario_config
    >>> config = dataclasses.replace(scenario_config("going_together"), seeds=2)
    >>> config = dataclasses.replace(config, rates=dataclasses.replace(config.rates, trial_updates=3))
    >>> trial(config).critic_term.shape
    (2, 3)
    """
    config = _trial_config(config)
    rounds = config.episodes // config.learning.envs_per_run
    people = population(make_train(config), config.seeds)
    state = people.init(config.seed_range, make_hyper(config))
    course = []
    for _ in range(rounds):
        state, metrics = people.chunk(state, 1)
        course.append(host(metrics.critic_term, config.seeds))
    return Trial(np.stack(course, axis=1))


def _trial_config(config: Config) -> Config:
    """As long as the trial; the replay buffer need not hold more."""
    together, wanted = config.learning.envs_per_run, config.rates.trial_updates
    updates = min(config.learning.updates_per_episode, -(-wanted // together))
    learning = dataclasses.replace(config.learning, updates_per_episode=updates)
    return dataclasses.replace(
        config, learning=learning, episodes=-(-wanted // (updates * together)) * together
    )


def calibrate(config: Config, console: Console) -> int:
    """Run the trial and print kappa's mean, spread and course, and the m to use.

    Returns:
        The exit code: 1 if no seed stayed finite.
    """
    result = trial(config)
    good = result.means[np.isfinite(result.means)]
    if not good.size:
        console.print(
            "kappa is not finite in any seed: the rates are too large for this world", style="red"
        )
        return 1
    together, short = config.learning.envs_per_run, _trial_config(config)
    if good.size < len(result.means):
        console.print(
            f"{len(result.means) - good.size} of {len(result.means)} seeds are not finite and left out"
        )
    finite = result.critic_term[np.isfinite(result.means)]
    console.print(
        _course(
            finite,
            f"{config.scenario}, {config.label}: kappa in {short.episodes} episodes",
            together,
        )
    )
    console.print(
        f"Mean over {short.episodes * short.learning.updates_per_episode} updates: {result.scale:.3g}; by seed "
        f"{good.min():.3g} to {good.max():.3g}, standard deviation {good.std(ddof=1) if good.size > 1 else 0:.2g}."
    )
    now = config.rates.critic_scale
    console.print(
        f"Use m={result.scale:.3g} (now {now}), or m=auto, which does the same within the run.",
        highlight=False,
    )
    if now != "auto" and not 0.5 <= result.scale / now <= 2:
        console.print(
            f"The m in use is {now / result.scale:.2g} times that. The paper's come from the authors' worlds, and "
            "kappa may grow later: look at its course in a run before you change m."
        )
    return 0


def _course(critic_term: np.ndarray, title: str, together: int) -> Table:
    """kappa's mean and range over seeds, in parts of the updates; a column of it is `together` episodes."""
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
    for heading in ("episodes", "mean", "least", "most", ""):
        table.add_column(heading, justify="left" if heading in ("episodes", "") else "right")
    edges = np.unique(np.linspace(0, critic_term.shape[1], ROWS + 1).astype(int))
    parts = [critic_term[:, start:stop].mean(axis=1) for start, stop in pairwise(edges)]
    top = max(float(part.max()) for part in parts)
    for (start, stop), part in zip(pairwise(edges), parts, strict=True):
        bar = "█" * max(1, round(24 * float(part.mean()) / top)) if top > 0 else ""
        cells = (f"{part.mean():.3g}", f"{part.min():.3g}", f"{part.max():.3g}")
        table.add_row(f"{start * together + 1}-{stop * together}", *cells, bar)
    return table
