"""The package's docstrings, which are plain text, as the reStructuredText that autodoc expects.

They are written to be read in an editor: `code` in single backticks, |l_a| for a norm, a list of
`name: what it is` for the fields of a bundle, a comment behind a field of a NamedTuple.
"""

import io
import re
import tokenize
from functools import cache
from pathlib import Path

from sphinx.util.inspect import unwrap_all

BACKTICKS = re.compile(r"(``.+?``|`[^`]+`)")
# "total_rate: the sum of all", but neither "Args:" nor a line of prose.
ENTRY = re.compile(r"(\w+(?:, \w+)*): (\S.*)")
PLAIN_FIELD = re.compile(r"Alias for field number \d+")


def escaped(line: str) -> str:
    """A line with code in double backticks, and nothing else that means markup.

    >>> escaped("the norm |l_a| of `rates.actors`")
    'the norm \\\\|l_a\\\\| of ``rates.actors``'
    """
    pieces = []
    for piece in BACKTICKS.split(line):
        if BACKTICKS.fullmatch(piece):
            pieces.append(f"``{piece.strip('`')}``")
        else:
            pieces.append(re.sub(r"([|*]|_(?=\W|$))", r"\\\1", piece))
    return "".join(pieces)


def as_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText; examples stay as they are."""
    result: list[str] = []
    in_example = False
    in_code = False
    for index, line in enumerate(lines):
        text = line.strip()
        in_example = bool(text) and (in_example or text.startswith(">>>"))
        in_code = in_code and (not text or line.startswith("    "))
        if in_example or in_code or not text:
            result.append(line)
            continue
        in_code = text.endswith(":") and _begins_code(lines[index + 1 :])
        bullet = re.match(r"(\s*)\* ", line)
        start = bullet[0] if bullet else ""
        rest = escaped(line[len(start) :])
        result.append(start + rest + (":" if in_code else ""))
    return _tables(_entries(result))


def _begins_code(lines: list[str]) -> bool:
    """Whether an indented block comes after an empty line: below `Args:` there is none."""
    rest = [line for line in lines if line.strip()]
    return bool(rest) and not lines[0].strip() and rest[0].startswith("    ")


def _entries(lines: list[str]) -> list[str]:
    """Paragraphs of `name: what it is` as lists; lines that go on are indented in them already."""
    result: list[str] = []
    for paragraph in _paragraphs(lines):
        heads = [line for line in paragraph if line[:1].strip()]
        if heads and all(ENTRY.fullmatch(line) for line in heads):
            paragraph = [ENTRY.sub(r"* **\1**: \2", line) for line in paragraph]
        result += paragraph
    return result


def _tables(lines: list[str]) -> list[str]:
    """Tables of Markdown as those of reStructuredText."""
    result: list[str] = []
    for paragraph in _paragraphs(lines):
        if not all(line.startswith(r"\|") for line in paragraph if line):
            result += paragraph
            continue
        rows = [
            [cell.strip() for cell in line.strip(r"\| ").split(r"\|")]
            for line in paragraph
            if line and not set(line) <= set(r"\|-: ")
        ]
        if rows:
            result += [".. list-table::", "   :header-rows: 1", ""]
        for first, *others in rows:
            result.append(f"   * - {first}")
            result += [f"     - {cell}" for cell in others]
        result.append("")
    return result


def _paragraphs(lines: list[str]) -> list[list[str]]:
    """Lines in groups that end with an empty one."""
    groups: list[list[str]] = [[]]
    for line in lines:
        groups[-1].append(line)
        if not line.strip():
            groups.append([])
    return groups


@cache
def _comments(path: Path) -> dict[int, str]:
    """The comments of a file by their lines."""
    text = path.read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def field_comment(owner: type, name: str) -> str:
    """The comment at a field of a NamedTuple, behind it or above it; "" where there is none."""
    import inspect

    source, first = inspect.getsourcelines(owner)
    path = Path(inspect.getsourcefile(owner) or "")
    numbers = [
        first + index
        for index, line in enumerate(source)
        if re.match(rf"\s+{name}\s*:", line)
    ]
    if not numbers:
        return ""
    comments = _comments(path)
    (line, *_) = numbers
    if line in comments:
        return comments[line]
    above: list[str] = []
    # A comment above may have several lines.
    while (line := line - 1) in comments and not _has_code(source, line - first):
        above.insert(0, comments[line])
    return " ".join(above)


def _has_code(source: list[str], index: int) -> bool:
    return not 0 <= index < len(source) or not source[index].lstrip().startswith("#")


def process(app, what, name, thing, options, lines: list[str]) -> None:
    """Rewrite a docstring in place, as autodoc's event asks."""
    if lines and PLAIN_FIELD.fullmatch(lines[0].strip()):
        lines[:] = [_comment_of(name)]
    lines[:] = as_rst(lines)


def _comment_of(name: str) -> str:
    from pkgutil import resolve_name

    owner, _, field = name.rpartition(".")
    module, _, kind = owner.rpartition(".")
    return field_comment(unwrap_all(resolve_name(f"{module}:{kind}")), field)


def setup(app):
    """Before napoleon, which reads `Args:` and the like."""
    app.connect("autodoc-process-docstring", process, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
