"""One contract for every algorithm: the registered ones, and two stochastic toys of the tests."""

from pkgutil import resolve_name

import pytest

from adama_jax.algorithms.settings import ALGORITHMS
from adama_jax.testing import check_algorithm
from tests.toy_algorithms import GAUSSIAN, REINFORCE

PATHS = [*(each.path for each in ALGORITHMS.values()), GAUSSIAN, REINFORCE]


@pytest.mark.parametrize("path", PATHS)
def test_every_algorithm_keeps_the_contract(path):
    check_algorithm(resolve_name(path))
