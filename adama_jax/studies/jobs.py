"""Jobs: configurations that one compiled program trains."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from adama_jax.config.identity import program_key, world_name
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import Config
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder
from adama_jax.storage.groups import has_checkpoints

MOST_LETTERS = 300  # of an error in one line


class Job(NamedTuple):
    """Configurations that one compiled program runs."""

    name: str
    configs: tuple[Config, ...]
    labels: tuple[str, ...]

    @property
    def runs(self) -> int:
        """Configurations x seeds."""
        return sum(config.seeds for config in self.configs)

    @property
    def work(self) -> int:
        """Updates of all agents: about proportional to its time, within a family of worlds."""
        first = self.configs[0]
        # Not every world says how many agents it has.
        agents = getattr(first.world, "num_agents", None) or 1
        updates = first.updates_in(first.episodes)
        return self.runs * updates * agents


class Order(NamedTuple):
    """Jobs that are to be run, and how; whatever runs them is given one."""

    jobs: Sequence[Job]
    out: Path  # the results folder
    options: Launch  # where they run
    console: Screen  # hears of them
    training: Training = Training()


class Failure(NamedTuple):
    """A job that did not end well."""

    job: Job
    why: str


def jobs(
    configs: Sequence[Config],
    names: Sequence[str],
    parts: int = 1,
) -> list[Job]:
    """One job per program, longest first.

    Args:
        configs: different configurations.
        names: what to call them.
        parts: jobs of equal size that a program's configurations are divided into, for as many
            machines, where there are enough of them.
    """
    groups: dict[str, list[tuple[Config, str]]] = {}
    for config, name in zip(configs, names, strict=True):
        groups.setdefault(program_key(config), []).append((config, name))
    result = []
    for group in groups.values():
        size = -(-len(group) // parts)
        for start in range(0, len(group), size):
            part = f" (part {start // size + 1})" if len(group) > size else ""
            result.append(_job(group[start : start + size], part))
    # The longest first: begun last, it would be waited for alone.
    return sorted(result, key=lambda job: -job.work)


def _job(members: Sequence[tuple[Config, str]], part: str) -> Job:
    configs = tuple(config for config, _ in members)
    names = tuple(name for _, name in members)
    first = configs[0]
    called = names[0] if len(names) == 1 else f"{first.label}, {len(names)} settings"
    return Job(f"{world_name(first)}: {called}{part}", configs, names)


def saved_by(jobs: Sequence[Job], out: Path) -> Callable[[], bool]:
    """What tells whether any run of these jobs has a checkpoint."""
    folders = [RunFolder.of(out, config) for job in jobs for config in job.configs]

    def saved() -> bool:
        return any(has_checkpoints(folder.partial.path) for folder in folders)

    return saved


def last_line(error: BaseException) -> str:
    """What kind of error ended a job, and the last line that the job itself wrote of it.

    >>> last_line(RuntimeError("out of luck\\nat the end\\n---\\n/x/1_0_log.err"))
    'RuntimeError: at the end'
    """
    stripped = [line.strip(" -") for line in str(error).splitlines()]
    lines = [line for line in stripped if line]
    # Submitit ends a job's traceback with rules and the names of its logs.
    said = [line for line in lines if not line.startswith("/") and "logs" not in line]
    last = (said or lines or ["no message"])[-1]
    return f"{type(error).__name__}: {last[:MOST_LETTERS]}"
