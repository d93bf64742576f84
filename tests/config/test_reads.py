"""What somebody gave is used or refused, on every command line and in every table of settings."""

from pathlib import Path

import pytest

from adama_jax.algorithms.settings import (
    ALGORITHMS,
    ON_POLICY_IGNORES,
    AlgorithmEntry,
)
from adama_jax.cli import main as cli
from adama_jax.cli.commands.sweep import read_sweep
from adama_jax.config.exhibits import Length
from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.reads import check_read, why_unread
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.fields import settings
from adama_jax.studies.exhibits import plan
from tests.helpers import EXPERIMENTS

BASE = scenario_config("clustering")

# A command line, the setting that it drops, and why.
DROPPED = [
    (
        "train going_together l_c=0.05",
        "l_c=0.05",
        "method=adama does not read it (read by fixed, direction, direction_2nd, adag",
    ),
    ("train going_together method=fixed l=0.05", "l=0.05", "method=fixed"),
    ("train going_together method=fixed m=3", "m=3:", "method=fixed"),
    ("train going_together method=balance direction_floor=0", "direction_floor", "me"),
    ("train going_together method=adagrad alpha=0.9", "alpha=0.9", "method=adagrad"),
    ("train going_together curvature=exact", "curvature=exact", "method=adama"),
    ("train going_together secant_step=1", "secant_step=1:", "method=adama"),
    ("train going_together K=50", "K=50", "it is read with critic_scale=auto alone"),
    ("train going_together target_step=0.1", "target_step=0.1", "with targets=soft"),
    (
        "train going_together targets=soft target_period=5",
        "target_period=5",
        "it is read with targets=hard alone",
    ),
    ("train going_together updates_each=2", "updates_each=2", "with update_every=None"),
    (
        "train going_together update_every=5 updates_per_episode=2",
        "updates_per_episode=2",
        "it is read with update_every=None alone",
    ),
    ("train going_together targets=soft target_unit=updates", "target_unit", "=hard"),
    ("train going_together points_apart=7 every=10", "points_apart", "every=None"),
    ("train going_together start_seed=3", "start_seed=3", "with start=fixed alone"),
    (
        "train clustering method=adama_2nd curvature=lookahead secant_step=1",
        "secant_step=1:",
        "it is read with curvature=secant alone",
    ),
    ("train ant_4x2 solver_iterations=9", "solver_iterations=9", "with backend=mjx"),
    ("train ant_4x2 line_search_iterations=9", "line_search_iterations=9", "mjx alone"),
    ("train MPE_simple_v3 prey=learner", "prey=learner", "MPE_simple_v3 takes num_a"),
    (
        "train MPE_simple_spread_v3 num_obs=none",
        "num_obs=none",
        "MPE_simple_spread_v3 takes num_agents, num_landmarks, local_ratio",
    ),
    (
        "train clustering replay_every=3 checkpoint_minutes=none",
        "replay_every=3",
        "it is not read with checkpoint_minutes=none",
    ),
    ("experiment clustering l_c=0.1 methods=adama,balance", "l_c=0.1", "method=adama"),
    ("experiment clustering target_step=0.1", "target_step=0.1", "targets=soft alone"),
    ("sweep clustering m=40,50 l_c=0.05", "l_c=0.05", "method=adama does not read"),
    ("sweep clustering target_step=0.1,0.2", "target_step=0.1,0.2", "targets=soft"),
    ("sweep clustering m=40,50 minutes=5", "minutes=5", "launcher=slurm alone"),
    ("sweep clustering m=40,50 partition=gpu", "partition=gpu", "launcher=slurm al"),
    (
        "sweep clustering m=40,50 launcher=local devices=2",
        "devices=2",
        "launcher=local gives each job its share",
    ),
    ("reproduce gpus=1", "gpus=1", "it is read with launcher=slurm alone"),
    ("reproduce launcher=local devices=2", "devices=2", "launcher=local gives each"),
    (
        f"reproduce only=ant_4x2 experiments={EXPERIMENTS}",
        "only=ant_4x2",
        "in one of the exhibits, which show clustering, cooperative_navigation",
    ),
    (
        f"figures only=ant_4x2 experiments={EXPERIMENTS}",
        "only=ant_4x2",
        "which show cl",
    ),
    ("calibrate clustering episodes=500", "episodes=500", "a trial has K updates"),
    ("calibrate clustering evaluation.seed=1", "evaluation.seed=1", "a trial has K"),
    ("calibrate clustering target_step=0.1", "target_step=0.1", "targets=soft alone"),
    ("calibrate clustering method=fixed m=3", "m=3:", "method=fixed does not read"),
]


