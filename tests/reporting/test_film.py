"""Films: a robot's limbs, in their drivers' colours, and returns that stop at a fall."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from adama_jax.config.identity import to_dict
from adama_jax.config.schema import scenario_config
from adama_jax.envs.worlds import PredatorPreyWorld
from adama_jax.reporting import disc_film, film, robot_film
from adama_jax.reporting.panels import COLOURS
from adama_jax.storage.reader import Run, rollout_of

STEPS = 8


def robot_arrays(speed=0.5, seconds=0.05, fall=None, steps=STEPS, plane=False):
    """A body and a leg of agent 2 below it, in two episodes that go to the right.

    `speed` is in metres per step.
    """
    x = speed * np.arange(steps + 1)
    # The last is the ground.
    limbs = np.array([[-0.5, 1.0], [0.5, 1.0], [0.0, 0.9], [0.0, 0.1], [0.0, 0.0]])
    positions = np.tile(limbs, (1, 2, steps + 1, 1, 1))
    positions[..., 0] += x[:, None]
    terminated = np.zeros((1, 2, steps), bool)
    if fall is not None:
        terminated[0, 1, fall - 1 :: fall] = True
    return {
        "kind": np.array(["limb"] * 4 + ["ground"]),
        "name": np.array(["body", "body", "leg", "leg", "plane" if plane else "line"]),
        "radius": np.array([0.1] * 4 + [0.0]),
        "agent": np.array([-1, -1, 1, 1, -1]),
        "seconds": np.array(seconds),
        "positions": positions,
        "reward": np.ones((1, 2, steps)),
        "terminated": terminated,
    }


def run_of(arrays):
    """A run with these arrays as its rollout."""
    config, seeds = scenario_config("ant_4x2"), {"seed": np.array([0])}
    return Run(
        Path("nowhere"), "adama", config, to_dict(config), {}, seeds, rollout_of(arrays)
    )


def robot_run(**options):
    return run_of(robot_arrays(**options))


def filmed(run, folder):
    """Every frame's pixels [frames, height, width, 3], and its pause in milliseconds."""
    with Image.open(film.run_gif(run, folder / "a.gif")) as gif:
        frames, pauses = [], []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
            pauses.append(gif.info["duration"])
    return np.stack(frames), pauses


def panels(frames):
    """What is between the header and the returns, for each episode."""
    top = film.HEADER + film.LEGEND
    return np.split(frames[:, top : top + robot_film.HEIGHT], 2, axis=2)


def near(frames, colour):
    """Where a colour is. [frames, height, width]"""
    return np.abs(frames - np.array(ImageColor.getrgb(colour))).sum(axis=-1) < 12


def test_returns_stop_at_the_first_fall():
    arrays = robot_arrays(fall=3)
    returns, ends = film.returns_and_ends(rollout_of(arrays), 0)
    np.testing.assert_array_equal(returns, [np.arange(9), [0, 1, 2, 3, 3, 3, 3, 3, 3]])
    assert ends.tolist() == [9, 3]
    del arrays["terminated"]  # as rollouts were before
    returns, ends = film.returns_and_ends(rollout_of(arrays), 0)
    np.testing.assert_array_equal(returns[1], np.arange(9))
    assert ends.tolist() == [9, 9]


def test_a_robot_that_fell_stays_as_it_was_before(tmp_path):
    """And a film ends where all have fallen."""
    frames, _ = filmed(robot_run(fall=3, speed=0.3), tmp_path)
    left, right = panels(frames)
    moved = [
        [bool((b != a).any()) for a, b in pairwise(panel)] for panel in (left, right)
    ]
    assert moved == [[True] * STEPS, [True, True] + [False] * (STEPS - 2)]
    both = robot_run(fall=3)
    both.rollout.terminated[0, 0, 4] = True
    assert len(filmed(both, tmp_path)[0]) == 6


