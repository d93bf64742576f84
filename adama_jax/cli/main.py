"""The command line: settings are `key=value` or `--key value`. JAX is not imported before all of them are checked."""

import dataclasses
import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from adama_jax.cli import run_commands as cli_runs
from adama_jax.cli.options import (
    CalibrateCommand,
    ExperimentCommand,
    FiguresCommand,
    ReportCommand,
    ReproduceCommand,
    SweepCommand,
    TrainCommand,
    check_exhibits,
    check_folder,
    check_launch,
    check_output,
)
from adama_jax.config.checks import validate
from adama_jax.config.methods import METHODS
from adama_jax.config.options import Output, Training
from adama_jax.config.reading import given_settings, parse, read_axes, split_axes
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config, scenario_config
from adama_jax.errors import RunBusy, SettingError

USAGE = """\
usage: adama COMMAND ...

  adama train SCENARIO [key=value ...]        one method, all seeds in one compiled program
  adama experiment SCENARIO [key=value ...]   several methods (methods=adama,fixed), figures together
  adama sweep SCENARIO [key=a,b,c ...]        every combination of settings, methods and seeds
  adama resume RUN                            go on with a run that was interrupted (so does the same command again)
  adama verify RUN                            check every file of a run's folder
  adama play RUN [seed=0]                     the trained actors: greedy return and a film
  adama calibrate SCENARIO [key=value ...]    a trial run that tells m
  adama reproduce [key=value ...]             train what the paper's figures lack, then draw them
  adama figures [key=value ...]               draw the paper's figures from what is on disk
  adama report RESULTS                        one HTML page about a results folder
  adama scenarios                             the worlds
  adama methods                               the learning-rate methods
  adama COMMAND SCENARIO --help               every setting, with the scenario's defaults

examples: adama train predator_prey seeds=5 method=adama episodes=2000
          adama train clustering --method balance --rates.critic-scale auto
          adama train predator_prey method=adama_2nd critic_activation=tanh curvature=exact
          adama sweep going_together method=fixed l_c=0.001:0.010:0.003 l_a=0.001,0.01 seeds=2 episodes=2000
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        Its exit code. 0; 1: a seed diverged, a job failed, nothing was there to draw; 2: bad input; 130: interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("MPLBACKEND", "agg")  # pictures go to files
    try:
        if not words or words[0] in ("-h", "--help"):
            print(USAGE, end="")
            return 0 if words else 2
        if words[0] not in COMMANDS:
            raise SettingError(f"command={words[0]}: must be one of {', '.join(COMMANDS)}")
        return COMMANDS[words[0]](words[1:])
    except (SettingError, RunBusy) as error:
        print(f"adama: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        again = [word for word in words if word.lstrip("-").partition("=")[0] != "force"]
        print(f"adama: stopped; to go on: adama {shlex.join(again)}", file=sys.stderr)
        return getattr(stop, "code", 130)


def _train(words: list[str]) -> int:
    scenario, rest = _scenario(words)
    command = parse(
        TrainCommand, TrainCommand(scenario_config(scenario)), rest, f"adama train {scenario}"
    )
    _check_scenario(command.config, scenario)
    from adama_jax.storage.folder import run_folder

    figures = run_folder(command.output.out, command.config)
    return _experiment([command.config], command.output, figures)


def _compare(words: list[str]) -> int:
    scenario, rest = _scenario(words)
    default = ExperimentCommand(scenario_config(scenario))
    command = parse(ExperimentCommand, default, rest, f"adama experiment {scenario}")
    _check_scenario(command.config, scenario)
    if command.config.method != default.config.method:
        raise SettingError(
            f"method={command.config.method}: must be given as methods=... to `adama experiment`"
        )
    if len(set(command.methods)) < max(1, len(command.methods)):
        raise SettingError(
            f"methods={','.join(command.methods)}: must be one or more different methods"
        )
    configs = [dataclasses.replace(command.config, method=method) for method in command.methods]
    return _experiment(configs, command.output, command.output.out / scenario)


def _experiment(configs: list[Config], output: Output, figures: Path) -> int:
    _prepare(configs, output)
    from adama_jax.studies.experiment import experiment

    return experiment(configs, output.out, output.training, Console(), figures)


def _sweep(words: list[str]) -> int:
    from adama_jax.studies.sweep import PRESETS, product

    scenario, rest = _scenario(words)
    default = SweepCommand(scenario_config(scenario))
    rest, axes = split_axes(rest, default)
    command = parse(SweepCommand, default, rest, f"adama sweep {scenario}")
    _check_scenario(command.config, scenario)
    given = given_settings(rest, default)
    preset = {
        name: list(values)
        for name, values in PRESETS.get(command.preset or "", {}).items()
        if name not in given
    }
    configs = product(command.config, _typed_axes(command.config, preset | axes))
    check_launch(command.launch)
    _prepare(configs, command.output)
    from adama_jax.studies.experiment import sweep

    return sweep(configs, command.output.out, command.output.training, command.launch, Console())


def _typed_axes(base: Config, axes: Mapping[str, Sequence[str]]) -> dict[str, list[Any]]:
    """An axis's words as values; an axis that no method of the sweep reads is refused."""
    typed = read_axes(axes, TrainCommand(scenario_config(base.scenario)), "adama sweep")
    for method in typed.get("method", []):
        if method not in METHODS:
            raise SettingError(f"method={method}: must be one of {', '.join(METHODS)}")
    reads = set().union(*(METHODS[method].reads for method in typed.get("method", [base.method])))
    for name in typed:
        if name.startswith("rates.") and name.removeprefix("rates.") not in reads:
            raise SettingError(
                f"{name}={','.join(axes[name])}: must be left out: no method of this sweep reads it"
            )
    return typed


