"""Floating-point operations of matrix products, counted in a traced program.

    .venv/bin/python -m benchmarks.operations

Prints what an update of each algorithm costs, beside MADDPG's: the table of
docs/reference/algorithms.md. Nothing is compiled or timed.
"""

import math
import statistics
from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn

from adama_jax.algorithms.settings import ALGORITHMS
from adama_jax.config.names import with_settings
from benchmarks.programs import STEPS, config, update_program

CONTINUOUS = tuple(
    name for name, entry in ALGORITHMS.items() if entry.actions == "continuous"
)


def operations(function: Callable[..., Any], *arguments: Any) -> float:
    """Of one call: a multiplication and an addition for each product of two numbers.

    A scan counts its body as often as it runs. Of a condition the mean of its branches counts, as
    if each were taken equally often.

    >>> import jax.numpy as jnp
    >>> x = jnp.zeros((2, 3))
    >>> operations(lambda x: x @ x.T, x)
    24.0
    >>> operations(jax.vmap(lambda row: row @ row), x)
    12.0
    """
    return _of_program(jax.make_jaxpr(function)(*arguments).jaxpr)


def _of_program(program: Jaxpr) -> float:
    return sum(map(_of_equation, program.eqns))


def _of_equation(equation: JaxprEqn) -> float:
    name = equation.primitive.name
    if name == "dot_general":
        return _of_product(equation)
    inner = [_of_program(each) for each in _programs(equation)]
    if name == "cond":
        return statistics.mean(inner)
    if name == "scan":
        return equation.params["length"] * sum(inner)
    if name == "while" and sum(inner):
        raise ValueError("a while loop with matrix products: nobody knows how many")
    return sum(inner)


def _of_product(equation: JaxprEqn) -> float:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left: Any = equation.invars[0].aval
    result: Any = equation.outvars[0].aval
    terms = math.prod(left.shape[axis] for axis in contracted)
    return 2.0 * terms * math.prod(result.shape)


def _programs(equation: JaxprEqn) -> list[Jaxpr]:
    """The programs inside a step of a program."""
    found = []
    for value in equation.params.values():
        several = value if isinstance(value, tuple | list) else [value]
        for each in several:
            if isinstance(each, ClosedJaxpr):
                found.append(each.jaxpr)
            elif isinstance(each, Jaxpr):
                found.append(each)
    return found


def of_an_update(algorithm: str) -> float:
    """Of a train step of AdaMa in predator-prey, with Table 1's networks and minibatch."""
    setting = with_settings(config("adama"), {"algorithm": algorithm})
    program, state = update_program(setting, whole=True)
    return operations(program, state) / STEPS


def main() -> None:
    maddpg = of_an_update("maddpg")
    print(f"maddpg: {maddpg / 1e6:.0f} million operations an update")
    for name in CONTINUOUS:
        print(f"{name:8s} {of_an_update(name) / maddpg:.2f}")


if __name__ == "__main__":
    main()