@pytest.mark.parametrize("plane", [False, True])
def test_limbs_have_their_drivers_colours_and_the_camera_follows(tmp_path, plane):
    frames, _ = filmed(robot_run(plane=plane), tmp_path)
    assert len(frames) == STEPS + 1
    for panel in panels(frames):
        leg, body = near(panel, COLOURS[1]), near(panel, robot_film.BODY)
        assert (
            leg[0].sum() > 500
            and body[0].sum() > 500
            and not near(panel, COLOURS[0]).any()
        )
        assert (
            leg == leg[0]
        ).all()  # the leg does not move in the picture, the ground does
        assert (panel[1] != panel[0]).any()
        middle = np.argwhere(leg[0]).mean(axis=0)
        assert (
            abs(middle[1] - robot_film.WIDTH / 2) < 3
            and middle[0] > np.argwhere(body[0])[:, 0].mean()
        )
        for edge in (panel[0, 1:-1, 2], panel[0, 1:-1, -3], panel[0, 2, 1:-1]):
            assert not near(edge[None], robot_film.BODY).any()


@pytest.mark.parametrize(
    ("seconds", "shown", "pause"), [(0.05, 20, 50), (0.008, 45, 40)]
)
def test_a_robot_s_film_is_its_first_steps_in_real_time(
    tmp_path, monkeypatch, seconds, shown, pause
):
    monkeypatch.setattr(film, "MOST_FRAMES", 20)
    frames, pauses = filmed(robot_run(speed=0.0, seconds=seconds, steps=45), tmp_path)
    stride = robot_film.frame_steps(seconds)[0]
    assert (
        len(frames) == shown // stride + 1
        and set(pauses[:-1]) == {pause}
        and pauses[-1] >= 900
    )


def test_a_simulation_that_broke_apart_is_drawn(tmp_path):
    run = robot_run(plane=True)
    run.rollout.positions[0, 0, 3:] = np.nan
    run.rollout.positions[0, 1, 3:, 2:] = -1e12
    assert len(filmed(run, tmp_path)[0]) == STEPS + 1


def test_a_film_of_discs_says_where_it_ended(tmp_path):
    arrays = robot_arrays(fall=3)
    del arrays["agent"], arrays["seconds"]  # as rollouts were before
    arrays["kind"] = np.array(["agent"] * 5)
    frames, pauses = filmed(run_of(arrays), tmp_path)
    below = frames[:, -film.FOOTER :]
    left, right = below[:, :, : film.PANEL], below[:, :, film.PANEL :]
    changed = [
        [int(abs(b - a).max()) > 100 for a, b in pairwise(part)]
        for part in (left, right)
    ]
    assert changed == [[True] * STEPS, [True] * 3 + [False] * (STEPS - 3)]
    assert len(frames) == STEPS + 1 and set(pauses[:-1]) == {180}


def hunt(touch_at=0.4):
    """Two predators, and a prey in the middle of a square world of side 2."""
    places = np.array([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]])
    arrays = {
        "kind": np.array(["agent", "agent", "prey"]),
        "name": np.array(["a", "b", "prey"]),
        "radius": np.full(3, 0.05),
        "positions": np.tile(places, (1, 2, 3, 1, 1)),
        "reward": np.ones((1, 2, 2)),
    }
    run = run_of(arrays)
    world = PredatorPreyWorld(2, 2.0, 0.1, touch_radius=touch_at)
    return run._replace(config=dataclasses.replace(run.config, world=world))


def test_a_ring_shows_how_near_is_a_touch(tmp_path):
    frames, _ = filmed(hunt(0.4), tmp_path)
    top = film.HEADER + film.LEGEND
    panel = frames[0, top : top + film.PANEL, : film.PANEL]
    red = near(panel[None], disc_film.PREY)[0]
    y, x = np.argwhere(red).T - film.PANEL / 2
    # The world's half side and its rim are 1.1 in all.
    scale = (film.PANEL / 2 - film.MARGIN) / 1.1
    assert abs(np.hypot(x, y).max() / scale - 0.4) < 0.03
    without, _ = filmed(hunt(0.01), tmp_path)
    panel = without[0, top : top + film.PANEL, : film.PANEL]
    y, x = np.argwhere(near(panel[None], disc_film.PREY)[0]).T - film.PANEL / 2
    assert np.hypot(x, y).max() <= disc_film.LEAST_RADIUS + 1


