"""Rollouts as animated pictures."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adama_jax.reporting import robot_film
from adama_jax.reporting.labels import title
from adama_jax.reporting.panels import COLOURS, INK, PAPER
from adama_jax.storage.reader import Rollout, Run

MOST_FRAMES = 200  # of a film, besides the start; a longer episode is shown in larger steps, of a robot its beginning
PANEL = 260  # pixels, a side of one episode's panel
HEADER, FOOTER, MARGIN = 26, 22, 16
LEGEND = 20  # pixels, its height in the header of a robot's film
ROBOTS = 2  # episodes of a robot in a film
COLOURS_OF_FILM = 64  # of a robot's: few, for a small file
PREY, LANDMARK = "#D00000", "#666666"


def run_gif(run: Run, path: Path, row: int = 0) -> Path:
    """`rollout_gif` of a run's own episodes; `row` says which of its seeds.

    Raises:
        ValueError: the run's episodes were not kept.
    """
    if run.rollout is None:
        raise ValueError(f"{run.folder}: no rollout was kept")
    return rollout_gif(run.rollout, title(run, row), path, row)


def rollout_gif(
    rollout: Rollout, heading: str, path: Path, row: int = 0, milliseconds: int = 180
) -> Path:
    """Greedy episodes of one seed's trained actors, side by side, up to their ends.

    Robots are drawn as they are, in their drivers' colours and in real time. Otherwise numbers say who is who: agents
    are discs with their number, which also stands where they started; landmarks squares (with a number where there
    are several); the prey a red "P".

    Args:
        rollout: episodes and what there is to draw.
        heading: on every frame.
        path: of the GIF.
        row: which of the rollout's seeds.
        milliseconds: pause after a frame, where the world has no clock.
    """
    if robot_film.is_robot(rollout):
        frames, milliseconds = _robot_frames(rollout, heading, row)
    else:
        frames = _disc_frames(rollout, heading, row)
    pauses = [milliseconds] * (len(frames) - 1) + [max(900, 5 * milliseconds)]
    path.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=pauses, loop=0, optimize=True
    )
    return path


def returns_and_ends(rollout: Rollout, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns so far [E, T + 1], up to the first termination, and the step that terminated, T + 1 if none did [E].

    After a termination the episode goes on from its start again (`rollout.make_rollout`), which counts no more.
    """
    rewards, terminated = rollout.reward[row], rollout.terminated[row]
    ended = np.cumsum(terminated, axis=1)
    counted = np.where(ended - terminated == 0, rewards, 0.0)
    returns = np.concatenate([np.zeros((len(rewards), 1)), np.cumsum(counted, axis=1)], axis=1)
    return returns, (ended == 0).sum(axis=1) + 1


def _robot_frames(rollout: Rollout, heading: str, row: int) -> tuple[list[Image.Image], int]:
    """Two episodes from their start, as long as `MOST_FRAMES` allow or until both robots lie; and the pause in ms."""
    positions = rollout.positions[row, :ROBOTS]
    returns, ends = (values[:ROBOTS] for values in returns_and_ends(rollout, row))
    stride, pause = robot_film.frame_steps(rollout.seconds)
    total = positions.shape[1] - 1
    times = np.arange(0, min(total, MOST_FRAMES * stride, ends.max() + stride - 1) + 1, stride)
    upright = np.minimum(
        times, ends[:, None] - 1
    )  # a robot that falls stays as it was before that step
    scene = robot_film.scene(
        rollout, np.take_along_axis(positions, upright[..., None, None], axis=1)
    )
    cut = f" (the first {times[-1]} shown)" if times[-1] < total else ""
    frames = []
    for frame, time in enumerate(times):
        size = len(positions) * robot_film.WIDTH, robot_film.HEIGHT + HEADER + LEGEND + FOOTER
        image, draw = _blank(heading, size)
        robot_film.draw_legend(draw, scene.agent, MARGIN, HEADER)
        place, font = (size[0] - MARGIN, HEADER), ImageFont.load_default(12)
        draw.text(place, f"step {time} of {total}{cut}", fill=INK, font=font, anchor="ra")
        for episode in range(len(positions)):
            left = episode * robot_film.WIDTH
            image.paste(robot_film.panel(scene, episode, frame), (left, HEADER + LEGEND))
            _write_return(
                draw, (left + MARGIN, size[1] - FOOTER + 4), returns[episode], ends[episode], time
            )
        frames.append(image)
    palette = frames[0].quantize(COLOURS_OF_FILM)  # the legend shows them all
    return [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in frames], pause


