"""A trial run that finds a value for m (section 4.4.1): kappa's mean over its first updates."""

import dataclasses
from typing import NamedTuple

import numpy as np

from adama_jax.config.schema import Config


class Trial(NamedTuple):
    """kappa, the critic term, in the first rounds of a run: the mean over a round's updates.

    critic_term: [S, rounds].
    episodes: of each seed.
    updates: of each seed.
    """

    critic_term: np.ndarray
    episodes: int
    updates: int

    @property
    def means(self) -> np.ndarray:
        """Each seed's mean. [S]"""
        return self.critic_term.mean(axis=1)

    @property
    def scale(self) -> float:
        """m: the mean over updates and finite seeds; NaN if there is none."""
        finite = self.means[np.isfinite(self.means)]
        return float(finite.mean()) if finite.size else float("nan")


def trial(config: Config) -> Trial:
    """Run the first K = `rates.trial_updates` updates of a configuration, and nothing else.

    A round of episodes has no more updates than K; with several worlds, or with updates within
    episodes, K is rounded up to whole rounds.

    Raises:
        SettingError: all seeds together cannot fit in memory.

    >>> import dataclasses
    >>> from adama_jax.config.schema import scenario_config
    >>> config = dataclasses.replace(scenario_config("going_together"), seeds=2)
    >>> rates = dataclasses.replace(config.rates, trial_updates=3)
    >>> trial(dataclasses.replace(config, rates=rates)).critic_term.shape
    (2, 3)
    """
    # Here, so that the command line can name a wrong setting before JAX is imported.
    from adama_jax.execution.build import make_hyper, make_train
    from adama_jax.execution.jax_setup import local_devices
    from adama_jax.execution.memory import check_needs, needs, room_here
    from adama_jax.execution.state import to_numpy
    from adama_jax.training.population import population

    devices = local_devices()
    short = trial_config(config)
    room = room_here()
    # All seeds at once, and nothing is saved. GPUs share them; cores have one memory together.
    shares = 1 if room.device is None else len(devices)
    on_one = -(-short.seeds // shares)
    check_needs(short, needs(short, members=on_one, saved=False), room)
    members = population(make_train(short), short.seeds, devices)
    state = members.init(short.seed_range, make_hyper(short))
    critic_terms = []
    for _ in range(short.episodes // short.learning.envs_per_run):
        state, metrics = members.chunk(state, 1)
        critic_terms.append(to_numpy(metrics.critic_term, short.seeds))
    # In rounds of random actions nothing is updated, and so nothing measured.
    measured = critic_terms[short.warmup_rounds :]
    updates = short.updates_in(short.episodes)
    return Trial(np.stack(measured, axis=1), short.episodes, updates)


def trial_config(config: Config) -> Config:
    """The configuration, as short as the trial."""
    learning = config.learning
    per_round = learning.envs_per_run
    wanted = config.rates.trial_updates
    if learning.update_every is None:
        # A round makes `per_round` times the updates of an episode, and no more than are wanted.
        updates = min(learning.updates_per_episode, -(-wanted // per_round))
        learning = dataclasses.replace(learning, updates_per_episode=updates)
    short = dataclasses.replace(config, learning=learning)
    rounds = short.warmup_rounds + -(-wanted // short.updates_per_round)
    return dataclasses.replace(short, episodes=rounds * per_round)
