"""`adama experiment SCENARIO`: several methods on one scenario."""

from collections.abc import Mapping
from dataclasses import replace

from adama_jax.cli.options import ExperimentCommand
from adama_jax.cli.training import prepare, train_and_show
from adama_jax.cli.words import check_scenario, take_scenario
from adama_jax.config.command_line import read_words, with_given
from adama_jax.config.identity import world_name
from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.reads import check_read, own_values
from adama_jax.config.rivals import RIVALS
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config, scenario_config
from adama_jax.errors import SettingError
from adama_jax.screen.console import Screen


def experiment(words: list[str]) -> int:
    """Train each method, on today's learner too; all figures go to the scenario's folder."""
    scenario, rest = take_scenario(words)
    default = ExperimentCommand(scenario_config(scenario))
    values = read_words(default, rest, f"adama experiment {scenario}")
    command = with_given(default, values)
    check_scenario(command.config, scenario)
    configs = _all_configs(command, values)
    prepare(configs, command.output)
    out = command.output.out
    return train_and_show(
        configs,
        out,
        command.output.training,
        out / world_name(command.config),
        Screen(),
    )


def _all_configs(
    command: ExperimentCommand, values: Mapping[str, object]
) -> list[Config]:
    configs = _modern_configs(command, values) + _configs(command, values)
    # Enough that one of them reads it.
    check_read(values, configs)
    return configs


def _configs(command: ExperimentCommand, values: Mapping[str, object]) -> list[Config]:
    # Two settings would decide what is trained: `method` is for `train`.
    if "method" in values:
        raise SettingError(
            f"method={command.config.method}: must be given as methods=... to `adama experiment`"
        )
    if not command.methods or len(set(command.methods)) < len(command.methods):
        raise SettingError(
            f"methods={','.join(command.methods)}: must be one or more different methods"
        )
    return [
        with_settings(command.config, {"method": method, **own_values(values, method)})
        for method in command.methods
    ]


def _modern_configs(
    command: ExperimentCommand, values: Mapping[str, object]
) -> list[Config]:
    """The same methods, with the same settings given, on today's learner.

    They come first: the first run is filmed, and an agent that has learned is worth a film.
    """
    scenario = command.config.scenario
    modern = SCENARIOS[scenario].modern
    if modern is None and "modern" in values:
        raise SettingError(
            f"modern={command.modern}: must be left out: {scenario} has no preset of today's "
            "learner beside it"
        )
    if modern is None or not command.modern:
        return []
    base = with_given(ExperimentCommand(scenario_config(modern)), values)
    # AdaGrad and RMSprop bring the paper's optimizers, for its learner alone.
    methods = [
        name
        for name in base.methods
        if name in RIVALS or METHODS[name].optimizer == "sgd"
    ]
    return _configs(replace(base, methods=tuple(methods)), values) if methods else []
