"""`adama scenarios` and `adama methods`: a line each."""

from adama_jax.cli.words import take_nothing
from adama_jax.config.methods import METHODS
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.plugins.names import names_of
from adama_jax.screen.streams import write_line


def methods(words: list[str]) -> int:
    """The learning-rate methods."""
    take_nothing(words)
    rows = {}
    for name, method in METHODS.items():
        rows[name] = (f"{method.optimizer}: {method.summary}", method.source)
    return _print(rows | _outside("method"))


def scenarios(words: list[str]) -> int:
    """The worlds."""
    take_nothing(words)
    rows = {name: (each.summary, each.source) for name, each in SCENARIOS.items()}
    return _print(rows | _outside("scenario"))


def _outside(kind: str) -> dict[str, tuple[str, str]]:
    """Names that installed packages give; nothing of them is imported to be listed."""
    return {name: ("from outside", path) for name, path in names_of(kind).items()}


def _print(rows: dict[str, tuple[str, str]]) -> int:
    """A name, what it is, and where it comes from."""
    width = max(len(name) for name in rows)
    for name, (summary, source) in rows.items():
        write_line(f"{name:{width}}  {summary}  [{source}]")
    return 0
