"""Which runs the paper's figures and tables show, and which of them are on disk."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adama_jax.config.checks import validate
from adama_jax.config.exhibits import (
    Curve,
    Exhibit,
    Length,
    check_only,
    load_exhibits,
)
from adama_jax.config.names import setting, with_settings
from adama_jax.config.reading import placed, read_axes, read_values
from adama_jax.config.reads import check_read
from adama_jax.config.schema import Config, scenario_config
from adama_jax.errors import SettingError
from adama_jax.reporting.summary import final_returns
from adama_jax.screen.words import counted
from adama_jax.storage.many import look_up, usable
from adama_jax.storage.reader import Run
from adama_jax.studies.sweep import product

# The methods that a first look trains.
CORE = ("adama", "fixed")
# The settings that `best_of` takes.
CHOSEN = (
    "rates.critic_rate",
    "rates.actor_budget",
)


class Shown(NamedTuple):
    """A run that an exhibit shows; `config` is None while it waits for another exhibit's runs."""

    label: str
    scenario: str
    config: Config | None
    waits_for: str = ""
    chosen_from: str = ""  # the exhibit whose best it is
    of_grid: bool = False  # one of several settings of a curve


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
            if curve.best_of:
                result.append(
                    _best_of(curve, exhibit, exhibits, scenario, length, results)
                )
            else:
                label = curve.label or curve.method
                configs = _configs(exhibit, curve, scenario, length)
                of_grid = len(configs) > 1
                result += [
                    Shown(
                        label,
                        scenario,
                        config,
                        chosen_from=curve.chosen_by,
                        of_grid=of_grid,
                    )
                    for config in configs
                ]
        _check_all_read(exhibit, [row for row in result if row.scenario == scenario])
    return result


def _check_all_read(exhibit: Exhibit, rows: Sequence[Shown]) -> None:
    """Check that each setting of the whole exhibit is read by one of a scenario's runs.

    Raises:
        SettingError: none reads it.
    """
    configs = [row.config for row in rows if row.config is not None]
    # What a run that is not known yet will read cannot be said.
    if configs and len(configs) == len(rows):
        given = read_values(configs[0], exhibit.settings, exhibit.name)
        with placed(exhibit.name):
            check_read(given, configs)


def best_pair(
    grid: Exhibit,
    scenario: str,
    length: Length,
    results: Path,
) -> tuple[Config | None, str]:
    """The configuration of a grid with the best mean final return, and if there is none, why.

    A setting with a diverged seed is not eligible. The grid's seeds are its own: nothing is chosen
    on the seeds shown.
    """
    if scenario not in grid.scenarios:
        return None, f"{scenario} in {grid.name}"
    configs = [
        config
        for curve in grid.curves
        for config in _configs(grid, curve, scenario, length)
    ]
    runs, _ = usable([look_up(results, config) for config in configs])
    # All or none: the best of a part of the grid would change as the grid is completed.
    lacking = len(configs) - len(runs)
    if lacking:
        return None, f"{counted(lacking, 'setting')} of {grid.name}"
    # The mean of a setting of which a seed diverged is NaN, which `nanargmax` passes over.
    scores = np.array([final_returns(run).mean() for run in runs])
    if np.isnan(scores).all():
        return None, f"a setting of {grid.name} of which no seed diverges"
    return configs[int(np.nanargmax(scores))], ""


def plan(
    experiments: Path,
    length: Length,
    only: Sequence[str],
    out: Path,
) -> list[Shown]:
    """Every run of every exhibit, each setting checked.

    Args:
        experiments: a folder of exhibits, or one of them.
        length: of this pass.
        only: scenarios to keep to; none: all.
        out: where finished runs are, for `best_of`.

    Raises:
        SettingError: a description or a setting that is not allowed, in one line.
    """
    exhibits = load_exhibits(experiments)
    check_only(only, exhibits)
    rows: list[Shown] = []
    for exhibit in exhibits.values():
        rows += shown(exhibit, exhibits, length, out, only)
    return rows


def first_look(rows: Sequence[Shown]) -> list[Shown]:
    """AdaMa and fixed rates alone, without grids and what is chosen from one."""
    found = []
    for row in rows:
        known = row.config is not None and row.config.method in CORE
        if known and not row.of_grid and not row.chosen_from:
            found.append(row)
    return found


class OnDisk(NamedTuple):
    """What there is of the runs that an exhibit shows."""

    runs: dict[str, list[Run]]  # by scenario, each under the label of its row
    missing: list[str]  # in words, a line a scenario
    # A line for each that is there and cannot be read; it is missing too.
    damaged: list[str]


