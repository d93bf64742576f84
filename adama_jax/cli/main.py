"""The command line: the table of commands. A command's module is imported when it is called.

So `adama --help` and every message about bad input come without JAX, which takes seconds to import.
"""

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pkgutil import resolve_name
from typing import NamedTuple

from adama_jax import __version__
from adama_jax.cli.text import check_printable, shortened
from adama_jax.config.flags import HELP
from adama_jax.errors import (
    AdamaError,
    SettingError,
    must_be,
    needed_by,
)
from adama_jax.screen.streams import steady_streams, write_error, write_line


class Command(NamedTuple):
    """A command of the table: what runs it, what it takes, and what it does."""

    function: str
    """Import path, below `adama_jax.cli.commands`."""
    takes: str
    summary: str
    has_settings: bool = True


COMMANDS = {
    "train": Command(
        "train:train",
        "SCENARIO|CONFIG [key=value ...]",
        "one method, all seeds in one compiled program; CONFIG: a config.json or a run",
    ),
    "experiment": Command(
        "experiment:experiment",
        "SCENARIO [key=value ...]",
        "several methods (methods=adama,fixed), figures of all of them",
    ),
    "sweep": Command(
        "sweep:sweep",
        "SCENARIO [key=a,b,c ...]",
        "every combination of settings, methods and seeds",
    ),
    "resume": Command(
        "resume:resume",
        "RUN [episodes=N]",
        "resume an interrupted run, or train a finished one on (keep_last=true)",
    ),
    "verify": Command(
        "verify:verify",
        "[RUN|FOLDER]",
        "check every file of a run's folder, or of all in a folder (results)",
        has_settings=False,
    ),
    "play": Command(
        "play:play",
        "RUN|FOLDER|FILE|SCENARIO [seed=0]",
        "trained actors: greedy return and a film; of a SCENARIO those that come along",
    ),
    "export": Command(
        "export:export",
        "RUN|FOLDER [key=value ...]",
        "a run's actors as a file that NumPy runs, or curves for marl-eval",
    ),
    "list": Command(
        "runs:list_runs",
        "[FOLDER]",
        "the runs in a folder (results), finished or not, and what to do next",
        has_settings=False,
    ),
    "calibrate": Command(
        "calibrate:calibrate",
        "SCENARIO [key=value ...]",
        "a trial run that finds a value for m",
    ),
    "reproduce": Command(
        "reproduce:reproduce",
        "[key=value ...]",
        "train what the paper's figures lack, then draw them",
    ),
    "figures": Command(
        "figures:figures",
        "[key=value ...]",
        "draw the paper's figures from what is on disk",
    ),
    "report": Command(
        "report:report", "RESULTS", "one HTML page about a results folder"
    ),
    "scenarios": Command("lists:scenarios", "", "list the worlds", has_settings=False),
    "methods": Command(
        "lists:methods", "", "list the learning-rate methods", has_settings=False
    ),
}

OPTIONS = ("--version", "--help")
"""What may stand in a command's place; `adama version` is told so."""

EXAMPLES = """\
examples: adama train predator_prey seeds=5 method=adama episodes=2000
          adama train clustering --method balance --rates.critic-scale auto
          adama train predator_prey method=adama_2nd critic_activation=tanh curvature=exact
          adama sweep going_together method=fixed l_c=0.001:0.010:0.003 l_a=0.001,0.01 seeds=2
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        Its exit code. 0: all is well; 1: a seed diverged, a job failed, or there was nothing to
        draw; 2: bad input; 130: interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    # What becomes of the screen is to stop nothing.
    with steady_streams():
        return _run(words)


def _run(words: list[str]) -> int:
    # Pictures go to files; a notebook's backend, which its processes inherit, may not be there.
    os.environ["MPLBACKEND"] = "agg"
    # Before JAX is imported, perhaps by a user's module, which sets it to 1: below 3 XLA prints an
    # alarm where a program takes two minutes to compile, and a note where a cached one was built on
    # another machine of this kind.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return _of(words)
    except AdamaError as error:
        write_error(f"adama: error: {shortened(_as_typed(error, words))}")
        return 2
    except KeyboardInterrupt as stop:
        # With `force` the same command would begin anew, and what was saved would be lost.
        again = [
            word for word in words if word.lstrip("-").partition("=")[0] != "force"
        ]
        write_error(f"adama: stopped; to resume: adama {shlex.join(again)}")
        return getattr(stop, "code", 130)


def _as_typed(error: AdamaError, words: list[str]) -> str:
    """An error's line in the words that were typed, and the way out where there is one."""
    try:
        # Here, for they bring tyro with them, which `adama --help` need not wait for.
        from adama_jax.config.options import way_out
        from adama_jax.config.typed import as_typed
    except ModuleNotFoundError:
        # A light install has no tyro.
        return str(error)
    return as_typed(str(error), words) + way_out(error)


def _of(words: list[str]) -> int:
    """The exit code of the command that the words name, or of an option in its place."""
    check_printable(words)
    if not words or words[0] in HELP:
        _write(usage())
        return 0 if words else 2
    name, *rest = words
    if name == "--version":
        write_line(f"adama-jax {__version__}")
        return 0
    with needed_by(f"adama {name}"):
        return _call(name, rest)


def _call(name: str, words: list[str]) -> int:
    """The exit code of a command."""
    command = command_of(name)
    if not COMMANDS[name].has_settings and any(word in HELP for word in words):
        _write(usage_of(name))
        return 0
    try:
        return command(words)
    except SystemExit as stop:
        # tyro has printed the help.
        return int(stop.code or 0)


def _write(text: str) -> None:
    for line in text.splitlines():
        write_line(line)


def command_of(name: str) -> Callable[[list[str]], int]:
    """What runs a command: it takes the words after the command's name and returns an exit code.

    Raises:
        SettingError: there is no such command.
    """
    if name not in COMMANDS:
        allowed = f"one of {', '.join(COMMANDS)}"
        raise SettingError(
            f"command={name}: {must_be(allowed, name, [*COMMANDS, *OPTIONS])}"
        )
    return resolve_name(f"adama_jax.cli.commands.{COMMANDS[name].function}")


def usage_of(name: str) -> str:
    """What `--help` prints of a command that has no settings."""
    command = COMMANDS[name]
    return f"usage: {f'adama {name} {command.takes}'.strip()}\n\n{command.summary}\n"


def usage() -> str:
    """What `adama --help` prints."""
    calls = {
        f"adama {name} {each.takes}".strip(): each for name, each in COMMANDS.items()
    }
    calls["adama COMMAND SCENARIO --help"] = Command(
        "", "", "every setting, with the scenario's defaults"
    )
    calls["adama --version"] = Command("", "", "which version this is")
    width = max(len(call) for call in calls)
    lines = [f"  {call:{width}}   {each.summary}" for call, each in calls.items()]
    return "usage: adama COMMAND ...\n\n" + "\n".join(lines) + "\n\n" + EXAMPLES


if __name__ == "__main__":
    sys.exit(main())
