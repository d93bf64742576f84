"""Playing a file of trained actors: an exported one, or one that comes with the package."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adama_jax.cli.checks import check_folder
from adama_jax.cli.options import PlayCommand
from adama_jax.cli.training import start_jax
from adama_jax.config.checks import validate
from adama_jax.config.identity import from_dict, world_name
from adama_jax.config.schema import Config, scenario_config
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.screen.console import Screen
from adama_jax.storage.files import naming, reading
from adama_jax.storage.policy import read_about, row_of
from adama_jax.storage.provenance import other_sources
from adama_jax.storage.reader import Rollout, rollout_of
from adama_jax.storage.shipped import shipped_actors, shipped_names

PLAYED = Path("results/play")  # where films of shipped actors go


def play_shipped(scenario: str, command: PlayCommand) -> int:
    """Play the trained actors that come with the package.

    Raises:
        SettingError: none do for this scenario.
    """
    path = shipped_actors(scenario)
    if path is None:
        trained = PLAYED.parent / world_name(scenario_config(scenario))
        raise SettingError(
            f"run={scenario}: must be a run's folder, such as {trained} once it is trained: no "
            f"actors of {scenario} come with the package; those of {', '.join(shipped_names())} do"
        )
    folder = command.out or PLAYED / scenario
    return _play(path, command, folder, "no run: these actors come with adama-jax")


def play_file(path: Path, command: PlayCommand) -> int:
    """Play an exported file.

    Raises:
        SettingError: it is none.
    """
    folder = command.out or path.with_name(f"{path.stem}-play")
    return _play(path, command, folder, str(path))


def _play(path: Path, command: PlayCommand, folder: Path, what: str) -> int:
    """Play episodes, say whose they are and what they earn, and film the first."""
    try:
        about = read_about(path)
        with naming(path):
            config = _config(path, about)
    except DamagedFile as error:
        raise SettingError(f"run={error}") from error
    check_folder("out", folder)
    start_jax(1)
    from adama_jax.execution.actors import load_actors
    from adama_jax.execution.jax_setup import local_devices
    from adama_jax.execution.play import play_episodes, returns_in_words
    from adama_jax.reporting.present import show_episodes

    # Here a wrong platform is one line, later it is a traceback.
    local_devices()
    try:
        actors = load_actors(path)
        _check_fits(config, about)
    except DamagedFile as error:
        raise SettingError(f"run={error}") from error
    row = row_of(command.seed, actors.seeds.tolist())
    returns, rollout = play_episodes(
        config, actors, row, _nothing(config), command.episodes, command.start_seed
    )
    screen = Screen()
    found = other_sources(about, config)
    if found:
        screen.say(f"{about['label']}: trained with {'; '.join(found)}", style="yellow")
    heading = f"{config.scenario}, {about['label']}, seed {int(actors.seeds[row])}"
    screen.say(f"{what}, trained for {about['episodes']:,} episodes")
    screen.say(f"{heading}: {returns_in_words(returns)}")
    say_written(show_episodes(rollout, config.world, heading, folder), screen)
    return 0


def say_written(paths: Sequence[Path], screen: Screen) -> None:
    """The films that were written, or why there is none."""
    for path in paths:
        screen.say(f"  {path}")
    if not paths:
        screen.say("no film: the world names nothing to draw (EnvSpec.entities)")


def _config(path: Path, about: dict[str, Any]) -> Config:
    """The settings of the run that a file's actors are of.

    Raises:
        DamagedFile: it does not say so, or says what this version does not take.
    """
    if "config" not in about:
        raise DamagedFile(
            "must be a file of `adama export`, which says what was trained; of a run give the "
            "folder"
        )
    with reading(path):
        config = from_dict(about["config"])
        validate(config)
        # Read below, when the episodes were played.
        _ = about["label"], int(about["episodes"])
    return config


def _check_fits(config: Config, about: dict[str, Any]) -> None:
    """Check that a file's actors are of the world that it names.

    Raises:
        DamagedFile: they observe or do something else.
    """
    from adama_jax.execution.build import make_env

    spec = make_env(config).spec
    for name in ("num_agents", "obs_size", "action_size"):
        if about[name] != getattr(spec, name):
            raise DamagedFile(
                f"{name}={about[name]}: must be {getattr(spec, name)} in {config.scenario}"
            )


def _nothing(config: Config) -> Rollout:
    """What there is to draw in a world, without an episode."""
    from adama_jax.execution.results import entities

    there_is = entities(config)
    things = len(there_is["kind"])
    positions = np.zeros((1, 1, 1, things, 2))
    return rollout_of(
        {**there_is, "positions": positions, "reward": np.zeros((1, 1, 0))}
    )
