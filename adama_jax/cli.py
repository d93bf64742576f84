"""The command line: settings are `key=value` or `--key value`. JAX is not imported before all of them are checked."""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from adama_jax.arguments import parse
from adama_jax.config import Config, ConfigError, scenario_config
from adama_jax.methods import METHODS
from adama_jax.scenarios import SCENARIOS
from adama_jax.validation import validate

USAGE = """\
usage: adama COMMAND ...

  adama train SCENARIO [key=value ...]        one method, all seeds in one compiled program
  adama experiment SCENARIO [key=value ...]   several methods (methods=adama,fixed), figures together
  adama scenarios                             the worlds
  adama methods                               the learning-rate methods
  adama COMMAND SCENARIO --help               every setting, with the scenario's defaults

examples: adama train predator_prey seeds=5 method=adama episodes=2000
          adama train clustering --method balance --rates.critic-scale auto
          adama train predator_prey method=adama_2nd critic_activation=tanh curvature=exact
"""


@dataclass(frozen=True)
class Output:
    """Where results go."""

    out: Path = Path("results")
    """Folder of the results."""
    force: bool = False
    """Train again what is finished."""
    devices: int | None = None
    """Host devices on a CPU; None: one a core."""


@dataclass(frozen=True)
class TrainCommand:
    """Train one method on a scenario; figures go to the run's own folder."""

    config: Annotated[Config, tyro.conf.arg(name="")]
    output: Annotated[Output, tyro.conf.arg(name="")] = Output()


@dataclass(frozen=True)
class ExperimentCommand:
    """Train several methods on a scenario; figures of all of them go to the scenario's folder."""

    config: Annotated[Config, tyro.conf.arg(name="")]
    methods: tuple[str, ...] = ("adama", "fixed")
    """Methods to compare; the first is filmed."""
    output: Annotated[Output, tyro.conf.arg(name="")] = Output()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code (0; 1: a seed diverged; 2: bad input; 130: interrupted)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not words or words[0] in ("-h", "--help"):
            print(USAGE, end="")
            return 0 if words else 2
        if words[0] not in COMMANDS:
            raise ConfigError(f"command={words[0]}: must be one of {', '.join(COMMANDS)}")
        return COMMANDS[words[0]](words[1:])
    except ConfigError as error:
        print(f"adama: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("adama: interrupted; the runs that were finished are kept", file=sys.stderr)
        return 130


def _train(words: list[str]) -> int:
    scenario, rest = _scenario(words)
    command = parse(TrainCommand, TrainCommand(scenario_config(scenario)), rest, f"adama train {scenario}")
    _check_scenario(command.config, scenario)
    from adama_jax.store import run_folder

    figures = run_folder(command.output.out, command.config)
    return _experiment([command.config], command.output, figures)


def _compare(words: list[str]) -> int:
    scenario, rest = _scenario(words)
    default = ExperimentCommand(scenario_config(scenario))
    command = parse(ExperimentCommand, default, rest, f"adama experiment {scenario}")
    _check_scenario(command.config, scenario)
    if command.config.method != default.config.method:
        raise ConfigError(f"method={command.config.method}: must be given as methods=... to `adama experiment`")
    if len(set(command.methods)) < max(1, len(command.methods)):
        raise ConfigError(f"methods={','.join(command.methods)}: must be one or more different methods")
    configs = [dataclasses.replace(command.config, method=method) for method in command.methods]
    return _experiment(configs, command.output, command.output.out / scenario)


def _experiment(configs: list[Config], output: Output, figures: Path) -> int:
    for config in configs:
        validate(config)
    _check_output(output)
    from adama_jax.runtime import set_up_jax

    set_up_jax(output.devices)
    from adama_jax.experiment import experiment

    return experiment(configs, output.out, output.force, Console(), figures)


def _scenario(words: list[str]) -> tuple[str, list[str]]:
    if words and words[0] in ("-h", "--help"):
        return "predator_prey", words
    if not words or "=" in words[0] or words[0].startswith("-"):
        raise ConfigError(f"scenario={words[0] if words else ''}: must come first, one of {', '.join(SCENARIOS)}")
    return words[0], words[1:]


def _check_scenario(config: Config, scenario: str) -> None:
    if config.scenario != scenario:
        raise ConfigError(f"scenario={config.scenario}: must be given once, as the first word")


def _check_output(output: Output) -> None:
    import os

    if output.devices is not None and output.devices < 1:
        raise ConfigError(f"devices={output.devices}: must be at least 1")
    nearest = next(path for path in (output.out.absolute(), *output.out.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise ConfigError(
            f"out={output.out}: must be a folder, or a path at which one can be made; {nearest} is a file"
        )
    if not os.access(nearest, os.W_OK):
        raise ConfigError(f"out={output.out}: must be writable; {nearest} is not")


def _list(rows: dict[str, tuple[str, str]]) -> int:
    """One line each: name, what it is, where it comes from."""
    width = max(map(len, rows))
    for name, (summary, source) in rows.items():
        print(f"{name:{width}}  {summary}  [{source}]")
    return 0


def _no_words(words: list[str]) -> None:
    if words:
        raise ConfigError(f"argument={words[0]}: must be left out")


def _list_methods(words: list[str]) -> int:
    _no_words(words)
    return _list({name: (f"{m.direction}: {m.summary}", m.source) for name, m in METHODS.items()})


def _list_scenarios(words: list[str]) -> int:
    _no_words(words)
    return _list({name: (s.summary, s.source) for name, s in SCENARIOS.items()})


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "train": _train, "experiment": _compare, "scenarios": _list_scenarios, "methods": _list_methods,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
