"""Progress for a person, as an observer: a bar on a terminal, a line now and then elsewhere."""

import numpy as np
from rich.progress import TaskID

from adama_jax.config.methods import METHODS
from adama_jax.config.names import setting, short
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config
from adama_jax.execution.events import (
    Advanced,
    Diverged,
    Ended,
    Evaluated,
    Event,
    Started,
    Values,
    Where,
)
from adama_jax.execution.observer import JobInfo

# Seconds; training that will take longer says so after its first point.
WORTH_ANNOUNCING = 300.0
LINES_ELSEWHERE = 10  # of progress, where there is no terminal


# The settings that say how long a run's steps are; a method reads the first or the others.
LENGTHS_OF_STEPS = (
    "total_rate",
    "critic_rate",
    "actor_budget",
    "learning_rate",
    "multiple",
)


class ProgressObserver:
    """Shows how far a job has come, what it measured last, and which seeds diverge."""

    def __init__(self, job: JobInfo):
        self._job = job
        self._bars = job.bars
        self._screen = job.screen
        self._task: TaskID | None = None
        self._config: Config
        self._points = 0
        self._news = "training"  # beside the bar, until there is a point
        self._has_trained = self._has_announced = False
        self._since_the_point: list[Advanced] = []

    def __call__(self, event: Event) -> None:
        match event:
            case Started():
                self._start(event)
            case Advanced():
                self._advance(event)
            case Evaluated():
                self._evaluate(event)
            case Diverged():
                self._name_diverged(event)
            case Ended():
                if self._task is not None:
                    self._bars.remove_task(self._task)
                self._task = None
            case _:
                pass

    def _start(self, event: Started) -> None:
        if self._task is not None:
            return  # the bar is there since the first run of the job
        self._config = event.members[0].config
        name = self._job.name
        total = self._config.episodes
        which = ""
        if self._job.jobs > 1:
            which = f"program {self._job.number} of {self._job.jobs} "
        compiling = f"compiling {which}..."
        self._task = self._bars.add_task(name, total=total, news=compiling)
        self._print_elsewhere(compiling)

    def _advance(self, event: Advanced) -> None:
        self._since_the_point.append(event)
        if event.where.episode == event.where.episodes:
            # A robot's evaluation takes minutes to compile.
            self._news = "evaluating"
        self._show(event.where)
        if not self._has_trained:
            where = event.where
            first = f"{where.episode - event.chunk + 1:,} to {where.episode:,}"
            self._print_elsewhere(
                f"training, episodes {first} of {where.episodes:,} in {event.seconds:.1f} s"
            )
        self._has_trained = True

    def _evaluate(self, event: Evaluated) -> None:
        where = event.where
        self._points += 1
        # The first point of a run that resumes may be due before anything was trained.
        if event.since and not self._has_announced:
            self._has_announced = True
            self._announce(event)
        self._since_the_point = []
        self._news = _news(event.values)
        is_last = where.episode == where.episodes and where.cohort == where.cohorts
        finishing = ", playing its last episodes" if is_last else ""
        self._show(where, finishing)
        points_per_cohort = -(-where.episodes // self._config.points_every)
        points = points_per_cohort * where.cohorts
        if self._points % max(1, points // LINES_ELSEWHERE) == 0:
            done = f"{where.episode:,}/{where.episodes:,} episodes"
            if where.cohorts > 1:
                done = f"cohort {where.cohort}/{where.cohorts}, {done}"
            self._print_elsewhere(f"{done}, {self._news}")

    def _name_diverged(self, event: Diverged) -> None:
        for member, divergence in zip(event.members, event.divergences, strict=True):
            episode, update, leaf = divergence
            who = f"{member.label}: seed {member.seed}"
            where = f"not finite from episode {episode} on (update {update}, {leaf})"
            advice = advice_to_shorten_steps(member.config)
            self._screen.say(f"{who} diverged: {where}; {advice}", style="red")

    def _show(self, where: Where, finishing: str = "") -> None:
        if self._task is None:
            return
        done = (where.cohort - 1) * where.episodes + where.episode
        total = where.cohorts * where.episodes
        self._bars.update(
            self._task, completed=done, total=total, news=self._news + finishing
        )

    def _print_elsewhere(self, text: str) -> None:
        """A line where there is no bar."""
        if not self._screen.is_interactive:
            self._screen.say(f"{self._job.name}: {text}")

    def _announce(self, event: Evaluated) -> None:
        """How long all that is left will take, and how to take a shorter look."""
        per_episode = self._seconds_per_episode(event)
        episodes = event.where.episodes
        seconds = per_episode * episodes
        if seconds <= WORTH_ANNOUNCING:
            return
        least = self._config.learning.envs_per_run
        shorter = _round_number(int(WORTH_ANNOUNCING / per_episode), least)
        programs = self._job.programs
        what = (
            self._job.name
            if programs == 1
            else f"{self._job.name} and {programs - 1} more"
        )
        self._screen.say(
            f"{what}: {episodes:,} episodes will take about {seconds / 60:.0f} minutes on this "
            f"machine. For a shorter look: episodes={shorter} (make: EPISODES={shorter}), about "
            f"{max(1, shorter * per_episode / 60):.0f} minutes."
        )

    def _seconds_per_episode(self, event: Evaluated) -> float:
        """Of all cohorts and programs, evaluations included."""
        chunks = self._since_the_point
        training = sum(chunk.seconds for chunk in chunks)
        evaluation = (event.seconds - training) / event.since
        # The fastest: beside the other chunks something may still have been compiled.
        fastest = min(chunk.seconds / chunk.chunk for chunk in chunks)
        cohorts = self._job.programs * event.where.cohorts
        return cohorts * (fastest + evaluation)


def _round_number(most: int, divisor: int) -> int:
    """At most that, of one digit and zeros, down to a multiple of `divisor`; at least one multiple.

    >>> _round_number(12_345, 1), _round_number(37, 1), _round_number(37, 8), _round_number(3, 8)
    (10000, 30, 24, 8)
    """
    unit = 10 ** (len(str(most)) - 1)
    rounded = most // unit * unit
    multiple = rounded // divisor * divisor
    return max(divisor, multiple)


def _news(values: Values) -> str:
    """The means over the members that are finite."""
    finite = np.isfinite(values["eval_return"])
    if not finite.any():
        return "no run is finite"

    def mean(name: str) -> float:
        return float(values[name][finite].mean())

    critic = mean("critic_rate")
    actors = mean("actor_budget")
    return f"return {mean('eval_return'):.2f}, l_c {critic:.4f}, |l_a| {actors:.4f}"


def advice_to_shorten_steps(config: Config) -> str:
    """Which settings to lower where training diverges, and what they are.

    >>> from adama_jax.config.names import with_settings
    >>> from adama_jax.config.schema import scenario_config
    >>> config = scenario_config("clustering")
    >>> advice_to_shorten_steps(config)
    'lower l (now 0.01)'
    >>> advice_to_shorten_steps(with_settings(config, {"method": "adam"}))
    'lower learning_rate (now 0.001)'
    >>> changes = {"method": "fixed", "world.num_agents": 32}
    >>> print(advice_to_shorten_steps(with_settings(config, changes)))
    lower l_c (now 0.008) and l_a (now 0.001), which are for 8 agents (here 32)
    """
    reads = METHODS[config.method].reads
    named = []
    for name in LENGTHS_OF_STEPS:
        if name in reads:
            full = f"rates.{name}"
            named.append(f"{short(full)} (now {setting(config, full):g})")
    # A rule of somebody's own may read none of them.
    advice = f"lower {' and '.join(named)}" if named else "its steps are too long"
    agents = config.world.learners
    usual = SCENARIOS[config.scenario].world.learners
    if agents != usual:
        advice += f", which are for {usual} agents (here {agents})"
    return advice
