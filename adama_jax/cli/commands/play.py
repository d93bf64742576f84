"""`adama play RUN|FOLDER`: the greedy return of a run's trained actors, and a film."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adama_jax.cli.checks import check_folder
from adama_jax.cli.options import FILMED_EPISODES, PlayCommand
from adama_jax.cli.training import start_jax
from adama_jax.cli.words import runs_at, take_run
from adama_jax.config.command_line import parse
from adama_jax.config.schema import Config
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFiles
from adama_jax.storage.reader import (
    Rollout,
    diverged_seeds,
    load_run,
    read_config,
    within,
)

if TYPE_CHECKING:
    from adama_jax.execution.actors import Actors


def play(words: list[str]) -> int:
    """Play from `actors.npz`: there is neither a learner nor a critic.

    In a scenario's folder or a results folder the actors of every finished run are played.
    """
    path, rest = take_run(words)
    command = parse(PlayCommand, PlayCommand(), rest, "adama play RUN")
    folders = [run.path for run in runs_at(path) if run.final.actors.is_file()]
    if not folders:
        raise SettingError(
            f"run={path}: must be a finished run's folder, with actors.npz in it"
        )
    if command.out is not None and len(folders) > 1:
        raise SettingError(
            f"out={command.out}: must be left out: the films of {len(folders)} runs would go there"
        )
    for folder in folders:
        check_folder("out", command.out or folder / "play")
    start_jax(1)
    screen = Screen()
    if len(folders) == 1:
        return play_run(folders[0], command, screen)
    return max(_play_one_of_many(folder, command, screen) for folder in folders)


def _play_one_of_many(path: Path, command: PlayCommand, screen: Screen) -> int:
    """As `play_run`; a run that cannot be played costs itself alone."""
    try:
        return play_run(path, command, screen)
    except SettingError as error:
        screen.say(str(error), style="red")
        return 1


def play_run(path: Path, command: PlayCommand, console: Screen) -> int:
    """Play episodes, print their return and film the first.

    Returns:
        The exit code.
    """
    from adama_jax.execution.actors import load_actors
    from adama_jax.execution.jax_setup import local_devices
    from adama_jax.reporting.labels import world_of
    from adama_jax.reporting.present import show_episodes

    # Here a wrong platform is one line, later it is a traceback.
    local_devices()
    config = read_config(path)
    try:
        run = load_run(path)
        actors = load_actors(RunFiles(path).actors)
    except (FileNotFoundError, DamagedFile) as error:
        why = within(path, error)
        raise SettingError(
            f"run={path}: must be a finished run whose files can be read: {why}"
        ) from error
    if run.rollout is None:
        raise SettingError(
            f"run={path}: must have rollout.npz, which says what there is to draw"
        )
    diverged = diverged_seeds(run)
    row = _row_of(command.seed, actors.seeds.tolist(), diverged)
    seed = int(actors.seeds[row])
    returns, rollout = _play_episodes(config, actors, row, command, run.rollout)
    if seed in diverged:
        console.say(f"seed {seed} diverged: its actors are not finite", style="red")
    console.say(
        f"{world_of(run)}, {run.label}, seed {seed}: {_in_words(returns)}",
    )
    heading = f"{world_of(run)}, {run.label}, seed {seed}"
    folder = command.out or path / "play"
    for written in show_episodes(rollout, config.world, heading, folder):
        console.say(f"  {written}")
    return 0


def _play_episodes(
    config: Config, actors: "Actors", row: int, command: PlayCommand, like: Rollout
) -> tuple[np.ndarray, Rollout]:
    """Returns of all episodes, [episodes], and a rollout of the first few.

    What there is to draw (kinds, names, radii) is that of `like`, the run's own rollout.
    """
    import jax

    from adama_jax.execution.build import make_env
    from adama_jax.keys import key_of
    from adama_jax.training.rollout import episode_return, greedy_rollout

    env = make_env(config)
    params = jax.tree.map(lambda leaf: leaf[row], actors.params)
    keys = jax.random.split(key_of(command.start_seed), command.episodes)
    play_all = jax.vmap(greedy_rollout(env, actors.act), in_axes=(0, None))
    episodes = jax.jit(play_all)(keys, params)
    returns = np.asarray(jax.vmap(episode_return)(episodes))
    # Only the first are drawn: a film of all would be too large to watch.
    first = jax.tree.map(
        lambda leaf: np.asarray(leaf)[None, :FILMED_EPISODES], episodes
    )
    positions = jax.jit(jax.vmap(jax.vmap(env.positions)))(first.snapshot[0])
    rollout = like._replace(
        positions=np.asarray(positions)[None],
        snapshot=first.snapshot,
        reward=first.reward,
        terminated=first.terminated,
    )
    return returns, rollout


def _in_words(returns: np.ndarray) -> str:
    deviation = returns.std(ddof=1) if len(returns) > 1 else 0.0
    mean = f"greedy return {returns.mean():.4g} ± {deviation:.3g}"
    return f"{mean} over {len(returns)} episodes"


def _row_of(seed: int | None, seeds: Sequence[int], diverged: Sequence[int]) -> int:
    """The row of the seed that was asked for, or of the first that stayed finite.

    Raises:
        SettingError: the run has no such seed.
    """
    if seed is not None:
        if seed not in seeds:
            raise SettingError(
                f"seed={seed}: must be one of {', '.join(map(str, seeds))}, or None"
            )
        return list(seeds).index(seed)
    for row, each in enumerate(seeds):
        if each not in diverged:
            return row
    # All diverged: the first is as good as any, and the caller says what it is.
    return 0
