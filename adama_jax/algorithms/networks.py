"""Flax networks that algorithms are made of: layers, and the actor of one agent (section 3.1).

Glorot-uniform kernels and zero biases, as in the first author's public MADDPG code. Inside a
network activations are feature-major, `[width, B]`: measured on one CPU core, forward and backward
of four stacked actors run 1.17 times as fast so as with `[B, width]`, most of it in the gradients
of the kernels. This file alone decides it; `swap_batch_and_features` is the way in and out.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pkgutil import resolve_name

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from adama_jax.algorithms.settings import CRITICS

KERNEL_INIT = nn.initializers.glorot_uniform()
NORM_VARIANCE = 1e-6  # that layer normalisation adds


def activation(name: str) -> Callable[[jax.Array], jax.Array]:
    """The Flax activation of that name, "relu" or "tanh" say."""
    return getattr(nn, name)


def swap_batch_and_features(x: jax.Array) -> jax.Array:
    """[..., B, X] to [..., X, B], as networks compute, and back."""
    return jnp.swapaxes(x, -1, -2)


def join_agents(x: jax.Array) -> jax.Array:
    """All agents' vectors as one, feature-major. [N, B, X] to [N * X, B]"""
    batch_size = x.shape[1]
    return swap_batch_and_features(x).reshape(-1, batch_size)


def action_mask(action_sizes: Sequence[int], action_size: int) -> jax.Array:
    """1 where an agent has an action, 0 where it is padding, which must add no gradient. [N, A]

    >>> action_mask((3, 2), 3).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    """
    columns = jnp.arange(action_size)[None]
    sizes = jnp.array(action_sizes)[:, None]
    return (columns < sizes).astype(jnp.float32)


class Dense(nn.Module):
    """A fully connected layer on several feature-major inputs, which are never concatenated.

    [I_1, B], [I_2, B] ... to [width, B]. One kernel [I_1 + I_2 + ..., width] and one bias [width].
    """

    width: int

    @nn.compact
    def __call__(self, *inputs: jax.Array) -> jax.Array:
        sizes = [each.shape[0] for each in inputs]
        kernel = self.param("kernel", KERNEL_INIT, (sum(sizes), self.width))
        bias = self.param("bias", nn.initializers.zeros, (self.width,))
        # The kernel's rows are cut instead: it is far smaller than a minibatch, which a
        # concatenation would copy once more.
        kernels = jnp.split(kernel, np.cumsum(sizes)[:-1])
        output = bias[:, None]
        for rows, each in zip(kernels, inputs, strict=True):
            product = rows.T @ each
            output = output + product
        return output


class FeatureNorm(nn.Module):
    """Layer normalisation (Ba et al. 2016) of feature-major activations. [W, B] to [W, B]"""

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
    ) -> jax.Array:
        norm = nn.LayerNorm(reduction_axes=0, feature_axes=0, epsilon=NORM_VARIANCE)
        return norm(x)


class MLP(nn.Module):
    """Hidden layers and a linear head, on feature-major inputs.

    [I_1, B], [I_2, B] ... to [head, B]. With `layer_norm` each hidden layer is normalised over its
    features, before its activation.
    """

    hidden: Sequence[int]
    head: int
    activation: str
    layer_norm: bool = False

    @nn.compact
    def __call__(self, *inputs: jax.Array) -> jax.Array:
        activate = activation(self.activation)
        for width in self.hidden:
            layer = Dense(width)
            output = layer(*inputs)
            if self.layer_norm:
                norm = FeatureNorm()
                output = norm(output)
            inputs = (activate(output),)
        head = Dense(self.head)
        return head(*inputs)


class Actor(nn.Module):
    """pi_i(o_i): an MLP with a tanh head. [B, O] to [B, A] in [-1, 1]

    Not `squashed` it gives what the tanh would be taken of.
    """

    action_size: int
    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"
    layer_norm: bool = False

    @nn.compact
    def __call__(self, obs: jax.Array, squashed: bool = True) -> jax.Array:
        network = MLP(self.hidden, self.action_size, self.activation, self.layer_norm)
        output = network(swap_batch_and_features(obs))
        if squashed:
            output = jnp.tanh(output)
        return swap_batch_and_features(output)


def critic_class(
    name: str,
    layer_norm: bool = False,
) -> Callable[..., nn.Module]:
    """What makes the Flax module of a critic of the registry, of `hidden` and `activation`.

    Args:
        name: one of `settings.CRITICS`. One from outside need not know of `layer_norm`, which it is
            called with only if on.
        layer_norm: whether its hidden layers are normalised.

    Raises:
        ValueError: an unknown critic.

    >>> critic_class("joint", layer_norm=True)(hidden=(8,), activation="relu").layer_norm
    True
    """
    if name not in CRITICS:
        raise ValueError(f"critic={name!r}: choose one of {', '.join(CRITICS)}")
    found = resolve_name(CRITICS[name].path)
    return partial(found, layer_norm=True) if layer_norm else found
