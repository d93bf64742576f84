"""The paper's figures and tables as data: TOML files that say which runs an exhibit shows."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from adama_jax.config.names import all_settings
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError


class Drawing(NamedTuple):
    """A way to draw an exhibit, as data: what draws is imported when it is used."""

    function: str
    """Import path. A figure: `(runs by scenario, title)` to a Matplotlib figure.

    A table: `(exhibit, runs)` to the text of each file by its suffix.
    """
    is_table: bool = False
    of_runs: bool = True
    """Whether it shows runs; if not, it can be drawn without any."""
    one_scenario: bool = False
    of_choice: bool = False
    """Whether its function is given `chosen_from` too: a sweep's runs on other seeds
    (`Curve.chosen_by`). A figure's then is called with `(runs by scenario, title, chosen_from)`."""


# What `draw` may be. A new drawing is a function and a line here.
DRAWINGS = {
    "returns": Drawing("adama_jax.reporting.figures:returns"),
    "actor_rates": Drawing("adama_jax.reporting.figures:actor_rates"),
    "rates": Drawing("adama_jax.reporting.figures:rates"),
    "critic_scale": Drawing(
        "adama_jax.reporting.figures:critic_scale", one_scenario=True
    ),
    "heat_map": Drawing("adama_jax.reporting.figures:heat_map"),
    "tuning_curves": Drawing(
        "adama_jax.reporting.tuning:tuning_curves", of_choice=True
    ),
    "worth": Drawing(
        "adama_jax.reporting.tuning:worth_table", is_table=True, of_choice=True
    ),
    "results": Drawing("adama_jax.reporting.exhibits:results_table", is_table=True),
    "settings": Drawing(
        "adama_jax.reporting.exhibits:settings_table", is_table=True, of_runs=False
    ),
}


# What a file says of runs: where none are drawn it would mean nothing.
OF_RUNS = {"methods", "curves", "seeds", "seed", "episodes", "settings"}


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
    """Take the critic's rate and the actors' budget that are best in that exhibit, by scenario."""
    chosen_by: str = ""
    """Of a curve with axes: the exhibit with the same runs on other seeds, by which the best of
    several is chosen."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The other exhibits that it cannot be shown without."""
        return tuple(name for name in (self.best_of, self.chosen_by) if name)


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


def paper_experiments() -> Path:
    """The folder with the paper's exhibits: that of a checkout, or the copy that is installed."""
    package = Path(__file__).parents[1]
    installed = package / "experiments"
    return installed if installed.is_dir() else package.parent / "experiments"


def load_exhibits(path: Path | None = None) -> dict[str, Exhibit]:
    """The exhibits of a folder, or of one file and those that its curves need, by name.

    Args:
        path: the folder or the file. One of the paper's, such as `experiments/locomotion`, is
            found from anywhere, if there is nothing at this path. None: the paper's folder.

    Raises:
        SettingError: nothing there, or a field that is not allowed, in one line.

    >>> exhibits = load_exhibits()
    >>> exhibits["figure3"].draw, exhibits["figure3"].episodes
    ('returns', None)
    """
    path = _found(path)
    waiting = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not waiting:
        raise SettingError(
            f"experiments={path}: must be a folder with TOML files, or one of them"
        )
    exhibits: dict[str, Exhibit] = {}
    while waiting:
        exhibit = _load(waiting.pop(0))
        exhibits[exhibit.name] = exhibit
        names = {name for curve in exhibit.curves for name in curve.needs}
        folder = path if path.is_dir() else path.parent
        waiting += [
            folder / f"{name}.toml" for name in sorted(names) if name not in exhibits
        ]
    _check_needed(exhibits)
    return exhibits


def _check_needed(exhibits: Mapping[str, Exhibit]) -> None:
    """What the exhibits that others need must be."""
    choosing = {
        exhibit.name
        for exhibit in exhibits.values()
        if any(curve.best_of for curve in exhibit.curves)
    }
    for exhibit in exhibits.values():
        for curve in exhibit.curves:
            if curve.best_of in choosing:
                raise SettingError(
                    f"{exhibit.name}: best_of={curve.best_of}: must be an exhibit without best_of"
                )
            other = exhibits.get(curve.chosen_by)
            if other is not None and _share_seeds(exhibit, other):
                raise SettingError(
                    f"{exhibit.name}: chosen_by={other.name}: must be of other seeds than those "
                    "that are reported"
                )


def _share_seeds(one: Exhibit, other: Exhibit) -> bool:
    ranges = [range(each.seed, each.seed + each.seeds) for each in (one, other)]
    return not set(ranges[0]).isdisjoint(ranges[1])


