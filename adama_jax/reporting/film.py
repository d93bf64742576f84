"""Rollouts as animated pictures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adama_jax.envs.ends import before_the_end
from adama_jax.envs.worlds import PredatorPreyWorld, World
from adama_jax.reporting import disc_film, robot_film
from adama_jax.reporting.labels import title
from adama_jax.reporting.panels import INK, PAPER
from adama_jax.storage.reader import Rollout, Run

# Of a film, besides the start. A longer episode is shown in larger steps, of a robot its beginning.
MOST_FRAMES = 200
PANEL = 260  # pixels, a side of one episode's panel
# Pixels.
HEADER = 26
FOOTER = 22
MARGIN = 16
LEGEND = 20
HEADING_SIZE = 13
MOST_ROBOTS = 2  # episodes of a robot in a film: its panels are large
ROBOT_COLOURS = 64  # in the palette of a robot's film: few, for a small file
FARTHEST = 1e6  # in the world's units, from its middle
LAST_PAUSE = 900  # milliseconds, at least, before a film begins again


def run_gif(run: Run, path: Path, row: int = 0) -> Path:
    """`rollout_gif` of a run's own episodes; `row` says which of its seeds.

    Raises:
        ValueError: the run's episodes were not kept.
    """
    if run.rollout is None:
        raise ValueError(f"{run.folder}: no rollout was kept")
    return rollout_gif(
        run.rollout, title(run, row), path, row, touch=touch_radius(run.config.world)
    )


def touch_radius(world: World) -> float:
    """How near a predator must come to touch the prey; 0 where nobody touches anybody."""
    return world.touch_radius if isinstance(world, PredatorPreyWorld) else 0.0


def rollout_gif(
    rollout: Rollout,
    heading: str,
    path: Path,
    row: int = 0,
    milliseconds: int = 180,
    touch: float = 0.0,
) -> Path:
    """Greedy episodes of one seed's trained actors, side by side, up to their ends.

    Robots are drawn as they are, in their drivers' colours and in real time. Otherwise numbers say
    who is who: agents are discs with their number, which also stands where they started; landmarks
    squares (with a number where there are several); the prey a red "P". A legend has their names.

    Args:
        rollout: episodes and what there is to draw.
        heading: on every frame.
        path: of the GIF.
        row: which of the rollout's seeds.
        milliseconds: pause after a frame, where the world has no clock.
        touch: radius of the ring around the prey within which it is touched; 0: no ring.
    """
    if robot_film.is_robot(rollout):
        frames, milliseconds = _robot_frames(rollout, heading, row)
    else:
        frames = _disc_frames(rollout, heading, row, touch)
    pauses = [milliseconds] * len(frames)
    pauses[-1] = max(LAST_PAUSE, 5 * milliseconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=pauses,
        loop=0,
        optimize=True,
    )
    return path


def returns_and_ends(rollout: Rollout, row: int) -> tuple[np.ndarray, np.ndarray]:
    """What episodes returned, and when they ended.

    After a termination an episode starts again (`training.rollout`), which does not count.

    Returns:
        The return so far, up to the first termination, [E, T + 1]; and the step that terminated,
        T + 1 if none did, [E].
    """
    rewards = rollout.reward[row]
    terminated = rollout.terminated[row]
    rewards = np.where(before_the_end(terminated), rewards, 0.0)
    start = np.zeros((len(rewards), 1))
    returns = np.concatenate([start, np.cumsum(rewards, axis=1)], axis=1)
    ends = (np.cumsum(terminated, axis=1) == 0).sum(axis=1) + 1
    return returns, ends


def _robot_frames(
    rollout: Rollout,
    heading: str,
    row: int,
) -> tuple[list[Image.Image], int]:
    """A robot's episodes from their start, and the pause between frames in milliseconds.

    They are as long as `MOST_FRAMES` allow, or until all robots lie.
    """
    positions = rollout.positions[row, :MOST_ROBOTS]
    returns, ends = returns_and_ends(rollout, row)
    returns = returns[:MOST_ROBOTS]
    ends = ends[:MOST_ROBOTS]
    stride, pause = robot_film.frame_steps(rollout.seconds)
    total = positions.shape[1] - 1
    # The last frame is at or after the step at which the last robot fell.
    last = min(total, MOST_FRAMES * stride, ends.max() + stride - 1)
    times = np.arange(0, last + 1, stride)
    # A robot that falls stays as it was before that step.
    upright = np.minimum(times, ends[:, None] - 1)
    shown = np.take_along_axis(positions, upright[..., None, None], axis=1)
    scene = robot_film.scene(rollout, shown)
    cut = f" (the first {times[-1]} shown)" if times[-1] < total else ""
    width = len(positions) * robot_film.WIDTH
    height = robot_film.HEIGHT + HEADER + LEGEND + FOOTER
    font = ImageFont.load_default(12)
    frames = []
    for frame, time in enumerate(times):
        image, draw = _blank(heading, (width, height))
        robot_film.draw_legend(draw, scene.agent, MARGIN, HEADER)
        clock = f"step {time} of {total}{cut}"
        draw.text(
            (width - MARGIN, HEADER),
            clock,
            fill=INK,
            font=font,
            anchor="ra",
        )
        for episode in range(len(positions)):
            left = episode * robot_film.WIDTH
            panel = robot_film.panel(scene, episode, frame)
            image.paste(panel, (left, HEADER + LEGEND))
            below = (left + MARGIN, height - FOOTER + 4)
            _write_return(draw, below, returns[episode], ends[episode], time)
        frames.append(image)
    return _with_one_palette(frames), pause


def _with_one_palette(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """The frames in the colours of the first, of which the legend shows all that matter."""
    palette = frames[0].quantize(ROBOT_COLOURS)
    return [
        frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    ]


def _disc_frames(
    rollout: Rollout,
    heading: str,
    row: int,
    touch: float,
) -> list[Image.Image]:
    """Episodes in a plane, seen from above, all with the same camera."""
    # What left every bound is drawn at the rim of what can be drawn.
    positions = np.nan_to_num(rollout.positions[row].astype(float))
    positions = np.clip(positions, -FARTHEST, FARTHEST)
    returns, ends = returns_and_ends(rollout, row)
    centre, scale = _camera(rollout, positions, touch)
    total = positions.shape[1] - 1
    stride = -(-(total + 1) // MOST_FRAMES)
    # Long enough for the longest heading and for the legend, where there are few episodes.
    letters = ImageFont.load_default(HEADING_SIZE)
    longest = letters.getlength(f"{heading}: step {total} of {total}")
    _, draw = _blank("", (1, 1))
    longest = max(longest, disc_film.draw_legend(draw, rollout, touch, 0, 0))
    width = max(len(positions) * PANEL, int(longest) + 2 * MARGIN)
    size = width, HEADER + LEGEND + PANEL + FOOTER
    # In pictures y points down.
    upwards = np.array([1, -1])
    middle = np.array([PANEL / 2, PANEL / 2])
    frames = []
    for time in range(0, total + 1, stride):
        image, draw = _blank(f"{heading}: step {time} of {total}", size)
        disc_film.draw_legend(draw, rollout, touch, MARGIN, HEADER)
        for episode, track in enumerate(positions):
            left = episode * PANEL
            pixels = (track[: time + 1] - centre) * scale * upwards + middle
            panel = disc_film.panel(rollout, pixels, PANEL, scale, touch)
            image.paste(panel, (left, HEADER + LEGEND))
            below = (left + MARGIN, HEADER + LEGEND + PANEL + 2)
            _write_return(draw, below, returns[episode], ends[episode], time)
        frames.append(image)
    return frames


def _camera(
    rollout: Rollout, positions: np.ndarray, touch: float
) -> tuple[np.ndarray, float]:
    """The middle of what is seen, [2], and pixels per unit of length."""
    places = positions.reshape(-1, 2)
    low = places.min(axis=0)
    high = places.max(axis=0)
    prey = positions[:, :, rollout.kind == "prey"].reshape(-1, 2)
    # A ring that is no wider than the world is seen whole.
    if prey.size and 2 * touch <= (high - low).max():
        low = np.minimum(low, prey.min(axis=0) - touch)
        high = np.maximum(high, prey.max(axis=0) + touch)
    centre = (low + high) / 2
    # Everything may stand in one point, and what stands at the rim needs room.
    reach = 1.1 * max(float((high - low).max()) / 2, 1e-6)
    return centre, (PANEL / 2 - MARGIN) / reach


def _blank(
    heading: str, size: tuple[int, int]
) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A frame with its heading."""
    image = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(image)
    draw.text(
        (MARGIN, 5),
        heading,
        fill=INK,
        font=ImageFont.load_default(HEADING_SIZE),
    )
    return image, draw


def _write_return(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    returns: np.ndarray,
    end: int,
    time: int,
) -> None:
    """What an episode returned up to a time, below its panel."""
    value = f"{returns[time]:.2f}"
    text = (
        f"return so far {value}"
        if time < end
        else f"ended at step {end}, return {value}"
    )
    draw.text(corner, text, fill=INK, font=ImageFont.load_default(12))
