"""Runs in the layout of marl-eval's JSON (Gorsane et al. 2022, arXiv:2209.10485).

Environment, task, algorithm, run, step: the raw data of its `data_process_pipeline`. Each point of
our curves is a step with one value of each metric; how many agents there are is nothing to it, so
that metrics with a value for each agent are left out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from adama_jax.errors import SettingError
from adama_jax.storage.reader import Run

ENVIRONMENT = "adama_jax"
RETURN = "return"  # what marl-eval's own tools call the greedy return
# Its absolute metric is the evaluation of the best policy: ours is the best point of the curve.
ABSOLUTE = "absolute_metrics"

Steps = dict[str, dict[str, Any]]


def to_marl_eval(
    runs: Sequence[Run], environment: str = ENVIRONMENT
) -> dict[str, dict[str, dict[str, dict[str, Steps]]]]:
    """The curves of runs as plain data in marl-eval's layout.

    A scenario is a task and a run's label is an algorithm; `step_count` is in steps of the world,
    all episodes of training together. `return` is the greedy return, a mean over the evaluation's
    episodes; the other metrics keep their names. A seed that diverged has NaN from there on: as
    JSON that is null, and marl-eval has to be told what it is to count as.

    Args:
        runs: of `load_runs`; marl-eval itself wants equally many seeds and points of each.
        environment: what to call the environment.

    Raises:
        SettingError: two runs of a scenario have the same label.

    >>> from adama_jax import load_runs
    >>> data = to_marl_eval(load_runs("docs/results/runs/ant_4x2"))
    >>> sorted(data["adama_jax"]["ant_4x2"])
    ['adama', 'fixed']
    >>> data["adama_jax"]["ant_4x2"]["adama"]["seed_0"]["step_0"]["step_count"]
    10000
    """
    tasks: dict[str, dict[str, dict[str, Steps]]] = {}
    for run in runs:
        # Its tools look names up in lower case.
        algorithms = tasks.setdefault(run.folder.parent.name.lower(), {})
        # And they take no commas in an algorithm's name.
        name = run.label.replace(",", "")
        if name in algorithms:
            raise SettingError(
                f"label={run.label}: must be of one run: {run.folder} has it, and one before. "
                "Give the runs labels that differ, run._replace(label=...)"
            )
        algorithms[name] = {
            f"seed_{seed}": _steps(run, row)
            for row, seed in enumerate(run.metrics["seed"].tolist())
        }
    return {environment: tasks}


def _steps(run: Run, row: int) -> Steps:
    """The points of one seed's curves."""
    curves = {}
    for name, curve in run.metrics.items():
        if curve.ndim == 2:
            curves[RETURN if name == "eval_return" else name] = curve[row]
    steps: Steps = {}
    for index, episode in enumerate(run.metrics["episode"].tolist()):
        step: dict[str, Any] = {"step_count": episode * run.config.horizon}
        for name, curve in curves.items():
            step[name] = [float(curve[index])]
        steps[f"step_{index}"] = step
    best = _best(curves[RETURN])
    steps[ABSOLUTE] = {name: [float(curve[best])] for name, curve in curves.items()}
    return steps


def _best(returns: np.ndarray) -> int:
    """The point with the highest return; the last where none is finite."""
    if not np.isfinite(returns).any():
        return len(returns) - 1
    return int(np.nanargmax(returns))
