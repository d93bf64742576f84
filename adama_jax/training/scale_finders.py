"""Optimizers that find their learning rate: at a rate of 1, nobody chooses one.

Each is there twice: for every agent by itself, and `_global`, where one scale is found for all
actors. The critic has a scale of its own in both, since it descends another loss. All but TRAC are
optax's, as optax has them, with its defaults:

* prodigy: Mishchenko and Defazio, Prodigy (ICML 2024);
* dadapt_adamw: Defazio and Mishchenko, Learning-Rate-Free Learning by D-Adaptation (ICML 2023);
* dog: Ivgi, Hinder and Carmon, DoG is SGD's Best Friend (ICML 2023); dowg: Khaled, Mishchenko and
  Jin, DoWG Unleashed (NeurIPS 2023);
* cocob: Orabona and Tommasi, Training Deep Networks without Learning Rates (NeurIPS 2017); it
  bets on each parameter by itself, so that there is no global one;
* mechanic: Cutkosky, Defazio and Mehta, Mechanic (NeurIPS 2023), on Adam;
* trac: `adama_jax.optax.trac`, on Adam at a rate of 0.001, as its authors run it.
"""

from collections.abc import Callable
from typing import Any

import optax
from optax import contrib

from adama_jax.optax.per_agent import per_agent
from adama_jax.optax.trac import trac as scaled_by_trac
from adama_jax.training.optimizers import Optimizer

Make = Callable[[], Any]  # a transformation of optax's

TRACS_ADAM = 1e-3


def _of_each_agent(make: Make) -> Optimizer:
    found = make()
    return Optimizer(per_agent(found), found, others=_for_others())


def _of_all_agents(make: Make) -> Optimizer:
    # It sees the stacked actors as one tree of parameters.
    found = make()
    return Optimizer(found, found, others=_for_others(), couples_agents=True)


def _for_others() -> optax.GradientTransformation:
    """For what has a rate of its own, such as a temperature: no scale is to be found there."""
    return optax.adam(1.0)


def _pair(make: Make) -> tuple[Callable[[], Optimizer], Callable[[], Optimizer]]:
    return lambda: _of_each_agent(make), lambda: _of_all_agents(make)


prodigy, prodigy_global = _pair(contrib.prodigy)
dadapt_adamw, dadapt_adamw_global = _pair(contrib.dadapt_adamw)
dog, dog_global = _pair(contrib.dog)
dowg, dowg_global = _pair(contrib.dowg)
mechanic, mechanic_global = _pair(lambda: contrib.mechanize(optax.adam(1.0)))
trac, trac_global = _pair(lambda: scaled_by_trac(optax.adam(TRACS_ADAM)))


def cocob() -> Optimizer:
    """Of each parameter by itself."""
    return _of_each_agent(contrib.cocob)
