"""The scenarios' presets are the paper's, and every setting counts in a run's name."""

import pytest

from adama_jax.config.checks import validate
from adama_jax.config.identity import config_hash
from adama_jax.config.names import all_settings, with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError


@pytest.mark.parametrize(
    "scenario", ["clustering", "predator_prey", "MPE_simple_spread_v3"]
)
def test_the_hash_changes_with_every_setting(scenario):
    base = scenario_config(scenario)
    names = dict(all_settings(base))
    changed = [
        with_settings(base, {name: ("another", value)}) for name, value in names.items()
    ]
    assert (
        len(names) > 30
        and len({config_hash(config) for config in [base, *changed]}) == len(names) + 1
    )


def test_table_1_is_what_the_scenarios_say():
    rows = {
        "going_together": (2, 10, 0.96, 500_000, 10.0, 8e-3, 3e-3),
        "cooperative_navigation": (4, 6, 0.9, 500_000, 5.0, 9e-3, 2e-3),
        "predator_prey": (4, 20, 0.97, 1_000_000, 50.0, 7e-3, 2e-3),
        "clustering": (8, 10, 0.95, 1_000_000, 80.0, 8e-3, 1e-3),
    }
    for name, row in rows.items():
        c = scenario_config(name)
        validate(c)
        world = (
            c.world.num_agents,
            c.horizon,
            c.learning.discount,
            c.learning.capacity,
        )
        rates = (c.rates.critic_scale, c.rates.critic_rate, c.rates.actor_budget)
        assert world + rates == row
        assert (c.rates.total_rate, c.rates.smoothing, c.rates.clip) == (
            1e-2,
            0.99,
            0.1,
        )
        learning = c.learning
        assert (learning.batch_size, c.networks.hidden) == (1024, (64, 64))
        assert (learning.targets, learning.target_period) == ("hard", 20)
        assert learning.updates_per_episode == 1
        exploration = c.exploration
        assert (exploration.start, exploration.end, exploration.episodes) == (
            1.0,
            0.1,
            10_000,
        )


def test_an_unknown_scenario_is_refused():
    with pytest.raises(SettingError, match="scenario=nope: must be one of"):
        scenario_config("nope")
