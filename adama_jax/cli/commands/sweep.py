"""`adama sweep SCENARIO`: every combination of several values of settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from adama_jax.cli.checks import check_launch
from adama_jax.cli.options import SweepCommand
from adama_jax.cli.training import prepare, train_and_read
from adama_jax.cli.words import check_scenario, take_scenario
from adama_jax.config.command_line import read_words, split_axes, with_given
from adama_jax.config.identity import as_file_name, sweep_hash, world_name
from adama_jax.config.labels import labels
from adama_jax.config.names import short
from adama_jax.config.options import Launch, Training
from adama_jax.config.reading import read_axes
from adama_jax.config.reads import check_read
from adama_jax.config.schema import Config, scenario_config
from adama_jax.errors import SettingError
from adama_jax.fields import as_given
from adama_jax.screen.console import Screen
from adama_jax.studies.sweep import PRESETS, product


def sweep(words: list[str]) -> int:
    """Read the settings and run the sweep."""
    command, configs = read_sweep(words)
    check_launch(command.launch, command.output.training)
    prepare(configs, command.output, command.launch)
    output = command.output
    return run_sweep(configs, output.out, output.training, command.launch, Screen())


def run_sweep(
    configs: Sequence[Config],
    out: Path,
    training: Training,
    options: Launch,
    console: Screen,
) -> int:
    """Train what is not on disk, print the best settings and write all of them.

    Args:
        configs: validated configurations of one scenario.
        out: results folder.
        training: how runs are trained and saved.
        options: where the programs run.
        console: hears of the training.

    Returns:
        The exit code: 1 if a job failed. A run that diverged is a result.
    """
    from adama_jax.reporting.present import show_sweep

    names = labels(configs)
    failed, runs = train_and_read(configs, names, out, training, options, console)
    if runs:
        # The name is that of the settings asked for, so that a sweep that is completed later
        # replaces its own files.
        name = f"sweep-{sweep_hash(configs)}"
        worlds = {world_name(config) for config in configs}
        folder = worlds.pop() if len(worlds) == 1 else as_file_name(configs[0].scenario)
        show_sweep(runs, out / folder, name, console)
    return 1 if failed else 0


def read_sweep(words: list[str]) -> tuple[SweepCommand, list[Config]]:
    """The command, and the configurations that its axes make.

    Raises:
        SettingError: a setting or an axis that is not allowed, or that no combination reads.
    """
    scenario, rest = take_scenario(words)
    default = SweepCommand(scenario_config(scenario))
    rest, axes = split_axes(rest, default)
    values = read_words(default, rest, f"adama sweep {scenario}")
    command = with_given(default, values)
    check_scenario(command.config, scenario)
    # What the command line gives goes before what the preset says.
    preset = PRESETS[command.preset] if command.preset else {}
    all_axes = {
        name: list(swept) for name, swept in preset.items() if name not in values
    }
    all_axes |= axes
    typed = read_axes(command.config, all_axes)
    configs = product(command.config, typed)
    check_read(values | typed, configs)
    if len(configs) == 1:
        raise SettingError(
            f"sweep={scenario}: must have a setting with several values, such as m=40,50"
            f"{_one_value_each(values)}; one combination alone is for `adama train {scenario}`"
        )
    return command, configs


def _one_value_each(values: Mapping[str, object]) -> str:
    """What looks like an axis and is none, in words: one value that is made of several numbers."""
    found = [
        f"{short(name)}={as_given(value)}"
        for name, value in values.items()
        if isinstance(value, tuple) and len(value) > 1
    ]
    return f" ({' and '.join(found)} is one value: a list)" if found else ""
