"""Training what the paper's exhibits show and what is not on disk yet."""

from collections.abc import Callable, Sequence
from pathlib import Path

from adama_jax.config.exhibits import Length
from adama_jax.config.options import Launch, Training
from adama_jax.config.schema import Config
from adama_jax.screen.console import Screen
from adama_jax.storage.seeds import seeds_to_train
from adama_jax.studies.exhibits import Shown, plan
from adama_jax.studies.jobs import Failure
from adama_jax.studies.missing import complete

Complete = Callable[[Sequence[Config], Path, Training, Launch, Screen], list[Failure]]


def train_exhibits(
    experiments: Path,
    length: Length,
    only: Sequence[str],
    out: Path,
    training: Training,
    options: Launch,
    console: Screen,
    complete: Complete = complete,
    keep: Callable[[Sequence[Shown]], list[Shown]] = list,
) -> list[Failure]:
    """Train every run that the exhibits show and that is not on disk.

    Args:
        experiments: a folder of exhibits, or one of them.
        length: of this pass.
        only: scenarios to keep to; none: all.
        out: the results folder.
        training: how runs are trained and saved.
        options: where the programs run.
        console: hears of the training.
        complete: what trains configurations that are not on disk.
        keep: which of the runs that are shown to train.

    Returns:
        The jobs that failed.
    """
    failures: list[Failure] = []
    tried: set[Config] = set()
    # What waits for other runs (`best_of`) can be planned once they are there: so plan again after
    # each training, until a plan has nothing new.
    while True:
        rows = keep(plan(experiments, length, only, out))
        wanted = dict.fromkeys(row.config for row in rows)
        new = [
            config for config in wanted if config is not None and config not in tried
        ]
        if not new:
            return failures
        tried |= set(new)
        if not training.force:
            # Of some, other runs have a part of the seeds.
            parts = [seeds_to_train(out, config) for config in new]
            new = [part for each in parts for part in each]
        if new:
            failures += complete(new, out, training, options, console)
