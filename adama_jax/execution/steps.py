"""From a configuration to its optimizer and its rate rule: which way to step, and how far."""

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

import optax

from adama_jax.config.methods import METHODS
from adama_jax.config.rivals import RIVALS
from adama_jax.config.schema import OPTIMIZERS, Config
from adama_jax.plugins.factories import parameters_of
from adama_jax.plugins.loading import speaking_of
from adama_jax.rates.check import check_rule
from adama_jax.rates.rules import RateRule
from adama_jax.rates.schedules import scheduled
from adama_jax.training.optimizers import (
    Optimizer,
    clipped,
    from_optax,
    named_optimizer,
)


def make_rule(config: Config, actors_every: int = 1) -> RateRule:
    """The method's rate rule, with the schedule that the configuration asks for.

    Args:
        config: of its run.
        actors_every: its algorithm moves the actors, and the rates, at every so many updates.
    """
    rule = _unscheduled_rule(config)
    rates = config.rates
    if rates.schedule == "constant":
        return rule
    updates = -(-config.updates_in(config.episodes) // actors_every)
    return scheduled(rule, rates.schedule, rates.scheduled_rates, updates)


def _unscheduled_rule(config: Config) -> RateRule:
    method = METHODS[config.method]
    options: dict[str, Any] = {}
    if "trial_updates" in method.reads:
        options["auto_scale"] = config.rates.critic_scale == "auto"
        options["trial_updates"] = config.rates.trial_updates
    if method.second_order:
        options["second_order"] = True
    if not METHODS.is_outside(config.method):
        return resolve_name(method.rule)(**options)
    with speaking_of("method", config.method):
        rule = resolve_name(method.rule)(**options)
        check_rule(rule, own={each.name: each.default for each in method.own})
    return rule


def make_optimizer(config: Config, actors_every: int = 1) -> Optimizer:
    """The configuration's optimizer, at learning rate 1, of gradients clipped as it says.

    Args:
        config: of its run.
        actors_every: its algorithm moves the actors at every so many updates.
    """
    optimizer = _unclipped_optimizer(config, actors_every)
    if config.method in RIVALS:
        # What has a rate of its own, such as a temperature, is no subject of a comparison.
        optimizer = optimizer._replace(others=optax.adam(1.0))
    largest = config.learning.max_grad_norm
    return optimizer if largest is None else clipped(optimizer, largest)


def _unclipped_optimizer(config: Config, actors_every: int) -> Optimizer:
    name = config.optimizer_name
    path = OPTIMIZERS[name]
    if path == f"optax:{name}":
        return named_optimizer(name)
    hard = config.learning.targets == "hard"
    known = {
        "learning_rate": 1.0,
        "target_period": config.target_updates if hard else None,
        "actors_every": actors_every,
    }
    if not OPTIMIZERS.is_outside(name):
        return _optimizer_of(resolve_name(path), known)
    with speaking_of("optimizer", name):
        return _optimizer_of(resolve_name(path), known)


def _optimizer_of(factory: Callable[..., Any], known: dict[str, Any]) -> Optimizer:
    """What a factory makes that is told those of the known numbers which it takes."""
    taken = parameters_of(factory, known)
    made = factory(**{name: known[name] for name in taken})
    if isinstance(made, Optimizer):
        return made
    # Of one that is told its rate nobody need doubt that it has it.
    return from_optax(made, check_rate="learning_rate" not in taken)
