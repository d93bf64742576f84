"""Results as a table: which method ended how high, and what it cost, with pandas and xarray.

    python examples/read_results.py [FOLDER]

FOLDER is a results folder, a scenario's or a run's (default: the published runs of predator-prey).
Nothing is trained. `pip install '.[tables]'` in the clone brings pandas and xarray.
"""

import sys
from pathlib import Path

import numpy as np

from adama_jax import AdamaError, load_runs, to_dataframe, to_dataset

PUBLISHED = Path(__file__).parents[1] / "docs" / "results" / "runs" / "predator_prey"
LAST_PART = 0.1  # final return: the mean over the last tenth of a curve


def final_returns(frame):
    """The mean greedy return over the end of each seed's curve, a row for each seed."""
    start = (1 - LAST_PART) * frame["run.episodes"]
    end = frame[frame.episode > start]
    by_seed = end.groupby(["run", "label", "run.episodes", "seed"])
    finals = by_seed.agg(
        final=("eval_return", "mean"), diverged=("diverged", "any")
    ).reset_index()
    # Seeds that diverged are counted, not averaged.
    finals["final"] = finals["final"].where(~finals["diverged"])
    return finals


def table_of_methods(frame):
    """A row for each run, the best first among runs of a length."""
    by_run = final_returns(frame).groupby(["run", "label", "run.episodes"])
    table = by_run.agg(
        mean=("final", "mean"),
        deviation=("final", "std"),
        seeds=("seed", "count"),
        diverged=("diverged", "sum"),
    ).reset_index()
    # Runs of one label differ in a setting.
    differing = settings_that_differ(frame)
    settings = (
        frame.groupby("run")[differing]
        .first()
        .drop(columns="run.episodes", errors="ignore")
    )
    table = table.join(settings, on="run").drop(columns="run")
    return table.sort_values(["run.episodes", "mean"], ascending=False)


def settings_that_differ(frame):
    """The names of the settings that are not the same in all runs."""
    # A setting's name has a dot: rates.clip, learning.batch_size.
    settings = [name for name in frame.columns if "." in name]
    return [name for name in settings if frame[name].nunique(dropna=False) > 1]


def share_of_rates(data, run):
    """How a run's rates were shared among its agents in the end, the mean over seeds. [N]"""
    # A seed has points only where its run does; NaN elsewhere is left out by `mean`.
    rates = data.actor_rates.isel(run=run).dropna("episode", how="all")
    last = rates.isel(episode=-1).mean("seed").dropna("agent")
    return np.round((last / np.linalg.norm(last)).values, 2)


def main(folder):
    """Print the table, what was varied, and how AdaMa shared its rates."""
    # A run that cannot be read is named, and costs itself alone.
    runs = load_runs(folder, report=print)
    frame = to_dataframe(runs)
    print(f"{len(frame):,} points of {frame.run.nunique()} runs\n")
    print(table_of_methods(frame).to_string(index=False, float_format="{:.3g}".format))
    print("\nsettings that differ:", ", ".join(settings_that_differ(frame)) or "none")

    data = to_dataset(runs)
    sizes = ", ".join(f"{size} {name}s" for name, size in data.sizes.items())
    print(f"\nthe same as labelled arrays: {sizes}")
    for run, label in enumerate(data.label.values):
        if label.startswith("adama"):
            print(f"{label}: rates of its agents {share_of_rates(data, run)}")
            break


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLISHED)
    except AdamaError as error:
        sys.exit(f"error: {error}")
