"""`adama train SCENARIO|CONFIG`: one method, all seeds in one compiled program."""

from adama_jax.cli.options import TrainCommand
from adama_jax.cli.start import names_a_file, starting_config, without_leftovers
from adama_jax.cli.training import prepare, train_and_show
from adama_jax.cli.words import check_scenario, take_scenario
from adama_jax.config.command_line import read_words, with_given
from adama_jax.config.reads import check_read
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import run_folder


def train(words: list[str]) -> int:
    """Train; the figures go to the run's own folder."""
    command = read_train(words)
    prepare([command.config], command.output)
    out = command.output.out
    figures = run_folder(out, command.config)
    return train_and_show(
        [command.config], out, command.output.training, figures, Screen()
    )


def read_train(words: list[str]) -> TrainCommand:
    """The command: settings of a scenario or a file, and what the other words change of them.

    Raises:
        SettingError: one line about what is not allowed.
    """
    first, rest = take_scenario(words)
    start = starting_config(first)
    default = TrainCommand(start)
    values = read_words(default, rest, f"adama train {first}")
    command = with_given(default, values)
    if not names_a_file(first):
        check_scenario(command.config, first)
        check_read(values, [command.config])
        return command
    _check_same_scenario(command.config, start, first)
    check_read(values, [command.config])
    config = without_leftovers(command.config, values)
    return TrainCommand(config, command.output)


def _check_same_scenario(config: Config, start: Config, file: str) -> None:
    if config.scenario != start.scenario:
        raise SettingError(
            f"scenario={config.scenario}: must be left out: {file} says {start.scenario}"
        )
