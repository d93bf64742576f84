"""`adama train SCENARIO`: one method, all seeds in one compiled program."""

from adama_jax.cli.options import TrainCommand
from adama_jax.cli.training import prepare, train_and_show
from adama_jax.cli.words import check_scenario, take_scenario
from adama_jax.config.command_line import parse
from adama_jax.config.schema import scenario_config
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import run_folder


def train(words: list[str]) -> int:
    """Train; the figures go to the run's own folder."""
    scenario, rest = take_scenario(words)
    default = TrainCommand(scenario_config(scenario))
    command = parse(TrainCommand, default, rest, f"adama train {scenario}")
    check_scenario(command.config, scenario)
    prepare([command.config], command.output)
    out = command.output.out
    figures = run_folder(out, command.config)
    return train_and_show(
        [command.config], out, command.output.training, figures, Screen()
    )
