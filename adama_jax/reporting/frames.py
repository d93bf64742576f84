"""Runs as a table of pandas, or as labelled arrays of xarray, for analyses of one's own.

Both packages are of the extra `tables`, and imported when a function is called.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from adama_jax.config.names import all_settings, flat
from adama_jax.errors import needed_by
from adama_jax.storage.glance import has_its_own_world
from adama_jax.storage.reader import Run

if TYPE_CHECKING:
    import pandas
    import xarray

# Settings that the columns of a run, its seeds and its points say.
SAID_BY_COLUMNS = ("scenario", "method", "seed", "seeds")
NO_CURVES = ("episode", "seed")
AXES = ("run", "seed", "episode", "agent")


def to_dataframe(runs: Sequence[Run]) -> "pandas.DataFrame":
    """The curves of runs as a tidy table: a row for each run, seed and point.

    Columns: `run` (its folder in the results folder), `scenario`, `method` and `label`; `seed`,
    `episode` and `diverged` (whether this seed did, at whichever episode); every metric by its
    name, of a metric with a value for each agent `<name>_0`, `<name>_1` ...; every setting by its
    full name. What a run does not have is NaN.

    Args:
        runs: of `load_runs`; at least one.

    Raises:
        ValueError: there are no runs.
        MissingPackage: pandas is not installed.

    >>> from adama_jax import load_runs
    >>> frame = to_dataframe(load_runs("docs/results/runs/ant_4x2"))
    >>> frame.groupby("method").eval_return.count().to_dict()
    {'adama': 75, 'fixed': 75}
    """
    with needed_by("a table of runs"):
        import pandas
    _check_any(runs)
    measured = [_columns_of_points(run) for run in runs]
    lengths = [len(columns["episode"]) for columns in measured]
    about = pandas.DataFrame([_about(run) for run in runs])
    options = pandas.DataFrame([settings_of(run) for run in runs])
    # The settings are the same at all points of a run.
    rows = np.repeat(np.arange(len(runs)), lengths)
    parts = [
        about.iloc[rows].reset_index(drop=True),
        pandas.DataFrame(_joined(measured, lengths)),
        options.iloc[rows].reset_index(drop=True),
    ]
    return pandas.concat(parts, axis=1)


def to_dataset(runs: Sequence[Run]) -> "xarray.Dataset":
    """The curves of runs as labelled arrays, over runs, seeds, episodes and agents.

    Metrics are float32 and `[run, seed, episode]`, or with `agent` as their last axis; NaN where a
    run has no such seed, point or agent. Beside the axes, `scenario`, `method`, `label` and every
    setting by its full name are coordinates along `run`. `diverged` is bool, `[run, seed]`.

    Args:
        runs: of `load_runs`; at least one.

    Raises:
        ValueError: there are no runs.
        MissingPackage: xarray is not installed.

    >>> from adama_jax import load_runs
    >>> data = to_dataset(load_runs("docs/results/runs/ant_4x2"))
    >>> data.actor_rates.dims
    ('run', 'seed', 'episode', 'agent')
    >>> data.eval_return.isel(run=0).mean("seed").sizes["episode"]
    15
    """
    with needed_by("a dataset of runs"):
        import xarray
    _check_any(runs)
    seeds = _union([run.metrics["seed"] for run in runs])
    episodes = _union([run.metrics["episode"] for run in runs])
    curves = {name: None for run in runs for name in run.metrics}
    arrays: dict[str, Any] = {}
    for name in curves:
        if name not in NO_CURVES:
            array = _on_axes(runs, name, seeds, episodes)
            arrays[name] = (AXES[: array.ndim], array)
    diverged = [np.isin(seeds, _diverged(run)) for run in runs]
    arrays["diverged"] = (AXES[:2], np.array(diverged))
    coordinates: dict[str, Any] = {"seed": seeds, "episode": episodes}
    tables = [_about(run) | settings_of(run) for run in runs]
    names = {name: None for table in tables for name in table}
    for name in names:
        values = [table.get(name) for table in tables]
        coordinates[name] = ("run", _as_array(values))
    return xarray.Dataset(arrays, coordinates)


def settings_of(run: Run) -> dict[str, Any]:
    """The settings of a run by their full names, as plain values; several are joined by commas.

    Those apart that are columns of their own.
    """
    values = dict(all_settings(run.config))
    if not has_its_own_world(run.config):
        # Of another version's world, or somebody's own, only the file can tell.
        known = {name: each for name, each in values.items() if not _of_world(name)}
        values = known | {
            name: value for name, value in flat(run.stored) if _of_world(name)
        }
    found = {}
    for name, value in values.items():
        if name in SAID_BY_COLUMNS:
            continue
        if isinstance(value, tuple | list):
            value = ",".join(map(str, value))
        found[_column(name)] = value
    return found


def _column(name: str) -> str:
    """The run's number of episodes has a name beside the column of a point's."""
    return "run.episodes" if name == "episodes" else name


def _of_world(name: str) -> bool:
    return name.startswith("world.")


def _about(run: Run) -> dict[str, str]:
    return {
        "run": f"{run.folder.parent.name}/{run.folder.name}",
        "scenario": run.config.scenario,
        "method": run.config.method,
        "label": run.label,
    }


def _diverged(run: Run) -> list[int]:
    return [int(seed) for seed in run.meta["diverged"]]


def _columns_of_points(run: Run) -> dict[str, np.ndarray]:
    """A run's columns, seed after seed. [S * P]"""
    seeds = run.metrics["seed"]
    episodes = run.metrics["episode"]
    each_seed = np.repeat(seeds, len(episodes))
    columns = {
        "seed": each_seed,
        "episode": np.tile(episodes, len(seeds)),
        "diverged": np.isin(each_seed, _diverged(run)),
    }
    for name, curve in run.metrics.items():
        if name in NO_CURVES:
            continue
        if curve.ndim == 2:
            columns[name] = curve.ravel()
            continue
        for agent in range(curve.shape[2]):
            columns[f"{name}_{agent}"] = curve[:, :, agent].ravel()
    return columns


