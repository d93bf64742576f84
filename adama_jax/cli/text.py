"""What may be on a command line, and in an error of it.

Without further imports, so that `adama --help` need not wait for them.
"""

import re
from collections.abc import Sequence

from adama_jax.errors import SettingError
from adama_jax.screen.streams import CONTROL

MOST_LETTERS = 400  # of a word in an error


def check_printable(words: Sequence[str]) -> None:
    """Check that a terminal can show what was given, and a file can hold it.

    Raises:
        SettingError: one line about the first word that is not so.
    """
    for word in words:
        if CONTROL.search(word):
            raise SettingError(
                f"argument={word}: must be without line breaks, control characters and bytes "
                "that are no text"
            )


def shortened(line: str) -> str:
    """A line with endless words cut.

    >>> len(shortened("seed=" + 5000 * "9"))
    103
    """
    return re.sub(rf"\S{{{MOST_LETTERS},}}", _cut, line)


def _cut(found: re.Match[str]) -> str:
    return f"{found[0][: MOST_LETTERS // 4]}..."
