"""Activations by name: which have second derivatives. Plain data, importable without JAX."""

SMOOTH = ("tanh", "silu", "gelu", "softplus", "elu")


def is_curved(critic: str, activation: str) -> bool:
    """Whether a critic has second derivatives in the actions that are not zero almost everywhere.

    >>> is_curved("joint", "relu"), is_curved("joint", "tanh"), is_curved("attention", "relu")
    (False, True, True)
    """
    return activation in SMOOTH or critic == "attention"  # whose softmax bends
