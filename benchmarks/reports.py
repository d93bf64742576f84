"""The benchmarks' results: a JSON file each, beside its script, written nowhere but here."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def read_report(name: str) -> dict[str, Any]:
    """The result of that benchmark; empty where it has not run."""
    path = HERE / f"{name}.json"
    if not path.is_file():
        return {}
    return json.loads(path.read_text(encoding="utf-8"))


def write_report(name: str, report: dict[str, Any]) -> None:
    """Replace the result of that benchmark."""
    text = json.dumps(report, indent=2)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def add_to_report(name: str, section: str, found: dict[str, Any]) -> None:
    """Replace one section of that benchmark's result, and keep the others as they are."""
    report = read_report(name)
    report[section] = found
    write_report(name, report)