def test_a_ring_stays_in_its_own_panel(tmp_path):
    frames, _ = filmed(hunt(50.0), tmp_path)
    assert (
        not near(frames[:, film.HEADER + film.LEGEND :], disc_film.PREY)[
            :, film.PANEL - 1 : film.PANEL + 1
        ]
        .any(axis=2)
        .all()
    )


def test_a_film_of_discs_has_a_legend(tmp_path):
    run = hunt()
    frames, _ = filmed(run, tmp_path)
    header = frames[:, film.HEADER : film.HEADER + film.LEGEND]
    # A disc an agent, in its colour.
    for colour in (disc_film.PREY, COLOURS[0], COLOURS[1]):
        assert near(header, colour).any()
    assert legend(["agent", "agent", "prey"], ["agent_0", "agent_1", "prey"]) == [
        ("agent", ["0", "1"]),
        ("prey", ["P"]),
    ]
    without, _ = filmed(hunt(0.0), tmp_path)
    assert (without[:, film.HEADER : film.HEADER + film.LEGEND] != header).any()


def legend(kinds, names):
    """Each entry's words, and what stands in its marks."""
    there_is = {"kind": np.array(kinds), "name": np.array(list(names))}
    rollout = hunt().rollout._replace(radius=np.ones(len(kinds)), **there_is)
    entries = disc_film._legend(rollout).items()
    return [(words, [mark.text for mark in marks]) for words, marks in entries]


def test_a_legend_has_a_world_s_own_kinds_and_names():
    kinds = ["agent", "agent", "landmark", "landmark", "sheep"]
    assert legend(kinds, ["left", "right", "pen 1", "pen 2", "dolly"]) == [
        ("left (agent)", ["0"]),
        ("right (agent)", ["1"]),
        ("pen (landmark)", ["0", "1"]),
        ("dolly (sheep)", ["0"]),
    ]
    # Many names say less than their kind.
    ((words, marks),) = legend(["agent"] * 7, "abcdefg")
    assert words == "agent" and len(marks) == 7
    # What is of a user's own kind is no agent, and has another colour than the first.
    rollout = hunt().rollout._replace(kind=np.array(["agent", "sheep", "prey"]))
    marks = disc_film._marks(rollout, np.zeros((3, 2)), 1.0)
    assert [mark.colour for mark in marks] == [*COLOURS[:2], disc_film.PREY]


def test_a_ring_at_the_world_s_rim_is_seen_whole_and_a_wider_one_ends_at_the_frame(
    tmp_path,
):
    top = film.HEADER + film.LEGEND
    for touch in (0.9, 1.5):
        run = hunt(touch)
        run.rollout.positions[..., 2, 0] = -1.0
        frames, _ = filmed(run, tmp_path)
        panel = frames[0, top : top + film.PANEL, : film.PANEL]
        y, x = np.argwhere(near(panel, disc_film.PREY)).T
        for each in (x, y):
            assert each.min() > disc_film.EDGE
            assert each.max() < film.PANEL - disc_film.EDGE
        if touch == 0.9:
            # From its left rim to the predator on the right are 2.9, and a rim.
            scale = (film.PANEL / 2 - film.MARGIN) / (1.1 * 1.45)
            assert abs((x.max() - x.min()) / scale - 2 * touch) < 0.05


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e300])
def test_discs_that_left_every_bound_are_drawn(tmp_path, value):
    run = hunt()
    run.rollout.positions[0, 0, 1:, 0] = value
    assert len(filmed(run, tmp_path)[0]) == 3
