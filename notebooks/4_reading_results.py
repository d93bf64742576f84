# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Reading results
#
# `make reproduce` fills `results/`; the thinned arrays behind the published figures are in
# `docs/results/runs` of the repository, in the same form. This notebook goes from there to the
# paper's figures, and to one of your own.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from adama_jax import Length, find_run, load_exhibits, shown
from adama_jax.reporting import figures, statistics, summary, tables

# The repository, from wherever in it the notebook is run.
root = Path.cwd()
while not (root / "experiments").is_dir():
    root = root.parent
results = root / "docs" / "results" / "runs"
exhibits = load_exhibits()
list(exhibits)

# %% [markdown]
# An exhibit says which runs it shows. Those that are on disk are read back with their settings,
# machine and commit.

# %%
length = Length(most=20_000)  # the published runs are this long
panels = {}
for row in shown(exhibits["figure3"], exhibits, length, results):
    found = None
    if row.config is not None:
        found = find_run(results, row.config, row.label)
    if found is not None:
        panels.setdefault(row.scenario, []).append(found)
    else:
        print("not on disk:", row.label, "in", row.scenario)

# %%
figures.returns(panels, "Figure 3, from the repository's runs")
plt.show()

# %% [markdown]
# The same numbers as a table: final returns with the interquartile mean and a bootstrap interval
# over the seeds.

# %%
runs = []
for panel in panels.values():
    runs += panel
print(tables.markdown(summary.summarise(runs)))

# %% [markdown]
# A question of our own: over all scenarios, how likely is a run of each method to end above one of
# fixed rates? Ranks need no common scale, so scenarios can be averaged.

# %%
labels = list(dict.fromkeys(run.label for run in runs if run.label != "fixed"))
# Final returns by label, of the scenarios in which every method was run.
finals = []
for panel in panels.values():
    scores = {run.label: summary.final_returns(run) for run in panel}
    if {*labels, "fixed"} <= set(scores):
        finals.append(scores)

for label in labels if finals else []:
    ours = np.stack([scores[label] for scores in finals], axis=1)
    theirs = np.stack([scores["fixed"] for scores in finals], axis=1)
    better = statistics.probability_of_improvement(ours, theirs)
    low, high = statistics.improvement_interval(ours, theirs)
    print(f"{label:12} {better:.2f} [{low:.2f}, {high:.2f}]")

# %%
first = runs[0]
print(
    first.label,
    first.config.scenario,
    "commit",
    first.meta["git_commit"],
    "on",
    first.meta["device"]["kind"],
)
