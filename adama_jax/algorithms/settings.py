"""Which algorithms and critics there are, by import path, and the settings of their networks.

Plain data, importable without JAX. A new algorithm or a new critic is one file in this room and
one line here.
"""

from dataclasses import MISSING, dataclass
from typing import Annotated, Any, Literal

from adama_jax.bounds import (
    POSITIVE,
    SHARE,
    UP_TO_THOUSAND,
    AtLeast,
    Between,
    Each,
    OneOf,
    Whole,
)
from adama_jax.errors import promise
from adama_jax.fields import Elsewhere, declared
from adama_jax.plugins.registry import Registry

ATTENTION_HEADS = 4  # of the attention critic, as in MAAC's code


@dataclass(frozen=True)
class CriticEntry:
    """A centralised critic: where its Flax module is, and what it asks of `networks.hidden`."""

    path: str
    first_width_of: int = 1
    """`networks.hidden` begins with a multiple of this."""
    reason: str = ""
    """Why, in words that end the sentence "led by a multiple of 4, ..."."""


Head = Literal["tanh", "tanh_of_mean", "largest"]
"""Greedy actions: the tanh of the last layer; of its first half, which is the mean of a Gaussian;
one-hot where it is largest."""


@dataclass(frozen=True)
class OwnSettings:
    """Settings that only one algorithm reads: a subclass declares them, as any settings are.

    A field `delay` is the setting `own.delay` of the configurations of the algorithm whose entry
    names the subclass. Its factory is called with it, `delay=...`: runs that differ in it are
    different programs.
    """


@dataclass(frozen=True)
class AlgorithmEntry:
    """An algorithm: where its factory is, and which settings it has no use for."""

    path: str
    """Import path of a factory of an `Algorithm`; what it is called with is said there."""
    ignores: frozenset[str] = frozenset()
    """Settings by full names, such as those of a replay for one that learns on-policy: whoever
    gives one is told."""
    own: type[OwnSettings] = OwnSettings
    """Its own settings, by which its factory is called too."""
    actions: Literal["continuous", "discrete"] | None = "continuous"
    """Which actions it chooses; None: the made algorithm says it."""
    head: Head | None = None
    """What becomes of an actor's last layer when it acts greedily, where an actor is an MLP as
    `networks.Actor` has it, so that NumPy can run it; None: it is something else."""
    first_width_of: int = 1
    """`networks.hidden` begins with a multiple of this, for `reason`, as of a critic."""
    reason: str = ""
    always_smooth: bool = False
    """Whether it has a curvature=exact with any activation of the critic."""


def _algorithm(path: str, found: Any) -> AlgorithmEntry:
    """Of what an import path names: an entry, or a factory."""
    if isinstance(found, AlgorithmEntry):
        check_own(found.own)
        return found
    promise(callable(found), "must be a factory of an Algorithm, or an AlgorithmEntry")
    return AlgorithmEntry(path, actions=None)


def check_own(own: Any) -> None:
    """Check an algorithm's own settings.

    Raises:
        AssertionError: they are not what `OwnSettings` says, in a sentence.

    >>> check_own(OwnSettings)
    >>> check_own(dict)
    Traceback (most recent call last):
    AssertionError: its own settings must be a subclass of OwnSettings, each of them with a default
    """
    is_one = isinstance(own, type) and issubclass(own, OwnSettings)
    promise(
        is_one and all(each.default is not MISSING for each in declared(own)),
        "its own settings must be a subclass of OwnSettings, each of them with a default",
    )
    for each in declared(own):
        promise(
            all(bound.allows(each.default) for bound in each.bounds),
            f"its own setting {each.name!r} must have a default that is allowed",
        )
        promise(
            not each.traced,
            f"its own setting {each.name!r} must not be TRACED: its factory is called with it",
        )


def own_settings_of(algorithm: str) -> type[OwnSettings]:
    """What `own` is in an algorithm's configurations; an unknown one has none of its own."""
    return ALGORITHMS[algorithm].own if algorithm in ALGORITHMS else OwnSettings


