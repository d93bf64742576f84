"""`adama verify RUN`: check every file of a run's folder."""

from rich.console import Console

from adama_jax.cli import on_runs
from adama_jax.cli.words import take_nothing, take_run


def verify(words: list[str]) -> int:
    """Check the files against the digests that were written with them."""
    path, rest = take_run(words)
    take_nothing(rest)
    return on_runs.verify(path, Console())
