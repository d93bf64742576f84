"""How a film shows a world in the plane: discs, squares, their trails, and who touches whom."""

import re
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adama_jax.reporting.panels import COLOURS, INK, PAPER
from adama_jax.storage.reader import Rollout

PREY = "#D00000"
LANDMARK = "#666666"
BORDER = "#BBBBBB"
# Pixels: a number must fit in, and entities must stay apart.
LEAST_RADIUS = 7
MOST_RADIUS = 14
EDGE = 4  # pixels, from a panel's side to its frame
# In the legend: names, beyond which the kinds are enough; marks of a name.
MOST_NAMES = 6
MOST_MARKS = 12
MARK = 18  # pixels that a mark takes
RING = "touched within"


class _Mark(NamedTuple):
    """An entity as it is drawn in a panel."""

    kind: str
    text: str  # in it: its number among those of its kind, from 1, or "P"
    colour: str
    centre: np.ndarray  # pixels, [2]
    radius: float  # pixels


def panel(
    rollout: Rollout,
    track: np.ndarray,
    side: int,
    scale: float,
    touch: float,
) -> Image.Image:
    """One episode up to now: trails, then every entity. [side x side]

    Args:
        rollout: says what the entities are.
        track: where they were, in pixels. [steps so far, entities, 2]
        side: of the panel, in pixels.
        scale: pixels per unit of length.
        touch: radius of the ring around the prey, in units of length; 0: none.
    """
    image = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(image)
    marks = _marks(rollout, track[-1], scale)
    for entity, mark in enumerate(marks):
        if mark.kind != "landmark" and len(track) > 1:
            _draw_trail(draw, track[:, entity], mark)
    landmarks = []
    others = []
    for mark in marks:
        if mark.kind == "landmark":
            landmarks.append(mark)
        else:
            others.append(mark)
    # Landmarks first, so that whoever reaches one stands on it.
    for mark in landmarks:
        _draw_mark(draw, mark)
    for mark in others:
        if mark.kind == "prey" and touch:
            draw.ellipse(_box(mark.centre, touch * scale), outline=PREY)
        _draw_mark(draw, mark)
    # A ring may be wider than the world: it ends at the frame.
    draw.rectangle((0, 0, side, side), outline=PAPER, width=EDGE)
    draw.rectangle((EDGE, EDGE, side - EDGE, side - EDGE), outline=BORDER)
    return image


def draw_legend(
    draw: ImageDraw.ImageDraw,
    rollout: Rollout,
    touch: float,
    x: float,
    y: float,
) -> float:
    """What the marks are, in a line that starts at (x, y); where it ends, in pixels."""
    font = ImageFont.load_default(12)
    for words, marks in _legend(rollout).items():
        for mark in marks[:MOST_MARKS]:
            _draw_mark(draw, mark._replace(centre=_in_legend(x, y)))
            x += MARK
        if len(marks) > MOST_MARKS:
            words = f"... {words}, {len(marks)} in all"
        draw.text((x, y), words, fill=INK, font=font)
        x += draw.textlength(words, font=font) + 12
    if touch and "prey" in rollout.kind:
        draw.ellipse(_box(_in_legend(x, y), LEAST_RADIUS), outline=PREY)
        x += MARK
        draw.text((x, y), RING, fill=INK, font=font)
        x += draw.textlength(RING, font=font)
    return x


def _in_legend(x: float, y: float) -> np.ndarray:
    """The centre of a mark whose left side is at x, in pixels. [2]"""
    return np.array([x + LEAST_RADIUS, y + LEAST_RADIUS + 1])


def _legend(rollout: Rollout) -> dict[str, list[_Mark]]:
    """Who is who: the marks of each name, or of each kind where there are many names."""
    things = len(rollout.kind)
    marks = _marks(rollout, np.zeros((things, 2)), scale=0.0)
    names = []
    for kind, name in zip(rollout.kind, rollout.name, strict=True):
        names.append(_words(kind, name))
    if len(set(names)) > MOST_NAMES:
        names = rollout.kind.tolist()
    entries: dict[str, list[_Mark]] = {}
    for name, mark in zip(names, marks, strict=True):
        shown = entries.setdefault(name, [])
        # Every prey looks alike: one is enough.
        if mark.kind != "prey" or not shown:
            shown.append(mark)
    return entries


def _words(kind: str, name: str) -> str:
    """What an entity is called, without its number, which its mark has.

    >>> _words("agent", "agent_0"), _words("landmark", "sheep 2")
    ('agent', 'sheep (landmark)')
    """
    own = re.sub(r"[\W_]*\d*$", "", name)
    return kind if own in ("", kind) else f"{own} ({kind})"


def _marks(
    rollout: Rollout,
    positions: np.ndarray,
    scale: float,
) -> list[_Mark]:
    """Every entity, at its position in pixels. [entities, 2]"""
    kinds = rollout.kind.tolist()
    marks = []
    discs = 0
    for entity, kind in enumerate(kinds):
        number = kinds[:entity].count(kind)
        if kind == "prey":
            text, colour = "P", PREY
        elif kind == "landmark":
            text = str(number) if kinds.count(kind) > 1 else ""
            colour = LANDMARK
        else:
            # Agents have a colour each, and so has what is of a kind of a user's own.
            text, colour = str(number), COLOURS[discs % len(COLOURS)]
            discs += 1
        radius = np.clip(rollout.radius[entity] * scale, LEAST_RADIUS, MOST_RADIUS)
        marks.append(_Mark(kind, text, colour, positions[entity], float(radius)))
    return marks


def _draw_trail(draw: ImageDraw.ImageDraw, track: np.ndarray, mark: _Mark) -> None:
    """Where an entity went, and its name where it started. [steps so far, 2]"""
    points = [tuple(point) for point in track]
    draw.line(points, fill=mark.colour, width=1)
    font = ImageFont.load_default(12)
    draw.text(
        points[0],
        mark.text,
        fill=mark.colour,
        font=font,
        anchor="mm",
    )


def _draw_mark(draw: ImageDraw.ImageDraw, mark: _Mark) -> None:
    """An entity where it is now."""
    x, y = mark.centre
    shape = draw.rectangle if mark.kind == "landmark" else draw.ellipse
    shape(_box(mark.centre, mark.radius), fill=mark.colour, outline=INK)
    font = ImageFont.load_default(11)
    draw.text(
        (x, y),
        mark.text,
        fill=PAPER,
        font=font,
        anchor="mm",
    )


def _box(centre: np.ndarray, radius: float) -> tuple[float, float, float, float]:
    x, y = centre
    return (x - radius, y - radius, x + radius, y + radius)