def _disc_frames(rollout: Rollout, heading: str, row: int) -> list[Image.Image]:
    positions = rollout.positions[row]
    returns, ends = returns_and_ends(rollout, row)
    low, high = positions.min(axis=(0, 1, 2)), positions.max(axis=(0, 1, 2))
    centre, reach = (low + high) / 2, max(float((high - low).max()) / 2, 1e-6) * 1.1
    scale = (PANEL / 2 - MARGIN) / reach
    total = positions.shape[1] - 1
    frames = []
    for time in range(0, total + 1, -(-(total + 1) // MOST_FRAMES)):
        size = len(positions) * PANEL, PANEL + HEADER + FOOTER
        image, draw = _blank(f"{heading}: step {time} of {total}", size)
        for episode, track in enumerate(positions):
            origin = np.array([episode * PANEL + PANEL / 2, HEADER + PANEL / 2])
            _panel(
                draw,
                rollout,
                (track[: time + 1] - centre) * scale * [1, -1] + origin,
                origin,
                scale,
            )
            place = (episode * PANEL + MARGIN, HEADER + PANEL + 2)
            _write_return(draw, place, returns[episode], ends[episode], time)
        frames.append(image)
    return frames


def _blank(heading: str, size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A frame with its title."""
    image = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((MARGIN, 5), heading, fill=INK, font=ImageFont.load_default(13))
    return image, draw


def _write_return(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], returns: np.ndarray, end: int, time: int
) -> None:
    text = (
        f"return so far {returns[time]:.2f}"
        if time < end
        else f"ended at step {end}, return {returns[time]:.2f}"
    )
    draw.text(place, text, fill=INK, font=ImageFont.load_default(12))


def _panel(
    draw: ImageDraw.ImageDraw, rollout: Rollout, track: np.ndarray, origin: np.ndarray, scale: float
) -> None:
    """One episode up to now: trails, then every entity. `track` is in pixels, [steps so far, entities, 2]."""
    half = PANEL / 2 - 4
    draw.rectangle((*(origin - half), *(origin + half)), outline="#BBBBBB")
    counts: dict[str, int] = {}
    marks = []
    for entity, kind in enumerate(rollout.kind):
        number = counts[kind] = counts.get(kind, 0) + 1
        colour = {"prey": PREY, "landmark": LANDMARK}.get(
            kind, COLOURS[(number - 1) % len(COLOURS)]
        )
        if kind != "landmark" and len(track) > 1:
            draw.line([tuple(point) for point in track[:, entity]], fill=colour, width=1)
            mark = "P" if kind == "prey" else str(number)
            draw.text(
                tuple(track[0, entity]),
                mark,
                fill=colour,
                font=ImageFont.load_default(12),
                anchor="mm",
            )
        radius = float(np.clip(rollout.radius[entity] * scale, 7, 14))
        marks.append((kind, number, colour, track[-1, entity], radius))
    marks.sort(key=lambda mark: mark[0] != "landmark")  # landmarks underneath
    several = counts.get("landmark", 0) > 1
    for kind, number, colour, (x, y), radius in marks:
        box = (x - radius, y - radius, x + radius, y + radius)
        (draw.rectangle if kind == "landmark" else draw.ellipse)(box, fill=colour, outline=INK)
        text = {"prey": "P", "landmark": str(number) if several else ""}.get(kind, str(number))
        draw.text((x, y), text, fill=PAPER, font=ImageFont.load_default(11), anchor="mm")