@pytest.mark.parametrize(
    ("line", "setting", "why"), DROPPED, ids=[d[0] for d in DROPPED]
)
def test_what_would_be_dropped_is_refused(
    line, setting, why, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(line.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"adama: error: {setting}")
    assert ": must be " in error
    assert why in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_takes_what_one_of_its_methods_reads():
    configs = [with_settings(BASE, {"method": name}) for name in ("adama", "fixed")]
    check_read({"rates.critic_rate": 0.1, "rates.critic_scale": 3.0}, configs)
    with pytest.raises(
        SettingError, match=r"^rates\.curvature=exact: must be left out"
    ):
        check_read({"rates.curvature": "exact"}, configs)


def test_what_no_configuration_has_is_left_to_others():
    check_read({"force": True, "out": Path("results")}, [BASE])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_setting_is_read_by_one_of_the_methods_at_least(scenario):
    """With the right value beside it; else it could be given on no command line."""
    together = {
        "learning.targets": "soft",
        "learning.update_every": 1,
        "rates.critic_scale": "auto",
        "rates.curvature": "secant",
        "rates.schedule": "linear",
    }
    world = {"world.start": "fixed", "world.backend": "mjx"}
    base = scenario_config(scenario)
    names = {each.name for each in settings(base)}
    together |= {name: value for name, value in world.items() if name in names}
    hard = {"learning.targets": "hard", "learning.update_every": None}
    others = [with_settings(base, {"method": method, **hard}) for method in METHODS]
    configs = [*others, *(with_settings(config, together) for config in others)]
    unread = {
        name for name in names if all(why_unread(config, name) for config in configs)
    }
    unread -= ALGORITHMS[base.algorithm].ignores
    # JaxMARL's worlds share one class of options; predator-prey has some of its base always.
    assert all(name.startswith("world.") for name in unread)
    assert not unread or scenario.startswith(("MPE_", "predator_prey"))


def test_an_algorithm_says_what_it_ignores(monkeypatch, capsys, tmp_path):
    entry = AlgorithmEntry("tests.toy_algorithms:reinforce", ON_POLICY_IGNORES)
    monkeypatch.setitem(ALGORITHMS, "reinforce", entry)
    for word in ("capacity=2000", "batch_size=64"):
        words = ["train", "clustering", "algorithm=reinforce", word]
        assert cli.main([*words, f"out={tmp_path}"]) == 2
        error = capsys.readouterr().err
        line = f"adama: error: {word}: must be left out: algorithm=reinforce does not"
        assert error.startswith(line)


def test_a_sweep_varies_a_setting_where_it_is_read():
    words = ["targets=hard,soft", "target_step=0.1,0.2"]
    _, configs = read_sweep(["clustering", *words])
    found = [(each.learning.targets, each.learning.target_step) for each in configs]
    assert found == [("hard", 0.02), ("soft", 0.1), ("soft", 0.2)]


@pytest.mark.parametrize("words", [[], ["method=fixed"], ["m=40"], ["methods=adama,"]])
def test_a_sweep_of_one_combination_says_so(words):
    with pytest.raises(SettingError) as error:
        read_sweep(["clustering", *words])
    message = str(error.value)
    assert message.startswith("sweep=clustering: must have a setting with several val")
    assert message.endswith("is for `adama train clustering`")


EXHIBIT = """
title = "x"
draw = "returns"
scenarios = ["clustering"]
methods = ["adama"]
"""
UNREAD = [
    (
        'settings = { l_c = 0.1 }\n[[curves]]\nmethod = "balance"',
        "rates.critic_rate=0.1",
    ),
    ('[[curves]]\nmethod = "fixed"\nsettings = { m = 3 }', "rates.critic_scale=3.0"),
    (
        '[[curves]]\nmethod = "fixed"\naxes = { target_step = [0.1, 0.2] }',
        "learning.target_step=0.1,0.2",
    ),
]


def test_what_another_exhibit_chooses_is_not_given(tmp_path):
    (tmp_path / "grid.toml").write_text(EXHIBIT, encoding="utf-8")
    path = tmp_path / "mine.toml"
    curve = '[[curves]]\nmethod = "fixed"\nbest_of = "grid"\nsettings = {{ {} }}'
    for text, words in {
        "l_c = 0.1": "rates.critic_rate=0.1: must be left out: best_of=grid chooses it",
        "m = 3": "rates.critic_scale=3.0: must be left out: method=fixed does not read",
    }.items():
        path.write_text(EXHIBIT + curve.format(text), encoding="utf-8")
        with pytest.raises(SettingError) as error:
            plan(path, Length(), (), tmp_path)
        assert str(error.value).startswith(f"mine: {words}")


@pytest.mark.parametrize(("text", "setting"), UNREAD)
def test_an_exhibit_has_no_settings_that_nothing_reads(tmp_path, text, setting):
    path = tmp_path / "mine.toml"
    path.write_text(EXHIBIT + text, encoding="utf-8")
    with pytest.raises(SettingError) as error:
        plan(path, Length(), (), tmp_path)
    assert str(error.value).startswith(f"mine: {setting}: must be left out: ")


def test_an_exhibit_s_settings_are_for_those_that_read_them(tmp_path):
    path = tmp_path / "mine.toml"
    text = 'settings = { l_c = 0.1 }\n[[curves]]\nmethod = "fixed"'
    path.write_text(EXHIBIT + text, encoding="utf-8")
    adama, fixed = plan(path, Length(), (), tmp_path)
    assert fixed.config.rates.critic_rate == 0.1
    assert adama.config.method == "adama"
