"""Trained actors as one small file: what acts, without a learner, a critic or a replay."""

import json
from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from adama_jax import tree
from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.settings import ALGORITHMS, DEFAULT_ALGORITHM
from adama_jax.config.schema import Config
from adama_jax.execution.build import make_env
from adama_jax.keys import key_of
from adama_jax.plugins.registry import without_imports
from adama_jax.storage.files import read_arrays, reading
from adama_jax.storage.policy import OBS_MEAN, OBS_NUMBER, OBS_VARIANCE
from adama_jax.training.normalization import Moments, Seeing, acting_normalized
from adama_jax.training.rollout import Act
from adama_jax.types import PyTree


class Actors(NamedTuple):
    """The actors of a run, read back.

    act: `(params, obs [N, B, O]) -> action [N, B, A]`.
    params: of every seed, leaves [S, N, ...]; of actors that are shown normalised observations a
        `Seeing`.
    seeds: [S].
    about: algorithm, scenario, num_agents, obs_size, action_sizes, hidden, activation,
        layer_norm, head.
    """

    act: Act
    params: PyTree
    seeds: np.ndarray
    about: dict[str, Any]


def about_actors(config: Config) -> dict[str, Any]:
    """What `load_actors` needs to know beside the weights."""
    spec = make_env(config).spec
    networks = config.networks
    head = ALGORITHMS[config.algorithm].head
    return {
        "algorithm": config.algorithm,
        "scenario": config.scenario,
        "num_agents": spec.num_agents,
        "obs_size": spec.obs_size,
        "action_size": spec.action_size,
        "action_sizes": list(spec.action_sizes),
        "hidden": list(networks.hidden),
        "activation": networks.actor_activation,
        "layer_norm": networks.layer_norm,
        "head": head,
    }


def actor_arrays(
    params: PyTree,
    moments: Moments | None = None,
) -> dict[str, np.ndarray]:
    """Weights by their dotted names, and what they are shown the world through, if anything."""
    names = tree.leaf_names(params)
    weights = [np.asarray(leaf) for leaf in jax.tree.leaves(params)]
    arrays = dict(zip(names, weights, strict=True))
    if moments is not None:
        arrays[OBS_MEAN] = np.asarray(moments.mean)
        arrays[OBS_VARIANCE] = np.asarray(moments.variance)
        arrays[OBS_NUMBER] = np.asarray(moments.number)
    return arrays


def load_actors(path: Path) -> Actors:
    """Read `actors.npz` of a run's folder. It holds arrays and JSON only: reading it runs no code.

    Raises:
        DamagedFile: it is not such a file.

    An action of each agent of seed 0:

    >>> path = Path("results/clustering/adama-0123456789/actors.npz")
    >>> actors = load_actors(path)  # doctest: +SKIP
    >>> of_seed = jax.tree.map(lambda leaf: leaf[0], actors.params)  # doctest: +SKIP
    >>> obs = jax.numpy.zeros((4, 1, actors.about["obs_size"]))  # doctest: +SKIP
    >>> actors.act(of_seed, obs).shape  # doctest: +SKIP
    (4, 1, 2)
    """
    arrays = read_arrays(path)
    with reading(path):
        about = json.loads(str(arrays.pop("about")))
        seeds = arrays.pop("seed")
        algorithm = _algorithm(about)
        moments = _moments(arrays)
        params = _nested(arrays)
        like = jax.eval_shape(algorithm.init, key_of(0)).actors
        # In the file every leaf leads with the seeds.
        stored = jax.tree.map(lambda leaf: leaf.shape[1:], params)
        if stored != jax.tree.map(lambda leaf: leaf.shape, like):
            raise ValueError("the weights do not fit what is said of them")
        if moments is not None:
            sizes = (len(seeds), about["num_agents"], about["obs_size"])
            if not moments.mean.shape == moments.variance.shape == sizes:
                raise ValueError("the moments of observations do not fit their sizes")
    if moments is None:
        return Actors(algorithm.act, params, seeds, about)
    seeing = Seeing(params, moments)
    return Actors(acting_normalized(algorithm.act), seeing, seeds, about)


def _algorithm(about: Mapping[str, Any]) -> Algorithm:
    """The algorithm whose actors these are; its critic is not in the file, and may be any."""
    name = about.get("algorithm", DEFAULT_ALGORITHM)
    # The file may be anybody's, and reading it runs no code that this process does not use itself.
    with without_imports():
        known = name in ALGORITHMS
    if not known:
        raise ValueError(
            f"algorithm={name!r} is none of {', '.join(ALGORITHMS)}; one from outside must be in "
            "use already: algorithms.settings.ALGORITHMS[name] imports it"
        )
    factory = resolve_name(ALGORITHMS[name].path)
    # A file of an earlier version does not say it, and an algorithm need not know it.
    layers = {"layer_norm": True} if about.get("layer_norm") else {}
    return factory(
        num_agents=about["num_agents"],
        obs_size=about["obs_size"],
        action_size=about["action_size"],
        action_sizes=about["action_sizes"],
        hidden=about["hidden"],
        actor_activation=about["activation"],
        **layers,
    )


def _moments(arrays: dict[str, np.ndarray]) -> Moments | None:
    """Take the moments of observations, of every seed, out of the arrays; None: there are none."""
    if OBS_MEAN not in arrays:
        return None
    names = (OBS_NUMBER, OBS_MEAN, OBS_VARIANCE)
    number, mean, variance = [jnp.asarray(arrays.pop(name)) for name in names]
    return Moments(number, mean, variance)


def _nested(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Dotted names as dictionaries in dictionaries."""
    nested: dict[str, Any] = {}
    for name, value in arrays.items():
        *outer, last = name.split(".")
        inner = nested
        for part in outer:
            inner = inner.setdefault(part, {})
        # An exported file may have them in half precision.
        inner[last] = value.astype(np.float32) if value.dtype == np.float16 else value
    return nested
