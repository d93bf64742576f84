"""One contract for every algorithm: the registered ones, and two stochastic toys of the tests."""

from pkgutil import resolve_name

import pytest

from adama_jax.algorithms.settings import ALGORITHMS
from adama_jax.testing import check_algorithm
from tests.toy_algorithms import GAUSSIAN, REINFORCE

# They take seconds to compile; their shapes are in test_combinations.
SLOW = ("masac", "maac", "coma")
PATHS = [
    pytest.param(each.path, marks=pytest.mark.slow if name in SLOW else ())
    for name, each in ALGORITHMS.items()
]


@pytest.mark.parametrize("path", [*PATHS, GAUSSIAN, REINFORCE])
def test_every_algorithm_keeps_the_contract(path):
    check_algorithm(resolve_name(path))
