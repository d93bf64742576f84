"""Copy of finished runs what can be published: settings, machine and curves; no rollouts or actors.

python -m adama_jax.storage.publish RESULTS docs/results/runs
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from adama_jax.screen.streams import write_error, write_line
from adama_jax.storage.folder import RunFiles, finish_renamings, finished_runs


def publish(results: Path, target: Path) -> list[Path]:
    """Copy the settings, `meta.json` and the curves of every finished run; older copies go.

    Args:
        results: a results folder.
        target: a folder that is laid out like it, and made if need be.

    Returns:
        The folders of the copies.
    """
    copies = []
    for folder in finished_runs(results):
        files = RunFiles(folder)
        copy = target / folder.parent.name / folder.name
        copy.mkdir(parents=True, exist_ok=True)
        for path in (files.config, files.metrics, files.meta):
            # With its times, as a copy of the same file.
            shutil.copy2(path, copy / path.name)
        copies.append(copy)
    return copies


def main(words: Sequence[str] | None = None) -> int:
    """The command of `make publish`.

    Returns:
        The exit code: 1 if there is no finished run.
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
    copies = publish(results, options.target)
    if not copies:
        write_error(f"results={results}: must be a folder with finished runs")
        return 1
    write_line(f"{len(copies)} runs copied to {options.target}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
