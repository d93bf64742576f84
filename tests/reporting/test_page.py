"""The page about a results folder."""

import json
import re
from pathlib import Path

import pytest

from adama_jax.cli.commands.figures import draw_exhibits
from adama_jax.cli.options import FiguresCommand
from adama_jax.config.exhibits import load_exhibits
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.reporting.figures import learning_curves
from adama_jax.reporting.page import report
from adama_jax.storage.reader import find_run, load_run
from tests.helpers import (
    EXPERIMENTS,
    QUIET,
    fake_grid,
    fake_run,
    of_an_earlier_version,
    of_going_together,
)

PUBLISHED = Path(__file__).parents[2] / "docs" / "results" / "runs"


def test_the_report_stands_alone(tmp_path):
    fake_grid(tmp_path)
    exhibits = load_exhibits(EXPERIMENTS)
    for row in of_going_together(exhibits["figure3"], tmp_path):
        fake_run(tmp_path, config=row.config)
    command = FiguresCommand(
        EXPERIMENTS, scale=0.01, only=("going_together",), out=tmp_path
    )
    draw_exhibits(command, QUIET)
    text = report(tmp_path, tmp_path / "page.html").read_text(encoding="utf-8")
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
    learning_curves([run], run.folder / "learning_curves.png")
    text = report(tmp_path, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "adama: learning curves" in text and "data:image/png" in text
    assert (
        "<td>rates.critic_scale<td>10.0" in text
        and "<td>learning.batch_size<td>1024" in text
    )


def test_the_published_runs_can_be_read(tmp_path):
    """All of them, of every version since they began."""
    text = report(PUBLISHED, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "-2.96 [-3.05, -2.91]" in text and "seed 2 at 38,477" in text
    assert (
        find_run(
            PUBLISHED, with_settings(scenario_config("predator_prey"), {"seeds": 5})
        )
        is not None
    )


def test_runs_without_their_rollouts_can_be_read(tmp_path):
    run = fake_run(tmp_path)
    (run.folder / "rollout.npz").unlink()
    assert load_run(run.folder).rollout is None
    assert "data:image/gif" not in report(tmp_path, tmp_path / "page.html").read_text(
        encoding="utf-8"
    )


def test_a_run_of_a_scenario_that_is_no_more_is_still_shown(tmp_path):
    """Another version's scenario, with settings that this version does not have."""
    run = fake_run(tmp_path)
    of_an_earlier_version(run.folder)
    stored = json.loads((run.folder / "config.json").read_text(encoding="utf-8"))
    stored |= {
        "scenario": "a_world_of_old",
        "world": {"robot": "crab", "backend": "clay"},
        "colour": "red",
    }
    (run.folder / "config.json").write_text(json.dumps(stored), encoding="utf-8")
    read = load_run(run.folder)
    assert (read.config.scenario, read.config.episodes) == (
        "a_world_of_old",
        run.config.episodes,
    )
    assert read.config.rates == run.config.rates
    page = report(tmp_path, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "a world of old" in page and "a_world_of_old (crab" in page
