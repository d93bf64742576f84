"""Parts of a page in HTML: tables, pictures and text, none of which is read as a tag."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8886; padding-bottom: .2rem; }
nav ul { columns: 20rem; }
figure { margin: 1.5rem 0; }
figure img { max-width: min(100%, 56rem); max-height: 40rem; }
figure img { background: white; border: 1px solid #8886; }
figcaption, .note { font-size: .88rem; opacity: .8; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid #8884; }
th, td { text-align: right; vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 4.5em; }
th:first-child, td:first-child, .text td, .text th { text-align: left; }
code { font-size: .85em; }
"""
# The first bytes of each kind of picture.
PICTURES = {".png": b"\x89PNG\r\n\x1a\n", ".gif": b"GIF8"}


class Section(NamedTuple):
    """A part of a page that its contents name."""

    heading: str
    body: list[str]  # HTML


def whole_page(title: str, top: Sequence[str], sections: Sequence[Section]) -> str:
    """A page that needs no other file: what stands at the top, the contents, the sections."""
    head = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{STYLE}</style>"
    )
    entries = []
    parts = []
    for number, section in enumerate(sections, 1):
        name = text(section.heading)
        entries.append(f'<li><a href="#part-{number}">{name}</a>')
        parts.append(f"<h2 id=part-{number}>{name}</h2>")
        parts += section.body
    contents = f"<nav><ul>{''.join(entries)}</ul></nav>"
    return head + "\n".join([*top, contents, *parts]) + "</html>\n"


def is_picture(path: Path) -> bool:
    """Whether a file is the picture that its name says, as far as its first bytes tell."""
    begins = PICTURES[path.suffix]
    with path.open("rb") as file:
        return file.read(len(begins)) == begins


def picture(path: Path, caption: str) -> str:
    """A picture with its caption. It is in the page itself: so the page can be sent as one file."""
    kind = path.suffix.removeprefix(".")
    data = base64.b64encode(path.read_bytes()).decode()
    return (
        f'<figure><img alt="{text(caption)}" src="data:image/{kind};base64,{data}">'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    kind: str = "",
) -> str:
    """A table; `kind` is a class of the style sheet."""
    top = "".join(f"<th>{text(cell)}" for cell in head)
    body = []
    for row in rows:
        cells = "".join(f"<td>{text(cell)}" for cell in row)
        body.append(f"<tr>{cells}")
    return (
        f'<div class=wide><table class="{kind}"><tr>{top}{"".join(body)}</table></div>'
    )


def from_markdown(source: str) -> str:
    """The table of a file that `tables.markdown` or `exhibits.settings_table` wrote.

    Raises:
        ValueError: there is none.
    """
    rows = [_cells(line) for line in source.splitlines() if line.startswith("|")]
    if len(rows) < 2:
        raise ValueError("holds no table")
    # The second line is the rule below the headings.
    head, _, *body = rows
    return table(head, body)


def _cells(line: str) -> list[str]:
    r"""The cells of a line of a Markdown table, without marks of code.

    >>> _cells(r"| `world.side` (l) | 9\|8 |")
    ['world.side (l)', '9|8']
    """
    # A bar within a cell is written with a backslash before it.
    bar = "\0"
    cells = line.replace("\\|", bar).strip("|").split("|")
    return [cell.replace(bar, "|").replace("`", "").strip() for cell in cells]


def note(words: str) -> str:
    """A paragraph in small letters."""
    return f"<p class=note>{text(words)}</p>"


def text(value: object) -> str:
    """A text as HTML shows it."""
    return html.escape(str(value))
