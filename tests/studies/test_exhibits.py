"""The paper's exhibits: which runs they show, and which of those are trained when."""

import dataclasses

import pytest

from adama_jax.config.exhibits import Length, load_exhibits
from adama_jax.config.identity import program_key
from adama_jax.config.labels import labels
from adama_jax.config.names import setting
from adama_jax.config.options import Launch, Training
from adama_jax.errors import SettingError
from adama_jax.storage.folder import run_folder
from adama_jax.storage.reader import has_run
from adama_jax.studies.exhibits import best_pair, first_look, plan, shown
from adama_jax.studies.jobs import jobs
from adama_jax.studies.reproduce import train_exhibits
from tests.helpers import (
    EXPERIMENTS,
    QUIET,
    SHORT,
    fake_grid,
    fake_run,
    of_going_together,
)


def test_every_exhibit_can_be_planned(tmp_path):
    """Every setting is checked; no run of the paper's figures needs another's code."""
    exhibits = load_exhibits(EXPERIMENTS)
    assert set(exhibits) >= {
        *(f"figure{n}" for n in range(3, 9)),
        "grid",
        "results",
        "table1",
    }
    rows = [
        row
        for exhibit in exhibits.values()
        for row in shown(exhibit, exhibits, Length(), tmp_path)
    ]
    paper = [
        "adama",
        "adama_2nd",
        "fixed",
        "direction",
        "direction_2nd",
        "balance",
        "adagrad",
        "rmsprop",
    ]
    assert {row.label for row in rows} >= {*paper, "fixed_best"}
    assert {row.waits_for for row in rows if row.config is None} == {
        "16 settings of grid"
    }
    configs = list(dict.fromkeys(row.config for row in rows if row.config is not None))
    assert len(jobs(configs, labels(configs))) == 4 * 9 + 2 * 4
    # The grid is shorter: its own program.
    assert len({program_key(config) for config in configs}) == 4 * 9 + 2 * 4
    assert {config.episodes for config in configs} == {8_000, 30_000, 50_000}


def test_the_robots_exhibits_can_be_planned(tmp_path):
    exhibits = load_exhibits(EXPERIMENTS / "locomotion")
    rows = {
        name: shown(each, exhibits, Length(), tmp_path)
        for name, each in exhibits.items()
    }
    assert len({row.config for row in rows["figure9"]}) == 4 * 3
    assert {row.config for row in rows["halfcheetah_rates"]} <= {
        row.config for row in rows["halfcheetah"]
    }
    assert {row.config for row in rows["halfcheetah_modern_rates"]} <= {
        row.config for row in rows["halfcheetah_modern"]
    }


def test_a_scaled_length_is_whole_rounds(tmp_path):
    file = tmp_path / "two.toml"
    file.write_text(
        HEAD + 'methods = ["fixed"]\nsettings = { envs_per_run = 8 }\n',
        encoding="utf-8",
    )
    (row,) = shown(load_exhibits(file)["two"], {}, Length(0.0005), tmp_path)
    assert row.config.episodes == 32  # of 25


def test_the_grid_s_seeds_are_its_own(tmp_path):
    exhibits = load_exhibits(EXPERIMENTS)
    seeds = {
        name: {
            seed
            for row in shown(each, exhibits, Length(), tmp_path)
            if row.config
            for seed in row.config.seed_range
        }
        for name, each in exhibits.items()
    }
    assert seeds.pop("grid") == {100, 101, 102}
    assert set().union(*seeds.values()) == {0, 1, 2, 3, 4}


def test_best_of_waits_for_the_whole_grid_and_leaves_out_what_diverged(tmp_path):
    exhibits = load_exhibits(EXPERIMENTS)
    fake_grid(tmp_path, skip=1)
    assert best_pair(exhibits["grid"], "going_together", SHORT, tmp_path) == (
        None,
        "1 setting of grid",
    )
    fake_grid(tmp_path)
    (row,) = [
        row
        for row in of_going_together(exhibits["figure3"], tmp_path)
        if row.label == "fixed_best"
    ]
    assert (row.config.rates.critic_rate, row.config.rates.actor_budget) == (
        0.004,
        0.007,
    )
    assert (row.config.episodes, row.config.seeds, row.config.seed) == (300, 5, 0)