def _figures(words: list[str]) -> int:
    command = parse(FiguresCommand, FiguresCommand(), words, "adama figures")
    check_exhibits(command)
    from adama_jax.studies.reproduce import figures

    return figures(command, Console())


def _reproduce(words: list[str]) -> int:
    command = parse(ReproduceCommand, ReproduceCommand(), words, "adama reproduce")
    check_exhibits(command.exhibits)
    from adama_jax.studies.reproduce import plan

    plan(command.exhibits)
    check_launch(command.launch)
    _prepare([], Output(command.exhibits.out, command.training))
    from adama_jax.studies.reproduce import reproduce

    return reproduce(command, Console())


def _report(words: list[str]) -> int:
    named = words and "=" not in words[0] and not words[0].startswith("-")
    words = [f"results={words[0]}", *words[1:]] if named else words
    command = parse(ReportCommand, ReportCommand(), words, "adama report")
    page = command.page or command.results / "report.html"
    if command.results.is_dir():
        check_folder("page", page.parent)
        if page.is_dir():
            raise SettingError(f"page={page}: must be a file to write, not a folder")
    from adama_jax.reporting.page import report

    print(report(command.results, page))
    return 0


def _calibrate(words: list[str]) -> int:
    scenario, rest = _scenario(words)
    command = parse(
        CalibrateCommand,
        CalibrateCommand(scenario_config(scenario)),
        rest,
        f"adama calibrate {scenario}",
    )
    _check_scenario(command.config, scenario)
    _prepare([command.config], Output(Path.cwd(), Training(devices=command.devices)))
    from adama_jax.studies.calibrate import calibrate

    return calibrate(command.config, Console())


def _prepare(configs: list[Config], output: Output) -> None:
    """Check everything, then wake JAX."""
    for config in configs:
        validate(config)
    check_output(output)
    from adama_jax.execution.devices import set_up_jax

    set_up_jax(output.training.devices)


def _scenario(words: list[str]) -> tuple[str, list[str]]:
    if words and words[0] in ("-h", "--help"):
        return "predator_prey", words
    if not words or "=" in words[0] or words[0].startswith("-"):
        raise SettingError(
            f"scenario={words[0] if words else ''}: must come first, one of {', '.join(SCENARIOS)}"
        )
    return words[0], words[1:]


def _check_scenario(config: Config, scenario: str) -> None:
    if config.scenario != scenario:
        raise SettingError(f"scenario={config.scenario}: must be given once, as the first word")


def _list(rows: dict[str, tuple[str, str]]) -> int:
    """One line each: name, what it is, where it comes from."""
    width = max(map(len, rows))
    for name, (summary, source) in rows.items():
        print(f"{name:{width}}  {summary}  [{source}]")
    return 0


def _no_words(words: list[str]) -> None:
    if words:
        raise SettingError(f"argument={words[0]}: must be left out")


def _list_methods(words: list[str]) -> int:
    _no_words(words)
    return _list({name: (f"{m.direction}: {m.summary}", m.source) for name, m in METHODS.items()})


def _list_scenarios(words: list[str]) -> int:
    _no_words(words)
    return _list({name: (s.summary, s.source) for name, s in SCENARIOS.items()})


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "train": _train, "experiment": _compare, "sweep": _sweep, "calibrate": _calibrate, "reproduce": _reproduce,
    "figures": _figures, "report": _report, "scenarios": _list_scenarios, "methods": _list_methods,
    "resume": cli_runs.resume, "verify": cli_runs.verify, "play": cli_runs.play,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
