"""Worlds of JaxMARL's MPE, and the paper's four."""
