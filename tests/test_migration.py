"""docs/migration.md: what it says is there is there."""

import re
from pathlib import Path
from pkgutil import resolve_name

PAGE = Path(__file__).parents[1] / "docs" / "migration.md"
ROW = re.compile(r"^\| `(.+)` \| `(.+)` \|$", re.MULTILINE)


def test_every_new_path_is_there():
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len(rows) > 70
    for _, new in rows:
        _, _, module, name = re.fullmatch(
            r"((from) )?(adama_jax[\w.]*)(?: import (\w+))?", new
        ).groups()
        assert resolve_name(f"{module}.{name}" if name else module)
