"""Settings by name."""

import pytest

from adama_jax.config.names import (
    ALIASES,
    SYMBOLS,
    all_settings,
    flat,
    in_words,
    setting,
    short,
    traced_settings,
    with_settings,
)
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError

BASE = scenario_config("clustering")


def test_the_paper_s_symbols():
    """Section 3 and Table 1; a wrong one would set another number without a word."""
    expected = {
        "l": "rates.total_rate",
        "m": "rates.critic_scale",
        "alpha": "rates.smoothing",
        "eps": "rates.clip",
        "l_c": "rates.critic_rate",
        "l_a": "rates.actor_budget",
        "K": "rates.trial_updates",
        "gamma": "learning.discount",
    }
    assert expected == SYMBOLS


def test_no_alias_is_the_name_of_another_setting():
    names = {name for name, _ in all_settings(BASE)}
    assert ALIASES["direction"] == ALIASES["optimiser"] == "optimizer"
    assert not names & set(ALIASES)
    assert set(ALIASES.values()) <= names


def test_what_is_traced():
    """Arrays in the program; shapes and choices cannot be."""
    traced = set(traced_settings(BASE))
    assert {
        "rates.clip",
        "learning.discount",
        "exploration.end",
        "learning.target_step",
    } <= traced
    fixed = {
        "learning.batch_size",
        "learning.capacity",
        "networks.hidden",
        "rates.curvature",
        "rates.trial_updates",
        "horizon",
        "episodes",
    }
    assert not traced & fixed


def test_settings_are_read_at_every_depth():
    assert setting(BASE, "scenario") == "clustering"
    assert setting(BASE, "world.num_agents") == 8


def test_an_old_name_changes_the_setting():
    assert with_settings(BASE, {"direction": "lion"}).optimizer == "lion"


def test_an_unknown_name_is_refused_and_named():
    with pytest.raises(
        SettingError, match=r"^rates\.clipp=0\.2: must be the name of a setting$"
    ):
        with_settings(BASE, {"rates.clipp": 0.2, "seeds": 3})


def test_a_short_name_is_not_enough():
    """Whoever calls this from Python writes full names; the command line's are `reading`'s."""
    with pytest.raises(SettingError, match=r"^clip=0\.2: "):
        with_settings(BASE, {"clip": 0.2})


def test_the_base_is_left_as_it_is():
    with_settings(BASE, {"seeds": 77, "rates.clip": 0.2})
    assert scenario_config("clustering") == BASE


def test_short_names():
    assert short("rates.smoothing") == "alpha"
    assert short("learning.batch_size") == "batch_size"
    assert short("seeds") == "seeds"


def test_settings_in_words():
    values = {"rates.smoothing": 0.9, "seeds": 3}
    assert in_words(values) == "alpha=0.9 seeds=3"
    assert in_words(values, ", ") == "alpha=0.9, seeds=3"
    assert in_words({}) == ""


def test_nested_values_are_named_in_full():
    nested = {"a": {"b": {"c": 1}, "d": [2]}, "e": None}
    assert list(flat(nested)) == [("a.b.c", 1), ("a.d", [2]), ("e", None)]
