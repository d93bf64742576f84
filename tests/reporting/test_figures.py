"""Pictures from run folders with known numbers."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from adama_jax.config.names import with_settings
from adama_jax.reporting import figures, film, grids, labels, panels, present
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


def test_a_lone_panel_s_world_is_the_figure_s_title(tmp_path):
    runs = [fake_run(tmp_path), fake_run(tmp_path, "fixed")]
    lone = figures.returns({"going_together": runs})
    world, band = lone.get_suptitle().split("\n")
    assert world == "going together" and band.startswith("mean and standard deviation")
    assert lone.axes[0].get_title() == ""
    titled = figures.returns({"going_together": runs}, "Figure 3")
    assert titled.get_suptitle().startswith("Figure 3\n")
    assert titled.axes[0].get_title() == "going together"
    plt.close("all")


def test_agents_are_numbered_from_0_as_everywhere(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, path: drawn.append(figure))
    figures.rate_curves([fake_run(tmp_path)], tmp_path / "rates.png")
    names = [text.get_text() for text in drawn[0].subfigs[0].legends[0].get_texts()]
    assert names == ["agent 0", "agent 1"]
    plt.close("all")


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
    assert grids.is_grid(runs)
    assert not grids.is_grid(runs[:3])
    assert not grids.is_grid(runs[:1])
    assert not grids.is_grid([*runs, runs[0]])
    assert not grids.is_grid([*runs[:3], fake_run(tmp_path, "adama", (1.0, 2.0))])


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
    one = fake_run(tmp_path, finals=(1.0,))
    assert labels.seeds([one]) == "1 seed"
    assert labels.seeds([two]) == "2 seeds"
    assert labels.seeds([three, two]) == "2 to 3 seeds"


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


def solid(figure):
    """How much of a figure's panels is in a curve's own colour."""
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)
    inked = np.zeros(pixels.shape[:2], bool)
    for colour in panels.COLOURS[:2]:
        rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
        inked |= np.abs(pixels - rgb).sum(axis=-1) < 40
    height = pixels.shape[0]
    inside = np.zeros_like(inked)
    for axes in figure.axes:
        box = axes.get_window_extent()
        rows = slice(int(height - box.y1), int(height - box.y0))
        inside[rows, int(box.x0) : int(box.x1)] = True
    return int((inked & inside).sum())


DRAWINGS = [figures.returns, figures.rates, figures.actor_rates]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_a_line_of_one_point_is_a_point(tmp_path, draw):
    run = fake_run(tmp_path, points=1)
    figure = draw({"going_together": [run]})
    assert solid(figure) > 20
    for axes in figure.axes:
        ticks = [tick.get_text() for tick in axes.get_xticklabels()]
        shown = [tick for tick in ticks if tick]
        assert len(shown) == len(set(shown))
        assert shown == ["100"] or not shown or not axes.get_xlabel()


def test_a_short_run_has_no_two_ticks_alike(tmp_path):
    run = fake_run(tmp_path, points=2)
    run.metrics["episode"][:] = [5, 6]
    figure = figures.returns({"going_together": [run]})
    figure.canvas.draw()
    ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert len(ticks) == len(set(ticks))


def test_the_spread_of_one_point_is_a_bar(tmp_path):
    run = fake_run(tmp_path, points=1)
    run.metrics["eval_return"][:, 0] = [1.0, 2.0, 3.0, 4.0, 5.0]
    axes = figures.returns({"going_together": [run]}).axes[0]
    (bar,) = axes.collections
    (segment,) = bar.get_segments()
    deviation = np.std([1, 2, 3, 4, 5], ddof=1)
    np.testing.assert_allclose(segment[:, 1], [3 - deviation, 3 + deviation])


def test_curves_of_like_colours_have_unlike_dashes():
    """Of each colour's other half, which is lighter, and of the second time round."""
    half = len(panels.COLOURS) // 2
    styles = [(n % (2 * half), panels.dashes_of(n)) for n in range(8 * half)]
    assert len(set(styles[: 6 * half])) == 6 * half
    for style in range(half):
        assert panels.dashes_of(style) != panels.dashes_of(style + half)


def test_a_curve_that_is_cut_off_says_so(tmp_path):
    run = fake_run(tmp_path, points=100)
    run.metrics["eval_return"][:] = -1.0
    run.metrics["eval_return"][:, 0] = -80.0
    axes = figures.returns({"going_together": [run]}).axes[0]
    said = [text.get_text() for text in axes.texts if text.get_text()]
    assert said == ["cut off: before episode 300 down to -80"]
    assert axes.get_ylim()[0] > -80
    run.metrics["eval_return"][:, 0] = -1.0
    axes = figures.returns({"going_together": [run]}).axes[0]
    assert not any(text.get_text() for text in axes.texts)


