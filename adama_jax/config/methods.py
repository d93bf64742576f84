"""The named methods: an optimizer and a rate rule each. Importable without JAX.

Those of section 4.1 are here, what else adapts a rate is in `rivals`. A new method is one entry
there. A new rate rule is one file in `rates/` and its entry, which also declares the numbers that
only this rule reads:

    "warm": Method(
        optimizer="sgd",
        rule="adama_jax.rates.warm:warm",
        rate_options=CONSTANT,
        own=(Own("warmth", 0.5, Between(0, 1), symbol="w", help="Share of ..."),),
        summary=..., source=...,
    ),

Then `rates.warmth` is a setting of the configurations of this method: a command line, TOML, sweeps,
hashes and the compiled program take it like any other; the rule finds it in `hyper.own["warmth"]`.

A method from outside is such a `Method` in a module of one's own, `method=mypackage.rules:WARM`.
"""

import dataclasses
from functools import cache
from typing import Annotated, Any, cast

import tyro

from adama_jax.config.method import (
    BALANCED,
    CONSTANT,
    SECOND_ORDER,
    STEERED,
    Method,
    Own,
)
from adama_jax.config.rivals import RIVALS
from adama_jax.errors import promise
from adama_jax.fields import Symbol, Traced
from adama_jax.plugins.factories import first_line, parameters_of
from adama_jax.plugins.loading import load
from adama_jax.plugins.registry import Registry
from adama_jax.rates.settings import RateOptions

_OF_THE_PAPER = {
    "adama": Method(
        optimizer="sgd",
        rule="adama_jax.rates.rules:adama",
        rate_options=BALANCED | STEERED,
        summary="l_c and |l_a| by (2), l_a by (1)",
        source="AdaMa, Algorithm 1",
    ),
    "adama_2nd": Method(
        optimizer="sgd",
        rule="adama_jax.rates.rules:adama",
        rate_options=BALANCED | STEERED | SECOND_ORDER,
        summary="l_c and |l_a| by (2), l_a by (3)",
        source="AdaMa, section 3.4",
    ),
    "fixed": Method(
        optimizer="sgd",
        rule="adama_jax.rates.rules:fixed",
        rate_options=CONSTANT,
        summary="constant rates, Table 1's grid search",
        source="Fixed lr, section 4.1",
    ),
    "direction": Method(
        optimizer="sgd",
        rule="adama_jax.rates.rules:steer",
        rate_options=CONSTANT | STEERED,
        summary="constant l_c and |l_a|, l_a by (1)",
        source="Adaptive l_a direction, section 4.1",
    ),
    "direction_2nd": Method(
        optimizer="sgd",
        rule="adama_jax.rates.rules:steer",
        rate_options=CONSTANT | STEERED | SECOND_ORDER,
        summary="constant l_c and |l_a|, l_a by (3)",
        source="Adaptive l_a direction (2nd), section 4.1",
    ),
    "balance": Method(
        optimizer="sgd",
        rule="adama_jax.rates.rules:balance",
        rate_options=BALANCED,
        summary="l_c and |l_a| by (2), equal l_a",
        source="Adaptive l_c and |l_a|, section 4.1",
    ),
    "adagrad": Method(
        optimizer="adagrad",
        rule="adama_jax.rates.rules:fixed",
        rate_options=CONSTANT,
        summary="constant rates on AdaGrad",
        source="AdaGrad, section 4.1",
    ),
    "rmsprop": Method(
        optimizer="rmsprop",
        rule="adama_jax.rates.rules:fixed",
        rate_options=CONSTANT,
        summary="constant rates on RMSprop",
        source="RMSprop, section 4.5",
    ),
}


def _adopt(path: str, found: Any) -> Method:
    """Of what an import path names: a method, or a rule's factory on plain gradients.

    Which settings a factory's rule reads nobody says: it is taken to read all rates, and what its
    parameters are for besides.
    """
    if isinstance(found, Method):
        _check(found)
        load("method", found.rule)
        return found
    promise(callable(found), "must be a Method, or a factory of a RateRule")
    taken = parameters_of(found, {"hyper", *PASSED})
    reads = ANY_RATES
    if {"auto_scale", "trial_updates"} <= taken:
        reads |= {"trial_updates"}
    if "second_order" in taken:
        reads |= SECOND_ORDER
    summary = first_line(found, "a rate rule from outside")
    return Method("sgd", path, reads, summary, source=path)


def _check(method: Method) -> None:
    shared = {field.name for field in dataclasses.fields(RateOptions)}
    unknown = sorted(method.rate_options - shared)
    promise(not unknown, f"its rate_options must be settings of rates, not {unknown}")
    for own in method.own:
        promise(
            own.name.isidentifier() and own.name not in shared,
            f"its own number {own.name!r} must be a word that no setting of rates has",
        )
        promise(
            own.bound.allows(own.default),
            f"its own number {own.name!r} must have a default that is {own.bound.words}",
        )


# The parameters of a factory by which it is told what else its rule is to do.
PASSED = ("auto_scale", "trial_updates", "second_order")
# What a rule may read of whose reading nothing is said.
ANY_RATES = (BALANCED | CONSTANT | STEERED) - {"trial_updates"}

METHODS = Registry(
    "method",
    {**_OF_THE_PAPER, **RIVALS},
    adopt=_adopt,
    paths=lambda method: (method.rule,),
)
"""By name or import path; a path names a `Method`, or the factory of a `RateRule`."""


def rate_options(method: str) -> type[RateOptions]:
    """What `rates` is in a method's configurations: `RateOptions`, with the numbers of its own.

    An unknown method has none of its own: that it is unknown is for `validate` to say.
    """
    own = METHODS[method].own if method in METHODS else ()
    return _with_own(method, own) if own else RateOptions


def options_for(method: str, options: RateOptions) -> RateOptions:
    """The same settings for another method: numbers of its own come, those of others go."""
    kind = rate_options(method)
    if type(options) is kind:
        return options
    names = {field.name for field in dataclasses.fields(kind)}
    return kind(
        **{name: value for name, value in vars(options).items() if name in names}
    )


# Cached, since configurations are equal only if their settings are of one class.
@cache
def _with_own(method: str, own: tuple[Own, ...]) -> type[RateOptions]:
    fields: list[tuple[str, Any, Any]] = []
    for each in own:
        marks = [Traced(), each.bound, tyro.conf.arg(help=each.help)]
        if each.symbol is not None:
            marks.append(Symbol(each.symbol))
        kind = Annotated[(float, *marks)]
        fields.append((each.name, kind, dataclasses.field(default=each.default)))

    def reduce(self: RateOptions) -> tuple[Any, ...]:
        # A class that is made here is no attribute of the module, where pickle, which sends
        # configurations to other processes, would look for it.
        return _options_again, (method, vars(self))

    made = dataclasses.make_dataclass(
        f"RateOptionsOf_{method}",
        fields,
        bases=(RateOptions,),
        frozen=True,
        namespace={"__reduce__": reduce},
    )
    made.__module__ = __name__
    return cast(type[RateOptions], made)


def _options_again(method: str, values: dict[str, Any]) -> RateOptions:
    return rate_options(method)(**values)
