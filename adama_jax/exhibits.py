"""The paper's figures and tables as data: TOML files that say which runs an exhibit shows, read and checked here."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adama_jax.arguments import parse, read_axes
from adama_jax.commands import TrainCommand
from adama_jax.config import Config, ConfigError, scenario_config
from adama_jax.settings import all_settings, setting, with_settings
from adama_jax.store import has_run, load_run, run_folder
from adama_jax.summary import final_returns
from adama_jax.sweep import product
from adama_jax.validation import validate

GRID = ("rates.critic_rate", "rates.actor_budget")  # what `best_of` takes
DRAWINGS = ("returns", "actor_rates", "rates", "critic_scale", "heat_map", "results", "settings")


@dataclass(frozen=True)
class Curve:
    """One method with settings, on every scenario of an exhibit."""

    method: str
    label: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """By the names that the command line takes."""
    axes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Settings with several values: every combination is a run."""
    best_of: str = ""
    """Take the critic's rate and the actors' budget that are best in that exhibit, scenario by scenario."""


@dataclass(frozen=True)
class Exhibit:
    """A figure or table. A file `figure3.toml` holds these fields, `name` excepted."""

    name: str
    title: str
    draw: str
    scenarios: tuple[str, ...]
    curves: tuple[Curve, ...] = ()
    seeds: int = 5
    seed: int = 0
    episodes: int | None = None
    """None: the scenario's full length."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """For all curves."""
    rows: tuple[str, ...] = ()
    """Of `settings`: what to list, by full names."""


class Shown(NamedTuple):
    """A run that an exhibit shows; `config` is None while it waits for another exhibit's runs."""

    label: str
    scenario: str
    config: Config | None
    waits_for: str = ""
    chosen_from: str = ""  # the exhibit whose best it is


class Length(NamedTuple):
    """A shorter pass: `scale` of the full length, and no run above `most` episodes."""

    scale: float = 1.0
    most: int | None = None

    def of(self, episodes: int) -> int:
        """Episodes of a run whose full length is given.

        >>> Length(0.05).of(50_000), Length(1.0, 20_000).of(50_000), Length(1.0, 20_000).of(8_000)
        (2500, 20000, 8000)
        >>> Length(0.05, 20_000).of(50_000), Length(2.0, 20_000).of(50_000)
        (2500, 20000)
        """
        scaled = max(1, round(self.scale * episodes))
        return scaled if self.most is None else min(scaled, self.most)


def load_exhibits(path: Path) -> dict[str, Exhibit]:
    """The exhibits of a folder, or of one file with those that its curves name in `best_of`, by name.

    Raises:
        ConfigError: nothing there, or a field that is not allowed, in one line.
    """
    waiting = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not waiting:
        raise ConfigError(f"experiments={path}: must be a folder with TOML files, or one of them")
    exhibits: dict[str, Exhibit] = {}
    while waiting:
        exhibit = _load(waiting.pop(0))
        exhibits[exhibit.name] = exhibit
        names = {curve.best_of for curve in exhibit.curves if curve.best_of}
        folder = path if path.is_dir() else path.parent
        waiting += [folder / f"{name}.toml" for name in sorted(names) if name not in exhibits]
    choosing = {exhibit.name for exhibit in exhibits.values() if any(curve.best_of for curve in exhibit.curves)}
    for exhibit in exhibits.values():
        for curve in exhibit.curves:
            if curve.best_of in choosing:
                raise ConfigError(f"{exhibit.name}: best_of={curve.best_of}: must be an exhibit without best_of")
    return exhibits


def _load(file: Path) -> Exhibit:
    try:
        content = tomllib.loads(file.read_text())
        curves = [Curve(method) for method in content.pop("methods", [])]
        curves += [Curve(**curve) for curve in content.pop("curves", [])]
        lists = {name: tuple(content.pop(name, ())) for name in ("scenarios", "rows")}
        exhibit = Exhibit(name=file.stem, curves=tuple(curves), **lists, **content)
    except OSError:
        raise ConfigError(f"experiments={file}: must be a folder with TOML files, or one of them") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ConfigError(f"{file}: must be an exhibit's description: {error}") from None
    _check(exhibit, file)
    return exhibit


def _check(exhibit: Exhibit, file: Path) -> None:
    """Everything that needs no other file; settings and their values are checked by making the configurations."""

    def check(good: bool, name: str, value: object, allowed: str) -> None:
        if not good:
            raise ConfigError(f"{file}: {name}={value}: must be {allowed}")

    check(exhibit.draw in DRAWINGS, "draw", exhibit.draw, f"one of {', '.join(DRAWINGS)}")
    check(len(exhibit.scenarios) > 0, "scenarios", [], "one or more scenarios")
    if exhibit.draw == "critic_scale":
        check(len(exhibit.scenarios) == 1, "scenarios", list(exhibit.scenarios), "one scenario for draw=critic_scale")
    check(exhibit.episodes is None or _is_whole(exhibit.episodes), "episodes", exhibit.episodes, "a number, at least 1")
    for place in (exhibit, *exhibit.curves):
        check(isinstance(place.settings, dict), "settings", place.settings, "a table of names and values")
    for curve in exhibit.curves:
        lists = isinstance(curve.axes, dict) and all(isinstance(values, list) for values in curve.axes.values())
        check(lists, "axes", curve.axes, "a table of names and lists of values")
    known = [dict(all_settings(scenario_config(scenario))) for scenario in exhibit.scenarios]
    for name in exhibit.rows:
        check(all(name in settings for settings in known), "rows", name, "full names of settings")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and value >= 1


def shown(
    exhibit: Exhibit, exhibits: Mapping[str, Exhibit], length: Length, results: Path, only: Sequence[str] = ()
) -> list[Shown]:
    """Every run of an exhibit, scenario by scenario.

    Args:
        exhibit: the one.
        exhibits: all, for `best_of`.
        length: of this pass.
        results: where finished runs are, for `best_of`.
        only: scenarios to keep to; none: all.

    Raises:
        ConfigError: a setting that is not allowed.
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
                chosen = None if best is None else with_settings(base, {name: setting(best, name) for name in GRID})
                result.append(Shown(label, scenario, chosen, lacking, curve.best_of))
            else:
                result += [Shown(label, scenario, config) for config in _configs(exhibit, curve, scenario, length)]
    return result


def _configs(exhibit: Exhibit, curve: Curve, scenario: str, length: Length) -> list[Config]:
    """Every combination of a curve's axes, each value read as on the command line."""
    base = _config(exhibit, curve, scenario, length)
    configs = product(base, read_axes(curve.axes, TrainCommand(base), exhibit.name))
    for config in configs:
        validate(config)
    return configs


def best_pair(grid: Exhibit, scenario: str, length: Length, results: Path) -> tuple[Config | None, str]:
    """The configuration of a grid with the best mean final return, and if there is none yet, why.

    A setting with a diverged seed is not eligible. The grid's seeds are its own: nothing is chosen on the seeds shown.
    """
    if scenario not in grid.scenarios:
        return None, f"{scenario} in {grid.name}"
    configs = [config for curve in grid.curves for config in _configs(grid, curve, scenario, length)]
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
    values = {"method": curve.method, "seeds": exhibit.seeds, "seed": exhibit.seed, "episodes": length.of(full)}
    words = [f"{name}={value}" for name, value in {**values, **exhibit.settings, **curve.settings}.items()]
    config = parse(TrainCommand, default, words, exhibit.name).config
    together = max(1, config.learning.envs_per_run)
    config = replace(config, episodes=-(-config.episodes // together) * together)
    validate(config)
    return config
