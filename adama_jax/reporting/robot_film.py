"""How a film shows a robot: its limbs in their drivers' colours, on a ground with metres, followed by the camera."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adama_jax.envs.robots.joints import OBLIQUE
from adama_jax.reporting.panels import COLOURS, INK
from adama_jax.storage.reader import Rollout

WIDTH, HEIGHT = 320, 240  # pixels, one episode's panel
FINE = 2  # panels are drawn so many times as large and reduced, which smooths their edges
ROOM = 0.2  # metres around the robot's farthest reach
NEAR, FAR = -1.4, 2.2  # metres in y, how far the ground that is a plane reaches around the robot
FARTHEST = 50.0  # metres in view around the robot at most, should its simulation break apart
MOST_TILES = 10  # along a panel; where a metre each would be more, they are wider
BODY, TILES, SKY = "#4D4D4D", ("#E3E3E3", "#CFCFCF"), "#FAFCFF"


class Scene(NamedTuple):
    """Episodes of one robot, in metres: each seen from the ground below the robot.

    A panel shows `centre` in its middle.
    """

    limbs: np.ndarray  # [E, frames, L, 2, 2], both ends of each limb, from the ground below
    ground: np.ndarray  # [E, frames, 2], that point, as pictured
    radius: np.ndarray  # [L]
    agent: np.ndarray  # [L]
    plane: bool  # whether the ground is a plane, or the line below a robot that stays above one
    centre: np.ndarray  # [2]
    scale: float  # pixels of a panel that is not yet reduced, a metre


def is_robot(rollout: Rollout) -> bool:
    """Whether an episode's entities are limbs, with a ground below."""
    return "limb" in rollout.kind


def scene(rollout: Rollout, positions: np.ndarray) -> Scene:
    """What a film's frames show, with one camera for all: everything stays in view.

    Args:
        rollout: the constants of a run's rollout: kind, name, radius, agent.
        positions: of the entities at the frames that will be drawn. [E, frames, entities, 2]
    """
    limb = rollout.kind == "limb"
    positions = np.nan_to_num(positions, posinf=0.0, neginf=0.0)
    ground = positions[:, :, rollout.kind == "ground"][:, :, 0]
    ends = np.clip(positions[:, :, limb] - ground[:, :, None], -FARTHEST, FARTHEST)
    radius = rollout.radius[limb]
    plane = "plane" in rollout.name[rollout.kind == "ground"]
    low = (ends - radius[:, None]).min(axis=(0, 1, 2)) - ROOM
    high = (ends + radius[:, None]).max(axis=(0, 1, 2)) + ROOM
    low[1] = min(
        low[1], OBLIQUE * NEAR - ROOM if plane else -2 * ROOM
    )  # the ground and its numbers
    scale = FINE * float((np.array([WIDTH, HEIGHT]) / (high - low)).min())
    pairs = ends.reshape(*ends.shape[:2], -1, 2, 2)
    return Scene(
        pairs, ground, radius[::2], rollout.agent[limb][::2], plane, (low + high) / 2, scale
    )


def panel(scene: Scene, episode: int, frame: int) -> Image.Image:
    """One episode at one of its frames. [HEIGHT x WIDTH]"""
    image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), SKY)
    draw = ImageDraw.Draw(image)
    _draw_ground(draw, scene, scene.ground[episode, frame])
    for ends, radius, agent in zip(
        scene.limbs[episode, frame], scene.radius, scene.agent, strict=True
    ):
        points = _pixels(scene, ends)
        width = max(radius * scene.scale, 2 * FINE)
        _capsule(
            draw, points, width + FINE, INK
        )  # an outline, so that limbs of one colour can be told apart
        _capsule(draw, points, width - FINE / 2, colour(agent))
    draw.rectangle((0, 0, WIDTH * FINE - 1, HEIGHT * FINE - 1), outline="#BBBBBB", width=FINE)
    return image.reduce(FINE)


def colour(agent: int) -> str:
    """An agent's, or the body's, which nobody drives."""
    return COLOURS[agent % len(COLOURS)] if agent >= 0 else BODY


