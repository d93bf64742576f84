"""Rollouts as animated pictures."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adama_jax.panels import COLOURS
from adama_jax.store import Run

MOST_FRAMES = 200  # of a film; a longer episode is shown in larger steps
PANEL = 260  # pixels, a side of one episode's panel
HEADER, FOOTER, MARGIN = 26, 22, 16
PREY, LANDMARK, INK, PAPER = "#D00000", "#666666", "#222222", "#FFFFFF"


def rollout_gif(run: Run, path: Path, seed_index: int = 0, milliseconds: int = 180) -> Path:
    """Greedy episodes of one seed's trained actors, side by side; numbers say who is who.

    Agents are discs with their number, which also stands where they started; landmarks squares (with a number where
    there are several); the prey a red "P".

    Raises:
        ValueError: the run's episodes were not kept.
    """
    if not run.rollout:
        raise ValueError(f"{run.folder}: no rollout was kept")
    positions = run.rollout["positions"][seed_index]
    rewards = run.rollout["reward"][seed_index]
    steps = range(0, positions.shape[1], -(-positions.shape[1] // MOST_FRAMES))
    frames = [_frame(run, positions, rewards, time, seed_index) for time in steps]
    pauses = [milliseconds] * (len(frames) - 1) + [5 * milliseconds]
    path.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=pauses, loop=0, optimize=True)
    return path


def _frame(run: Run, positions: np.ndarray, rewards: np.ndarray, time: int, seed_index: int) -> Image.Image:
    episodes, steps = len(positions), positions.shape[1] - 1
    image = Image.new("RGB", (episodes * PANEL, PANEL + HEADER + FOOTER), PAPER)
    draw = ImageDraw.Draw(image)
    seed = run.metrics["seed"][seed_index]
    draw.text((MARGIN, 5), f"{run.config['scenario']}, {run.label}, seed {seed}: step {time} of {steps}",
              fill=INK, font=ImageFont.load_default(13))  # fmt: skip
    low, high = positions.min(axis=(0, 1, 2)), positions.max(axis=(0, 1, 2))
    centre, reach = (low + high) / 2, max(float((high - low).max()) / 2, 1e-6) * 1.1
    for episode, track in enumerate(positions):
        origin = np.array([episode * PANEL + PANEL / 2, HEADER + PANEL / 2])
        scale = (PANEL / 2 - MARGIN) / reach
        _panel(draw, run, (track[: time + 1] - centre) * scale * [1, -1] + origin, origin, scale)
        gained = float(rewards[episode, :time].sum())
        draw.text((episode * PANEL + MARGIN, HEADER + PANEL + 2), f"return so far {gained:.2f}",
                  fill=INK, font=ImageFont.load_default(12))  # fmt: skip
    return image


def _panel(draw: ImageDraw.ImageDraw, run: Run, track: np.ndarray, origin: np.ndarray, scale: float) -> None:
    """One episode up to now: trails, then every entity. `track` is in pixels, [steps so far, entities, 2]."""
    half = PANEL / 2 - 4
    draw.rectangle((*(origin - half), *(origin + half)), outline="#BBBBBB")
    counts: dict[str, int] = {}
    marks = []
    for entity, kind in enumerate(run.rollout["kind"]):
        number = counts[kind] = counts.get(kind, 0) + 1
        colour = {"prey": PREY, "landmark": LANDMARK}.get(kind, COLOURS[(number - 1) % len(COLOURS)])
        if kind != "landmark" and len(track) > 1:
            draw.line([tuple(point) for point in track[:, entity]], fill=colour, width=1)
            mark = "P" if kind == "prey" else str(number)
            draw.text(tuple(track[0, entity]), mark, fill=colour, font=ImageFont.load_default(12), anchor="mm")
        radius = float(np.clip(run.rollout["radius"][entity] * scale, 7, 14))
        marks.append((kind, number, colour, track[-1, entity], radius))
    marks.sort(key=lambda mark: mark[0] != "landmark")  # landmarks underneath
    several = counts.get("landmark", 0) > 1
    for kind, number, colour, (x, y), radius in marks:
        box = (x - radius, y - radius, x + radius, y + radius)
        (draw.rectangle if kind == "landmark" else draw.ellipse)(box, fill=colour, outline=INK)
        text = {"prey": "P", "landmark": str(number) if several else ""}.get(kind, str(number))
        draw.text((x, y), text, fill=PAPER, font=ImageFont.load_default(11), anchor="mm")
