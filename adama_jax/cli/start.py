"""What `adama train` starts from: a scenario's preset, a file of settings, or a run's."""

import os
from collections.abc import Mapping
from pathlib import Path

from adama_jax.config.names import flat, with_settings
from adama_jax.config.reading import placed, read_values
from adama_jax.config.reads import check_read, why_unread
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config, scenario_config
from adama_jax.config.values import IN_WORDS, read_path
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.fields import values_by_name
from adama_jax.storage.files import read_json
from adama_jax.storage.folder import RunFolder

JSON = ".json"
# What a run's `config.json` has beside its settings: what legends call it.
NO_SETTINGS = ("scenario", "label")


def starting_config(word: str) -> Config:
    """The settings that the first word of `adama train` stands for.

    Args:
        word: a scenario, a JSON file of settings, or the folder of a run, begun or finished.

    Raises:
        SettingError: there is no such scenario, or the file cannot be read or says what is not
            allowed.
    """
    return (
        read_config_file(_file_of(word))
        if names_a_file(word)
        else scenario_config(word)
    )


def names_a_file(word: str) -> bool:
    """Whether a word is a path, and not the name of a scenario.

    >>> names_a_file("clustering"), names_a_file("my.json"), names_a_file("results/clustering/x")
    (False, True, True)
    """
    if word in SCENARIOS:
        return False
    # Of a word that is too long for a path Python's `Path.exists` raises an error.
    return word.endswith(JSON) or os.sep in word or os.path.exists(word)


def _file_of(word: str) -> Path:
    """The file of settings: that of the run, if the word is a run's folder."""
    try:
        path = read_path(word)
    except ValueError:
        raise SettingError(f"config={word}: must be {IN_WORDS[Path]}") from None
    if path.is_file():
        return path
    run = RunFolder.at(path)
    if run is None:
        raise SettingError(
            f"config={word}: must be a JSON file of settings, such as a run's config.json, or a "
            "run's folder"
        )
    return run.current.config


def read_config_file(path: Path) -> Config:
    """The configuration that a JSON file describes: a run's `config.json`, or anybody's own.

    What it leaves out is as its scenario's preset has it. A setting may have any of the names that
    the command line takes.

    Args:
        path: `{"scenario": ..., "episodes": ..., "rates": {"clip": ...}, ...}`.

    Raises:
        SettingError: it cannot be read, names no scenario, or says something that is not allowed or
            that nothing reads. The message names the file.
    """
    try:
        stored = read_json(path)
    except DamagedFile as error:
        raise SettingError(f"config={error}") from error
    with placed(f"config={path}"):
        scenario = stored.get("scenario", "")
        if not isinstance(scenario, str) or not scenario:
            raise SettingError(
                f"scenario={scenario}: must be one of {', '.join(SCENARIOS)}"
            )
        base = scenario_config(scenario)
        given = {name: value for name, value in flat(stored) if name not in NO_SETTINGS}
        values = read_values(base, given)
        config = with_settings(base, values)
        # A run's file names all settings, those that nothing reads too. As long as they are the
        # preset's nobody meant anything by them.
        usual = values_by_name(with_settings(base, {"method": config.method}))
        meant = {
            name: value for name, value in values.items() if value != usual.get(name)
        }
        check_read(meant, [config])
    return config


def without_leftovers(config: Config, given: Mapping[str, object]) -> Config:
    """A configuration in which what nothing reads any more is the preset's again.

    A file says `critic_rate=0.1` for its method, and the command line another method: then the run
    is that of the method alone, and has its name.

    Args:
        config: a file's, changed by a command line.
        given: what the command line gave, by full names.

    >>> base = with_settings(scenario_config("clustering"), {"rates.critic_rate": 0.1})
    >>> without_leftovers(base, {}) == scenario_config("clustering")
    True
    """
    usual = values_by_name(
        with_settings(scenario_config(config.scenario), {"method": config.method})
    )
    changes = {}
    for name, value in values_by_name(config).items():
        is_left = name in usual and value != usual[name] and name not in given
        if is_left and why_unread(config, name):
            changes[name] = usual[name]
    return with_settings(config, changes)
