"""How a film shows a world in the plane: discs, squares, their trails, and who touches whom."""

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
LEGEND_RADIUS = 6  # pixels


class _Mark(NamedTuple):
    """An entity as it is drawn in a panel."""

    kind: str
    number: int  # among the entities of its kind, from 1
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
    edge = 4
    draw.rectangle((edge, edge, side - edge, side - edge), outline=BORDER)
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
        text = str(mark.number) if len(landmarks) > 1 else ""
        _draw_mark(draw, mark, text, draw.rectangle)
    for mark in others:
        if mark.kind == "prey" and touch:
            draw.ellipse(_box(mark.centre, touch * scale), outline=PREY)
        _draw_mark(draw, mark, _name(mark), draw.ellipse)
    return image


def draw_legend(
    draw: ImageDraw.ImageDraw,
    rollout: Rollout,
    touch: float,
    x: float,
    y: float,
) -> None:
    """What the marks are, in a line that starts at (x, y)."""
    font = ImageFont.load_default(12)
    for kind, words in _legend(rollout, touch).items():
        centre = np.array([x + LEGEND_RADIUS, y + LEGEND_RADIUS + 2])
        if kind == "touch":
            draw.ellipse(_box(centre, LEGEND_RADIUS), outline=PREY)
        else:
            mark = _Mark(
                kind,
                number=1,
                colour=_colour(kind, 1),
                centre=centre,
                radius=LEGEND_RADIUS,
            )
            shape = draw.rectangle if kind == "landmark" else draw.ellipse
            name = "P" if kind == "prey" else ""
            _draw_mark(draw, mark, name, shape)
        x += 2 * LEGEND_RADIUS + 4
        draw.text((x, y), words, fill=INK, font=font)
        x += draw.textlength(words, font=font) + 12


def _legend(rollout: Rollout, touch: float) -> dict[str, str]:
    """The kinds of marks in a film, and what each stands for."""
    kinds = rollout.kind.tolist()
    words = {}
    for kind in dict.fromkeys(kinds):
        count = kinds.count(kind)
        numbers = f" 1-{count}" if count > 1 and kind != "prey" else ""
        words[kind] = f"{kind}{numbers}"
    if touch and "prey" in words:
        words["touch"] = "touched within"
    return words


def _marks(
    rollout: Rollout,
    positions: np.ndarray,
    scale: float,
) -> list[_Mark]:
    """Every entity, at its position in pixels. [entities, 2]"""
    counts: dict[str, int] = {}
    marks = []
    for entity, kind in enumerate(rollout.kind.tolist()):
        number = counts.get(kind, 0) + 1
        counts[kind] = number
        radius = np.clip(rollout.radius[entity] * scale, LEAST_RADIUS, MOST_RADIUS)
        colour = _colour(kind, number)
        marks.append(_Mark(kind, number, colour, positions[entity], float(radius)))
    return marks


def _colour(kind: str, number: int) -> str:
    """The colour of an entity: agents have one each."""
    own = COLOURS[(number - 1) % len(COLOURS)]
    return {"prey": PREY, "landmark": LANDMARK}.get(kind, own)


def _name(mark: _Mark) -> str:
    return "P" if mark.kind == "prey" else str(mark.number)


def _draw_trail(draw: ImageDraw.ImageDraw, track: np.ndarray, mark: _Mark) -> None:
    """Where an entity went, and its name where it started. [steps so far, 2]"""
    points = [tuple(point) for point in track]
    draw.line(points, fill=mark.colour, width=1)
    font = ImageFont.load_default(12)
    draw.text(
        points[0],
        _name(mark),
        fill=mark.colour,
        font=font,
        anchor="mm",
    )


def _draw_mark(draw: ImageDraw.ImageDraw, mark: _Mark, text: str, shape) -> None:
    """An entity where it is now; `shape` draws its outline."""
    x, y = mark.centre
    shape(_box(mark.centre, mark.radius), fill=mark.colour, outline=INK)
    font = ImageFont.load_default(11)
    draw.text(
        (x, y),
        text,
        fill=PAPER,
        font=font,
        anchor="mm",
    )


def _box(centre: np.ndarray, radius: float) -> tuple[float, float, float, float]:
    x, y = centre
    return (x - radius, y - radius, x + radius, y + radius)
