"""Values of settings against the bounds that their fields declare. Importable without JAX."""

from typing import Any

from adama_jax.bounds import Bound, registered, unlike_in_program
from adama_jax.errors import SettingError, must_be
from adama_jax.fields import Declared, as_given, bounded, or_none


def check_bounds(values: Any) -> None:
    """Check every setting of nested dataclasses against the bounds that its field declares.

    Raises:
        SettingError: one line with the setting's full name, its value and what is allowed.
    """
    for name, field, value in bounded(values):
        check_value(name, field, value)


def check_value(name: str, field: Declared, value: Any, given: object = None) -> None:
    """Check one value against the bounds that its field declares, in single precision too.

    Args:
        name: of the setting, for errors.
        field: its declaration.
        value: as read.
        given: as it was written, for errors; None: as the value is.

    Raises:
        SettingError: one line with `name`, the value and what is allowed.

    >>> from typing import Literal
    >>> from adama_jax.bounds import Above
    >>> auto = Declared("m", float | Literal["auto"], 50.0, (Above(0),))
    >>> check_value("m", auto, "auto")
    >>> check_value("m", auto, -1.0)
    Traceback (most recent call last):
    adama_jax.errors.SettingError: m=-1.0: must be above 0 and finite, or 'auto'
    """
    if value is None or (isinstance(value, str) and value in field.words):
        return
    why = _why_not(field, value)
    if why:
        written = as_given(value if given is None else given)
        raise SettingError(f"{name}={written}: {why}")


def _why_not(field: Declared, value: Any) -> str:
    for bound in field.bounds:
        if not bound.allows(value):
            return refused(field, bound, value)
    if isinstance(value, float):
        unlike = unlike_in_program(value, field.bounds)
        return f"must be {unlike}" if unlike else ""
    return ""


def refused(field: Declared, bound: Bound, value: object) -> str:
    """Why a bound of a field does not allow a value, in words."""
    others = [*map(repr, field.words), *(["None"] if or_none(field.type) else [])]
    allowed = ", or ".join([bound.words, *others])
    names = registered(bound)
    several = value if isinstance(value, tuple) else (value,)
    unknown = next((word for word in several if word not in names), value)
    return must_be(allowed, str(unknown), names)