def _critic(path: str, found: Any) -> CriticEntry:
    """Of what an import path names: an entry, or a Flax module."""
    if isinstance(found, CriticEntry):
        return found
    promise(callable(found), "must be a class of Flax modules, or a CriticEntry")
    return CriticEntry(path)


def _path(entry: AlgorithmEntry | CriticEntry) -> tuple[str, ...]:
    return (entry.path,)


@dataclass(frozen=True)
class OfMATD3(OwnSettings):
    """Of TD3's kind: the defaults are those of its paper."""

    actors_every: Annotated[
        int,
        UP_TO_THOUSAND,
        Elsewhere(("policy_delay", "policy_freq", "policy_frequency")),
    ] = 2
    """Updates of the critics for each one of actors, soft targets and rates."""
    target_noise: Annotated[
        float, AtLeast(0, finite=True), Elsewhere(("policy_noise", "smoothing_noise"))
    ] = 0.2
    """Standard deviation of the noise in the actions that the critics' targets are of."""
    noise_limit: Annotated[
        float, AtLeast(0, finite=True), Elsewhere(("noise_clip",))
    ] = 0.5
    """What this noise is cut to, either way."""


@dataclass(frozen=True)
class OfFACMAC(OwnSettings):
    """Of FACMAC: the defaults are those of its public code."""

    penalty: Annotated[float, AtLeast(0, finite=True)] = 1e-3
    """Weight of the mean square of the actions, which what the actors climb is less by."""
    mixing: Literal["monotonic", "free"] = "monotonic"
    """Whether a utility that rises may make the value fall: free, or QMIX's mixing network."""


@dataclass(frozen=True)
class OfMASAC(OwnSettings):
    """Of SAC: the defaults are those of its authors' code."""

    temperature: Annotated[float, POSITIVE, Elsewhere(("init_alpha", "ent_coef"))] = 1.0
    """Weight of the entropies at the start."""
    temperature_rate: Annotated[
        float, AtLeast(0, finite=True), Elsewhere(("alpha_lr",))
    ] = 3e-4
    """Learning rate of the temperatures' logarithms, apart from l; 0 holds them."""
    target_entropy: Annotated[float, Between(-100, 100)] = -1.0
    """What an agent's entropy is held near, in nats for each number of its action."""


@dataclass(frozen=True)
class OfMAAC(OwnSettings):
    """Of MAAC: the default is that of its authors' code, which scales rewards by 100 instead."""

    entropy_weight: Annotated[float, AtLeast(0, finite=True)] = 0.01
    """Weight of the entropies in what the actors climb and in the critics' targets."""


@dataclass(frozen=True)
class OfCOMA(OwnSettings):
    """Of COMA: its paper's TD(lambda)."""

    trace: Annotated[float, SHARE, Elsewhere(("td_lambda",))] = 0.8
    """lambda of the critic's TD(lambda)."""


OF_GREEDY_ACTORS = frozenset(
    {
        "exploration.noise",
        "exploration.start",
        "exploration.end",
        "exploration.episodes",
        "learning.others_actions",
        "learning.pre_tanh_penalty",
    }
)
"""What an algorithm that draws its actions from policies ignores: it explores by them, too."""

ON_POLICY_IGNORES = frozenset(
    {
        "learning.capacity",
        "learning.batch_size",
        "learning.warmup_steps",
        "learning.update_every",
        "learning.updates_each",
        "learning.n_step",
        "learning.others_actions",
    }
)
"""What an algorithm whose `replay` is "on_policy" ignores."""

