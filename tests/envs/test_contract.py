"""Every world of the package keeps what `Env` promises, by the check that users have for theirs."""

import jax
import pytest

from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import scenario_config
from adama_jax.execution.build import make_env
from adama_jax.testing import check_env

OURS = ("going_together", "cooperative_navigation", "predator_prey", "clustering")
OTHERS = [name for name in SCENARIOS if name not in OURS and "modern" not in name]


@pytest.mark.parametrize("name", OURS)
def test_the_paper_s_worlds(name):
    check_env(make_env(scenario_config(name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_jaxmarl_s_worlds_and_robots(name):
    # Both broadcast across ranks.
    with jax.numpy_rank_promotion("allow"):
        check_env(make_env(scenario_config(name)))
