"""`adama verify RUN`: check every file of a run's folder."""

from adama_jax.cli.words import take_nothing, take_run
from adama_jax.screen.console import Screen
from adama_jax.storage.folder import RunFolder


def verify(words: list[str]) -> int:
    """Check the files against the digests that were written with them."""
    path, rest = take_run(words)
    take_nothing(rest)
    from adama_jax.storage.verify import verify

    found = verify(RunFolder.named(path))
    console = Screen()
    for line in found.damage:
        console.say(f"bad: {line}", style="red")
    if found.trained_by is not None:
        changing = f"it is being trained by {found.trained_by}, and its files change"
        console.say(changing, style="yellow")
    kind = "finished" if found.finished else "begun, not finished"
    good = found.checked - len(found.damage)
    console.say(f"{found.folder}: {kind}; {good} of {found.checked} parts verified")
    return 1 if found.damage else 0
