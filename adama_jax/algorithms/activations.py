"""Activations by name: which have second derivatives. Plain data, importable without JAX."""

SMOOTH = ("tanh", "silu", "gelu", "softplus", "elu")