def test_dollars_in_a_name_are_no_formula(tmp_path):
    run = fake_run(tmp_path, diverged={"0": 1})._replace(label=r"$\\frac$ costs $5")
    figure = figures.returns({"going_together": [run]}, "a $title")
    figure.canvas.draw()
    (legend,) = figure.legends
    assert legend.get_texts()[0].get_text() == panels.plain(run.label)


def ending_at(out, best):
    """A 3 x 3 grid whose best pair is `best`."""
    rates = (0.001, 0.002, 0.003)
    runs = grid_runs(out, rates, rates)
    found = []
    for run in runs:
        top = 5.0 if grids.fixed_rates(run) == best else 1.0
        metrics = run.metrics | {"eval_return": np.full_like(run.metrics["value"], top)}
        found.append(run._replace(metrics=metrics))
    return found


@pytest.mark.parametrize(
    ("best", "edge"),
    [
        ((0.002, 0.002), False),
        ((0.001, 0.002), True),
        ((0.003, 0.002), True),
        ((0.002, 0.001), True),
        ((0.002, 0.003), True),
    ],
)
def test_a_best_pair_on_the_edge_of_its_grid_is_said_to_be(tmp_path, best, edge):
    runs = ending_at(tmp_path, best)
    assert grids.best_is_on_the_edge(runs) == edge
    title = figures.heat_map({"going_together": runs}).get_suptitle()
    words = title.replace("\n", " ")
    assert ("on the grid's edge in every scenario" in words) == edge


def test_an_axis_that_was_not_searched_has_no_edge(tmp_path):
    rates = (0.001, 0.002, 0.003)
    runs = [run for run in ending_at(tmp_path, (0.002, 0.002)) if
            grids.fixed_rates(run)[0] == 0.002]  # fmt: skip
    assert len(runs) == len(rates) and not grids.best_is_on_the_edge(runs)
    lost = [run._replace(meta=run.meta | {"diverged": {"0": 1}}) for run in runs]
    assert not grids.best_is_on_the_edge(lost)


def test_where_some_grids_end_inside_the_others_are_named(tmp_path):
    inside = ending_at(tmp_path / "inside", (0.002, 0.002))
    edge = ending_at(tmp_path / "edge", (0.003, 0.002))
    note = grids.edge_note({"going_together": inside, "predator_prey": edge})
    assert note == ", on the grid's edge in predator prey: rates beyond were not tried"
    assert grids.edge_note({"going_together": inside}) == ""


def test_a_legend_of_many_actors_stays_in_the_picture(tmp_path):
    """Eight names in one row are wider than the panels of two seeds."""
    run = fake_run(tmp_path, finals=(1.0, 2.0))
    rates = np.abs(np.random.default_rng(0).normal(size=(2, 20, 8))) + 0.1
    many = run._replace(metrics=run.metrics | {"actor_rates": rates})
    figure = figures.actor_rates({"": [many]})
    figure.canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    figures.plt.close(figure)


def test_a_single_point_is_whole_at_the_edge_of_its_panel(tmp_path):
    """A side whose rate is 0, in a run of one point."""
    run = fake_run(tmp_path, points=1)
    still = run._replace(
        metrics=run.metrics | {"critic_rate": np.zeros_like(run.metrics["critic_rate"])}
    )
    figure = figures.rates({"x": [still]})
    for axes in figure.axes:
        (line,) = axes.get_lines()
        assert line.get_marker() == "o"
        assert not line.get_clip_on()
        bottom, top = axes.get_ylim()
        value = line.get_ydata()[0]
        assert bottom == 0 <= value < 0.95 * top
    # A line stays within its panel.
    many = figures.rates({"x": [fake_run(tmp_path, "fixed")]})
    assert all(line.get_clip_on() for axes in many.axes for line in axes.get_lines())


def test_a_long_title_is_broken_into_even_lines(tmp_path):
    words = "Half-cheetah, 2 agents, Table 2's rates, SGD, 100 updates an episode, 300 episodes"
    drawn = figures.returns({"going_together": [fake_run(tmp_path)]}, words)
    *title, _ = drawn.get_suptitle().split("\n")
    assert " ".join(title) == words and len(title) == 2
    longest, shortest = max(map(len, title)), min(map(len, title))
    assert longest - shortest < 10
    plt.close("all")
