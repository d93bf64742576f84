"""What the files of a run must hold: each wrong value is named, and no other."""

import numpy as np
import pytest

from adama_jax.errors import DamagedFile
from adama_jax.storage.contents import (
    CURVES,
    check_curves,
    check_meta,
    check_rollout,
    check_stored,
)

META = {
    "device": {"kind": "cpu", "used": 2},
    "versions": {"jax": "0.10"},
    "git_commit": None,
    "finished_at": "2026-11-22T00:00:00Z",
    "updates_per_second": 10,
    "diverged": {"3": 17},
}


def test_what_every_version_wrote_is_enough():
    check_meta(META | {"device": {"kind": "cpu"}})
    check_meta(META | {"something": ["new"], "wall_seconds": 1.5})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"device": 3}, "device.kind is missing"),
        ({"device": {"kind": 3}}, "device.kind=3: must be a text"),
        (
            {"device": {"kind": "cpu", "used": "2"}},
            "device.used=2: must be a whole number",
        ),
        ({"versions": []}, "versions.jax is missing"),
        ({"git_commit": 5}, "git_commit=5: must be a text or null"),
        ({"finished_at": None}, "finished_at=None: must be a text"),
        ({"updates_per_second": "10"}, "updates_per_second=10: must be a number"),
        ({"updates_per_second": None}, "updates_per_second=None: must be a number"),
        ({"updates_per_second": True}, "updates_per_second=True: must be a number"),
        ({"diverged": [3]}, "diverged=[3]: must be episodes by seed"),
        ({"diverged": {"three": 1}}, "diverged={'three': 1}: must be episodes by seed"),
        ({"diverged": {"3": None}}, "diverged={'3': None}: must be episodes by seed"),
        ({"diverged": None}, "diverged=None: must be episodes by seed"),
    ],
)
def test_a_value_of_a_wrong_type_is_named(changes, message):
    with pytest.raises(DamagedFile) as error:
        check_meta(META | changes)
    assert str(error.value) == message


@pytest.mark.parametrize("name", [name for name in META if name != "device"])
def test_a_value_that_is_missing_is_named(name):
    with pytest.raises(DamagedFile, match=name):
        check_meta({key: value for key, value in META.items() if key != name})


def test_settings_that_every_version_wrote():
    stored = {
        "scenario": "a world of old",
        "method": "adama",
        "label": "adama",
        "episodes": 5,
        "seeds": 2,
        "seed": 0,
        "world": {},
    }
    check_stored(stored)
    with pytest.raises(DamagedFile, match=r"^seeds=2\.0: must be a whole number$"):
        check_stored(stored | {"seeds": 2.0})


SEEDS, POINTS = 2, 3


def curves(**changes):
    """Of seeds 5 and 6."""
    arrays = {"episode": np.array([10, 20, 30]), "seed": np.array([5, 6])}
    for name, axes in CURVES.items():
        arrays[name] = np.zeros((SEEDS, POINTS, 4)[:axes], np.float32)
    arrays |= {name.replace("__", "."): value for name, value in changes.items()}
    return {name: value for name, value in arrays.items() if value is not None}