HEAD = 'title = "x"\ndraw = "returns"\nscenarios = ["clustering"]\n'
WRONG = [
    ('title = "x', "must be an exhibit's description"),
    ('title = "x"', "must be an exhibit's description: Exhibit.__init__() missing"),
    ('title = "x"\ndraw = "nope"\nscenarios = []', "draw=nope: must be one of returns"),
    (
        'title = "x"\ndraw = "returns"\nscenarios = ["nope"]\nmethods = ["adama"]',
        "scenario=nope: must be one of",
    ),
    (
        'title = "x"\ndraw = "returns"\nscenarios = ["clustering"]\nmethods = ["nope"]',
        "method=nope: must be one of",
    ),
    (
        HEAD + 'methods = ["adama"]\nsettings = { l_cc = 1 }',
        "l_cc=1",
    ),
    (HEAD + '[[curves]]\nmethod = "fixed"\nbest_of = "gird"', "gird.toml"),
    (
        HEAD + '[[curves]]\nmethod = "fixed"\nbest_of = "mine"',
        "mine: best_of=mine: must be an exhibit without best_of",
    ),
    (
        HEAD + '[[curves]]\nmethod = "fixed"\naxes = { critic_rate = 0.1 }',
        "axes={'critic_rate': 0.1}: must be a table",
    ),
    (
        HEAD + '[[curves]]\nmethod = "fixed"\naxes = { critic_rate = [-1.0] }',
        "critic_rate=-1.0: must be above 0",
    ),
    (
        HEAD + '[[curves]]\nmethod = "fixed"\naxes = { critic_rate = ["a"] }',
        "mine: critic_rate=a: must be a number",
    ),
    (
        HEAD + '[[curves]]\nmethod = "fixed"\naxes = { nope = [1] }',
        "nope=1: must be the name of a setting",
    ),
    (
        HEAD + '[[curves]]\nmethod = "fixed"\nsettings = [1]',
        "settings=[1]: must be a table",
    ),
    (
        HEAD + 'methods = ["adama"]\nepisodes = "many"',
        "episodes=many: must be a number, at least 1",
    ),
    (
        HEAD + 'methods = ["adama"]\nepisodes = -5',
        "episodes=-5: must be a number, at least 1",
    ),
    (
        'title = "x"\ndraw = "returns"\nscenarios = []',
        "scenarios=[]: must be one or more",
    ),
    (
        'title = "x"\ndraw = "critic_scale"\nscenarios = ["clustering", "predator_prey"]',
        "one scenario for draw=",
    ),
    (
        'title = "x"\ndraw = "settings"\nscenarios = ["clustering"]\nrows = ["nope"]',
        "rows=nope: must be full names",
    ),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_description_is_one_line(tmp_path, text, message):
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingError) as error:
        plan(tmp_path / "mine.toml", Length(), (), tmp_path)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_no_best_of_a_best(tmp_path):
    """Two that choose by each other have no end."""
    for mine, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{mine}.toml").write_text(
            HEAD + f'[[curves]]\nmethod = "fixed"\nbest_of = "{other}"',
            encoding="utf-8",
        )
    with pytest.raises(
        SettingError, match="a: best_of=b: must be an exhibit without best_of"
    ):
        load_exhibits(tmp_path)


def test_reproduce_trains_the_grid_first_and_then_its_best_pair(tmp_path):
    """With training replaced by results of known order.

    What waits for others is trained second; what is there is kept.
    """
    trained = []

    def instead(configs, out, training, options, console):
        lacking = [config for config in configs if not has_run(out, config)]
        trained.append(lacking)
        for config in lacking:
            final = setting(config, "rates.critic_rate")
            fake_run(out, finals=(final,) * config.seeds, config=config)
        return []

    def train():
        trained.clear()
        return train_exhibits(
            EXPERIMENTS / "results.toml",
            SHORT,
            ["going_together"],
            tmp_path,
            Training(),
            Launch(),
            QUIET,
            complete=instead,
        )

    assert train() == []
    assert [len(configs) for configs in trained] == [8 + 16, 1]
    (best,) = trained[1]
    assert best.rates.critic_rate == 0.01 and best.seed == 0
    run_folder(tmp_path, best).joinpath("meta.json").unlink()
    assert train() == []
    assert [config for configs in trained for config in configs] == [best]


def test_a_first_look_trains_adama_and_fixed_without_grids(tmp_path):
    trained = []

    def instead(configs, *_):
        trained.append(configs)
        return []

    failures = train_exhibits(
        EXPERIMENTS,
        Length(1.0, 300),
        (),
        tmp_path,
        Training(),
        Launch(),
        QUIET,
        complete=instead,
        keep=first_look,
    )
    # At once: nothing waits for a grid.
    (configs,) = trained
    assert failures == []
    assert {config.method for config in configs} == {"adama", "fixed"}
    # Two methods in four worlds; Figure 8's values of m share a program with AdaMa's.
    assert len({program_key(config) for config in configs}) == 8
    assert len(configs) == 10
    assert {config.seed for config in configs} == {0}


def test_seeds_that_other_runs_have_are_not_trained_again(tmp_path):
    trained = []

    def train(force):
        def instead(configs, *_):
            trained.append(configs)
            return []

        trained.clear()
        failures = train_exhibits(
            EXPERIMENTS / "results.toml",
            SHORT,
            ["clustering"],
            tmp_path,
            Training(force=force),
            Launch(),
            QUIET,
            complete=instead,
            keep=lambda rows: rows[:1],
        )
        assert failures == []
        return [config for configs in trained for config in configs]

    (whole,) = train(force=False)
    assert whole.seed_range == range(5)
    some = dataclasses.replace(whole, seeds=2)
    fake_run(tmp_path, config=some, finals=(1.0, 2.0))
    (rest,) = train(force=False)
    assert rest == dataclasses.replace(whole, seed=2, seeds=3)
    assert train(force=True) == [whole]
    fake_run(tmp_path, config=rest, finals=(1.0, 2.0, 3.0))
    assert train(force=False) == []
