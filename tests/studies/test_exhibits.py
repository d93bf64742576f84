"""The paper's exhibits: which runs they show, what they draw from disk, what they say of the rest; and the report."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from adama_jax.cli.options import FiguresCommand, ReproduceCommand
from adama_jax.config.exhibits import Exhibit, Length, load_exhibits
from adama_jax.config.identity import program_key
from adama_jax.config.methods import METHODS
from adama_jax.config.names import setting, with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.reporting import figures as plots
from adama_jax.reporting.page import report
from adama_jax.storage.folder import run_folder
from adama_jax.storage.reader import find_run, has_run, load_run
from adama_jax.studies.exhibits import best_pair, shown
from adama_jax.studies.reproduce import draw, figures, reproduce
from adama_jax.studies.sweep import jobs, labels
from tests.helpers import fake_run

PUBLISHED = Path(__file__).parents[2] / "docs" / "results" / "runs"
EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SHORT = Length(0.01)


def of_going_together(exhibit: Exhibit, results: Path, length: Length = SHORT):
    return shown(exhibit, load_exhibits(EXPERIMENTS), length, results, ["going_together"])


def fake_grid(results: Path, best=(0.004, 0.007), lost=(0.01, 0.01), skip=0):
    """The grid of going together on disk: `best` is best of those of which no seed diverged."""
    for row in of_going_together(load_exhibits(EXPERIMENTS)["grid"], results)[skip:]:
        pair = row.config.rates.critic_rate, row.config.rates.actor_budget
        finals = {best: (3.0, 3.0, 3.0), lost: (9.0, 9.0, 9.0)}.get(pair, (1.0, 2.0, 1.0))
        fake_run(
            results, finals=finals, config=row.config, diverged={"101": 7} if pair == lost else None
        )


def test_every_exhibit_can_be_planned(tmp_path):
    """Every setting is checked; no run of the paper's figures needs another's code."""
    exhibits = load_exhibits(EXPERIMENTS)
    assert set(exhibits) >= {*(f"figure{n}" for n in range(3, 9)), "grid", "results", "table1"}
    rows = [
        row for exhibit in exhibits.values() for row in shown(exhibit, exhibits, Length(), tmp_path)
    ]
    assert {row.label for row in rows} >= {*METHODS, "fixed_best"}
    assert {row.waits_for for row in rows if row.config is None} == {"16 settings of grid"}
    configs = list(dict.fromkeys(row.config for row in rows if row.config is not None))
    assert len(jobs(configs, labels(configs))) == 4 * 9 + 2 * 4
    assert (
        len({program_key(config) for config in configs}) == 4 * 9 + 2 * 4
    )  # the grid is shorter: its own program
    assert {config.episodes for config in configs} == {8_000, 30_000, 50_000}


def test_the_robots_exhibits_can_be_planned(tmp_path):
    exhibits = load_exhibits(EXPERIMENTS / "locomotion")
    rows = {name: shown(each, exhibits, Length(), tmp_path) for name, each in exhibits.items()}
    assert len({row.config for row in rows["figure9"]}) == 4 * 3
    assert {row.config for row in rows["halfcheetah_rates"]} <= {
        row.config for row in rows["halfcheetah"]
    }
    assert {row.config for row in rows["halfcheetah_modern_rates"]} <= {
        row.config for row in rows["halfcheetah_modern"]
    }


def test_a_scaled_length_is_whole_rounds(tmp_path):
    file = tmp_path / "two.toml"
    file.write_text('title = ""\ndraw = "returns"\nscenarios = ["clustering"]\nmethods = ["fixed"]\n'
                    "settings = { envs_per_run = 8 }\n")  # fmt: skip
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
        "1 settings of grid",
    )
    fake_grid(tmp_path)
    (row,) = [
        row for row in of_going_together(exhibits["figure3"], tmp_path) if row.label == "fixed_best"
    ]
    assert (row.config.rates.critic_rate, row.config.rates.actor_budget) == (0.004, 0.007)
    assert (row.config.episodes, row.config.seeds, row.config.seed) == (300, 5, 0)


def test_figures_from_what_is_there(tmp_path):
    """All drawings; what is missing is named on the screen and in the description."""
    exhibits = load_exhibits(EXPERIMENTS)
    fake_grid(tmp_path)
    skipped = "rmsprop"
    for name in ("figure3", "figure7", "results"):
        for row in of_going_together(exhibits[name], tmp_path):
            if row.label != skipped:
                fake_run(
                    tmp_path,
                    config=row.config,
                    diverged={"2": 9} if row.label == "balance" else None,
                )
    console = Console(record=True, width=200)
    command = FiguresCommand(EXPERIMENTS, scale=0.01, only=("going_together",), out=tmp_path)
    assert figures(command, console) == 0
    text = console.export_text()
    assert "figure3: missing: going_together: rmsprop" in text
    assert "figure5" not in text  # no scenario of it was asked for
    for name in ("figure3", "figure4", "figure6", "figure7", "grid"):
        pixels = np.asarray(Image.open(tmp_path / "figures" / f"{name}.png").convert("L"))
        assert min(pixels.shape) > 300 and pixels.std() > 10
        assert (tmp_path / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    about = json.loads((tmp_path / "figures" / "figure3.json").read_text())
    assert about["missing"] == ["going_together: rmsprop"]
    best = next(run for run in about["runs"] if run["label"] == "fixed_best")
    assert best["settings_other_than_the_preset"]["rates.critic_rate"] == 0.004
    assert {"folder", "git_commit", "device", "seeds", "episodes", "diverged"} <= set(best)
    assert "balance (1 of 5 seeds diverged)" in (tmp_path / "figures" / "results.md").read_text()


def test_three_values_of_m(tmp_path):
    exhibits = load_exhibits(EXPERIMENTS)
    rows = shown(exhibits["figure8"], exhibits, SHORT, tmp_path)
    assert [row.config.rates.critic_scale for row in rows] == [40.0, 50.0, 60.0]
    assert len({program_key(row.config) for row in rows}) == 1
    runs = [fake_run(tmp_path, config=row.config)._replace(label=row.label) for row in rows]
    draw(exhibits["figure8"], {"predator_prey": runs}, [], tmp_path / "figures")
    assert (tmp_path / "figures" / "figure8.png").stat().st_size > 20_000


def test_table_1(tmp_path):
    assert (
        figures(FiguresCommand(EXPERIMENTS / "table1.toml", out=tmp_path), Console(quiet=True)) == 0
    )
    text = (tmp_path / "figures" / "table1.md").read_text()
    assert "| `rates.critic_scale` (m) | 10.0 | 5.0 | 50.0 | 80.0 |" in text


def test_nothing_on_disk_is_said_and_is_code_1(tmp_path):
    console = Console(record=True, width=200)
    assert figures(FiguresCommand(EXPERIMENTS / "figure4.toml", out=tmp_path), console) == 1
    assert "figure4: nothing drawn; missing: going_together: all 1" in console.export_text()
    assert not list(tmp_path.rglob("*.png"))


HEAD = 'title = "x"\ndraw = "returns"\nscenarios = ["clustering"]\n'
WRONG = {
    'title = "x': "must be an exhibit's description",
    'title = "x"': "must be an exhibit's description: Exhibit.__init__() missing",
    'title = "x"\ndraw = "nope"\nscenarios = []': "draw=nope: must be one of returns",
    'title = "x"\ndraw = "returns"\nscenarios = ["nope"]\nmethods = ["adama"]': "scenario=nope: must be one of",
    'title = "x"\ndraw = "returns"\nscenarios = ["clustering"]\nmethods = ["nope"]': "method=nope: must be one of",
    'title = "x"\ndraw = "returns"\nscenarios = ["clustering"]\nmethods = ["adama"]\nsettings = { l_cc = 1 }': "l_cc=1",
    HEAD + '[[curves]]\nmethod = "fixed"\nbest_of = "gird"': "gird.toml",
    HEAD
    + '[[curves]]\nmethod = "fixed"\nbest_of = "mine"': "mine: best_of=mine: must be an exhibit without best_of",
    HEAD
    + '[[curves]]\nmethod = "fixed"\naxes = { critic_rate = 0.1 }': "axes={'critic_rate': 0.1}: must be a table",
    HEAD
    + '[[curves]]\nmethod = "fixed"\naxes = { critic_rate = [-1.0] }': "rates.critic_rate=-1.0: must be above 0",
    HEAD
    + '[[curves]]\nmethod = "fixed"\naxes = { critic_rate = ["a"] }': "rates.critic_rate=a: must be FLOAT",
    HEAD
    + '[[curves]]\nmethod = "fixed"\naxes = { nope = [1] }': "nope=1: must be the name of a setting",
    HEAD + '[[curves]]\nmethod = "fixed"\nsettings = [1]': "settings=[1]: must be a table",
    HEAD + 'methods = ["adama"]\nepisodes = "many"': "episodes=many: must be a number, at least 1",
    HEAD + 'methods = ["adama"]\nepisodes = -5': "episodes=-5: must be a number, at least 1",
    'title = "x"\ndraw = "returns"\nscenarios = []': "scenarios=[]: must be one or more",
    'title = "x"\ndraw = "critic_scale"\nscenarios = ["clustering", "predator_prey"]': "one scenario for draw=",
    'title = "x"\ndraw = "settings"\nscenarios = ["clustering"]\nrows = ["nope"]': "rows=nope: must be full names",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_description_is_one_line(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SettingError) as error:
        figures(FiguresCommand(tmp_path / "mine.toml", out=tmp_path), Console(quiet=True))
    assert WRONG[text] in str(error.value) and "\n" not in str(error.value)


def test_no_best_of_a_best(tmp_path):
    """Two that choose by each other have no end."""
    for mine, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{mine}.toml").write_text(
            HEAD + f'[[curves]]\nmethod = "fixed"\nbest_of = "{other}"'
        )
    with pytest.raises(SettingError, match="a: best_of=b: must be an exhibit without best_of"):
        load_exhibits(tmp_path)


def test_reproduce_trains_the_grid_first_and_then_its_best_pair(tmp_path, monkeypatch):
    """With training replaced by results of known order: what waits is trained second, what is there is kept."""
    trained = []

    def instead(configs, out, training, options, console):
        configs = [config for config in configs if not has_run(out, config)]
        trained.append(configs)
        for config in configs:
            fake_run(
                out, finals=(setting(config, "rates.critic_rate"),) * config.seeds, config=config
            )
        return []

    monkeypatch.setattr("adama_jax.studies.experiment.complete", instead)
    command = FiguresCommand(
        EXPERIMENTS / "results.toml", scale=0.01, only=("going_together",), out=tmp_path
    )
    assert reproduce(ReproduceCommand(command), Console(quiet=True)) == 0
    assert [len(configs) for configs in trained] == [8 + 16, 1]
    (best,) = trained[1]
    assert best.rates.critic_rate == 0.01 and best.seed == 0
    trained.clear()
    run_folder(tmp_path, best).joinpath("meta.json").unlink()
    assert reproduce(ReproduceCommand(command), Console(quiet=True)) == 0
    assert [config for configs in trained for config in configs] == [best]


def test_the_report_stands_alone(tmp_path):
    fake_grid(tmp_path)
    exhibits = load_exhibits(EXPERIMENTS)
    for row in of_going_together(exhibits["figure3"], tmp_path):
        fake_run(tmp_path, config=row.config)
    command = FiguresCommand(EXPERIMENTS, scale=0.01, only=("going_together",), out=tmp_path)
    figures(command, Console(quiet=True))
    text = report(tmp_path, tmp_path / "page.html").read_text()
    assert (
        not re.search(r'(src|href)=(?!"data:)', text)
        and "@import" not in text
        and "<script" not in text
    )
    assert text.count("data:image/png") >= 4 and "data:image/gif" in text
    assert "l_c=0.004" in text and "0000000" in text and "seed 101 at 7" in text
    with pytest.raises(SettingError, match="must be a folder with finished runs"):
        report(tmp_path / "figures", tmp_path / "none.html")


def test_the_report_shows_one_run_s_own_figures_and_the_common_settings(tmp_path):
    """After `adama train`, whose figures are in the run's folder."""
    run = fake_run(tmp_path)
    plots.learning_curves([run], run.folder / "learning_curves.png")
    text = report(tmp_path, tmp_path / "page.html").read_text()
    assert "adama: learning curves" in text and "data:image/png" in text
    assert "<td>rates.critic_scale<td>10.0" in text and "<td>learning.batch_size<td>1024" in text


def test_the_published_runs_can_be_read(tmp_path):
    """All of them, of every version since they began."""
    text = report(PUBLISHED, tmp_path / "page.html").read_text()
    assert "-2.96 [-3.05, -2.91]" in text and "seed 2 at 38,477" in text
    assert (
        find_run(PUBLISHED, with_settings(scenario_config("predator_prey"), {"seeds": 5}))
        is not None
    )


def test_runs_without_their_rollouts_can_be_read(tmp_path):
    run = fake_run(tmp_path)
    (run.folder / "rollout.npz").unlink()
    assert load_run(run.folder).rollout is None
    assert "data:image/gif" not in report(tmp_path, tmp_path / "page.html").read_text()
