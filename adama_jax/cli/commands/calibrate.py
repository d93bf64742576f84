"""`adama calibrate SCENARIO`: a trial run that finds a value for m (section 4.4.1)."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from adama_jax.bounds import OneOf
from adama_jax.cli.options import CalibrateCommand
from adama_jax.cli.training import prepare
from adama_jax.cli.words import check_scenario, take_scenario
from adama_jax.config.command_line import read_words, with_given
from adama_jax.config.identity import world_name
from adama_jax.config.methods import METHODS
from adama_jax.config.options import Output, Training
from adama_jax.config.reads import check_read
from adama_jax.config.schema import Config, scenario_config
from adama_jax.errors import SettingError
from adama_jax.fields import as_given
from adama_jax.rates.settings import RateOptions
from adama_jax.screen.console import Screen
from adama_jax.screen.words import counted
from adama_jax.studies.calibrate import Trial

MOST_ROWS = 10  # of the table
BAR = 24  # characters of the longest bar


def calibrate(words: list[str]) -> int:
    """Run the trial and print what it found."""
    scenario, rest = take_scenario(words)
    default = CalibrateCommand(scenario_config(scenario))
    values = read_words(default, rest, f"adama calibrate {scenario}")
    command = with_given(default, values)
    check_scenario(command.config, scenario)
    _check_trial_reads(values, command.config)
    # The trial writes nothing: the folder only has to pass the checks.
    prepare([command.config], Output(Path.cwd(), Training(devices=command.devices)))
    from adama_jax.studies.calibrate import trial

    console = Screen()
    console.say(f"{world_name(command.config)}: compiling and running a trial ...")
    return print_trial(command.config, trial(command.config), console)


def _check_trial_reads(values: Mapping[str, object], config: Config) -> None:
    """Check that a trial reads the settings that were given.

    Raises:
        SettingError: it does not read one.
    """
    # Of a whole run K is read with m=auto alone; a trial always has so many updates.
    rest = {
        name: value for name, value in values.items() if name != "rates.trial_updates"
    }
    for name in rest:
        if name == "episodes" or name.startswith("evaluation."):
            raise SettingError(
                f"{name}={as_given(values[name])}: must be left out: a trial has K updates "
                "(trial_updates) and no evaluation"
            )
    check_read(rest, [config])
    if "critic_scale" not in METHODS[config.method].reads:
        of_m = [name for name, each in METHODS.items() if "critic_scale" in each.reads]
        raise SettingError(
            f"method={config.method}: must be one that reads m, {OneOf(of_m).words}"
        )


def print_trial(config: Config, result: Trial, console: Screen) -> int:
    """Print kappa's mean, spread and curve, and the m to use.

    Returns:
        The exit code: 1 if no seed stayed finite.
    """
    finite = np.isfinite(result.means)
    if not finite.any():
        console.say(
            "kappa is not finite in any seed: the rates are too large for this world",
            style="red",
        )
        return 1
    if not finite.all():
        console.say(
            f"{sum(~finite)} of {len(finite)} seeds are not finite and left out"
        )
    length = counted(result.episodes, "episode")
    title = f"{world_name(config)}, {config.label}: kappa in {length}"
    console.show(
        _curve(result.critic_term[finite], title, config.learning.envs_per_run)
    )
    means = result.means[finite]
    deviation = means.std(ddof=1) if means.size > 1 else 0
    console.say(
        f"Mean over {result.updates} updates: {result.scale:.3g}; by seed "
        f"{means.min():.3g} to {means.max():.3g}, standard deviation {deviation:.2g}."
    )
    _print_advice(result.scale, config.rates, console)
    return 0


def _print_advice(found: float, rates: RateOptions, console: Screen) -> None:
    """What to do with the mean that was found, and why."""
    used = rates.critic_scale
    if used == "auto":
        console.say("m=auto, which is in use, takes this mean within the run.")
        return
    if found == 0:
        console.say("kappa is zero throughout: no m can be found from it.")
        return
    console.say(
        f"Use m={found:.3g} (now {used}), or m=auto, which takes the mean within the run."
    )
    share = found / used
    if rates.clip <= share <= 1 - rates.clip:
        return
    bound = "least" if share < rates.clip else "most"
    console.say(
        f"At the m in use kappa / m is {share:.2g}, beyond its bounds, {rates.clip:g} and "
        f"{1 - rates.clip:g}: the critic's rate goes to its {bound} and cannot adapt "
        "(section 4.4.1)."
    )


def _curve(critic_term: np.ndarray, title: str, episodes_per_round: int) -> Table:
    """kappa's mean and range over seeds in stretches of the trial.

    Args:
        critic_term: of the finite seeds, a column a round. [S, rounds]
        title: of the table.
        episodes_per_round: what a column stands for.
    """
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
    table.add_column("episodes", justify="left")
    for heading in ("mean", "least", "most"):
        table.add_column(heading, justify="right")
    table.add_column("", justify="left")
    # A short trial has fewer rounds than the table has rows.
    edges = np.unique(np.linspace(0, critic_term.shape[1], MOST_ROWS + 1).astype(int))
    stretches = [
        (start, critic_term[:, start:stop].mean(axis=1))
        for start, stop in pairwise(edges)
    ]
    top = max(float(values.max()) for _, values in stretches)
    for (start, values), stop in zip(stretches, edges[1:], strict=True):
        length = 0
        if top > 0:
            share = float(values.mean()) / top
            length = max(1, round(BAR * share))
        table.add_row(
            f"{start * episodes_per_round + 1}-{stop * episodes_per_round}",
            f"{values.mean():.3g}",
            f"{values.min():.3g}",
            f"{values.max():.3g}",
            "█" * length,
        )
    return table
