"""Contracts: what the package asks of a rule, a world, an algorithm, a critic, an optimizer.

Plain functions that raise `AssertionError` with a sentence about the promise that is broken. They
compute small things on small sizes, in seconds on one core; they need no pytest, and are called
from a test of any kind:

    from adama_jax.testing import check_rule
    from mypackage.rules import warm

    def test_my_rule():
        check_rule(warm())

What is checked by shapes alone is checked of all code from outside before a run begins.
"""

from adama_jax.errors import needed_by

with needed_by(__name__):
    from adama_jax.testing.algorithms import check_algorithm, check_critic
    from adama_jax.testing.envs import check_env
    from adama_jax.testing.optimizers import check_optimizer
    from adama_jax.testing.rules import check_rule

__all__ = [
    "check_algorithm",
    "check_critic",
    "check_env",
    "check_optimizer",
    "check_rule",
]
