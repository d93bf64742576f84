"""What lies on disk, and whether it is whole. No JAX program."""
