"""What the commands of the command line take, as dataclasses. Importable without JAX.

`--help` shows the docstrings; values are checked against the bounds as they are read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from adama_jax.bounds import (
    SEED,
    UP_TO_BILLION,
    UP_TO_THOUSAND,
    Between,
    Each,
    OneOf,
    Whole,
)
from adama_jax.config.methods import METHODS
from adama_jax.config.options import (
    FILMED_EPISODES,
    Flat,
    Launch,
    Output,
    Training,
)
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import Config
from adama_jax.fields import ReadWith


@dataclass(frozen=True)
class TrainCommand:
    """Train one method on a scenario; figures go to the run's own folder."""

    config: Annotated[Config, Flat]
    output: Annotated[Output, Flat] = Output()


@dataclass(frozen=True)
class ExperimentCommand:
    """Train several methods on a scenario; figures of all of them go to the scenario's folder."""

    config: Annotated[Config, Flat]
    methods: Annotated[tuple[str, ...], Each(OneOf(METHODS))] = ("adama", "fixed")
    """Methods to compare; the first is filmed."""
    modern: bool = True
    """Train them on today's learner too, where the scenario has one beside the paper's."""
    output: Annotated[Output, Flat] = Output()


@dataclass(frozen=True)
class SweepCommand:
    """Train every combination of settings: key=a,b,c or key=start:stop:step makes an axis.

    Of any setting but seeds, seed and hidden.
    """

    config: Annotated[Config, Flat]
    preset: Literal["grid"] | None = None
    """grid: method=fixed, l_c and l_a each 0.001 to 0.010 (section 4.1), unless given otherwise."""
    output: Annotated[Output, Flat] = Output()
    launch: Annotated[Launch, Flat] = Launch()


@dataclass(frozen=True)
class FiguresCommand:
    """Draw the paper's figures and tables from what is on disk; say what is missing."""

    experiments: Path | None = None
    """Folder of the figures' descriptions (TOML), or one of them; None: the paper's."""
    figures: Path | None = None
    """Where the pictures go; None: figures/ in the results folder."""
    scale: Annotated[float, Between(0, 100, open_bottom=True)] = 1.0
    """Share of the full lengths."""
    episodes: Annotated[int | None, UP_TO_BILLION] = None
    """No run longer than this."""
    only: Annotated[tuple[str, ...], Each(OneOf(SCENARIOS), or_none=True)] = ()
    """Scenarios to draw; none given: all."""
    out: Path = Path("results")
    """Folder of the results."""


@dataclass(frozen=True)
class ReproduceCommand:
    """Train what the figures lack, then draw them. The same command resumes what was stopped."""

    exhibits: Annotated[FiguresCommand, Flat] = FiguresCommand()
    first_look: bool = False
    """Train adama and fixed alone, 300 episodes unless said otherwise; no grid, nothing of it."""
    training: Annotated[Training, Flat] = Training()
    launch: Annotated[Launch, Flat] = Launch()


@dataclass(frozen=True)
class ResumeCommand:
    """Resume a run that was interrupted, or train a finished one on to more episodes."""

    episodes: Annotated[int | None, UP_TO_BILLION] = None
    """Train a finished run on to so many, where it was trained with keep_last=true."""
    training: Annotated[Training, Flat] = Training()


@dataclass(frozen=True)
class PlayCommand:
    """Play trained actors: the greedy return, a film, and for a robot a page.

    Of a finished run, of a file of `adama export`, or those of a scenario that come with adama-jax.
    """

    seed: Annotated[int | None, SEED] = None
    """Which of the run's seeds; None: the first that stayed finite."""
    episodes: Annotated[int, Whole(FILMED_EPISODES, 100_000)] = 100
    """Greedy episodes for the return; the first four are filmed."""
    start_seed: Annotated[int, SEED] = 0
    """Their starts are drawn from this seed."""
    out: Path | None = None
    """Folder of the film; None: play/ in the run's folder, FILE-play, results/play/SCENARIO."""


@dataclass(frozen=True)
class ExportCommand:
    """Export a run's trained actors to a file that NumPy runs, or curves for marl-eval."""

    format: Literal["actors", "marl_eval"] = "actors"
    """actors: of one seed of a run; marl_eval: the curves of all runs of a folder, as JSON."""
    seed: Annotated[int | None, SEED, ReadWith("format", "actors")] = None
    """Whose actors; None: the first that stayed finite."""
    out: Path | None = None
    """The file, which is replaced; None: SCENARIO-METHOD.npz, or marl_eval.json, here."""


@dataclass(frozen=True)
class ReportCommand:
    """Write one self-contained HTML page about all results of a folder."""

    results: Path = Path("results")
    """The results folder."""
    page: Path | None = None
    """The page; None: report.html in the results folder."""


@dataclass(frozen=True)
class CalibrateCommand:
    """A trial run that finds m (section 4.4.1): the mean kappa of its first updates."""

    config: Annotated[Config, Flat]
    devices: Annotated[int | None, UP_TO_THOUSAND] = None
    """Host devices on a CPU; None: one per core."""
