"""`adama play RUN|FOLDER|FILE|SCENARIO`: the greedy return of trained actors, and a film."""

from collections.abc import Sequence
from pathlib import Path

from adama_jax.cli.checks import check_folder
from adama_jax.cli.options import PlayCommand
from adama_jax.cli.played import play_file, play_shipped, say_written
from adama_jax.cli.training import start_jax
from adama_jax.cli.words import runs_at, take_run
from adama_jax.config.command_line import parse
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.screen.console import Screen
from adama_jax.screen.words import counted
from adama_jax.storage.folder import RunFiles
from adama_jax.storage.policy import row_of
from adama_jax.storage.provenance import other_sources
from adama_jax.storage.reader import Run, diverged_seeds, load_run, read_config, within

# Whose trained actors come with the package.
OR_A_SCENARIO = "a scenario such as predator_prey, or "


def play(words: list[str]) -> int:
    """Play from `actors.npz`: there is neither a learner nor a critic.

    In a scenario's folder or a results folder the actors of every finished run are played. With a
    file they are those in it; where there is no run, a scenario's are those of the package.
    """
    path, rest = take_run(words, OR_A_SCENARIO)
    command = parse(PlayCommand, PlayCommand(), rest, "adama play RUN")
    if path.is_file():
        return play_file(path, command)
    if str(path) in SCENARIOS and not path.exists():
        return play_shipped(str(path), command)
    folders = [
        run.path for run in runs_at(path, OR_A_SCENARIO) if run.final.actors.is_file()
    ]
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
    codes = [_play_one_of_many(folder, command, screen) for folder in folders]
    # What none of them can be played with is as wrong as with one.
    return 2 if min(codes) == 2 else min(max(codes), 1)


def _play_one_of_many(path: Path, command: PlayCommand, screen: Screen) -> int:
    """As `play_run`; a run that cannot be played costs itself alone."""
    try:
        return play_run(path, command, screen)
    except SettingError as error:
        screen.say(f"{path}: {error}", style="red")
        return 2


def play_run(path: Path, command: PlayCommand, console: Screen) -> int:
    """Play episodes, print their return and film the first.

    Returns:
        The exit code: 1 if the seed that is asked for diverged, or all did; nothing is played.
    """
    from adama_jax.execution.actors import load_actors
    from adama_jax.execution.jax_setup import local_devices
    from adama_jax.execution.play import play_episodes, returns_in_words
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
    row = _row_of(command.seed, actors.seeds.tolist(), diverged_seeds(run))
    seed = int(actors.seeds[row])
    if not _may_play(run, seed, command.seed is not None, console):
        return 1
    found = other_sources(run.meta, config)
    if found:
        console.say(f"{run.label}: trained with {'; '.join(found)}", style="yellow")
    returns, rollout = play_episodes(
        config, actors, row, run.rollout, command.episodes, command.start_seed
    )
    heading = f"{world_of(run)}, {run.label}, seed {seed}"
    console.say(f"{heading}: {returns_in_words(returns)}")
    folder = command.out or path / "play"
    say_written(show_episodes(rollout, config.world, heading, folder), console)
    return 0


def _may_play(run: Run, seed: int, is_asked_for: bool, console: Screen) -> bool:
    """Whether a seed's actors are finite; what is said of those that diverged."""
    diverged = diverged_seeds(run)
    seeds = counted(run.config.seeds, "seed")
    lost = f"{len(diverged)} of {seeds} diverged"
    if seed in diverged:
        console.say(
            f"{run.folder}: seed {seed} diverged: its actors are not finite ({lost})",
            style="red",
        )
        return False
    if diverged and not is_asked_for:
        console.say(
            f"{lost}: seed {seed} did not, and is played",
            style="yellow",
        )
    return True


def _row_of(seed: int | None, seeds: Sequence[int], diverged: Sequence[int]) -> int:
    """The row of the seed that was asked for, or of the first that stayed finite.

    Raises:
        SettingError: the run has no such seed.
    """
    if seed is not None:
        return row_of(seed, seeds)
    for row, each in enumerate(seeds):
        if each not in diverged:
            return row
    # All diverged: the first is as good as any, and the caller refuses it.
    return 0
