"""Trained actors without JAX: NumPy's actions are JAX's, for every activation and padded sizes."""

import json
import subprocess
import sys
from pkgutil import resolve_name
from typing import get_args

import jax
import numpy as np
import pytest

from adama_jax.algorithms.settings import ALGORITHMS, Activation, Head
from adama_jax.errors import DamagedFile, SettingError
from adama_jax.execution.actors import actor_arrays, load_actors
from adama_jax.storage.policy import ACTIVATIONS, HEADS, load_policy, read_about
from adama_jax.storage.shipped import TRAINED, shipped_actors, shipped_names
from adama_jax.training.normalization import Moments, normalized

SIZES = {"num_agents": 3, "obs_size": 5, "action_size": 4, "action_sizes": [4, 2, 3]}


def file_of(
    folder,
    activation="relu",
    hidden=(8, 6),
    seeds=(3, 4),
    name="maddpg",
    layer_norm=False,
    moments=None,
    **changes,
):
    """A file of untrained actors with large weights, and the algorithm that they are of."""
    factory = resolve_name(ALGORITHMS[name].path)
    norm = {"layer_norm": True} if layer_norm else {}
    algorithm = factory(**SIZES, hidden=hidden, actor_activation=activation, **norm)
    each = [algorithm.init(jax.random.key(seed)).actors for seed in seeds]
    params = jax.tree.map(lambda *leaves: 2 * np.stack(leaves) + 0.1, *each)
    about = {"algorithm": name, "scenario": "none", "hidden": list(hidden), **SIZES}
    about |= {"activation": activation, "layer_norm": layer_norm, **changes}
    path = folder / "actors.npz"
    weights = actor_arrays(params, moments)
    np.savez(path, about=np.array(json.dumps(about)), seed=np.array(seeds), **weights)
    return path, algorithm, params


def test_every_activation_is_there():
    assert set(ACTIVATIONS) == set(get_args(Activation))


@pytest.mark.parametrize(
    ("activation", "layer_norm"),
    [*((each, False) for each in get_args(Activation)), ("relu", True), ("tanh", True)],
)
def test_numpy_acts_as_jax_does(tmp_path, activation, layer_norm):
    path, algorithm, params = file_of(tmp_path, activation, layer_norm=layer_norm)
    obs = 3 * np.random.default_rng(0).normal(size=(3, 50, 5)).astype(np.float32)
    for row, seed in enumerate((3, 4)):
        own = jax.tree.map(lambda leaf, row=row: leaf[row], params)
        expected = np.asarray(algorithm.act(own, obs))
        policy = load_policy(path, seed)
        np.testing.assert_allclose(policy(obs), expected, rtol=1e-5, atol=2e-6)
        assert policy(obs).dtype == np.float32
        # What pads the smaller actions is nothing.
        assert not policy(obs)[1, :, 2:].any()
        np.testing.assert_array_equal(policy(obs[:, 0]), policy(obs)[:, 0])
    # Else it would be easy.
    assert 0.05 < np.abs(expected[0]).std() < 0.95


def test_numpy_sees_what_jax_sees_where_observations_are_normalised(tmp_path):
    """Each seed through its own moments; also what never changed, and what is beyond the limit."""
    draw = np.random.default_rng(1)
    mean = draw.normal(size=(2, 3, 5)).astype(np.float32)
    variance = draw.uniform(0.1, 9.0, size=(2, 3, 5)).astype(np.float32)
    variance[:, 0, 1] = 0.0
    moments = Moments(np.full(2, 99.0, np.float32), mean, variance)
    path, algorithm, params = file_of(tmp_path, moments=moments)
    obs = 3 * draw.normal(size=(3, 50, 5)).astype(np.float32)
    obs[2, 0] = 1e4
    actors = load_actors(path)
    for row, seed in enumerate((3, 4)):
        own, shown = jax.tree.map(lambda leaf, row=row: leaf[row], (params, moments))
        expected = algorithm.act(own, normalized(shown, obs))
        seeing = jax.tree.map(lambda leaf, row=row: leaf[row], actors.params)
        np.testing.assert_array_equal(actors.act(seeing, obs), expected)
        found = load_policy(path, seed)(obs)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
        assert found.dtype == np.float32
        assert not np.allclose(expected, algorithm.act(own, obs), atol=0.1)


def test_every_head_is_there():
    assert set(HEADS) == set(get_args(Head))


