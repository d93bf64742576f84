"""`adama verify RUN|FOLDER`: check every file of a run's folder, or of all runs in a folder."""

from typing import TYPE_CHECKING

from adama_jax.cli.words import runs_at, take_nothing, take_run_or_results
from adama_jax.errors import SettingError
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder

if TYPE_CHECKING:
    from adama_jax.storage.verify import Verified


def verify(words: list[str]) -> int:
    """Check the files against the digests that were written with them.

    Returns:
        The exit code: 1 if a file is not what was written.
    """
    path, rest = take_run_or_results(words)
    take_nothing(rest)
    console = Screen()
    runs = runs_at(path)
    if len(runs) == 1:
        return 0 if _verify_one(runs[0], console) else 1
    good = 0
    for run in runs:
        try:
            good += _verify_one(run, console)
        except SettingError as error:
            # It says nothing of the others.
            console.say(f"bad: {error}", style="red")
    console.say(f"{path}: {good} of {len(runs)} runs verified")
    return 0 if good == len(runs) else 1


def _verify_one(run: RunFolder, console: Screen) -> bool:
    """Print what is found in a run; whether all of it is as it was written."""
    from adama_jax.storage.verify import verify

    found = verify(run)
    for line in found.damage:
        console.say(f"bad: {line}", style="red")
    if found.trained_by is not None:
        changing = f"it is being trained by {found.trained_by}, and its files change"
        console.say(changing, style="yellow")
    good = found.checked - len(found.damage)
    parts = f"{good} of {found.checked} parts verified"
    console.say(f"{found.folder}: {_kind(found)}; {parts}")
    return not found.damage


def _kind(found: "Verified") -> str:
    """What kind of run was verified, and by what."""
    if not found.finished:
        return "begun, not finished"
    if not found.published:
        return "finished"
    kind = "finished, a published copy (settings, machine and curves)"
    if found.sealed:
        return kind
    return f"{kind} without digests, of an earlier version: read, and of the right contents"