_ALGORITHMS = {
    "maddpg": AlgorithmEntry("adama_jax.algorithms.maddpg:maddpg", head="tanh"),
    "matd3": AlgorithmEntry(
        "adama_jax.algorithms.matd3:matd3", own=OfMATD3, head="tanh"
    ),
    "haddpg": AlgorithmEntry("adama_jax.algorithms.haddpg:haddpg", head="tanh"),
    "hatd3": AlgorithmEntry(
        "adama_jax.algorithms.haddpg:hatd3", own=OfMATD3, head="tanh"
    ),
    "facmac": AlgorithmEntry(
        "adama_jax.algorithms.facmac:facmac",
        ignores=frozenset({"networks.critic"}),
        own=OfFACMAC,
        head="tanh",
    ),
    "masac": AlgorithmEntry(
        "adama_jax.algorithms.masac:masac",
        ignores=OF_GREEDY_ACTORS,
        own=OfMASAC,
        head="tanh_of_mean",
    ),
    "maac": AlgorithmEntry(
        "adama_jax.algorithms.maac:maac",
        ignores=OF_GREEDY_ACTORS | {"networks.critic", "networks.layer_norm"},
        own=OfMAAC,
        actions="discrete",
        head="largest",
        first_width_of=ATTENTION_HEADS,
        reason="MAAC's heads",
        always_smooth=True,
    ),
    "coma": AlgorithmEntry(
        "adama_jax.algorithms.coma:coma",
        ignores=ON_POLICY_IGNORES | {"exploration.noise", "learning.pre_tanh_penalty"},
        own=OfCOMA,
        actions="discrete",
        head="largest",
        always_smooth=True,
    ),
}
ALGORITHMS = Registry(
    "algorithm",
    _ALGORITHMS,
    adopt=_algorithm,
    paths=_path,
)
"""By name or import path; a path names a factory, or an `AlgorithmEntry`."""

# Also of files and configurations that name none: they are older.
DEFAULT_ALGORITHM = "maddpg"

CRITICS = Registry(
    "critic",
    {
        "joint": CriticEntry("adama_jax.algorithms.critics.joint:JointCritic"),
        "dop": CriticEntry("adama_jax.algorithms.critics.dop:DOPCritic"),
        "attention": CriticEntry(
            "adama_jax.algorithms.critics.attention:AttentionCritic",
            first_width_of=ATTENTION_HEADS,
            reason="MAAC's heads",
        ),
        "facmac": CriticEntry("adama_jax.algorithms.critics.facmac:FACMACCritic"),
        "facmac_free": CriticEntry(
            "adama_jax.algorithms.critics.facmac:FreeFACMACCritic"
        ),
    },
    adopt=_critic,
    paths=_path,
)
"""Flax modules of `(hidden, activation)`: of obs [N, B, O] and action [N, B, A] they make [B].

With `layer_norm=True` besides, where that setting is on.

An import path names such a class, or a `CriticEntry`.
"""

Activation = Literal["relu", "leaky_relu", "tanh", "silu", "gelu", "softplus", "elu"]
SMOOTH = ("tanh", "silu", "gelu", "softplus", "elu")
"""The activations that have a second derivative, which curvature=exact needs."""


@dataclass(frozen=True)
class Networks:
    """Networks (Table 1: two hidden layers of 64, ReLU)."""

    hidden: Annotated[
        tuple[int, ...],
        Each(Whole(1, 100_000), most=100),
        Elsewhere(("hidden_size", "hidden_sizes", "layers", "net_arch")),
    ] = (64, 64)
    """Widths of the hidden layers."""
    actor_activation: Activation = "relu"
    """Activation of the actors' hidden layers."""
    critic_activation: Activation = "relu"
    """Activation of the critic's hidden layers."""
    critic: Annotated[str, OneOf(CRITICS)] = "joint"
    """joint: one network for all; dop: deterministic DOP's, one per agent; attention: MAAC's;
    facmac: one per agent, mixed monotonically as in QMIX; facmac_free: mixed without that bound."""
    layer_norm: Annotated[bool, Elsewhere(("use_layer_norm", "layernorm"))] = False
    """Normalise each hidden layer over its features, before its activation."""
