"""A page with Brax's viewer: what is in it, and that it needs nothing else."""

import base64
import json
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.colors import to_hex

from adama_jax.envs.robots.locomotion import brax_robot, make, mujoco
from adama_jax.envs.worlds import LocomotionWorld
from adama_jax.reporting.robot_film import colour
from adama_jax.reporting.viewer import SCRIPT, _drivers, save_page
from adama_jax.storage.reader import Rollout

STATES = 3
ROUNDED = 6e-5
TITLE = "Ant </title><script src='x'> & co"


class Page(HTMLParser):
    """Every element with its attributes and the text in it."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_data(self, data):
        if self.elements:
            self.elements[-1][2].append(data)

    def text(self, tag, **attributes):
        return [
            "".join(text).strip()
            for name, given, text in self.elements
            if name == tag and given == attributes
        ]


@pytest.fixture(scope="module")
def robot():
    return brax_robot(LocomotionWorld(robot="ant", partition="4x2"))


@pytest.fixture(scope="module")
def coordinates(robot):
    """Anywhere, turned anyhow, every joint bent."""
    drawn = np.random.default_rng(0).normal(size=(STATES, robot.sys.q_size()))
    drawn[:, 3:7] /= np.linalg.norm(drawn[:, 3:7], axis=1, keepdims=True)
    return drawn


@pytest.fixture(scope="module")
def page(robot, coordinates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    return Page(
        save_page(robot, coordinates, folder / "new" / "ant.html", TITLE).read_text(
            encoding="utf-8"
        )
    )


def test_the_page_loads_nothing(page):
    """No element names another file, and the script arrives whole and asks for none.

    The browser is told to refuse any.
    """
    named = {"src", "href", "srcset", "data", "poster", "action"}
    assert not [
        (tag, attributes)
        for tag, attributes, _ in page.elements
        if named & set(attributes)
    ]
    (script,) = page.text("script")
    assert script == SCRIPT.read_text(encoding="utf-8").strip()
    assert not any(
        word in script
        for word in (
            "import(",
            "importScripts",
            "XMLHttpRequest",
            "fetch(",
            "WebSocket",
        )
    )
    (policy,) = [
        attributes
        for tag, attributes, _ in page.elements
        if tag == "meta" and "content" in attributes
    ]
    assert (
        policy["content"].startswith("default-src 'none';")
        and "http" not in policy["content"].split(";", 1)[1]
    )


def test_the_title_is_text(page):
    (title,) = page.text("title")
    assert title == TITLE


def test_the_page_shows_the_episode_in_real_time_on_endless_ground(
    page, robot, coordinates
):
    """The poses are those of MuJoCo's own kinematics.

    A state lasts a step of the robot, not of its physics.
    """
    (packed,) = page.text("script", id="system", type="text/plain")
    system = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert (
        system["opt"]["timestep"]
        == pytest.approx(robot.dt)
        != pytest.approx(robot.sys.opt.timestep)
    )
    poses = system["states"]["x"]
    assert len(poses) == STATES
    np.testing.assert_allclose(
        [pose["pos"][0] for pose in poses], coordinates[:, :3], atol=ROUNDED
    )
    data = mujoco.MjData(robot.sys.mj_model)
    for pose, position in zip(poses, coordinates, strict=True):
        data.qpos[:] = position
        mujoco.mj_kinematics(robot.sys.mj_model, data)
        np.testing.assert_allclose(pose["pos"], data.xpos[1:], atol=ROUNDED)
        # Q and -q are the same rotation.
        alike = np.abs(np.sum(pose["rot"] * data.xquat[1:], axis=1))
        np.testing.assert_allclose(alike, 1, atol=2 * ROUNDED)
    assert [geom["size"] for geom in system["geoms"]["world"]] == [[0, 0, 0]]
    links = {geom["link_idx"] for geoms in system["geoms"].values() for geom in geoms}
    assert links == set(range(-1, len(poses[0]["pos"])))


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((0, 15)), np.zeros((2, 14)), np.zeros(15), np.full((2, 15), np.nan)],
    ids=["no state", "q", "rank", "nan"],
)
def test_what_is_no_episode_of_the_robot_is_refused(robot, tmp_path, wrong):
    with pytest.raises(ValueError, match="coordinates: must be"):
        save_page(robot, wrong, tmp_path / "page.html", "")
    assert not list(tmp_path.iterdir())


def test_links_have_their_drivers_colours_and_the_page_says_whose(
    robot, coordinates, tmp_path
):
    drivers = {link: (link % 3) - 1 for link in range(robot.sys.num_links())}
    path = save_page(robot, coordinates, tmp_path / "a.html", "an ant", drivers)
    page = Page(path.read_text(encoding="utf-8"))
    (packed,) = page.text("script", id="system", type="text/plain")
    geoms = json.loads(zlib.decompress(base64.b64decode(packed)))["geoms"]
    coloured = [geom for each in geoms.values() for geom in each]
    assert {geom["link_idx"] for geom in coloured} == {-1, *drivers}
    for geom in coloured:
        if geom["link_idx"] >= 0:
            expected = colour(drivers[geom["link_idx"]]).upper()
            assert to_hex(geom["rgba"]).upper() == expected
    shades = [given["style"] for tag, given, _ in page.elements if tag == "b"]
    assert shades == [f"background: {colour(agent)}" for agent in (0, 1, -1)]
    words = ["".join(text) for tag, _, text in page.elements if tag in ("div", "b")]
    assert "".join(words).split() == ["agent01body"]


def test_a_robot_s_own_page_knows_who_drives_what(robot, coordinates):
    world = LocomotionWorld(robot="ant", partition="4x2")
    entities = make(world, 10, "ant_4x2").spec.entities
    rollout = Rollout(
        positions=np.zeros(0),
        reward=np.zeros(0),
        terminated=np.zeros(0),
        snapshot=None,
        kind=np.array([each.kind for each in entities]),
        name=np.array([each.name for each in entities]),
        radius=np.zeros(0),
        agent=np.array([each.agent for each in entities]),
        seconds=0.05,
    )
    drivers = _drivers(rollout, robot.sys.mj_model)
    assert set(drivers) == set(range(robot.sys.num_links()))
    # Each leg has two links that move it, and all else is the body.
    counts = {agent: list(drivers.values()).count(agent) for agent in range(4)}
    assert set(counts.values()) == {2} and -1 in drivers.values()
    unknown = rollout._replace(agent=np.full(len(entities), -1))
    assert _drivers(unknown, robot.sys.mj_model) is None
