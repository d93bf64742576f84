"""The paper's figures and tables as data: TOML files that say which runs an exhibit shows, read and checked here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adama_jax.cli.options import TrainCommand
from adama_jax.config.checks import validate
from adama_jax.config.exhibits import Curve, Exhibit, Length
from adama_jax.config.names import setting, with_settings
from adama_jax.config.reading import parse, read_axes
from adama_jax.config.schema import Config, scenario_config
from adama_jax.reporting.summary import final_returns
from adama_jax.storage.folder import run_folder
from adama_jax.storage.reader import has_run, load_run
from adama_jax.studies.sweep import product

GRID = ("rates.critic_rate", "rates.actor_budget")  # what `best_of` takes


class Shown(NamedTuple):
    """A run that an exhibit shows; `config` is None while it waits for another exhibit's runs."""

    label: str
    scenario: str
    config: Config | None
    waits_for: str = ""
    chosen_from: str = ""  # the exhibit whose best it is


def shown(
    exhibit: Exhibit,
    exhibits: Mapping[str, Exhibit],
    length: Length,
    results: Path,
    only: Sequence[str] = (),
) -> list[Shown]:
    """Every run of an exhibit, scenario by scenario.

    Args:
        exhibit: the one.
        exhibits: all, for `best_of`.
        length: of this pass.
        results: where finished runs are, for `best_of`.
        only: scenarios to keep to; none: all.

    Raises:
        SettingError: a setting that is not allowed.
    """
    result: list[Shown] = []
    for scenario in exhibit.scenarios:
        if only and scenario not in only:
            continue
        for curve in exhibit.curves:
            label = curve.label or curve.method
            if curve.best_of:
                best, lacking = best_pair(exhibits[curve.best_of], scenario, length, results)
                base = _config(exhibit, curve, scenario, length)
                chosen = (
                    None
                    if best is None
                    else with_settings(base, {name: setting(best, name) for name in GRID})
                )
                result.append(Shown(label, scenario, chosen, lacking, curve.best_of))
            else:
                result += [
                    Shown(label, scenario, config)
                    for config in _configs(exhibit, curve, scenario, length)
                ]
    return result


def _configs(exhibit: Exhibit, curve: Curve, scenario: str, length: Length) -> list[Config]:
    """Every combination of a curve's axes, each value read as on the command line."""
    base = _config(exhibit, curve, scenario, length)
    configs = product(base, read_axes(curve.axes, TrainCommand(base), exhibit.name))
    for config in configs:
        validate(config)
    return configs


def best_pair(
    grid: Exhibit, scenario: str, length: Length, results: Path
) -> tuple[Config | None, str]:
    """The configuration of a grid with the best mean final return, and if there is none yet, why.

    A setting with a diverged seed is not eligible. The grid's seeds are its own: nothing is chosen on the seeds shown.
    """
    if scenario not in grid.scenarios:
        return None, f"{scenario} in {grid.name}"
    configs = [
        config for curve in grid.curves for config in _configs(grid, curve, scenario, length)
    ]
    lacking = sum(not has_run(results, config) for config in configs)
    if lacking:
        return None, f"{lacking} settings of {grid.name}"
    runs = [load_run(run_folder(results, config)) for config in configs]
    scores = np.array([final_returns(run).mean() for run in runs])  # NaN where a seed diverged
    if np.isnan(scores).all():
        return None, f"a setting of {grid.name} of which no seed diverges"
    return configs[int(np.nanargmax(scores))], ""


def _config(exhibit: Exhibit, curve: Curve, scenario: str, length: Length) -> Config:
    default = TrainCommand(scenario_config(scenario))
    full = exhibit.episodes or default.config.episodes
    values = {
        "method": curve.method,
        "seeds": exhibit.seeds,
        "seed": exhibit.seed,
        "episodes": length.of(full),
    }
    words = [
        f"{name}={value}"
        for name, value in {**values, **exhibit.settings, **curve.settings}.items()
    ]
    config = parse(TrainCommand, default, words, exhibit.name).config
    together = max(1, config.learning.envs_per_run)
    config = replace(config, episodes=-(-config.episodes // together) * together)
    validate(config)
    return config
