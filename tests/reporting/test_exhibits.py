"""Exhibits drawn from runs on disk: what is written, and what is said of the rest."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from adama_jax.cli.commands.figures import draw_exhibits
from adama_jax.cli.options import FiguresCommand
from adama_jax.config.exhibits import load_exhibits
from adama_jax.config.identity import program_key
from adama_jax.config.names import with_settings
from adama_jax.config.schema import scenario_config
from adama_jax.reporting.exhibits import draw, provenance
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import run_folder
from adama_jax.studies.exhibits import best_pair, shown
from tests.helpers import (
    EXPERIMENTS,
    QUIET,
    SHORT,
    fake_grid,
    fake_run,
    of_going_together,
)


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
    console = Screen(record=True, width=200)
    command = FiguresCommand(
        EXPERIMENTS, scale=0.01, only=("going_together",), out=tmp_path
    )
    assert draw_exhibits(command, console) == 0
    text = console.export_text()
    assert "figure3: missing: going_together: rmsprop" in text
    assert "figure5" not in text  # no scenario of it was asked for
    for name in ("figure3", "figure4", "figure6", "figure7", "grid"):
        pixels = np.asarray(
            Image.open(tmp_path / "figures" / f"{name}.png").convert("L")
        )
        assert min(pixels.shape) > 300 and pixels.std() > 10
        assert (tmp_path / "figures" / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    about = json.loads(
        (tmp_path / "figures" / "figure3.json").read_text(encoding="utf-8")
    )
    assert about["missing"] == ["going_together: rmsprop"]
    best = next(run for run in about["runs"] if run["label"] == "fixed_best")
    assert best["settings_other_than_the_preset"]["rates.critic_rate"] == 0.004
    assert {"folder", "git_commit", "device", "seeds", "episodes", "diverged"} <= set(
        best
    )
    assert "balance (1 of 5 seeds diverged)" in (
        tmp_path / "figures" / "results.md"
    ).read_text(encoding="utf-8")


def test_the_run_of_another_robot_is_named_by_the_folder_that_it_is_in(tmp_path):
    walker = with_settings(
        scenario_config("halfcheetah_2x3"),
        {"world.robot": "walker2d", "world.partition": "3x2"},
    )
    run = fake_run(tmp_path, config=walker)
    assert (tmp_path / provenance(run)["folder"]).samefile(run.folder)


def test_a_run_that_cannot_be_read_costs_itself_alone(tmp_path):
    exhibits = load_exhibits(EXPERIMENTS)
    fake_grid(tmp_path)
    runs = {}
    for number, row in enumerate(of_going_together(exhibits["figure3"], tmp_path)):
        finals = (1.0, 2.0, 3.0, 4.0, 5.0 + number)
        runs[row.label] = fake_run(tmp_path, finals=finals, config=row.config).folder
    bad = runs["adagrad"] / "metrics.npz"
    shutil.copy2(runs["adama"] / "metrics.npz", bad)
    (runs["balance"] / "config.json").write_text("{}", encoding="utf-8")
    console = Screen(record=True, width=200)
    command = FiguresCommand(
        EXPERIMENTS / "figure3.toml", scale=0.01, only=("going_together",), out=tmp_path
    )
    assert draw_exhibits(command, console) == 1
    text = console.export_text()
    assert "figure3: missing: going_together: balance, adagrad" in text
    assert f"left out: {bad}: is not what was written (sha256)" in text
    assert text.count(f"left out: {runs['balance']}") == 1
    about = json.loads(
        (tmp_path / "figures" / "figure3.json").read_text(encoding="utf-8")
    )
    drawn = {run["label"] for run in about["runs"]}
    assert drawn == set(runs) - {"adagrad", "balance"}


def test_the_best_of_a_grid_waits_for_a_run_that_cannot_be_read(tmp_path):
    exhibits = load_exhibits(EXPERIMENTS)
    fake_grid(tmp_path)
    (row, *_) = of_going_together(exhibits["grid"], tmp_path)
    (run_folder(tmp_path, row.config) / "metrics.npz").write_bytes(b"")
    waiting = best_pair(exhibits["grid"], "going_together", SHORT, tmp_path)
    assert waiting == (None, "1 setting of grid")


def test_three_values_of_m(tmp_path):
    exhibits = load_exhibits(EXPERIMENTS)
    rows = shown(exhibits["figure8"], exhibits, SHORT, tmp_path)
    assert [row.config.rates.critic_scale for row in rows] == [40.0, 50.0, 60.0]
    assert len({program_key(row.config) for row in rows}) == 1
    runs = [
        fake_run(tmp_path, config=row.config)._replace(label=row.label) for row in rows
    ]
    draw(exhibits["figure8"], {"predator_prey": runs}, [], tmp_path / "figures")
    assert (tmp_path / "figures" / "figure8.png").stat().st_size > 20_000


def test_table_1(tmp_path):
    assert (
        draw_exhibits(
            FiguresCommand(EXPERIMENTS / "table1.toml", out=tmp_path),
            QUIET,
        )
        == 0
    )
    text = (tmp_path / "figures" / "table1.md").read_text(encoding="utf-8")
    assert "| `rates.critic_scale` (m) | 10.0 | 5.0 | 50.0 | 80.0 |" in text


def test_nothing_on_disk_is_said_and_is_code_1(tmp_path):
    console = Screen(record=True, width=200)
    assert (
        draw_exhibits(
            FiguresCommand(EXPERIMENTS / "figure4.toml", out=tmp_path), console
        )
        == 1
    )
    assert (
        "figure4: nothing drawn; missing: going_together: all 1"
        in console.export_text()
    )
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize("best", [(0.004, 0.007), (0.01, 0.007)])
def test_a_choice_on_the_edge_of_its_grid_is_said_where_it_is_shown(tmp_path, best):
    fake_grid(tmp_path, best=best, lost=(0.001, 0.001))
    for row in of_going_together(load_exhibits(EXPERIMENTS)["results"], tmp_path):
        fake_run(tmp_path, config=row.config)
    command = FiguresCommand(
        EXPERIMENTS / "results.toml",
        scale=0.01,
        only=("going_together",),
        out=tmp_path,
    )
    draw_exhibits(command, QUIET)
    head = (tmp_path / "figures" / "results.md").read_text(encoding="utf-8")
    note = "fixed_best: the best of a grid, on the grid's edge in every scenario"
    assert (note in head.split("|")[0]) == (best[0] == 0.01)


def test_table_2_has_no_long_fractions(tmp_path):
    command = FiguresCommand(EXPERIMENTS / "table2.toml", out=tmp_path)
    assert draw_exhibits(command, QUIET) == 0
    text = (tmp_path / "figures" / "table2.md").read_text(encoding="utf-8")
    assert not re.search(r"\d{10}", text)


def test_half_a_description_is_never_left(tmp_path, monkeypatch):
    """The report reads them: a process may be killed while it writes one."""
    command = FiguresCommand(EXPERIMENTS / "table1.toml", out=tmp_path)
    draw_exhibits(command, QUIET)
    before = (tmp_path / "figures" / "table1.json").read_bytes()

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        draw_exhibits(command, QUIET)
    assert (tmp_path / "figures" / "table1.json").read_bytes() == before
