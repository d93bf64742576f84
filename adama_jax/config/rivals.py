"""What else a user would take to adapt a rate, and Adam. Importable without JAX.

The defaults are each source's, written down before anything was run: 1e-3 for Adam's critic and
actors alike, and a multiple of 1 of what an optimizer finds that finds its rate.
"""

from adama_jax.bounds import POSITIVE, SHARE, AtLeast
from adama_jax.config.method import Method, Own

NOTHING_SHARED: frozenset[str] = frozenset()
"""None of the settings that the paper's rules read."""


def _at(rate: float, optimizer: str, summary: str, source: str) -> Method:
    """One constant rate for all on an optimizer."""
    return _constant("one_rate", _learning_rate(rate), optimizer, summary, source)


def _found(optimizer: str, summary: str, source: str) -> Method:
    """An optimizer that finds its rate."""
    return _constant("multiple", MULTIPLE, optimizer, summary, source)


def _constant(
    rule: str, number: Own, optimizer: str, summary: str, source: str
) -> Method:
    return Method(
        optimizer=optimizer,
        rule=f"adama_jax.rates.one_rate:{rule}",
        rate_options=NOTHING_SHARED,
        own=(number,),
        summary=summary,
        source=source,
    )


# A name of its own: who tunes Adam's rate beside them does not mean this.
MULTIPLE = Own(
    "multiple",
    1.0,
    POSITIVE,
    help="By what the rate that the optimizer finds is multiplied.",
)


def _learning_rate(default: float) -> Own:
    return Own(
        "learning_rate",
        default,
        POSITIVE,
        help="Rate of the critic and of every actor.",
    )


_PRODIGY = "Mishchenko and Defazio, ICML 2024"
_D_ADAPTATION = "Defazio and Mishchenko, ICML 2023"
_DOG = "Ivgi et al., ICML 2023"
_DOWG = "Khaled et al., NeurIPS 2023"
_MECHANIC = "Cutkosky et al., NeurIPS 2023"
_TRAC = "Muppidi et al., NeurIPS 2024"

RIVALS = {
    "adam": _at(1e-3, "adam", "one rate on Adam", "Kingma and Ba, ICLR 2015"),
    "lion": _at(1e-4, "lion", "one rate on Lion", "Chen et al., NeurIPS 2023"),
    "adopt": _at(1e-3, "adopt", "one rate on ADOPT", "Taniguchi et al., NeurIPS 2024"),
    "muon": _at(0.02, "muon", "one rate on Muon", "Jordan et al., 2024"),
    "adam_rel": _at(
        1e-3,
        "adam_rel",
        "one rate on Adam, counting from target copies",
        "Ellis et al., NeurIPS 2024",
    ),
    "adam_hd": _at(
        1e-3,
        "adam_hd",
        "Adam, a rate by hypergradient for each network",
        "Baydin et al., ICLR 2018",
    ),
    "schedule_free_adam": _at(
        2.5e-3,
        "schedule_free_adam",
        "one rate on schedule-free Adam",
        "Defazio et al., NeurIPS 2024",
    ),
    "prodigy": _found("prodigy", "Prodigy for each network", _PRODIGY),
    "prodigy_global": _found(
        "prodigy_global", "Prodigy, one scale for all actors", _PRODIGY
    ),
    "dadapt_adamw": _found(
        "dadapt_adamw", "D-adapted AdamW for each network", _D_ADAPTATION
    ),
    "dadapt_adamw_global": _found(
        "dadapt_adamw_global",
        "D-adapted AdamW, one scale for all actors",
        _D_ADAPTATION,
    ),
    "dog": _found("dog", "DoG for each network", _DOG),
    "dog_global": _found("dog_global", "DoG, one scale for all actors", _DOG),
    "dowg": _found("dowg", "DoWG for each network", _DOWG),
    "dowg_global": _found("dowg_global", "DoWG, one scale for all actors", _DOWG),
    "cocob": _found(
        "cocob", "COCOB, for each parameter", "Orabona and Tommasi, NeurIPS 2017"
    ),
    "mechanic": _found("mechanic", "Mechanic on Adam for each network", _MECHANIC),
    "mechanic_global": _found(
        "mechanic_global", "Mechanic on Adam, one scale for all actors", _MECHANIC
    ),
    "trac": _found("trac", "TRAC on Adam for each network", _TRAC),
    "trac_global": _found(
        "trac_global", "TRAC on Adam, one scale for all actors", _TRAC
    ),
    "multi_timescale": Method(
        optimizer="adam",
        rule="adama_jax.rates.multi_timescale:multi_timescale",
        rate_options=NOTHING_SHARED,
        own=(
            _learning_rate(1e-3),
            Own(
                "slow_share",
                0.1,
                SHARE,
                help="Rate of the actors whose turn it is not, as a share of learning_rate.",
            ),
            Own(
                "switching_period",
                1000.0,
                AtLeast(1, finite=True),
                help="Updates for which it is one agent's turn.",
            ),
        ),
        summary="Adam; agents take turns at learning fast",
        source="Nekoei et al., CoLLAs 2023",
    ),
}
