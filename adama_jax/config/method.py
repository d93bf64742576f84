"""What a method is: an optimizer and a rate rule, and which settings these read. No JAX."""

from dataclasses import dataclass

from adama_jax.bounds import Bound


@dataclass(frozen=True)
class Own:
    """A number that only one rate rule reads: the setting `rates.<name>` of its methods."""

    name: str
    default: float
    bound: Bound
    help: str
    symbol: str | None = None


@dataclass(frozen=True)
class Method:
    """An optimizer, and the rate rule that says how far it steps."""

    optimizer: str
    """The name of an optax optimizer."""
    rule: str
    """Import path of the rule's factory. It is called with `auto_scale` and `trial_updates` if the
    method reads `trial_updates`, and with `second_order=True` if it reads `curvature`."""
    rate_options: frozenset[str]
    """The fields of `RateOptions` that change its rates; the others change nothing."""
    summary: str
    source: str
    own: tuple[Own, ...] = ()
    """Numbers of its rule's own."""

    @property
    def reads(self) -> frozenset[str]:
        """The settings of `rates` that it depends on, its own and those of any among them."""
        return self.rate_options | {each.name for each in self.own} | SCHEDULE

    @property
    def second_order(self) -> bool:
        """Whether curvature is measured for it."""
        return "curvature" in self.rate_options


# The groups of settings that the paper's rules read; a rule of one's own may read any others.
BALANCED = frozenset(
    {"total_rate", "critic_scale", "clip", "trial_updates", "smoothing"}
)
CONSTANT = frozenset({"critic_rate", "actor_budget"})
STEERED = frozenset({"smoothing", "direction_floor"})
SECOND_ORDER = frozenset({"curvature", "secant_step"})
# Of every method: its rates are scaled by it.
SCHEDULE = frozenset({"schedule", "schedule_end", "warmup_share", "scheduled_rates"})
