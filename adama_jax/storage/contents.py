"""What the files of a finished run must hold: names, types and shapes, checked as they are read.

Whoever reads a run may rely on them. A digest proves more, but earlier versions wrote none, and
nobody knows what another program has written under these names.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from adama_jax.config.names import flat
from adama_jax.errors import DamagedFile
from adama_jax.storage.files import Arrays

# Kinds of NumPy's types, and what they are called.
INTEGERS = "iu"
NUMBERS = "fiu"
TEXTS = "U"
BOOLEANS = "b"
IN_WORDS = {
    INTEGERS: "whole numbers",
    NUMBERS: "numbers",
    TEXTS: "texts",
    BOOLEANS: "booleans",
}
# The curves that tables and figures show, and their axes: seeds, points, agents.
CURVES = {
    "train_return": 2,
    "eval_return": 2,
    "critic_rate": 2,
    "actor_budget": 2,
    "critic_term": 2,
    "actor_rates": 3,
}


class Kind(NamedTuple):
    """What a value must be: a test, and the same in words."""

    fits: Callable[[object], bool]
    words: str


def is_whole(value: object) -> bool:
    """Whether a value is a whole number; True is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether a value is a number."""
    return is_whole(value) or isinstance(value, float)


def is_text(value: object) -> bool:
    """Whether a value is a text."""
    return isinstance(value, str)


TEXT = Kind(is_text, "a text")
NUMBER = Kind(is_number, "a number")
WHOLE = Kind(is_whole, "a whole number")
TEXT_OR_NONE = Kind(lambda value: value is None or is_text(value), "a text or null")
# What `meta.json` must say, by names such as "device.kind", and what it may say.
SAID = {
    "device.kind": TEXT,
    "versions.jax": TEXT,
    "git_commit": TEXT_OR_NONE,
    "finished_at": TEXT,
    "updates_per_second": NUMBER,
}
MAY_BE_SAID = {"device.used": WHOLE, "wall_seconds": NUMBER}
# What `config.json` must say, whichever version wrote it.
SETTINGS = {
    "scenario": TEXT,
    "method": TEXT,
    "label": TEXT,
    "episodes": WHOLE,
    "seeds": WHOLE,
    "seed": WHOLE,
    "world": Kind(lambda value: isinstance(value, dict), "an object"),
}


def check_meta(meta: Mapping[str, Any]) -> None:
    """Check what `meta.json` says.

    Raises:
        DamagedFile: something is missing or of another type; the message names it.

    >>> check_meta({"diverged": {"2": "at the end"}})
    Traceback (most recent call last):
    adama_jax.errors.DamagedFile: diverged={'2': 'at the end'}: must be episodes by seed
    """
    diverged = meta.get("diverged")
    if not _are_episodes_by_seed(diverged):
        raise DamagedFile(f"diverged={diverged}: must be episodes by seed")
    said = dict(flat(meta))
    _check_values(said, SAID)
    for name, kind in MAY_BE_SAID.items():
        if name in said:
            _check_values(said, {name: kind})


def check_stored(stored: Mapping[str, Any]) -> None:
    """Check those settings of `config.json` that every version wrote; others it may lack.

    Raises:
        DamagedFile: one is missing or of another type; the message names it.
    """
    _check_values(stored, SETTINGS)


def _check_values(values: Mapping[str, Any], kinds: Mapping[str, Kind]) -> None:
    for name, kind in kinds.items():
        if name not in values:
            raise DamagedFile(f"{name} is missing")
        if not kind.fits(values[name]):
            raise DamagedFile(f"{name}={values[name]}: must be {kind.words}")


def _are_episodes_by_seed(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    seeds = all(seed.isdecimal() for seed in value)
    episodes = all(is_whole(episode) for episode in value.values())
    return seeds and episodes


def check_curves(arrays: Arrays, first_seed: int, seeds: int) -> None:
    """Check the arrays of `metrics.npz`.

    Args:
        arrays: `episode` [P], `seed` [S], and curves [S, P, ...].
        first_seed: of the run's settings.
        seeds: how many the settings say.

    Raises:
        DamagedFile: one is missing, or of another type or shape; the message names it.
    """
    for name in ("episode", "seed", *CURVES):
        if name not in arrays:
            raise DamagedFile(f"{name} is missing")
    episode = arrays["episode"]
    _check_array("episode", episode, INTEGERS, (episode.size,))
    if not episode.size or (np.diff(episode) <= 0).any():
        raise DamagedFile("episode: must be one or more that rise")
    seed = arrays["seed"]
    _check_array("seed", seed, INTEGERS, (seeds,))
    if (seed != first_seed + np.arange(seeds)).any():
        raise DamagedFile("seed: must be the seeds of config.json")
    for name, curve in arrays.items():
        if name in ("episode", "seed"):
            continue
        # Of an axis beyond seeds and points only the reader of a curve knows the length.
        beyond = curve.shape[2:]
        _check_array(name, curve, NUMBERS, (seeds, episode.size, *beyond))
        if curve.ndim != CURVES.get(name, curve.ndim) or 0 in beyond:
            raise DamagedFile(f"{name}: must not be of shape {curve.shape}")


def check_rollout(arrays: Arrays) -> None:
    """Check the arrays of `rollout.npz`; the shapes are `storage.reader.Rollout`'s.

    Raises:
        DamagedFile: one is missing, or of another type or shape; the message names it.
    """
    for name in ("positions", "reward", "kind", "name", "radius"):
        if name not in arrays:
            raise DamagedFile(f"{name} is missing")
    positions = arrays["positions"]
    # A world may have nothing to draw.
    if positions.ndim != 5 or 0 in positions.shape[:3] or positions.shape[-1] != 2:
        raise DamagedFile(f"positions: must not be of shape {positions.shape}")
    seeds, episodes, times, things, _ = positions.shape
    steps = (seeds, episodes, times - 1)
    _check_array("positions", positions, NUMBERS, positions.shape)
    _check_array("reward", arrays["reward"], NUMBERS, steps)
    for name in ("kind", "name"):
        _check_array(name, arrays[name], TEXTS, (things,))
    _check_sizes("radius", arrays["radius"], (things,))
    if "terminated" in arrays:
        _check_array("terminated", arrays["terminated"], BOOLEANS, steps)
    if "agent" in arrays:
        _check_array("agent", arrays["agent"], INTEGERS, (things,))
    if "seconds" in arrays:
        _check_sizes("seconds", arrays["seconds"], ())
    if "snapshot" in arrays:
        snapshot = arrays["snapshot"]
        size = snapshot.shape[-1:]
        _check_array("snapshot", snapshot, NUMBERS, (seeds, episodes, times, *size))
    _check_limbs(arrays["kind"].tolist())


def _check_limbs(kinds: list[str]) -> None:
    """Check that a robot can be drawn: limbs have two ends, and there is a ground below."""
    limbs = kinds.count("limb")
    if limbs and (limbs % 2 or kinds.count("ground") != 1):
        raise DamagedFile("kind: must have two of each limb and one ground")


def _check_array(
    name: str, array: np.ndarray, kinds: str, shape: tuple[int, ...]
) -> None:
    if array.dtype.kind not in kinds or array.shape != shape:
        found = f"{array.dtype}{list(array.shape)}"
        allowed = f"{IN_WORDS[kinds]} of shape {list(shape)}"
        raise DamagedFile(f"{name}: must be {allowed}, not {found}")


def _check_sizes(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    """Check an array of lengths or times: finite numbers, none below 0."""
    _check_array(name, array, NUMBERS, shape)
    if not np.isfinite(array).all() or (array < 0).any():
        raise DamagedFile(f"{name}: must be finite and not below 0")
