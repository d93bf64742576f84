"""`adama verify RUN|FOLDER`: check every file of a run's folder, or of all runs in a folder."""

from adama_jax.cli.words import runs_at, take_nothing, take_run
from adama_jax.errors import SettingError
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder


def verify(words: list[str]) -> int:
    """Check the files against the digests that were written with them.

    Returns:
        The exit code: 1 if a file is not what was written.
    """
    path, rest = take_run(words)
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
    console.say(f"{path}: {good} of {len(runs)} runs are as they were written")
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
    kind = "finished" if found.finished else "begun, not finished"
    good = found.checked - len(found.damage)
    console.say(f"{found.folder}: {kind}; {good} of {found.checked} parts verified")
    return not found.damage
