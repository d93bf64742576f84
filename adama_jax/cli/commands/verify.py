"""`adama verify RUN`: check every file of a run's folder."""

from rich.console import Console

from adama_jax.cli.words import take_nothing, take_run
from adama_jax.storage.folder import RunFolder


def verify(words: list[str]) -> int:
    """Check the files against the digests that were written with them."""
    path, rest = take_run(words)
    take_nothing(rest)
    from adama_jax.storage.verify import verify

    found = verify(RunFolder.named(path))
    console = Console(highlight=False, soft_wrap=True)
    for line in found.damage:
        console.print(f"bad: {line}", style="red")
    if found.trained_by is not None:
        changing = f"it is being trained by {found.trained_by}, and its files change"
        console.print(changing, style="yellow")
    kind = "finished" if found.finished else "begun, not finished"
    good = found.checked - len(found.damage)
    console.print(f"{found.folder}: {kind}; {good} of {found.checked} parts verified")
    return 1 if found.damage else 0