def draw_legend(draw: ImageDraw.ImageDraw, agents: np.ndarray, x: float, y: float) -> None:
    """Which colour is whose, in a line that starts at (x, y)."""
    font = ImageFont.load_default(12)
    whose: dict[str, list[str]] = {}
    for agent in sorted(set(agents.tolist()), key=lambda agent: (agent < 0, agent)):
        whose.setdefault(colour(agent), []).append(str(agent + 1) if agent >= 0 else "body")
    draw.text((x, y), "agent", fill=INK, font=font)
    x += draw.textlength("agent ", font=font) + 2
    for shade, names in whose.items():
        draw.rectangle((x, y + 3, x + 11, y + 12), fill=shade, outline=INK)
        draw.text((x + 16, y), ", ".join(names), fill=INK, font=font)
        x += 30 + draw.textlength(", ".join(names), font=font)


def _pixels(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Metres from the ground below the robot to pixels of a panel that is not yet reduced. [..., 2]"""
    middle = np.array([WIDTH, HEIGHT]) * FINE / 2
    return (points - scene.centre) * np.array([1.0, -1.0]) * scene.scale + middle


def _capsule(draw: ImageDraw.ImageDraw, ends: np.ndarray, radius: float, fill: str) -> None:
    draw.line([tuple(end) for end in ends], fill=fill, width=round(2 * radius))
    for x, y in ends:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _draw_ground(draw: ImageDraw.ImageDraw, scene: Scene, below: np.ndarray) -> None:
    """Tiles and numbers in metres: the ground shows how far the robot has come.

    `below` is the ground's point below the robot, as pictured: (x + a y, a y). [2]
    """
    depth = below[1] / OBLIQUE  # the robot's y
    near, far = (depth + NEAR, depth + FAR) if scene.plane else (0.0, 0.0)
    rows = [
        (max(near, row), min(far, row + 1)) for row in range(int(np.floor(near)), int(np.ceil(far)))
    ]
    reach = WIDTH * FINE / scene.scale / 2 + (OBLIQUE * max(-NEAR, FAR) if scene.plane else 0.0)
    middle = below[0] - below[1] + scene.centre[0]
    size = next(
        size for size in (1, 2, 5, 10, 20, 50, 100) if 2 * reach <= size * MOST_TILES or size == 100
    )
    first = int(np.floor((middle - reach) / size)) * size
    tiles = range(first, int(np.ceil(middle + reach)), size)
    for tile in tiles:
        for front, back in rows:
            corners = np.array(
                [(tile, front), (tile + size, front), (tile + size, back), (tile, back)]
            )
            flat = np.stack(
                [corners[:, 0] + OBLIQUE * corners[:, 1], OBLIQUE * corners[:, 1]], axis=1
            )
            shade = TILES[(tile // size + int(np.floor(front))) % 2]
            draw.polygon([tuple(corner) for corner in _pixels(scene, flat - below)], fill=shade)
    _draw_front(draw, scene, np.array([OBLIQUE * near] * 2) - below, tiles)


def _draw_front(draw: ImageDraw.ImageDraw, scene: Scene, origin: np.ndarray, tiles: range) -> None:
    """The ground's front edge, with a mark and a number at each tile's left end; of a line, its cut below.

    `origin` is where x = 0 is on the edge, from the ground below the robot, as pictured. [2]
    """
    font = ImageFont.load_default(11 * FINE)
    for tile in tiles:
        (left, top), (right, _) = _pixels(
            scene, origin + np.array([[tile, 0.0], [tile + tiles.step, 0.0]])
        )
        if not scene.plane:
            draw.rectangle((left, top, right, HEIGHT * FINE), fill=TILES[tile // tiles.step % 2])
        draw.line((left, top, right, top), fill=INK, width=FINE)
        draw.line((left, top, left, top + 6 * FINE), fill=INK, width=FINE)
        if 18 * FINE < left < (WIDTH - 18) * FINE:  # or the panel's edge would cut the number
            draw.text((left, top + 7 * FINE), f"{tile} m", fill=INK, font=font, anchor="mt")


def frame_steps(seconds: float) -> tuple[int, int]:
    """Steps from one frame to the next, and the pause in milliseconds, so that a film runs in real time.

    A GIF counts in hundredths of a second, and viewers slow down pauses under two of them.

    >>> frame_steps(0.05), frame_steps(0.015), frame_steps(0.008), frame_steps(0.0)
    ((1, 50), (2, 30), (5, 40), (1, 20))
    """
    pauses = {steps: round(1000 * steps * seconds, 3) for steps in range(1, 11)}
    choices = [steps for steps, pause in pauses.items() if 20 <= pause <= 50] or [1]
    steps = min(
        choices,
        key=lambda steps: round(
            abs(pauses[steps] - round(pauses[steps], -1)) / max(pauses[steps], 1), 3
        ),
    )
    return steps, max(20, int(round(pauses[steps], -1)))
