"""Training the runs that are not on disk yet."""

import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from adama_jax.config.labels import labels
from adama_jax.config.options import Launch, Training, way_out
from adama_jax.config.outside import sources_of
from adama_jax.config.schema import Config
from adama_jax.errors import DamagedFile, OtherSettings
from adama_jax.execution.devices import usable_cores
from adama_jax.execution.jax_setup import local_devices
from adama_jax.execution.memory import GB, Room, check_memory, room_here
from adama_jax.screen.console import Screen
from adama_jax.storage.files import read_json
from adama_jax.storage.folder import RunFolder, run_folder
from adama_jax.storage.groups import refuse_older_versions
from adama_jax.storage.provenance import other_sources
from adama_jax.storage.reader import check_place, has_run
from adama_jax.studies.jobs import Failure, Job, jobs
from adama_jax.studies.launch import launch

MOST_NAMED = 8  # finished runs that get a line each; of more only the number is printed


def complete(
    configs: Sequence[Config],
    out: Path,
    training: Training,
    options: Launch,
    console: Screen,
) -> list[Failure]:
    """Train the configurations that are not on disk; with `force`, all of them.

    Args:
        configs: validated configurations.
        out: results folder; runs go to `out/<scenario>/<method>-<hash>`.
        training: how they are trained and saved.
        options: where the programs run.
        console: hears which runs are finished already, and of the training.

    Returns:
        The jobs that failed.

    Raises:
        RunBusy: another process is training one of them.
        SettingError: an older version began one of them, one cannot fit in memory, or none of them
            can be trained, for what is there in their place.
    """
    names = dict(zip(configs, labels(configs), strict=True))
    if not training.force:
        # A process that was killed just before the renaming left a run that is whole.
        for config in names:
            RunFolder.of(out, config).finish_renaming()
        names = _without_unusable(names, out, console)
    missing = [config for config in names if training.force or not has_run(out, config)]
    for config in missing:
        folder = RunFolder.of(out, config)
        folder.check_free()
        if not training.force:
            refuse_older_versions(folder)
    lacking = set(missing)
    finished = {config: name for config, name in names.items() if config not in lacking}
    _print_finished(finished, len(missing), out, console)
    _print_other_sources(finished, out, console)
    to_do = jobs(missing, [names[config] for config in missing], options.parts)
    options = _fitting(to_do, options, training, console)
    return launch(to_do, out, options, console, training)


def _fitting(
    jobs: Sequence[Job], options: Launch, training: Training, console: Screen
) -> Launch:
    """The options, with no more jobs at a time than the memory of what runs them holds.

    Raises:
        SettingError: one job cannot fit, or not as many at a time as were asked for.
    """
    beside = min(len(jobs), options.at_once or len(jobs))
    if options.launcher == "slurm":
        # Each job has a machine's share of its own; of a GPU nobody here knows the memory.
        beside = 1
        room = Room(sys.maxsize if options.gpus else None, int(options.memory_gb * GB))
    else:
        room = room_here()
        local = options.launcher == "local"
        beside = min(beside, usable_cores() if local else len(local_devices()))
    saved = training.checkpoint_minutes is not None or training.keep_last
    programs = [job.configs for job in jobs]
    fit = check_memory(programs, beside, room, saved, options.at_once)
    if fit == beside:
        return options
    # Nobody asked for so many (a number that was given is refused).
    console.say(f"memory holds {fit} of {beside} programs at a time; the others wait")
    return dataclasses.replace(options, at_once=fit)


def _without_unusable(
    names: dict[Config, str], out: Path, console: Screen
) -> dict[Config, str]:
    """The runs in whose folders is nothing, or what they themselves left; the others are named.

    Raises:
        OtherSettings: there are none.
    """
    errors: dict[Config, OtherSettings] = {}
    for config in names:
        try:
            check_place(out, config)
        except OtherSettings as error:
            errors[config] = error
    if len(errors) == len(names):
        raise next(iter(errors.values()))
    for config, error in errors.items():
        line = f"{names[config]}: left out: {error}{way_out(error)}"
        console.say(line, style="red")
    return {config: name for config, name in names.items() if config not in errors}


def _print_finished(
    finished: dict[Config, str],
    missing: int,
    out: Path,
    console: Screen,
) -> None:
    """Say which runs are there already: nobody should wonder why they are not trained."""
    if len(finished) > MOST_NAMED:
        console.say(
            f"{len(finished)} runs are finished already, {missing} are to be trained."
        )
        return
    for config, name in finished.items():
        folder = run_folder(out, config)
        console.say(f"{name}: finished already, {folder} (force=true runs it again)")


def _print_other_sources(
    finished: dict[Config, str], out: Path, console: Screen
) -> None:
    """Say where results are of a user's code as it was, not as it is now."""
    named: dict[str, list[str]] = {}
    for config, name in finished.items():
        if sources_of(config):
            # That a file is damaged is for whoever reads the run to say.
            with contextlib.suppress(DamagedFile):
                meta = read_json(RunFolder.of(out, config).final.meta)
                found = "; ".join(other_sources(meta, config))
                named.setdefault(found, []).append(name)
    named.pop("", None)
    for found, names in named.items():
        whose = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        line = f"{whose}: trained with {found} (force=true trains it again)"
        console.say(line, style="yellow")
