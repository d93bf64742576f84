"""What runs say of themselves that may be anybody's: nothing that they name is imported."""

from pathlib import Path

from adama_jax.config.outside import names_outside
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.plugins.registry import without_imports
from adama_jax.storage.files import read_json, reading
from adama_jax.storage.folder import RunFiles
from adama_jax.storage.reader import Meta, config_as_stored, read_config, read_meta


def glance_at_config(folder: Path) -> Config:
    """As `read_config`, but nothing from outside is imported, and what names some not checked.

    Raises:
        SettingError: as `read_config`.
    """
    with without_imports():
        try:
            return read_config(folder)
        except SettingError:
            path = RunFiles(folder).config
            # Damaged it was said to be by the error above.
            stored = read_json(path)
            if not names_outside(stored):
                raise
            with reading(path):
                return config_as_stored(stored)


def has_its_own_world(config: Config) -> bool:
    """Whether a run's world is its scenario's, and not one that `config_as_stored` put there.

    >>> has_its_own_world(config_as_stored({"scenario": "clustering"}))
    True
    >>> has_its_own_world(config_as_stored({"scenario": "a world of another version"}))
    False
    """
    # Whether somebody's module happens to be imported must not change what is read.
    with without_imports():
        scenario = SCENARIOS.get(config.scenario)
    return scenario is not None and type(config.world) is type(scenario.world)


def glance_at_meta(files: RunFiles) -> Meta:
    """How a finished run ended, as it says itself: no arrays are read, and no digests.

    Raises:
        DamagedFile: what the run says of itself is damaged, or its curves are missing.
    """
    meta = read_meta(files)
    if not files.metrics.is_file():
        raise DamagedFile(f"{files.metrics}: is missing")
    return meta
