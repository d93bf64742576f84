"""`adama resume RUN`: resume a run that was interrupted."""

from adama_jax.cli.checks import check_folder
from adama_jax.cli.options import ResumeCommand
from adama_jax.cli.training import start_jax, train_and_show
from adama_jax.cli.words import take_run
from adama_jax.config.command_line import parse
from adama_jax.errors import SettingError
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.reader import config_of


def resume(words: list[str]) -> int:
    """Resume; the figures go to the run's own folder, as those of `adama train`."""
    path, rest = take_run(words)
    command = parse(ResumeCommand, ResumeCommand(), rest, "adama resume RUN")
    if command.training.force:
        raise SettingError(
            "force=True: must be left out: `adama resume` continues a run, force begins it again"
        )
    folder = RunFolder.named(path)
    config = config_of(folder)
    check_folder("run", folder.path.parent)
    start_jax(command.training.devices)
    out = folder.path.parents[1]
    return train_and_show([config], out, command.training, folder.path, Screen())
