"""Telling a person how a run is going: a bar on a terminal, a line now and then elsewhere."""

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adama_jax.config import Config
from adama_jax.runner import Point

LONG = 300.0  # seconds; a longer run says so at its start


class Reporter:
    """Observes a run (`runner.run`). Use as a context manager; call it with each point."""

    def __init__(self, config: Config, console: Console, runs: int = 1):
        self.config = config
        self.runs = runs  # still to train, this one included
        self.console = console
        columns = (
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[news]}"),
            TimeRemainingColumn(compact=True),
        )
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self.task = self.progress.add_task(config.label, total=config.episodes, news="compiling ...")
        self.points = 0

    def __enter__(self) -> "Reporter":
        self.progress.start()
        if not self.console.is_terminal:
            self.console.print(f"{self.config.label}: compiling ...")
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, point: Point) -> None:
        self.points += 1
        if self.points == 1:
            self._announce(point)
        for seed, episode in point.diverged.items():
            self.console.print(
                f"[red]{self.config.label}: seed {seed} diverged: not finite from episode {episode} on[/red]"
            )
        news = _news(point)
        self.progress.update(self.task, completed=point.episode, news=news)
        every = max(1, self.config.episodes // self.config.points_every // 10)
        if not self.console.is_terminal and self.points % every == 0:
            self.console.print(f"{self.config.label}: {point.episode:,}/{point.total:,} episodes, {news}")

    def _announce(self, point: Point) -> None:
        """After the first chunk: how long all that is left will take, and how to take a shorter look."""
        an_episode = self.runs * point.seconds / point.episode
        seconds = an_episode * point.total
        if seconds > LONG:
            shorter = min(max(1000, int(LONG / an_episode) // 1000 * 1000), point.total)
            what = self.config.label if self.runs == 1 else f"{self.config.label} and {self.runs - 1} more"
            self.console.print(
                f"{what}: {point.total:,} episodes x {self.config.seeds} seeds will take about {seconds / 60:.0f} "
                f"minutes on this machine. For a shorter look: episodes={shorter} (make: EPISODES={shorter}), about "
                f"{shorter * an_episode / 60:.0f} minutes."
            )


def _news(point: Point) -> str:
    values = point.values
    good = np.isfinite(values["eval_return"])
    if not good.any():
        return "no seed is finite"
    mean = {name: float(values[name][good].mean()) for name in ("eval_return", "critic_rate", "actor_budget")}
    return f"return {mean['eval_return']:.2f}, l_c {mean['critic_rate']:.4f}, |l_a| {mean['actor_budget']:.4f}"
