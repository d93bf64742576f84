"""Telling a person how runs are going: a bar on a terminal, a line now and then elsewhere."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from adama_jax.config.schema import Config
from adama_jax.execution.loop import Broken, Lane, Moved, Point

LONG = 300.0  # seconds; a longer run says so at its start


def progress_bars(console: Console) -> Progress:
    """Bars for one or more `Reporter`s; nothing where the console is no terminal."""
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[news]}"),
        TimeRemainingColumn(compact=True),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


class Reporter:
    """Watches the runs of one program (`loop.Watch`): called with each point, told of what breaks and what happens."""

    def __init__(
        self,
        name: str,
        configs: Sequence[Config],
        labels: Sequence[str],
        bars: Progress,
        programs: int = 1,
    ):
        self.name = name
        self.config = configs[0]
        self.labels = labels
        self.programs = programs  # of about this size that are still to run one after another, this one included
        self.bars = bars
        self.console = bars.console
        self.task = bars.add_task(name, total=self.config.episodes, news="compiling ...")
        self.points = 0
        self.news = "training"  # beside the bar, until there is a point
        self.began = self.announced = False
        self.chunks: list[Moved] = []  # since the last point
        if not self.console.is_terminal:
            self.console.print(f"{name}: compiling ...")

    def __call__(self, point: Point) -> None:
        self.points += 1
        if (
            point.episodes and not self.announced
        ):  # none where a run goes on with the evaluation that was due
            self.announced = True
            self._announce(point)
        self.chunks = []
        self.news = _news(point)
        self._show(point)
        points = -(-point.total // self.config.points_every) * point.parts
        if not self.console.is_terminal and self.points % max(1, points // 10) == 0:
            part = f"slice {point.part}/{point.parts}, " if point.parts > 1 else ""
            self.console.print(
                f"{self.name}: {part}{point.episode:,}/{point.total:,} episodes, {self.news}"
            )

    def moved(self, moved: Moved) -> None:
        """The bar goes on; elsewhere a line says that training has begun."""
        self.chunks.append(moved)
        self._show(moved)
        if not self.began and not self.console.is_terminal:
            first = (
                f"{moved.episode - moved.episodes + 1:,} to {moved.episode:,} of {moved.total:,}"
            )
            self.console.print(f"{self.name}: training, episodes {first} in {moved.seconds:.1f} s")
        self.began = True

    def broke(self, lanes: Mapping[Lane, Broken]) -> None:
        """Name the seeds that are no longer finite. (A lane beyond the labels is another command's.)"""
        for lane, (episode, update, leaf) in lanes.items():
            label = (
                self.labels[lane.config] if 0 <= lane.config < len(self.labels) else "another run"
            )
            text = f"{label}: seed {lane.seed} diverged: not finite from episode {episode} on (update {update}, {leaf})"
            self.console.print(text, style="red", highlight=False)

    def tell(self, line: str) -> None:
        """Something that one should know."""
        self.console.print(f"{self.name}: {line}", style="yellow", highlight=False, soft_wrap=True)

    def finished(self) -> None:
        """The bar goes; a line stays."""
        self.bars.remove_task(self.task)

    def _show(self, place: Moved | Point) -> None:
        done = (place.part - 1) * place.total + place.episode
        self.bars.update(self.task, completed=done, total=place.parts * place.total, news=self.news)

    def _announce(self, point: Point) -> None:
        """At the first point: how long all that is left will take, and how to take a shorter look.

        By the fastest chunk, for beside the others something may still have been compiled, and the evaluation.
        """
        evaluation = (point.seconds - sum(chunk.seconds for chunk in self.chunks)) / point.episodes
        fastest = min(chunk.seconds / chunk.episodes for chunk in self.chunks)
        an_episode = self.programs * point.parts * (fastest + evaluation)
        seconds = an_episode * point.total
        if seconds > LONG:
            shorter = _round_number(int(LONG / an_episode), self.config.learning.envs_per_run)
            what = self.name if self.programs == 1 else f"{self.name} and {self.programs - 1} more"
            self.console.print(
                f"{what}: {point.total:,} episodes will take about {seconds / 60:.0f} minutes on this machine. For a "
                f"shorter look: episodes={shorter} (make: EPISODES={shorter}), about "
                f"{max(1, shorter * an_episode / 60):.0f} minutes."
            )


def _round_number(most: int, divisor: int) -> int:
    """At most that, of one digit and zeros, down to a multiple of `divisor`; at least one multiple.

    >>> _round_number(12_345, 1), _round_number(37, 1), _round_number(37, 8), _round_number(3, 8)
    (10000, 30, 24, 8)
    """
    unit = 10 ** (len(str(most)) - 1)
    return max(divisor, most // unit * unit // divisor * divisor)


def _news(point: Point) -> str:
    values = point.values
    good = np.isfinite(values["eval_return"])
    if not good.any():
        return "no run is finite"
    mean = {
        name: float(values[name][good].mean())
        for name in ("eval_return", "critic_rate", "actor_budget")
    }
    return f"return {mean['eval_return']:.2f}, l_c {mean['critic_rate']:.4f}, |l_a| {mean['actor_budget']:.4f}"
