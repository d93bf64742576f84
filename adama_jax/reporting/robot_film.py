"""How a film shows a robot: limbs in their drivers' colours, on a ground with metres.

The camera follows the robot.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adama_jax.envs.robots.joints import OBLIQUE
from adama_jax.reporting.panels import COLOURS, INK
from adama_jax.storage.reader import Rollout

# Pixels, one episode's panel.
WIDTH = 320
HEIGHT = 240
# Panels are drawn so many times as large and then reduced, which smooths their edges.
FINE = 2
ROOM = 0.2  # metres around the robot's farthest reach
# Metres in y, how far the ground that is a plane reaches around the robot.
NEAR = -1.4
FAR = 2.2
# Metres in view around the robot at most, should its simulation break apart.
FARTHEST = 50.0
MOST_TILES = 10  # along a panel; where a metre each would be more, they are wider
TILE_SIZES = (1, 2, 5, 10, 20, 50, 100)  # metres
BODY = "#4D4D4D"
TILES = ("#E3E3E3", "#CFCFCF")
SKY = "#FAFCFF"
BORDER = "#BBBBBB"


class Scene(NamedTuple):
    """Episodes of one robot, in metres: each seen from the ground below the robot.

    A panel shows `centre` in its middle.
    """

    # [E, frames, L, 2, 2], both ends of each limb, from the ground below.
    limbs: np.ndarray
    ground: np.ndarray  # [E, frames, 2], that point, as pictured
    radius: np.ndarray  # [L]
    agent: np.ndarray  # [L]
    plane: bool  # whether the ground is a plane, or the line below a robot that stays above one
    centre: np.ndarray  # [2]
    scale: float  # pixels per metre, of a panel that is not yet reduced


def is_robot(rollout: Rollout) -> bool:
    """Whether an episode's entities are limbs, with a ground below."""
    return "limb" in rollout.kind


def scene(rollout: Rollout, positions: np.ndarray) -> Scene:
    """What a film's frames show, with one camera for all: everything stays in view.

    Args:
        rollout: says what the entities are: kind, name, radius, agent.
        positions: of the entities at the frames that will be drawn. [E, frames, entities, 2]
    """
    is_limb = rollout.kind == "limb"
    is_ground = rollout.kind == "ground"
    # A simulation that broke apart is drawn too, as far as it can be.
    positions = np.nan_to_num(positions, posinf=0.0, neginf=0.0)
    ground = positions[:, :, is_ground][:, :, 0]
    ends = positions[:, :, is_limb] - ground[:, :, None]
    ends = np.clip(ends, -FARTHEST, FARTHEST)
    radius = rollout.radius[is_limb]
    plane = "plane" in rollout.name[is_ground]
    low = (ends - radius[:, None]).min(axis=(0, 1, 2)) - ROOM
    high = (ends + radius[:, None]).max(axis=(0, 1, 2)) + ROOM
    # The ground and its numbers are in view even where the robot stays high above them.
    lowest = OBLIQUE * NEAR - ROOM if plane else -2 * ROOM
    low[1] = min(low[1], lowest)
    size = np.array([WIDTH, HEIGHT])
    scale = FINE * float((size / (high - low)).min())
    episodes, frames = ends.shape[:2]
    return Scene(
        # A limb is two entities, its ends, which have the same radius and driver.
        limbs=ends.reshape(episodes, frames, -1, 2, 2),
        ground=ground,
        radius=radius[::2],
        agent=rollout.agent[is_limb][::2],
        plane=plane,
        centre=(low + high) / 2,
        scale=scale,
    )


def panel(scene: Scene, episode: int, frame: int) -> Image.Image:
    """One episode at one of its frames. [HEIGHT x WIDTH]"""
    width = WIDTH * FINE
    height = HEIGHT * FINE
    image = Image.new("RGB", (width, height), SKY)
    draw = ImageDraw.Draw(image)
    _draw_ground(draw, scene, scene.ground[episode, frame])
    limbs = scene.limbs[episode, frame]
    for ends, radius, agent in zip(limbs, scene.radius, scene.agent, strict=True):
        points = _pixels(scene, ends)
        thickness = max(radius * scene.scale, 2 * FINE)
        # An outline, so that limbs of one colour can be told apart.
        _capsule(draw, points, thickness + FINE, INK)
        _capsule(draw, points, thickness - FINE / 2, colour(agent))
    draw.rectangle((0, 0, width - 1, height - 1), outline=BORDER, width=FINE)
    return image.reduce(FINE)


def colour(agent: int) -> str:
    """An agent's, or the body's, which nobody drives."""
    if agent < 0:
        return BODY
    return COLOURS[agent % len(COLOURS)]


def draw_legend(
    draw: ImageDraw.ImageDraw,
    agents: np.ndarray,
    x: float,
    y: float,
) -> None:
    """Which colour is whose, in a line that starts at (x, y)."""
    font = ImageFont.load_default(12)
    draw.text((x, y), "agent", fill=INK, font=font)
    x += draw.textlength("agent ", font=font) + 2
    for shade, names in names_by_colour(agents).items():
        text = ", ".join(names)
        draw.rectangle((x, y + 3, x + 11, y + 12), fill=shade, outline=INK)
        draw.text(
            (x + 16, y),
            text,
            fill=INK,
            font=font,
        )
        x += 30 + draw.textlength(text, font=font)


