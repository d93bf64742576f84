"""Pictures from run folders with known numbers."""

import matplotlib
import numpy as np
import pytest
from PIL import Image

from adama_jax.config.names import with_settings
from adama_jax.reporting import figures, film, labels, present
from tests.helpers import fake_config, fake_run


def test_pictures_are_drawn(tmp_path):
    runs = [fake_run(tmp_path), fake_run(tmp_path, "fixed", diverged={"0": 3})]
    with matplotlib.rc_context({"figure.max_open_warning": 1}):
        for path in (
            figures.learning_curves(runs, tmp_path / "a.png"),
            figures.rate_curves(runs, tmp_path / "b.png"),
        ):
            pixels = np.asarray(Image.open(path).convert("L"))
            assert pixels.shape[0] > 300 and pixels.std() > 10
    with Image.open(film.run_gif(runs[0], tmp_path / "c.gif")) as gif:
        assert gif.n_frames == 4


def test_a_legend_of_long_names_stays_in_a_narrow_figure(tmp_path):
    run = fake_run(tmp_path)
    names = [
        "direction",
        "direction_2nd, exact",
        "direction_2nd, secant",
        "direction_2nd, lookahead",
    ]
    figure = figures.returns(
        {"going_together": [run._replace(label=name) for name in names]}
    )
    figure.canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width and len(legend.get_texts()) == 4


def grid_runs(out, critic, actors, **settings):
    """A run per pair of rates."""
    runs = []
    for critic_rate in critic:
        for actor_budget in actors:
            pair = {
                "rates.critic_rate": critic_rate,
                "rates.actor_budget": actor_budget,
            }
            config = with_settings(fake_config("fixed", 2), pair | settings)
            runs.append(fake_run(out, finals=(1.0, 2.0), config=config))
    return runs


def test_a_grid_has_every_pair_of_fixed_rates_once(tmp_path):
    runs = grid_runs(tmp_path, (0.001, 0.002), (0.003, 0.004))
    assert figures.is_grid(runs)
    assert not figures.is_grid(runs[:3])
    assert not figures.is_grid(runs[:1])
    assert not figures.is_grid([*runs, runs[0]])
    assert not figures.is_grid([*runs[:3], fake_run(tmp_path, "adama", (1.0, 2.0))])


def test_a_heat_map_has_a_cell_for_each_pair(tmp_path):
    runs = grid_runs(tmp_path, (0.001, 0.002), (0.003, 0.004))
    figure = figures.heat_map({"going_together": runs}, "title")
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "2"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["3", "4"]
    # Four cells with the mean of the last tenth, 1.5 times (18 / 19 + 1) / 2.
    assert [text.get_text() for text in axes.texts] == ["1.46"] * 4


def test_seeds_and_lengths_in_words(tmp_path):
    two = fake_run(tmp_path, finals=(1.0, 2.0))
    three = fake_run(tmp_path, finals=(1.0, 2.0, 3.0))
    assert labels.seeds([two]) == "2" and labels.seeds([three, two]) == "2 to 3"


def test_episodes_of_discs_are_filmed_and_have_no_page(tmp_path):
    run = fake_run(tmp_path)
    paths = present.show_episodes(
        run.rollout, run.config.world, "heading", tmp_path / "play"
    )
    assert [path.name for path in paths] == ["rollout.gif"] and paths[0].is_file()


def test_a_run_without_its_rollout_is_not_filmed(tmp_path):
    run = fake_run(tmp_path)._replace(rollout=None)
    with pytest.raises(ValueError, match="no rollout was kept"):
        film.run_gif(run, tmp_path / "a.gif")