def test_curves_of_a_run():
    check_curves(curves(), first_seed=5, seeds=SEEDS)
    check_curves(curves(own=np.ones((SEEDS, POINTS, 2, 2))), 5, SEEDS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": None}, "seed is missing"),
        ({"eval_return": None}, "eval_return is missing"),
        ({"episode": np.array(3)}, r"episode: must be whole numbers of shape \[1\]"),
        ({"episode": np.zeros(0, int)}, "episode: must be one or more that rise"),
        ({"episode": np.array([10, 30, 20])}, "episode: must be one or more that rise"),
        ({"episode": np.array([10.0, 20, 30])}, "episode: must be whole numbers"),
        ({"seed": np.array([0, 1])}, "seed: must be the seeds of config.json"),
        ({"seed": np.array([5, 6, 7])}, r"seed: must be whole numbers of shape \[2\]"),
        ({"seed": np.array(5)}, "seed: must be whole numbers"),
        (
            {"eval_return": np.zeros((3, 2))},
            r"eval_return: must be numbers of shape \[2, 3\], not float64\[3, 2\]",
        ),
        ({"eval_return": np.zeros((2, 3, 1))}, "eval_return: must not be of shape"),
        ({"eval_return": np.full((2, 3), "high")}, "eval_return: must be numbers"),
        ({"eval_return": np.zeros((2, 3), complex)}, "eval_return: must be numbers"),
        ({"eval_return": np.array(1.0)}, "eval_return: must be numbers"),
        ({"actor_rates": np.zeros((2, 3))}, "actor_rates: must not be of shape"),
        ({"actor_rates": np.zeros((2, 3, 0))}, "actor_rates: must not be of shape"),
        ({"unknown": np.zeros(7)}, "unknown: must be numbers of shape"),
    ],
)
def test_wrong_curves_are_named(changes, message):
    with pytest.raises(DamagedFile, match=f"^{message}"):
        check_curves(curves(**changes), first_seed=5, seeds=SEEDS)


def rollout(**changes):
    arrays = {
        "positions": np.zeros((SEEDS, 1, 4, 3, 2), np.float32),
        "reward": np.zeros((SEEDS, 1, 3), np.float32),
        "kind": np.array(["agent", "agent", "prey"]),
        "name": np.array(["a", "b", "c"]),
        "radius": np.ones(3),
    }
    arrays |= changes
    return {name: value for name, value in arrays.items() if value is not None}


def test_episodes_of_a_run():
    check_rollout(rollout())
    check_rollout(
        rollout(
            terminated=np.zeros((SEEDS, 1, 3), bool),
            agent=np.array([0, 1, -1]),
            seconds=np.array(0.05),
            snapshot=np.zeros((SEEDS, 1, 4, 9)),
            kind=np.array(["limb", "limb", "ground"]),
        )
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": None}, "positions is missing"),
        ({"kind": None}, "kind is missing"),
        ({"positions": np.array(1.0)}, "positions: must not be of shape"),
        ({"positions": np.zeros((2, 0, 4, 3, 2))}, "positions: must not be of shape"),
        ({"positions": np.zeros((2, 1, 4, 3, 3))}, "positions: must not be of shape"),
        (
            {"positions": np.full((2, 1, 4, 3, 2), "x")},
            "positions: must be numbers of shape",
        ),
        ({"reward": np.zeros((2, 1, 4))}, "reward: must be numbers of shape"),
        ({"reward": np.array(1.0)}, "reward: must be numbers of shape"),
        ({"kind": np.array("agent")}, "kind: must be texts of shape"),
        ({"kind": np.zeros(3)}, "kind: must be texts of shape"),
        ({"name": np.array(["a"])}, "name: must be texts of shape"),
        ({"radius": np.array([1.0, np.nan, 1.0])}, "radius: must be finite"),
        ({"radius": np.array([1.0, -1.0, 1.0])}, "radius: must be finite"),
        ({"terminated": np.zeros((2, 1, 3))}, "terminated: must be booleans of shape"),
        ({"agent": np.zeros(3)}, "agent: must be whole numbers of shape"),
        ({"seconds": np.array([0.1])}, "seconds: must be numbers of shape"),
        ({"seconds": np.array(np.inf)}, "seconds: must be finite"),
        ({"snapshot": np.zeros((2, 1, 4))}, "snapshot: must be numbers of shape"),
        ({"snapshot": np.zeros((2, 1, 3, 9))}, "snapshot: must be numbers of shape"),
        ({"kind": np.array(["limb", "agent", "ground"])}, "kind: must have two of"),
        ({"kind": np.array(["limb", "limb", "agent"])}, "kind: must have two of"),
    ],
)
def test_wrong_episodes_are_named(changes, message):
    with pytest.raises(DamagedFile, match=f"^{message}"):
        check_rollout(rollout(**changes))