def names_by_colour(agents: np.ndarray) -> dict[str, list[str]]:
    """Agents from 0, those that share a colour together; the body comes last."""
    names: dict[str, list[str]] = {}
    numbers = sorted(set(agents.tolist()))
    for agent in numbers:
        if agent >= 0:
            names.setdefault(colour(agent), []).append(str(agent))
    if any(agent < 0 for agent in numbers):
        names[BODY] = ["body"]
    return names


def _pixels(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Metres from the ground below the robot to pixels of a panel not yet reduced. [..., 2]"""
    middle = np.array([WIDTH, HEIGHT]) * FINE / 2
    # In pictures y points down.
    upwards = np.array([1.0, -1.0])
    return (points - scene.centre) * upwards * scene.scale + middle


def _capsule(
    draw: ImageDraw.ImageDraw,
    ends: np.ndarray,
    radius: float,
    fill: str,
) -> None:
    """A thick line with round ends."""
    points = [tuple(end) for end in ends]
    draw.line(points, fill=fill, width=round(2 * radius))
    for x, y in ends:
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(box, fill=fill)


def _draw_ground(draw: ImageDraw.ImageDraw, scene: Scene, below: np.ndarray) -> None:
    """Tiles and numbers in metres: the ground shows how far the robot has come.

    `below` is the ground's point below the robot, as pictured: (x + a y, a y). [2]
    """
    depth = below[1] / OBLIQUE  # the robot's y
    near = 0.0
    far = 0.0
    # A plane is seen at a slant: its far edge is shifted, and needs tiles beyond the panel.
    slant = 0.0
    if scene.plane:
        near = depth + NEAR
        far = depth + FAR
        slant = OBLIQUE * max(-NEAR, FAR)
    reach = WIDTH * FINE / scene.scale / 2 + slant
    middle = below[0] - below[1] + scene.centre[0]
    size = _tile_size(2 * reach)
    first = int(np.floor((middle - reach) / size)) * size
    tiles = range(first, int(np.ceil(middle + reach)), size)
    for tile in tiles:
        # Each row is a metre deep; the first and the last are cut off at the edges.
        for row in range(int(np.floor(near)), int(np.ceil(far))):
            front = max(near, row)
            back = min(far, row + 1)
            corners = _seen_obliquely(tile, tile + size, front, back)
            pixels = _pixels(scene, corners - below)
            shade = TILES[(tile // size + int(np.floor(front))) % 2]
            draw.polygon([tuple(corner) for corner in pixels], fill=shade)
    front_edge = np.array([OBLIQUE * near, OBLIQUE * near])
    _draw_front(draw, scene, front_edge - below, tiles)


def _tile_size(length: float) -> int:
    """The least size of tiles, in metres, of which not too many make up a length."""
    for size in TILE_SIZES:
        if length <= size * MOST_TILES:
            return size
    return TILE_SIZES[-1]


def _seen_obliquely(left: float, right: float, front: float, back: float) -> np.ndarray:
    """A tile's corners as pictured: what is farther away is shifted up and to the right. [4, 2]"""
    corners = np.array(
        [
            (left, front),
            (right, front),
            (right, back),
            (left, back),
        ]
    )
    up = OBLIQUE * corners[:, 1]
    return np.stack([corners[:, 0] + up, up], axis=1)


def _draw_front(
    draw: ImageDraw.ImageDraw,
    scene: Scene,
    origin: np.ndarray,
    tiles: range,
) -> None:
    """The ground's front edge, with a mark and a number at each tile's left end.

    Below a ground that is a line its cut is drawn.

    Args:
        draw: the panel.
        scene: for the camera.
        origin: where x = 0 is on the edge, from the ground below the robot, as pictured. [2]
        tiles: their left ends, in metres, as many apart as a tile is wide.
    """
    font = ImageFont.load_default(11 * FINE)
    for tile in tiles:
        edge = np.array([[tile, 0.0], [tile + tiles.step, 0.0]])
        (left, top), (right, _) = _pixels(scene, origin + edge)
        if not scene.plane:
            shade = TILES[tile // tiles.step % 2]
            draw.rectangle((left, top, right, HEIGHT * FINE), fill=shade)
        draw.line((left, top, right, top), fill=INK, width=FINE)
        draw.line((left, top, left, top + 6 * FINE), fill=INK, width=FINE)
        # At the panel's edges a number would be cut off.
        if 18 * FINE < left < (WIDTH - 18) * FINE:
            below = (left, top + 7 * FINE)
            draw.text(
                below,
                f"{tile} m",
                fill=INK,
                font=font,
                anchor="mt",
            )


def frame_steps(seconds: float) -> tuple[int, int]:
    """Steps per frame, and the pause in milliseconds, so that a film runs in real time.

    A GIF counts in hundredths of a second, and viewers slow down pauses under two of them.

    Args:
        seconds: that a step lasts.

    >>> frame_steps(0.05), frame_steps(0.015), frame_steps(0.008), frame_steps(0.0)
    ((1, 50), (2, 30), (5, 40), (1, 20))
    """
    # Rounded, for 0.03 s in floating point may be a little more than 30 ms.
    pauses = {steps: round(1000 * steps * seconds, 3) for steps in range(1, 11)}
    choices = [steps for steps, pause in pauses.items() if 20 <= pause <= 50] or [1]

    def error(steps: int) -> float:
        """How much faster or slower than in real time a film would run."""
        pause = pauses[steps]
        return round(abs(pause - round(pause, -1)) / max(pause, 1), 3)

    steps = min(choices, key=error)
    pause = int(round(pauses[steps], -1))
    return steps, max(20, pause)
