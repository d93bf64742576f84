# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Train on MPE
#
# A small run of AdaMa and of fixed rates in *going together*: two agents reach one landmark without
# leaving each other. Some hundred episodes and three seeds are for a look, not for a result; `make
# experiment` runs the full length.

# %%
import dataclasses
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from IPython.display import Image, display

from adama_jax import load_run, run, run_folder, scenario_config, set_up_jax
from adama_jax.reporting import figures, film, summary, tables

set_up_jax()
results = Path(tempfile.mkdtemp())

# %% [markdown]
# A configuration is a frozen dataclass with the scenario's settings of Table 1; change what you
# like.

# %%
base = dataclasses.replace(scenario_config("going_together"), seeds=3, episodes=1000)
base

# %% [markdown]
# All seeds of a method are one compiled program. What `run` leaves in the results folder is all
# that the figures need.

# %%
configs = [dataclasses.replace(base, method=method) for method in ("adama", "fixed")]
for config in configs:
    diverged = run([config], results)
    print(config.method, "finished; diverged:", diverged)
runs = [load_run(run_folder(results, config)) for config in configs]

# %%
figures.returns({"going_together": runs})
plt.show()

# %% [markdown]
# The critic's rate $l_c$ and the norm of the actors' rates move with $\kappa$ in AdaMa, and their
# sum stays; who of the actors gets how much is the second picture.

# %%
figures.rates({"going_together": runs})
figures.actor_rates({"going_together": runs[:1]})
plt.show()

# %% [markdown]
# What was measured, with intervals over the seeds. Three seeds make them wide.

# %%
print(tables.markdown(summary.summarise(runs)))

# %% [markdown]
# Greedy episodes of the trained actors: discs are agents, the square is the landmark.

# %%
path = film.run_gif(runs[0], results / "rollout.gif")
display(Image(path.read_bytes()))
