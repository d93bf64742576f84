"""The notebooks as pages: executed ones where `make notebooks` left them, else their text alone.

Executing them takes minutes and JAX, and their output is no text that one would keep in git. So
`make docs` shows what is there, and says so where it was not executed.
"""

import json
import shutil
from pathlib import Path

NOT_EXECUTED = (
    "*This notebook was not executed: `make notebooks docs` shows it with its output.*"
)


def prepare(root: Path, pages: Path) -> None:
    """Write each notebook of the repository into a folder of pages.

    Args:
        root: the repository.
        pages: the folder; what it has of earlier notebooks goes.
    """
    for old in pages.glob("*.ipynb"):
        old.unlink()
    for source in sorted((root / "notebooks").glob("*.py")):
        executed = root / "build" / "notebooks" / f"{source.stem}.ipynb"
        page = pages / f"{source.stem}.ipynb"
        # One that is older than its text shows another text.
        if executed.is_file() and executed.stat().st_mtime >= source.stat().st_mtime:
            shutil.copyfile(executed, page)
        else:
            page.write_text(json.dumps(unexecuted(source)), encoding="utf-8")


def unexecuted(source: Path) -> dict:
    """A notebook in percent format as JSON, with a line below its title that says what it is."""
    # Here, for nothing else of the pages needs it.
    import jupytext

    notebook = jupytext.read(source)
    first = notebook.cells[0]
    title, _, rest = first.source.partition("\n")
    first.source = f"{title}\n\n{NOT_EXECUTED}\n{rest}"
    return json.loads(jupytext.writes(notebook, fmt="ipynb"))


def setup(app):
    """Before Sphinx looks for pages."""

    def at_start(app, config) -> None:
        docs = Path(app.srcdir)
        prepare(docs.parent, docs / "notebooks")

    app.connect("config-inited", at_start)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
