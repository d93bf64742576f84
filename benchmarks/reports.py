"""The benchmarks' results: a JSON file each, beside its script."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def read_report(name: str) -> dict[str, Any]:
    """The result of that benchmark; empty where it has not run."""
    path = HERE / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def write_report(name: str, report: dict[str, Any]) -> None:
    """Replace the result of that benchmark."""
    (HERE / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n")
