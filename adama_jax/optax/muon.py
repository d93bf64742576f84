"""Muon: momentum made orthogonal, on matrices; Adam on what is none.

Jordan et al., Muon: An optimizer for hidden layers in neural networks (2024), by optax. Their rates
are 0.02 for matrices and 3e-4 for the rest; here, where the rate comes from outside, the second is
a share of the first.
"""

from typing import Any

import jax
import optax
from optax import contrib

ADAMS_SHARE = 3e-4 / 0.02
# Of a leaf [..., in, out]: what leads is of networks that are stacked, a matrix each.
MATRIX = contrib.MuonDimensionNumbers(reduction_axis=-2, output_axis=-1)


def muon(learning_rate: float = 1.0) -> optax.GradientTransformation:
    """Muon for all matrices, the last layer's too, as optax has it.

    >>> import jax.numpy as jnp
    >>> tx = muon()
    >>> gradients = {"w": jnp.diag(jnp.array([3.0, 2.0])), "b": jnp.ones(2)}
    >>> steps, _ = tx.update(gradients, tx.init(gradients), gradients)
    >>> round(float(steps["b"][0]), 4), bool(jnp.all(jnp.diag(steps["w"]) < -0.5))
    (-0.0221, True)
    """
    return contrib.muon(
        learning_rate,
        adam_learning_rate=ADAMS_SHARE * learning_rate,
        muon_weight_dimension_numbers=_matrices,
    )


def _matrices(params: Any) -> Any:
    """The leaves that are matrices; those of stacked biases have as many axes, and are none."""

    def kind(path: Any, leaf: Any) -> contrib.MuonDimensionNumbers | None:
        is_bias = "bias" in jax.tree_util.keystr(path[-1:])
        return MATRIX if leaf.ndim >= 2 and not is_bias else None

    return jax.tree_util.tree_map_with_path(kind, params)
