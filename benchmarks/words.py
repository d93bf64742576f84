"""The words after a benchmark's name."""

from collections.abc import Sequence
from typing import Any


def numbers(words: Sequence[str], **defaults: float) -> dict[str, Any]:
    """`name=number` words over the defaults, each a number of its default's kind.

    Raises:
        SystemExit: another word, in one line.

    >>> numbers(["rounds=5"], rounds=3, minutes=9.0)
    {'rounds': 5, 'minutes': 9.0}
    """
    found = dict(defaults)
    for word in words:
        name, _, value = word.partition("=")
        try:
            kind = type(defaults[name])
            found[name] = kind(value)
        except (KeyError, ValueError):
            allowed = ", ".join(f"{name}=NUMBER" for name in defaults)
            raise SystemExit(f"{word}: must be one of {allowed}") from None
    return found


def chosen(words: Sequence[str], among: Sequence[str]) -> list[str]:
    """Those of the names that the words give; all where they give none of them.

    >>> chosen(["save"], ["loop", "save"]), chosen([], ["loop", "save"])
    (['save'], ['loop', 'save'])
    """
    given = [word for word in words if word in among]
    return given or list(among)
