"""A new kind of world is its own files: settings, bounds and check lie beside it."""

from dataclasses import dataclass, replace
from typing import Annotated

import pytest

from adama_jax.bounds import POSITIVE
from adama_jax.config.checks import validate
from adama_jax.config.reading import read_settings
from adama_jax.config.schema import scenario_config
from adama_jax.envs.worlds import World
from adama_jax.errors import SettingError

BASE = scenario_config("clustering")


@dataclass(frozen=True)
class Pond(World):
    """A kind of world that no other module has heard of."""

    depth: Annotated[float, POSITIVE] = 1.0
    width: float = 2.0

    @property
    def learners(self) -> int:
        return 2

    def check(self, scenario: str) -> None:
        if self.depth > self.width:
            raise SettingError(
                f"world.depth={self.depth}: must be at most the width ({scenario})"
            )


def test_a_new_kind_of_world_brings_its_settings_bounds_and_check():
    config = replace(BASE, world=Pond())
    validate(config)
    assert read_settings(config, {"depth": "1.5"}).world == Pond(depth=1.5)
    with pytest.raises(
        SettingError, match=r"world\.depth=-1\.0: must be above 0 and finite"
    ):
        validate(replace(config, world=Pond(depth=-1.0)))
    with pytest.raises(SettingError, match=r"must be at most the width \(clustering\)"):
        validate(replace(config, world=Pond(depth=3.0)))
    # The floor of the direction is checked for its number of agents.
    with pytest.raises(SettingError, match="with N=2 agents"):
        validate(read_settings(config, {"direction_floor": 0.9}))
