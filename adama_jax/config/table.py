"""The page of all settings, docs/settings.md: `make settings` writes it.

Everything on it follows from the declarations of the settings and from the registries of methods
and algorithms.
"""

import ast
import dataclasses
import inspect
import sys
import textwrap
from functools import cache
from itertools import pairwise
from typing import get_type_hints

from adama_jax.algorithms.settings import ALGORITHMS, own_settings_of
from adama_jax.config.method import SCHEDULE
from adama_jax.config.methods import METHODS, rate_options
from adama_jax.config.schema import Config
from adama_jax.config.values import type_in_words
from adama_jax.envs.worlds import JaxMARLWorld, LocomotionWorld, PredatorPreyWorld
from adama_jax.fields import Declared, ReadUnless, ReadWith, as_given, declared
from adama_jax.rates.settings import RateOptions

HEAD = """\
# Settings

`make settings` writes this page from the declarations of the settings; a test compares.
A setting is given as `key=value`: by its full name, by the last part of it where no other setting
ends so, or by the paper's symbol. A scenario may have other defaults, which
`adama train SCENARIO --help` shows. Runs that differ in traced settings share a compiled program.
What is given is used or refused: a setting is given once, and only where it is read, which is
everywhere unless "read by" names methods, algorithms or the value of a setting beside it.
"""
COLUMNS = ("setting", "symbol", "default", "allowed", "traced", "read by", "")
# Which world a scenario has says which of these settings it has.
WORLDS = {
    "of the MPE scenarios": PredatorPreyWorld,
    "of JaxMARL's scenarios": JaxMARLWorld,
    "of the robots": LocomotionWorld,
}


def settings_page() -> str:
    """The whole page, in Markdown."""
    hints: dict[str, type] = get_type_hints(Config)
    groups = [name for name, kind in hints.items() if dataclasses.is_dataclass(kind)]
    single = [field for field in declared(Config) if field.name not in groups]
    run = _table([_row("", field, Config) for field in single])
    sections = [HEAD, "## Of a run\n", run]
    for name in groups:
        # Those depend on the scenario, on the method and on the algorithm.
        if name not in ("world", "rates", "own"):
            sections += [f"## `{name}`\n", _group(name, hints[name])]
    sections += ["## `rates`\n", _rates()]
    sections += ["## `own`, of one algorithm or a few\n", _own()]
    for which, kind in WORLDS.items():
        sections += [f"## `world`, {which}\n", _group("world", kind)]
    sections += ["## Methods\n", _methods()]
    return "\n".join(sections)


def _group(prefix: str, kind: type) -> str:
    return _table([_row(f"{prefix}.", field, kind) for field in declared(kind)])


def _rates() -> str:
    """The settings that all methods have, then those of one rate rule's own."""
    rows = [_row("rates.", field, RateOptions) for field in declared(RateOptions)]
    names = {field.name for field in declared(RateOptions)}
    for method, entry in METHODS.items():
        explained = {own.name: own.help for own in entry.own}
        for field in declared(rate_options(method)):
            if field.name not in names:
                rows.append(_row("rates.", field, RateOptions, explained[field.name]))
                names.add(field.name)
    return _table(rows)


def _own() -> str:
    """The settings of algorithms' own, those of one declaration beside all that have it."""
    having: dict[type, list[str]] = {}
    for algorithm in ALGORITHMS:
        having.setdefault(own_settings_of(algorithm), []).append(algorithm)
    rows = []
    for kind, algorithms in having.items():
        names = ", ".join(algorithms)
        rows += [_row("own.", field, kind, read_by=names) for field in declared(kind)]
    return _table(rows)


def _row(
    prefix: str, field: Declared, kind: type, explained: str = "", read_by: str = ""
) -> tuple[str, ...]:
    symbol = f"`{field.symbol}`" if field.symbol else ""
    # Without a default the scenario always gives a value.
    given_always = field.default is dataclasses.MISSING
    default = "" if given_always else f"`{as_given(field.default)}`"
    bounds = [bound.words for bound in field.bounds]
    allowed = ", or ".join([*bounds, *_words(field)])
    traced = "yes" if field.traced else ""
    condition = _condition(field)
    if prefix == "rates.":
        read_by = _readers(field)
    readers = " ".join(filter(None, [read_by, condition]))
    text = explained or help_of(kind).get(field.name, "")
    return f"`{prefix}{field.name}`", symbol, default, allowed, traced, readers, text


def _readers(field: Declared) -> str:
    """The methods whose rates depend on a setting; all other settings all methods read."""
    if field.name in SCHEDULE:
        return ""
    names = [name for name, method in METHODS.items() if field.name in method.reads]
    return ", ".join(names)


def _condition(field: Declared) -> str:
    """The other setting that decides whether this one is read, if there is one."""
    needed = field.mark(ReadWith)
    if needed is not None:
        return f"with {needed.name}={needed.value}"
    excluded = field.mark(ReadUnless)
    if excluded is not None:
        return f"unless {excluded.name}={excluded.value}"
    return ""


def _words(field: Declared) -> list[str]:
    """What is allowed by the type; of a number with bounds these say enough."""
    plain = {
        "a number",
        "a whole number",
        "a word",
        "whole numbers, separated by commas",
    }
    parts = type_in_words(field.type).split(", or ")
    return [part for part in parts if not field.bounds or part not in plain]


@cache
def help_of(kind: type) -> dict[str, str]:
    """What the docstrings below a dataclass's fields say, on one line each, by the field's name."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        body = definition.body if isinstance(definition, ast.ClassDef) else []
        for field, text in pairwise(body):
            if not isinstance(field, ast.AnnAssign) or not isinstance(
                field.target, ast.Name
            ):
                continue
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    # A bar would end the cell.
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _methods() -> str:
    lines = [
        "| method | optimizer | what it does | of `rates` it reads |",
        "|---|---|---|---|",
    ]
    for name, method in METHODS.items():
        summary = method.summary.replace("|", "\\|")
        # What all read is not said of each.
        reads = ", ".join(sorted(method.reads - SCHEDULE))
        lines.append(f"| `{name}` | {method.optimizer} | {summary} | {reads} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    # Not for a screen but for a file: a fault is to be an error.
    sys.stdout.write(settings_page())
