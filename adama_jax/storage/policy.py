"""Trained actors without JAX: one seed's, exported to a file that says what it is, run by NumPy.

The file has the layout of a run's `actors.npz` with a single seed, so that whatever reads the one
reads the other.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from adama_jax.errors import DamagedFile, SettingError
from adama_jax.storage.files import Arrays, naming, read_arrays, reading

# Of arrays in the file, which else are the weights by their dotted names.
ABOUT = "about"
SEED = "seed"
# The layers of `adama_jax.algorithms.networks.Actor`, in order.
KERNEL = "params.MLP_0.Dense_{}.kernel"
BIAS = "params.MLP_0.Dense_{}.bias"
NORM_SCALE = "params.MLP_0.FeatureNorm_{}.LayerNorm_0.scale"
NORM_BIAS = "params.MLP_0.FeatureNorm_{}.LayerNorm_0.bias"
NORM_VARIANCE = 1e-6  # that a normalised layer adds
# Of all observations, for actors that are shown them normalised.
OBS_NUMBER = "observations.number"  # [S]
OBS_MEAN = "observations.mean"  # [S, N, O]
OBS_VARIANCE = "observations.variance"  # [S, N, O]
OBSERVED = (OBS_NUMBER, OBS_MEAN, OBS_VARIANCE)
# As `training.normalization` has them.
OBS_ADDED_VARIANCE = 1e-8
OBS_LIMIT = 10.0
ALGORITHM = "maddpg"  # of files that name none: they are older

Layers = Sequence[tuple[np.ndarray, np.ndarray]]
Moments = tuple[np.ndarray, np.ndarray]
Activation = Callable[[np.ndarray], np.ndarray]


class Policy(NamedTuple):
    """Trained actors: `policy(obs)` are their actions.

    about: what the file says: `scenario`, `num_agents`, `obs_size`, `action_sizes`, `observation`
        in words, the training run's `config`, `versions`, and more.
    layers: kernel [N, I, W] and bias [N, W] of each, float32.
    norms: scale and bias, [N, W] both, of each hidden layer that is normalised: of all or of none.
    moments: mean and variance of observations, [N, O] both, where actors see them normalised.
    """

    about: dict[str, Any]
    layers: Layers
    norms: Layers = ()
    moments: Moments | None = None

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """The agents' greedy actions, in [-1, 1], or one-hot where they are discrete.

        Args:
            obs: what each agent observes, [N, O], or of several at a time, [N, B, O]; shorter
                observations are padded with zeros at the end.

        Returns:
            [N, A] or [N, B, A], float32; a smaller action is padded with zeros at the end.

        Raises:
            ValueError: observations of another shape.
        """
        agents = self.about["num_agents"]
        size = self.about["obs_size"]
        obs = np.asarray(obs, np.float32)
        if obs.ndim not in (2, 3) or (obs.shape[0], obs.shape[-1]) != (agents, size):
            raise ValueError(
                f"obs: must be [{agents}, {size}] or [{agents}, B, {size}], "
                f"not {list(obs.shape)}"
            )
        x = obs if obs.ndim == 3 else obs[:, None]
        if self.moments is not None:
            x = _shown(x, *self.moments)
        activate = ACTIVATIONS[self.about["activation"]]
        *hidden, (kernel, bias) = self.layers
        for index, (own_kernel, own_bias) in enumerate(hidden):
            x = x @ own_kernel + own_bias[:, None]
            if self.norms:
                x = _normalised(x, *self.norms[index])
            x = activate(x)
        head = HEADS[_head(self.about)]
        action = head(x @ kernel + bias[:, None], self._mask())
        return action if obs.ndim == 3 else action[:, 0]

    def _mask(self) -> np.ndarray:
        """1 where an agent has an action, 0 where it is padding. [N, 1, A]"""
        columns = np.arange(self.about["action_size"])
        sizes = np.array(self.about["action_sizes"])
        return (columns < sizes[:, None]).astype(np.float32)[:, None]


def load_policy(path: Path | str, seed: int | None = None) -> Policy:
    """Read trained actors: an exported file, or `actors.npz` of a run. No JAX is needed.

    Args:
        path: the file.
        seed: which of its seeds; None: its first.

    Raises:
        DamagedFile: it is not such a file, or of an algorithm whose actors are no such networks.
        SettingError: it has no such seed.

    >>> policy = load_policy("adama_jax/storage/trained/predator_prey.npz")
    >>> policy.about["scenario"], policy.about["num_agents"], policy.about["obs_size"]
    ('predator_prey_modern', 4, 10)
    >>> policy(np.zeros((4, 10))).shape
    (4, 2)
    """
    path = Path(path)
    arrays = read_arrays(path)
    with reading(path):
        about = json.loads(str(arrays[ABOUT]))
        seeds = arrays[SEED].tolist()
        algorithm = about.get("algorithm", ALGORITHM)
        activation = about["activation"]
    with naming(path):
        if _head(about) not in HEADS:
            raise DamagedFile(
                f"algorithm={algorithm}: its actors are no networks that NumPy runs"
            )
        if activation not in ACTIVATIONS:
            raise DamagedFile(f"activation={activation}: is none that there is")
    with reading(path):
        hidden = len(about["hidden"])
        layers = _layers(arrays, hidden + 1)
        norms = _norms(arrays, hidden) if about.get("layer_norm") else ()
        moments = _moments(arrays)
    row = row_of(seed, seeds)
    if moments is not None:
        ((mean, variance),) = _of_row([moments], row)
        moments = (mean, variance)
    return Policy(about, _of_row(layers, row), _of_row(norms, row), moments)


def row_of(seed: int | None, seeds: Sequence[int]) -> int:
    """The place of a seed; None: of the first.

    Raises:
        SettingError: there is no such seed.
    """
    if seed is None:
        return 0
    if seed not in seeds:
        known = ", ".join(map(str, seeds))
        raise SettingError(f"seed={seed}: must be one of {known}, or None")
    return list(seeds).index(seed)


def one_seed(arrays: Arrays, row: int, about: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of `actors.npz` of a run with one of its seeds alone, and more said of them."""
    said = json.loads(str(arrays[ABOUT])) | dict(about)
    found: dict[str, Any] = {ABOUT: np.array(json.dumps(said))}
    for name, value in arrays.items():
        if name != ABOUT:
            found[name] = value[row : row + 1]
    return found


