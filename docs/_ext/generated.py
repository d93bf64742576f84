"""What pages say of the package's own tables, written from them as a page is read.

A line `<!-- generated: commands -->` in a page stands for what `WRITERS` has under this name;
`<!-- generated: modules rates -->` for the modules of a room.
"""

import dataclasses
import inspect
import re
from pathlib import Path
from typing import cast

MARK = re.compile(r"^<!-- generated: (\w+)(?: ([\w.]+))? -->$", re.MULTILINE)
PACKAGE = Path(__file__).parents[2] / "adama_jax"
# The reference of the command line is a page of its own.
NO_API = ("cli", "__main__", "__init__")


def modules_of(room: str) -> list[str]:
    """The modules of a room of the package, or the one that is the room, by their full names.

    >>> modules_of("types")
    ['adama_jax.types']
    """
    folder = PACKAGE / room
    if not folder.is_dir():
        return [f"adama_jax.{room}"]
    # A folder whose own names are of its modules shows these, and not where they come from.
    faces = [file for file in folder.rglob("__init__.py") if _has_code(file)]
    within = [face.parent for face in faces]
    names = [_name_of(face) for face in faces]
    others = [file for file in folder.rglob("*.py") if file.name != "__init__.py"]
    names += [_name_of(file) for file in others if file.parent not in within]
    return sorted(names)


def _name_of(file: Path) -> str:
    """The full name of the module in a file."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _has_code(file: Path) -> bool:
    """Whether a file is more than a docstring."""
    import ast

    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(not isinstance(node, ast.Expr) for node in tree.body)


def rooms() -> list[str]:
    """The rooms that the reference of the API must have."""
    names = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")}
    found = sorted(name.removesuffix(".py") for name in names)
    return [name for name in found if name not in NO_API]


def modules(room: str) -> str:
    """Each module of a room, with all that has a docstring."""
    sections = []
    for name in modules_of(room):
        directive = f".. automodule:: {name}\n   :members:\n"
        sections.append(f"## `{name}`\n\n```{{eval-rst}}\n{directive}```\n")
    return "\n".join(sections)


def public_names() -> str:
    """A table of `adama_jax.__all__`: what each name is, with a link to its entry."""
    from public_names import home_of

    import adama_jax

    rows = []
    for name in adama_jax.__all__:
        first = (inspect.getdoc(getattr(adama_jax, name)) or "").partition("\n\n")[0]
        sentence = " ".join(first.split())
        rows.append((f"{{py:obj}}`{name} <{home_of(name)}>`", sentence))
    return _table(("name", "what it is"), rows)


def commands() -> str:
    """Each command: its call, what it does, and its options; those of several commands last."""
    from adama_jax.cli.main import COMMANDS

    sections = []
    shared: dict[type, None] = {}
    for name, command in COMMANDS.items():
        call = f"adama {name} {command.takes}".strip()
        summary = command.summary[0].upper() + command.summary[1:]
        section = f"## `adama {name}`\n\n```text\n{call}\n```\n\n{summary}.\n"
        kind = _kind_of(name)
        if kind is not None:
            section += _options(kind)
            shared |= dict.fromkeys(_held(kind))
        sections.append(section)
    for kind in shared:
        section = f"## {_title(kind)}\n\n{_first_line(kind)}\n{_options(kind)}"
        sections.append(section)
    return "\n".join(sections)


def _kind_of(command: str) -> type | None:
    """The dataclass of a command's options, if it has some."""
    from adama_jax.cli import options

    return getattr(options, f"{command.title()}Command", None)


def _title(kind: type) -> str:
    """The heading of options that several commands have."""
    name = kind.__name__.removesuffix("Command").lower()
    return f"Options of `{name}`"


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def _held(kind: type) -> list[type]:
    """The dataclasses of options in another one, but a run's settings."""
    from adama_jax.fields import declared

    found = []
    for field in declared(kind):
        if dataclasses.is_dataclass(field.type) and field.name != "config":
            inner = cast(type, field.type)
            found += [inner, *_held(inner)]
    return found


def _options(kind: type) -> str:
    """A table of the options, and links to what the dataclass holds beside them."""
    from adama_jax.config.table import help_of
    from adama_jax.fields import as_given, declared

    rows = []
    more = []
    for field in declared(kind):
        if field.name == "config":
            more.append("every [setting](../settings.md)")
        elif dataclasses.is_dataclass(field.type):
            title = _title(cast(type, field.type))
            more.append(f"the [options of {field.name}](#{_anchor(title)})")
        else:
            default = f"`{as_given(field.default)}`"
            rows.append((f"`{field.name}`", default, help_of(kind).get(field.name, "")))
    text = ""
    if rows:
        text += "\n" + _table(("option", "default", "what it is"), rows)
    if more:
        text += f"\nAlso {', '.join(more)}.\n"
    return text


def _anchor(title: str) -> str:
    """What MyST calls a heading."""
    return title.lower().replace("`", "").replace(" ", "-")


def usage() -> str:
    """What `adama --help` prints."""
    from adama_jax.cli.main import usage as printed

    return f"```text\n{printed()}```\n"


def scenarios() -> str:
    """The scenarios, as `adama scenarios` prints them, with what a run of each takes."""
    from adama_jax.config.scenarios import SCENARIOS

    rows = []
    for name, each in SCENARIOS.items():
        length = f"{each.episodes:,} x {each.horizon}"
        rows.append((f"`{name}`", each.summary, length, each.source))
    return _table(("scenario", "what it is", "episodes x steps", "settings from"), rows)


def methods() -> str:
    """The methods, as `adama methods` prints them."""
    from adama_jax.config.methods import METHODS

    rows = []
    for name, each in METHODS.items():
        rows.append((f"`{name}`", each.optimizer, each.summary, each.source))
    return _table(("method", "optimizer", "what it does", "in the paper"), rows)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    # A bar would end the cell.
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


WRITERS = {
    "commands": commands,
    "methods": methods,
    "modules": modules,
    "names": public_names,
    "scenarios": scenarios,
    "usage": usage,
}
# Tables that `adama figures` writes have a caption and no title.
TITLES = {
    "results/results": "All methods on the paper's learner",
    "results/modern/results": "AdaMa and fixed rates on today's learner",
    "results/baselines/continuous": "Continuous actions in spread",
    "results/baselines/discrete": "Discrete actions in spread",
    "results/table1": "The settings of Table 1",
}


def expanded(text: str) -> str:
    """A page's text with its marks replaced."""

    def written(match: re.Match[str]) -> str:
        name, argument = match[1], match[2]
        return WRITERS[name](argument) if argument else WRITERS[name]()

    return MARK.sub(written, text)


def process(app, docname: str, source: list[str]) -> None:
    """Rewrite a page's text as it is read."""
    if docname in TITLES:
        source[0] = f"# {TITLES[docname]}\n\n{source[0]}"
    source[0] = expanded(source[0])


def setup(app):
    """Ask for the text of every page."""
    app.connect("source-read", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
