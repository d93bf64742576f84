"""The words of a command line that stand before its settings: a scenario, a run's folder."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from adama_jax.bounds import OneOf
from adama_jax.config.flags import HELP
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config
from adama_jax.config.values import IN_WORDS, read_path
from adama_jax.errors import SettingError, did_you_mean
from adama_jax.storage.folder import EXAMPLE, RunFolder, runs_below

RESULTS = Path("results")  # where commands write unless told otherwise
ANY_SCENARIO = "predator_prey"  # whose defaults `adama train --help` shows


def take_scenario(words: Sequence[str]) -> tuple[str, list[str]]:
    """The scenario, which comes first, and the other words.

    Raises:
        SettingError: it is missing.
    """
    if words and words[0] in HELP:
        return ANY_SCENARIO, list(words)
    if not words or is_setting(words[0]):
        given = words[0] if words else ""
        allowed = OneOf(SCENARIOS).words
        raise SettingError(f"scenario={given}: must come first, {allowed}")
    return words[0], list(words[1:])


def take_run(words: Sequence[str], or_else: str = "") -> tuple[Path, list[str]]:
    """A run's folder, which comes first, and the other words.

    Args:
        words: of the command line.
        or_else: what may be given in its place, in words, for who gave nothing.

    Raises:
        SettingError: it is missing.
    """
    if words and words[0] in HELP:
        return Path(), list(words)
    if not words or is_setting(words[0]):
        raise SettingError(f"run=: must come first, {or_else}{_what_is_there()}")
    try:
        return read_path(words[0]), list(words[1:])
    except ValueError:
        raise SettingError(f"run={words[0]}: must be {IN_WORDS[Path]}") from None


def _what_is_there() -> str:
    """What may be given as a run, by what the results folder has."""
    found = runs_below(RESULTS)
    if not found:
        return (
            f"a run's folder such as {EXAMPLE}; {RESULTS}/ has none yet: "
            "`adama train predator_prey episodes=300` leaves one there"
        )
    example = os.path.relpath(found[0].path)
    return (
        f"a run's folder such as {shlex.quote(example)}, or a folder of runs such as {RESULTS} "
        "(`adama list` names all of them)"
    )


def take_run_or_results(words: Sequence[str]) -> tuple[Path, list[str]]:
    """As `take_run`; the folder may be left out: then it is that of the results.

    Raises:
        SettingError: there are no runs in that one.
    """
    if words:
        return take_run(words)
    if not runs_below(RESULTS):
        raise SettingError(
            f"run={RESULTS} (the default): must be a folder with runs in it; another is named as "
            "first word"
        )
    return RESULTS, []


def runs_at(path: Path, or_else: str = "") -> list[RunFolder]:
    """The run in a folder, or all runs in a scenario's folder or a results folder.

    Args:
        path: the folder.
        or_else: what may be given in its place, in words.

    Raises:
        SettingError: there is none.
    """
    run = RunFolder.at(path)
    if run is not None:
        return [run]
    found = runs_below(path)
    if not found:
        near = "" if path.exists() else did_you_mean(str(path), SCENARIOS)
        raise SettingError(
            f"run={path}: must be {or_else}a run's folder, such as {EXAMPLE}, or one with runs in "
            f"it{near}"
        )
    return found


def take_nothing(words: Sequence[str]) -> None:
    """Check that no words are left.

    Raises:
        SettingError: there are some.
    """
    if words:
        raise SettingError(f"argument={words[0]}: must be left out")


def check_scenario(config: Config, scenario: str) -> None:
    """Check that the settings do not name another scenario than the first word.

    Raises:
        SettingError: they do.
    """
    if config.scenario != scenario:
        raise SettingError(
            f"scenario={config.scenario}: must be given once, as the first word"
        )


def is_setting(word: str) -> bool:
    """Whether a word is `key=value` or a flag.

    >>> is_setting("seeds=5"), is_setting("--seeds"), is_setting("clustering")
    (True, True, False)
    """
    return "=" in word or word.startswith("-")
