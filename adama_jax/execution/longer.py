"""A finished run trained on to more episodes: a longer run, begun with the last checkpoints of it.

The finished run stays as it is. The longer one has a folder of its own, and goes on as any run does
that was interrupted, equal bit for bit to one that was trained in one go in a program as wide.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from adama_jax.config.checks import validate
from adama_jax.config.names import with_settings
from adama_jax.config.schema import Config
from adama_jax.errors import CheckpointError, SettingError
from adama_jax.execution.build import make_hyper, make_train
from adama_jax.execution.program import schedule
from adama_jax.keys import key_of
from adama_jax.storage.checkpoints import Checkpoint, Checkpoints
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.groups import REPLAY, STATE, group_folder, last_groups
from adama_jax.storage.lock import Lock

REPLAY_ROWS = "replay.rows"  # [members, E, ...], as `execution.state` names it
Points = list[list[int]]  # the episodes of each chunk of each point


def longer(config: Config, episodes: int) -> Config:
    """The settings of a run of more episodes that goes through every chunk of the shorter one.

    Points of its curves that would lie elsewhere stay as far apart as they are
    (`evaluation.every`).

    Raises:
        SettingError: a value that is not allowed, or there are no such settings.

    >>> from adama_jax.config.schema import scenario_config
    >>> base = dataclasses.replace(scenario_config("clustering"), episodes=4_000)
    >>> longer(base, 20_000).evaluation.every, longer(base, 50_000).evaluation.every
    (None, 100)
    >>> longer(dataclasses.replace(base, episodes=250), 400)
    Traceback (most recent call last):
    adama_jax.errors.SettingError: episodes=400: must be such that the 250 episodes of the run are \
whole chunks of it too, such as 450
    """
    if episodes <= config.episodes:
        raise SettingError(
            f"episodes={episodes}: must be above {config.episodes}, which the run has"
        )
    validate(dataclasses.replace(config, episodes=episodes))
    found = _longer(config, episodes)
    if found is not None:
        return found
    per_round = config.learning.envs_per_run
    # Within the length of a point one that leaves the same rest is met.
    last = episodes + 2 * config.points_every
    others = range(episodes + per_round, last, per_round)
    fitting = [each for each in others if _longer(config, each) is not None]
    near = f", such as {fitting[0]}" if fitting else ""
    raise SettingError(
        f"episodes={episodes}: must be such that the {config.episodes} episodes of the run are "
        f"whole chunks of it too{near}"
    )


def _longer(config: Config, episodes: int) -> Config | None:
    """The settings with so many episodes whose chunks go on where the run's end, if there are."""
    changed = dataclasses.replace(config, episodes=episodes)
    candidates = [changed]
    if config.evaluation.every is None:
        every = {"evaluation.every": config.points_every}
        candidates.append(with_settings(changed, every))
    before = schedule(config)
    for candidate in candidates:
        if _goes_on(before, schedule(candidate)):
            return candidate
    return None


def _goes_on(before: Points, after: Points) -> bool:
    """Whether all chunks are there again; the last point may have more of them."""
    *whole, last = before
    if after[: len(whole)] != whole:
        return False
    return after[len(whole)][: len(last)] == last


def begin_longer(run: RunFolder, config: Config, report: Callable[[str], None]) -> None:
    """Put the last checkpoints of a finished run where the longer run resumes from them.

    What is there of the longer run already is left alone: it was begun before.

    Args:
        run: the finished run.
        config: `longer` settings of it.
        report: hears, in a line, of seeds that begin anew.

    Raises:
        SettingError: a checkpoint of the run cannot be used.
        CheckpointError: a copy could not be written.
        RunBusy: another process is training the longer run.
    """
    target = RunFolder.of(run.path.parents[1], config)
    if target.is_finished() or target.is_begun():
        return
    lock = Lock(target.lock)
    try:
        seeds = set(config.seed_range)
        for folder in last_groups(run.path):
            seeds.difference_update(_copy(folder, target.partial.path, config))
    finally:
        lock.release()
    if seeds:
        names = ", ".join(map(str, sorted(seeds)))
        report(f"seeds {names} kept no checkpoint, as they diverged, and begin anew")


def _copy(folder: Path, partial: Path, config: Config) -> list[int]:
    """Copy a group's last checkpoint to the longer run, with room for its replay; the seeds."""
    state, replay = _read(folder)
    seeds = state.about["seeds"]
    rows = _replay_length(config)
    arrays = {**replay.arrays, REPLAY_ROWS: _padded(replay.arrays[REPLAY_ROWS], rows)}
    to = group_folder(partial, seeds)
    # The replay first, as always: a state counts as soon as it is there.
    with Checkpoints(to / REPLAY) as checkpoints:
        checkpoints.save(replay.step, arrays, replay.about)
    with Checkpoints(to / STATE) as checkpoints:
        checkpoints.save(state.step, state.arrays, state.about)
    return seeds


def _read(folder: Path) -> tuple[Checkpoint, Checkpoint]:
    """A group's newest state and its replay, verified.

    Raises:
        SettingError: one cannot be used.
    """
    with (
        Checkpoints(folder / STATE, read_only=True) as states,
        Checkpoints(folder / REPLAY, read_only=True) as replays,
    ):
        try:
            steps = states.steps()
            if not steps:
                raise CheckpointError(f"{folder}: is empty")
            state = states.read(steps[0])
            return state, replays.read(state.about["replay"])
        except CheckpointError as error:
            # It is `<run>/checkpoints/<group>`.
            run = folder.parents[1]
            raise SettingError(
                f"run={run}: must have a last checkpoint that can be used: {error}"
            ) from error


def _replay_length(config: Config) -> int:
    """Episodes that the replay of a run has room for."""
    init = make_train(config).init
    state = jax.eval_shape(init, key_of(0), make_hyper(config))
    return state.replay.rows.shape[0]


def _padded(rows: np.ndarray, length: int) -> np.ndarray:
    """Replays with room for more episodes, [members, length, ...].

    A shorter run has a replay of just its episodes, where there would be room for more: it is full
    for the first time, in order, as a longer replay would be at that episode.
    """
    more = length - rows.shape[1]
    widths = [(0, 0), (0, more), *[(0, 0)] * (rows.ndim - 2)]
    return np.pad(rows, widths)
