"""Copy of finished runs what can be published: settings, machine and curves; no rollouts or actors.

python -m adama_jax.storage.publish RESULTS docs/results/runs
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from adama_jax.screen.streams import write_error, write_line
from adama_jax.screen.words import counted
from adama_jax.storage.folder import (
    RunFiles,
    finish_renamings,
    finished_runs,
    leads_out,
)
from adama_jax.storage.many import load_all


class Published(NamedTuple):
    """What became of the finished runs."""

    copies: list[Path]  # folders
    left_out: list[str]  # a line for each run that was not copied


def publish(results: Path, target: Path) -> Published:
    """Copy the settings, `meta.json` and the curves of every finished run; older copies go.

    A run that cannot be read is left out, and so is one whose files lie elsewhere: what is
    published must be the folder's own.

    Args:
        results: a results folder.
        target: a folder that is laid out like it, and made if need be.
    """
    copies = []
    left_out = []
    for folder in finished_runs(results):
        files = RunFiles(folder)
        sources = (*files.published(), files.meta)
        damage = [
            f"{path}: leads out of {results}"
            for path in sources
            if leads_out(results, path)
        ]
        if not damage:
            _, damage = load_all([folder])
        if damage:
            left_out += damage
            continue
        copy = target / folder.parent.name / folder.name
        copy.mkdir(parents=True, exist_ok=True)
        for path in sources:
            # With its times, as a copy of the same file.
            shutil.copy2(path, copy / path.name)
        copies.append(copy)
    return Published(copies, left_out)


def main(words: Sequence[str] | None = None) -> int:
    """The command of `make publish`.

    Returns:
        The exit code: 1 if there is no finished run, or one that cannot be published.
    """
    parser = argparse.ArgumentParser(
        "python -m adama_jax.storage.publish", description=__doc__
    )
    parser.add_argument("results", type=Path, help="the results folder")
    parser.add_argument("target", type=Path, help="where the copies go")
    options = parser.parse_args(words)
    # `make` hands a folder on as it was typed, where no shell has read the ~.
    results = options.results.expanduser()
    finish_renamings(results)
    published = publish(results, options.target)
    for line in published.left_out:
        write_error(f"left out: {line}")
    if not published.copies:
        write_error(f"results={results}: must be a folder with finished runs")
        return 1
    copies = counted(len(published.copies), "run")
    write_line(f"{copies} copied to {options.target}")
    return 1 if published.left_out else 0


if __name__ == "__main__":
    raise SystemExit(main())