def _joined(
    blocks: Sequence[Mapping[str, np.ndarray]], lengths: Sequence[int]
) -> dict[str, np.ndarray]:
    """Columns of several runs as one's, NaN where a run lacks one."""
    names = {name: None for block in blocks for name in block}
    joined = {}
    for name in names:
        parts = []
        for block, length in zip(blocks, lengths, strict=True):
            parts.append(block.get(name, np.full(length, np.nan, np.float32)))
        joined[name] = np.concatenate(parts)
    return joined


def _on_axes(
    runs: Sequence[Run], name: str, seeds: np.ndarray, episodes: np.ndarray
) -> np.ndarray:
    """A metric of all runs. [runs, seeds, episodes] or [runs, seeds, episodes, agents]"""
    curves = [run.metrics.get(name) for run in runs]
    beyond = [curve.shape[2:] for curve in curves if curve is not None]
    shape = (len(runs), len(seeds), len(episodes), *max(beyond))
    array = np.full(shape, np.nan, np.float32)
    for row, (run, curve) in enumerate(zip(runs, curves, strict=True)):
        if curve is None:
            continue
        own_seeds = np.searchsorted(seeds, run.metrics["seed"])
        own_episodes = np.searchsorted(episodes, run.metrics["episode"])
        agents = [np.arange(count) for count in curve.shape[2:]]
        array[row][np.ix_(own_seeds, own_episodes, *agents)] = curve
    return array


def _union(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """All values that are in one of them, in order."""
    return np.unique(np.concatenate(arrays))


def _as_array(values: Sequence[Any]) -> np.ndarray:
    """Values of all runs as an array that netCDF takes too: texts, numbers or booleans."""
    if all(isinstance(value, bool) for value in values):
        return np.array(values)
    if all(value is None or _is_number(value) for value in values):
        return np.array([np.nan if value is None else value for value in values])
    return np.array([str(value) for value in values])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_any(runs: Sequence[Run]) -> None:
    if not runs:
        raise ValueError("runs: must be one or more")