def _found(path: Path | None) -> Path:
    paper = paper_experiments()
    if path is None:
        return paper
    ours = paper.parent / path
    relative = not path.is_absolute() and path.parts[:1] == (paper.name,)
    return ours if relative and not path.exists() and ours.exists() else path


def check_only(only: Sequence[str], exhibits: Mapping[str, Exhibit]) -> None:
    """Check that each of the scenarios to keep to is one of which an exhibit shows runs.

    Raises:
        SettingError: none does.
    """
    shown: set[str] = set()
    for exhibit in exhibits.values():
        if DRAWINGS[exhibit.draw].of_runs:
            shown.update(exhibit.scenarios)
    for scenario in only:
        if scenario not in shown:
            raise SettingError(
                f"only={scenario}: must be in one of the exhibits, which show "
                f"{', '.join(sorted(shown)) or 'no runs'}"
            )


def _load(file: Path) -> Exhibit:
    try:
        # With or without the mark that some editors put before the text.
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        given = set(content)
        curves = [Curve(method) for method in content.pop("methods", [])]
        curves += [Curve(**curve) for curve in content.pop("curves", [])]
        lists = {name: tuple(content.pop(name, ())) for name in ("scenarios", "rows")}
        exhibit = Exhibit(name=file.stem, curves=tuple(curves), **lists, **content)
    except OSError:
        raise SettingError(
            f"experiments={file}: must be a folder with TOML files, or one of them"
        ) from None
    except (
        tomllib.TOMLDecodeError,
        UnicodeDecodeError,
        AttributeError,
        KeyError,
        TypeError,
    ) as error:
        raise SettingError(
            f"{file}: must be an exhibit's description: {error}"
        ) from None
    _check(exhibit, file)
    _check_used(exhibit, given, file)
    return exhibit


def _check(exhibit: Exhibit, file: Path) -> None:
    """All that needs no other file; settings are checked as configurations are made of them."""

    def check(good: bool, name: str, value: object, allowed: str) -> None:
        if not good:
            raise SettingError(f"{file}: {name}={value}: must be {allowed}")

    draw = exhibit.draw
    scenarios = exhibit.scenarios
    check(draw in DRAWINGS, "draw", draw, f"one of {', '.join(DRAWINGS)}")
    check(len(scenarios) > 0, "scenarios", [], "one or more scenarios")
    if DRAWINGS[draw].one_scenario:
        one = f"one scenario for draw={draw}"
        check(len(scenarios) == 1, "scenarios", list(scenarios), one)
    episodes = exhibit.episodes
    whole = episodes is None or _is_whole(episodes)
    check(whole, "episodes", episodes, "a number, at least 1")
    for part in (exhibit, *exhibit.curves):
        table = isinstance(part.settings, dict)
        check(table, "settings", part.settings, "a table of names and values")
    for curve in exhibit.curves:
        lists = _is_table_of_lists(curve.axes)
        check(lists, "axes", curve.axes, "a table of names and lists of values")
    known = [dict(all_settings(scenario_config(scenario))) for scenario in scenarios]
    for name in exhibit.rows:
        everywhere = all(name in settings for settings in known)
        check(everywhere, "rows", name, "full names of settings")


def _check_used(exhibit: Exhibit, given: Collection[str], file: Path) -> None:
    """Check that nothing stands in a file without meaning anything there."""

    def refuse(name: str, reason: str) -> None:
        raise SettingError(f"{file}: {name}: must be left out: {reason}")

    draw = exhibit.draw
    unused = {"rows"} if DRAWINGS[draw].of_runs else OF_RUNS
    for name in sorted(unused & set(given)):
        refuse(name, f"draw={draw} does not read it")
    if DRAWINGS[draw].of_runs and not exhibit.curves:
        raise SettingError(f"{file}: curves: must be one or more, or methods")
    for curve in exhibit.curves:
        if curve.best_of and curve.axes:
            refuse("axes", f"best_of={curve.best_of} is one run")
        if curve.chosen_by and not curve.axes:
            refuse("chosen_by", "only of a curve with axes is a best one chosen")
        if curve.chosen_by and not DRAWINGS[draw].of_choice:
            refuse("chosen_by", f"draw={draw} does not read it")
    if DRAWINGS[draw].of_choice:
        searches = [curve for curve in exhibit.curves if curve.chosen_by]
        if len(searches) != 1:
            raise SettingError(
                f"{file}: chosen_by: must be given of one curve with axes, the search"
            )


def _is_table_of_lists(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    return all(isinstance(values, list) for values in value.values())


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and value >= 1