# One algorithm for each head that MADDPG's actors do not have.
OTHERS = {each.head: name for name, each in ALGORITHMS.items()}


@pytest.mark.parametrize("name", [OTHERS[head] for head in HEADS if head != "tanh"])
def test_numpy_acts_as_the_other_algorithms_do(tmp_path, name):
    """Greedily: by means, or by the likeliest of an agent's own actions."""
    head = ALGORITHMS[name].head
    path, algorithm, params = file_of(tmp_path, "tanh", name=name, head=head)
    obs = 3 * np.random.default_rng(0).normal(size=(3, 50, 5)).astype(np.float32)
    own = jax.tree.map(lambda leaf: leaf[1], params)
    expected = np.asarray(algorithm.act(own, obs))
    found = load_policy(path, 4)(obs)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)
    assert found.dtype == np.float32
    assert not found[1, :, 2:].any()
    # Else it would be easy: neither all the same nor all the ends.
    assert len(np.unique(found[0], axis=0)) > 2


@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 4), (5, 3, 7), (2, 3, 5)])
def test_observations_of_another_shape_are_refused(tmp_path, shape):
    policy = load_policy(file_of(tmp_path)[0])
    with pytest.raises(ValueError, match=r"^obs: must be \[3, 5\] or \[3, B, 5\], not"):
        policy(np.zeros(shape))


def test_a_seed_that_is_not_there(tmp_path):
    with pytest.raises(SettingError, match=r"^seed=7: must be one of 3, 4, or None$"):
        load_policy(file_of(tmp_path)[0], seed=7)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"algorithm": "mine:own"}, "algorithm=mine:own: its actors are no networks"),
        ({"head": "sine"}, "algorithm=maddpg: its actors are no networks that NumPy"),
        ({"activation": "sine"}, "activation=sine: is none that there is"),
        ({"layer_norm": True}, r"cannot be read: .*FeatureNorm_0"),
        ({"hidden": [8, 6, 5]}, r"cannot be read: .*Dense_3\.kernel"),
    ],
)
def test_actors_that_numpy_cannot_run(tmp_path, changes, said):
    path, _, _ = file_of(tmp_path)
    with np.load(path) as arrays:
        values = dict(arrays)
    about = json.loads(str(values["about"])) | changes
    np.savez(path, **values | {"about": np.array(json.dumps(about))})
    with pytest.raises(DamagedFile, match=said) as error:
        load_policy(path)
    assert str(path) in str(error.value)


def test_the_actors_that_come_along_are_those_of_their_provenance():
    said = json.loads((TRAINED / "provenance.json").read_text(encoding="utf-8"))
    assert sorted(said) == shipped_names()
    from adama_jax.storage.files import digest_of_file

    for world, about in said.items():
        path = TRAINED / f"{world}.npz"
        assert digest_of_file(path) == about["sha256"]
        assert read_about(path)["episodes"] == about["episodes"] == 4000
        assert about["command"].startswith("adama train ")
    # A wheel is not the place for more.
    assert sum(path.stat().st_size for path in TRAINED.iterdir()) < 600_000


@pytest.mark.parametrize(
    "world", ["predator_prey", "clustering", "MPE_simple_spread_v3"]
)
def test_what_comes_along_is_read_by_both(world):
    path = shipped_actors(world)
    policy = load_policy(path)
    actors = load_actors(path)
    own = jax.tree.map(lambda leaf: leaf[0], actors.params)
    about = policy.about
    shape = (about["num_agents"], 8, about["obs_size"])
    obs = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    np.testing.assert_allclose(policy(obs), actors.act(own, obs), rtol=1e-5, atol=2e-6)
    with np.load(path) as arrays:
        assert arrays["params.MLP_0.Dense_0.kernel"].dtype == np.float16
    assert about["observation"] and about["versions"]["jax"] and about["config"]


def test_no_jax_is_imported():
    code = (
        "import sys, adama_jax; policy = adama_jax.load_policy(sys.argv[1]);"
        "import numpy as np; about = policy.about;"
        "policy(np.zeros((about['num_agents'], about['obs_size'])));"
        "assert not {'jax', 'flax', 'optax', 'rich'} & set(sys.modules)"
    )
    path = str(TRAINED / "predator_prey.npz")
    done = subprocess.run(
        [sys.executable, "-c", code, path],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
