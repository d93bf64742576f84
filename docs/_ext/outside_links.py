"""Links of Markdown pages to folders and files of the repository that are no pages.

They work where the repository is read; here there is nothing to lead to, so their text stays, with
the path where the text does not say it.
"""

import re
from pathlib import Path

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#:\s]+)\)")


def without_outside_links(text: str, page: Path, docs: Path) -> str:
    """A page's text, in which links out of the pages are code.

    Args:
        text: Markdown.
        page: its file.
        docs: folder of all pages.
    """

    def shown(match: re.Match[str]) -> str:
        label, target = match[1], match[2]
        path = (page.parent / target).resolve()
        if path.is_file() and path.is_relative_to(docs):
            return match[0]
        if not path.exists():
            # Sphinx says that it leads nowhere.
            return match[0]
        where = path.relative_to(docs.parent).as_posix()
        plain = label.strip("`")
        return f"`{where}`" if plain.strip("/") in where else f"{label} (`{where}`)"

    return LINK.sub(shown, text)


def process(app, docname: str, source: list[str]) -> None:
    """Rewrite a page's text as it is read."""
    page = Path(app.env.doc2path(docname))
    if page.suffix == ".md":
        source[0] = without_outside_links(source[0], page, Path(app.srcdir).resolve())


def setup(app):
    """Ask for the text of every page."""
    app.connect("source-read", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
