"""Activations by name: those with second derivatives, and those without. Plain data, importable without JAX."""

SMOOTH = ("tanh", "silu", "gelu", "softplus", "elu")
PIECEWISE_LINEAR = ("relu", "leaky_relu")
