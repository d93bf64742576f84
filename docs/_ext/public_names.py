"""The coverage check: every public name has its entry in the reference, or the build warns.

`make docs` makes errors of warnings.
"""

from collections.abc import Container

from sphinx.util import logging

import adama_jax

logger = logging.getLogger(__name__)


def home_of(name: str) -> str:
    """The full name under which a public name is documented: that of its own module.

    >>> home_of("adama")
    'adama_jax.rates.rules.adama'
    """
    thing = getattr(adama_jax, name)
    return f"{thing.__module__}.{thing.__qualname__}"


def undocumented(entries: Container[str]) -> list[str]:
    """The names of `adama_jax.__all__` that have no entry among these."""
    return [name for name in adama_jax.__all__ if home_of(name) not in entries]


def check(app, env) -> None:
    """Warn of every name that has no entry."""
    for name in undocumented(env.get_domain("py").objects):
        logger.warning("adama_jax.%s is public and not in the reference", name)


def setup(app):
    """Look when all pages are read."""
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