def read_about(path: Path) -> dict[str, Any]:
    """What a file of actors says of itself.

    Raises:
        DamagedFile: it is not such a file.
    """
    arrays = read_arrays(path)
    with reading(path):
        return json.loads(str(arrays[ABOUT]))


def _head(about: Mapping[str, Any]) -> str:
    """What becomes of the last layer, "" if nobody says it."""
    # A file of an earlier version says only whose it is.
    algorithm = about.get("algorithm", ALGORITHM)
    usual = "tanh" if algorithm == ALGORITHM else ""
    return about.get("head", usual) or ""


def _layers(arrays: Arrays, count: int) -> Layers:
    """Kernels [S, N, I, W] and biases [S, N, W]; weights may be stored in half precision."""
    layers = []
    for index in range(count):
        kernel = arrays[KERNEL.format(index)].astype(np.float32)
        bias = arrays[BIAS.format(index)].astype(np.float32)
        if kernel.ndim != 4 or bias.shape != (*kernel.shape[:2], kernel.shape[3]):
            raise ValueError(f"layer {index}: must not be of shape {kernel.shape}")
        layers.append((kernel, bias))
    return layers


def _norms(
    arrays: Arrays,
    count: int,
) -> Layers:
    """Scales and biases of the hidden layers' normalisation. [S, N, W] each"""
    norms = []
    for index in range(count):
        scale = arrays[NORM_SCALE.format(index)].astype(np.float32)
        bias = arrays[NORM_BIAS.format(index)].astype(np.float32)
        norms.append((scale, bias))
    return norms


def _moments(arrays: Arrays) -> Moments | None:
    """Mean and variance of observations, [S, N, O] both, where there are any."""
    if OBS_MEAN not in arrays:
        return None
    return arrays[OBS_MEAN], arrays[OBS_VARIANCE]


def _of_row(
    layers: Layers,
    row: int,
) -> Layers:
    """One seed's."""
    return [(one[row], other[row]) for one, other in layers]


def _normalised(
    x: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
) -> np.ndarray:
    """A layer less its mean over the features, over its deviation. [N, B, W]"""
    apart = x - x.mean(axis=-1, keepdims=True)
    variance = (apart**2).mean(axis=-1, keepdims=True)
    unit = apart / np.sqrt(variance + NORM_VARIANCE)
    return unit * scale[:, None] + bias[:, None]


def _shown(
    obs: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
) -> np.ndarray:
    """Observations as actors are shown them. [N, B, O]"""
    deviation = np.sqrt(variance + np.float32(OBS_ADDED_VARIANCE))
    apart = (obs - mean[:, None]) / deviation[:, None]
    return np.clip(apart, -OBS_LIMIT, OBS_LIMIT)


def _tanh(
    last: np.ndarray,
    mask: np.ndarray,
) -> np.ndarray:
    return np.tanh(last) * mask


def _tanh_of_mean(
    last: np.ndarray,
    mask: np.ndarray,
) -> np.ndarray:
    # The other half is the logarithm of the standard deviation.
    mean = last[..., : last.shape[-1] // 2]
    return np.tanh(mean) * mask


def _largest(
    last: np.ndarray,
    mask: np.ndarray,
) -> np.ndarray:
    # What pads an action is never chosen.
    own = np.where(mask > 0, last, -np.inf)
    actions = np.eye(last.shape[-1], dtype=np.float32)
    return actions[np.argmax(own, axis=-1)]


Head = Callable[[np.ndarray, np.ndarray], np.ndarray]
# Those of `algorithms.settings.Head`: of the last layer [N, B, W] and `_mask` the actions.
HEADS: dict[str, Head] = {
    "tanh": _tanh,
    "tanh_of_mean": _tanh_of_mean,
    "largest": _largest,
}


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def _leaky_relu(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, x, np.float32(0.01) * x)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(x, np.float32(0))


def _elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _silu(x: np.ndarray) -> np.ndarray:
    # As x * sigmoid(x), which would overflow in exp(-x).
    return x * (0.5 * (1 + np.tanh(x / 2)))


def _gelu(x: np.ndarray) -> np.ndarray:
    """Flax's: the approximation by tanh (Hendrycks & Gimpel 2016)."""
    inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x**3)
    return 0.5 * x * (1 + np.tanh(inner))


# Those of `algorithms.settings.Activation`, as Flax has them.
ACTIVATIONS: dict[str, Activation] = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "tanh": np.tanh,
    "silu": _silu,
    "gelu": _gelu,
    "softplus": _softplus,
    "elu": _elu,
}
