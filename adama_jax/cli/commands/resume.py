"""`adama resume RUN`: resume a run that was interrupted, or train a finished one on."""

from adama_jax.cli.checks import check_folder, check_loggers
from adama_jax.cli.options import ResumeCommand
from adama_jax.cli.training import start_jax, train_and_show
from adama_jax.cli.words import take_run
from adama_jax.config.command_line import parse
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.groups import last_groups
from adama_jax.storage.reader import config_of


def resume(words: list[str]) -> int:
    """Resume; the figures go to the run's own folder, as those of `adama train`.

    With more episodes than a finished run has, a longer run goes on from where that one ended.
    """
    path, rest = take_run(words)
    command = parse(ResumeCommand, ResumeCommand(), rest, "adama resume RUN")
    if command.training.force:
        raise SettingError(
            "force=True: must be left out: `adama resume` continues a run, force begins it again"
        )
    folder = RunFolder.named(path)
    config = config_of(folder)
    check_folder("run", folder.path.parent)
    check_loggers(command.training)
    episodes = command.episodes
    if episodes is not None:
        _check_can_go_on(folder, config, episodes)
    start_jax(command.training.devices)
    screen = Screen()
    out = folder.path.parents[1]
    if episodes is not None:
        config = _begun_longer(folder, config, episodes, screen)
    figures = run_folder(out, config)
    return train_and_show([config], out, command.training, figures, screen)


def _check_can_go_on(folder: RunFolder, config: Config, episodes: int) -> None:
    """Check what can be checked without JAX.

    Raises:
        SettingError: the run is not finished, or as long already, or has kept no checkpoint.
    """
    if not folder.is_finished():
        raise SettingError(
            f"episodes={episodes}: must be left out: {folder.path} is not finished; finish it "
            "with keep_last=true, then train it on"
        )
    if episodes <= config.episodes:
        raise SettingError(
            f"episodes={episodes}: must be above {config.episodes}, which the run has"
        )
    if not last_groups(folder.path):
        raise SettingError(
            f"episodes={episodes}: must be left out: {folder.path} has not kept its last "
            "checkpoint; a run that is trained with keep_last=true does"
        )


def _begun_longer(
    folder: RunFolder, config: Config, episodes: int, screen: Screen
) -> Config:
    """The settings of the longer run, once it is begun."""
    from adama_jax.execution.longer import begin_longer, longer

    changed = longer(config, episodes)
    if changed.evaluation.every != config.evaluation.every:
        every = changed.evaluation.every
        screen.say(
            f"its points stay {every} episodes apart, as before (evaluation.every={every})"
        )
    screen.say(f"the longer run: {run_folder(folder.path.parents[1], changed)}")
    begin_longer(folder, changed, lambda line: screen.say(line, style="yellow"))
    return changed