def on_disk(rows: Sequence[Shown], out: Path) -> OnDisk:
    """Look every row's run up."""
    runs: dict[str, list[Run]] = {}
    names: dict[str, list[str]] = {}
    damaged: list[str] = []
    for row in rows:
        if row.config is None:
            waiting = f"{row.label} (needs {row.waits_for})"
            names.setdefault(row.scenario, []).append(waiting)
            continue
        found = look_up(out, row.config, row.label)
        if isinstance(found, Run):
            runs.setdefault(row.scenario, []).append(found)
            continue
        names.setdefault(row.scenario, []).append(row.label)
        if found is not None:
            damaged.append(found.why)
    missing = _missing(names, [row.scenario for row in rows])
    return OnDisk(runs, missing, damaged)


def chosen_from(
    rows: Sequence[Shown],
    exhibits: Mapping[str, Exhibit],
    length: Length,
    out: Path,
) -> list[Run]:
    """The runs by which what is shown was chosen (`best_of`)."""
    chosen = [row for row in rows if row.chosen_from and row.config]
    scenarios = [row.scenario for row in chosen]
    runs: list[Run] = []
    for name in dict.fromkeys(row.chosen_from for row in chosen):
        grid = shown(exhibits[name], exhibits, length, out, scenarios)
        for members in on_disk(grid, out).runs.values():
            runs += members
    return runs


def _missing(names: Mapping[str, Sequence[str]], wanted: Sequence[str]) -> list[str]:
    """What is not there, a line a scenario.

    Args:
        names: the labels that are missing, by scenario.
        wanted: the scenario of every row, missing or not.
    """
    lines = []
    for scenario, found in names.items():
        everything = len(found) == wanted.count(scenario)
        listed = f"all {len(found)}" if everything else ", ".join(_counted(found))
        lines.append(f"{scenario}: {listed}")
    return lines


def _counted(names: Sequence[str]) -> list[str]:
    """Each name once; one that is there several times is so many settings of a curve."""
    return [
        name if count == 1 else f"{count} settings of {name}"
        for name, count in Counter(names).items()
    ]


def _best_of(
    curve: Curve,
    exhibit: Exhibit,
    exhibits: Mapping[str, Exhibit],
    scenario: str,
    length: Length,
    results: Path,
) -> Shown:
    """A curve whose rates are the best of another exhibit, if that can be said already."""
    label = curve.label or curve.method
    best, waits_for = best_pair(exhibits[curve.best_of], scenario, length, results)
    base = _config(exhibit, curve, scenario, length)
    given = read_values(base, curve.settings, exhibit.name)
    with placed(exhibit.name):
        check_read(given, [base])
        for name in CHOSEN:
            if name in given:
                raise SettingError(
                    f"{name}={given[name]}: must be left out: best_of={curve.best_of} chooses it"
                )
    if best is None:
        return Shown(label, scenario, None, waits_for, curve.best_of)
    config = with_settings(base, {name: setting(best, name) for name in CHOSEN})
    return Shown(label, scenario, config, chosen_from=curve.best_of)


def _configs(
    exhibit: Exhibit,
    curve: Curve,
    scenario: str,
    length: Length,
) -> list[Config]:
    """Every combination of a curve's axes, each value read as on the command line."""
    base = _config(exhibit, curve, scenario, length)
    axes = read_axes(base, curve.axes, exhibit.name)
    configs = product(base, axes)
    for config in configs:
        validate(config)
    given = read_values(base, curve.settings, exhibit.name) | axes
    with placed(exhibit.name):
        check_read(given, configs)
    return configs


def _config(exhibit: Exhibit, curve: Curve, scenario: str, length: Length) -> Config:
    """A curve's settings over the exhibit's over the scenario's."""
    config = scenario_config(scenario)
    full = exhibit.episodes or config.episodes
    fields = {
        "method": curve.method,
        "seeds": exhibit.seeds,
        "seed": exhibit.seed,
        "episodes": length.of(full),
    }
    # Each goes before those that stand before it, by whichever names its settings are given.
    for values in (fields, exhibit.settings, curve.settings):
        read = read_values(config, values, exhibit.name)
        config = with_settings(config, read)
    # A shortened length need not be a whole number of rounds: it is rounded up to one.
    per_round = max(1, config.learning.envs_per_run)
    rounds = -(-config.episodes // per_round)
    config = replace(config, episodes=rounds * per_round)
    validate(config)
    return config
