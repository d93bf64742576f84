"""Exporting one seed's actors of a finished run, with all that whoever runs them needs to know."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adama_jax.config.identity import to_dict
from adama_jax.config.schema import Config
from adama_jax.envs.worlds import (
    JaxMARLWorld,
    LocomotionWorld,
    PredatorPreyWorld,
    VelocityWorld,
    World,
)
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.storage.files import (
    PART,
    SEAL,
    Manifest,
    read_arrays,
    write_arrays,
)
from adama_jax.storage.folder import RunFiles
from adama_jax.storage.policy import OBSERVED, SEED, one_seed, row_of
from adama_jax.storage.provenance import OUTSIDE
from adama_jax.storage.reader import Run, diverged_seeds, load_run


def export_actors(
    folder: Path, target: Path, seed: int | None = None, half: bool = False
) -> dict[str, Any]:
    """Write the actors of one seed of a finished run to a file.

    Args:
        folder: the run's.
        target: the file, `.npz`; what is there is replaced.
        seed: which; None: the first that stayed finite.
        half: store weights in half precision, which is half as large and rounds them to 3 digits.

    Returns:
        What the file says of itself.

    Raises:
        FileNotFoundError: no finished run is there, or one without actors.
        DamagedFile: a file of it is not what was written.
        SettingError: it has no such seed, or the seed diverged.
    """
    run = load_run(folder)
    arrays = _read(RunFiles(folder), run.meta)
    row = _row(run, arrays[SEED].tolist(), seed)
    about = _about(run, row)
    found = one_seed(arrays, row, about)
    if half:
        for name, value in found.items():
            # Variances may be beyond what half precision knows.
            if name not in OBSERVED and getattr(value, "dtype", None) == "float32":
                found[name] = value.astype("float16")
    target.parent.mkdir(parents=True, exist_ok=True)
    # NumPy adds the ending by itself where it is missing; whole, or not at all.
    part = target.with_name(target.name + PART + ".npz")
    write_arrays(part, found)
    part.rename(target)
    return about


def _read(files: RunFiles, meta: Mapping[str, Any]) -> dict[str, Any]:
    if not files.actors.is_file():
        raise FileNotFoundError(f"{files.actors}: is missing: only curves were kept")
    # Earlier versions wrote no digests.
    if SEAL in meta:
        manifest = Manifest.from_json(meta)
        for line in manifest.damaged_files(files.path, [files.actors.name]):
            raise DamagedFile(line)
    return read_arrays(files.actors)


def _row(run: Run, seeds: list[int], seed: int | None) -> int:
    """The row of the seed that is asked for."""
    diverged = diverged_seeds(run)
    if seed is None:
        finite = [each for each in seeds if each not in diverged]
        if not finite:
            raise SettingError(f"run={run.folder}: must have a seed that stayed finite")
        seed = finite[0]
    row = row_of(seed, seeds)
    if seed in diverged:
        raise SettingError(f"seed={seed}: must be one that stayed finite; it diverged")
    return row


def _about(run: Run, row: int) -> dict[str, Any]:
    """What is said of a seed's actors beside their sizes."""
    about: dict[str, Any] = {"label": run.label, "episodes": run.config.episodes}
    about["run"] = f"{run.folder.parent.name}/{run.folder.name}"
    about["seed"] = int(run.metrics["seed"][row])
    about["greedy_return"] = float(run.metrics["eval_return"][row, -1])
    about["observation"] = observation_in_words(run.config)
    about["config"] = to_dict(run.config)
    for name in ("versions", "git_commit", "finished_at"):
        about[name] = run.meta[name]
    # Its world or method may be a user's own: `adama play FILE` compares.
    if OUTSIDE in run.meta:
        about[OUTSIDE] = run.meta[OUTSIDE]
    return about


def observation_in_words(config: Config) -> str:
    """What an agent's observation is made of, in order.

    >>> from adama_jax.config.schema import scenario_config
    >>> observation_in_words(scenario_config("clustering"))
    'x, y of each other agent in order, then of each landmark, all relative to its own position'
    """
    return _of_world(config.world)


def _of_world(world: World) -> str:
    match world:
        case PredatorPreyWorld():
            return (
                "x, y of each other predator in order, then of the prey, all relative to its own "
                "position; then its own x, y"
            )
        case VelocityWorld():
            return (
                "x, y of each other agent in order, then of each landmark, all relative to its own "
                "position"
            )
        case LocomotionWorld(observe="own"):
            return "those rows of Brax's observation that are the body's or its own joints'"
        case LocomotionWorld():
            return "Brax's whole observation, the same for every agent"
        case JaxMARLWorld():
            return "as JaxMARL's own scenario has it, padded with zeros at the end"
        case _:
            return "as the environment has it, padded with zeros at the end"
