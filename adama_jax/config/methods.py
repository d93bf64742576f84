"""The named methods of section 4.1: each is an optimizer and a rate rule, nothing else differs. Plain data.

A new method is one entry here; a new rate rule is one function in `rates.RULES`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """`optimizer` names an optax optimizer, `rule` one of `rates.RULES`."""

    optimizer: str
    rule: str
    second_order: bool
    balances: bool
    summary: str
    source: str

    @property
    def reads(self) -> frozenset[str]:
        """The learning-rate settings that it depends on; the others change nothing."""
        steers = self.rule in ("steer", "adama")
        balance, constant = (
            {"total_rate", "critic_scale", "clip", "trial_updates"},
            {"critic_rate", "actor_budget"},
        )
        names = set(balance if self.balances else constant)
        names |= {"smoothing"} if self.balances or steers else set()
        names |= {"direction_floor"} if steers else set()
        return frozenset(names | ({"curvature", "secant_step"} if self.second_order else set()))


METHODS: dict[str, Method] = {
    "adama": Method(
        "sgd", "adama", False, True, "l_c and |l_a| by (2), l_a by (1)", "AdaMa, Algorithm 1"
    ),
    "adama_2nd": Method(
        "sgd", "adama", True, True, "l_c and |l_a| by (2), l_a by (3)", "AdaMa, section 3.4"
    ),
    "fixed": Method(
        "sgd",
        "fixed",
        False,
        False,
        "constant rates, Table 1's grid search",
        "Fixed lr, section 4.1",
    ),
    "direction": Method(
        "sgd",
        "steer",
        False,
        False,
        "constant l_c and |l_a|, l_a by (1)",
        "Adaptive l_a direction, section 4.1",
    ),
    "direction_2nd": Method(
        "sgd",
        "steer",
        True,
        False,
        "constant l_c and |l_a|, l_a by (3)",
        "Adaptive l_a direction (2nd), section 4.1",
    ),
    "balance": Method(
        "sgd",
        "balance",
        False,
        True,
        "l_c and |l_a| by (2), equal l_a",
        "Adaptive l_c and |l_a|, section 4.1",
    ),
    "adagrad": Method(
        "adagrad", "fixed", False, False, "constant rates on AdaGrad", "AdaGrad, section 4.1"
    ),
    "rmsprop": Method(
        "rmsprop", "fixed", False, False, "constant rates on RMSprop", "RMSprop, section 4.5"
    ),
}
