"""Bounds at their edges: what is just inside, just outside, not finite, and what they say of it."""

from typing import get_origin

import jax.numpy as jnp
import numpy as np
import pytest

from adama_jax.bounds import (
    Above,
    AtLeast,
    Between,
    Each,
    OneOf,
    Seed,
    Whole,
    in_single_precision,
)
from adama_jax.cli.options import (
    CalibrateCommand,
    ExperimentCommand,
    FiguresCommand,
    PlayCommand,
    ReportCommand,
    ReproduceCommand,
    ResumeCommand,
    SweepCommand,
    TrainCommand,
)
from adama_jax.config.limits import check_value
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError
from adama_jax.fields import Declared, alternatives, settings

BASE = scenario_config("clustering")

INFINITY = float("inf")
NAN = float("nan")

ALLOWED = [
    (AtLeast(1), 1),
    (AtLeast(1), INFINITY),
    (AtLeast(0, finite=True), 0.0),
    (Whole(1, 9), 1),
    (Whole(1, 9), 9),
    (Each(Whole(1, 9), most=2), (1, 9)),
    (Above(0), 1e-30),
    (Between(0, 1), 0),
    (Between(0, 1), 1),
    (Between(0, 1, open_bottom=True), 1),
    (Between(0, 1, open_top=True), 0),
    (Seed(), 0),
    (Seed(), 2**31 - 1),
    (OneOf({"adam": 1}), "adam"),
    (Each(AtLeast(1)), (1, 2)),
    (Each(AtLeast(1), or_none=True), ()),
]


@pytest.mark.parametrize(("bound", "value"), ALLOWED)
def test_what_is_within_a_bound(bound, value):
    assert bound.allows(value)


REFUSED = [
    (AtLeast(1), 0),
    (AtLeast(1), NAN),
    (AtLeast(0, finite=True), INFINITY),
    (AtLeast(0, finite=True), -1e-30),
    (Whole(1, 9), 0),
    (Whole(1, 9), 10),
    (Each(Whole(1, 9), most=2), (1, 2, 3)),
    (Each(Whole(1, 9), most=2), ()),
    (Above(0), 0.0),
    (Above(0), INFINITY),
    (Above(0), NAN),
    (Between(0, 1), -1e-9),
    (Between(0, 1), 1.0001),
    (Between(0, 1), NAN),
    (Between(0, 1, open_bottom=True), 0),
    (Between(0, 1, open_top=True), 1),
    (Seed(), -1),
    (Seed(), 2**31),
    (OneOf({"adam": 1}), "Adam"),
    (Each(AtLeast(1)), ()),
    (Each(AtLeast(1)), (1, 0)),
    (Each(AtLeast(1)), (0, 1)),
    (Each(AtLeast(1), or_none=True), (0,)),
]


@pytest.mark.parametrize(("bound", "value"), REFUSED)
def test_what_is_outside_a_bound(bound, value):
    assert not bound.allows(value)


WORDS = [
    (AtLeast(1), "at least 1"),
    (AtLeast(0, finite=True), "at least 0 and finite"),
    (Whole(1, 10_000), "at least 1 and at most 10,000"),
    (Each(Whole(1, 9), most=2), "one or more (up to 2), each at least 1 and at most 9"),
    (Above(0), "above 0 and finite"),
    (Between(0, 1), "at least 0 and at most 1"),
    (Between(0, 1, open_bottom=True), "above 0 and at most 1"),
    (Between(0, 0.5, open_top=True), "at least 0 and below 0.5"),
    (Seed(), "from 0 to 2^31 - 1"),
    (OneOf({"a": 1, "b": 2}), "one of a, b"),
    (Each(AtLeast(1)), "one or more, each at least 1"),
]


@pytest.mark.parametrize(("bound", "words"), WORDS)
def test_a_bound_says_what_it_allows(bound, words):
    assert bound.words == words


COMMANDS = (
    FiguresCommand(),
    PlayCommand(),
    ReportCommand(),
    ReproduceCommand(),
    ResumeCommand(),
    CalibrateCommand(BASE),
    ExperimentCommand(BASE),
    SweepCommand(BASE),
    TrainCommand(BASE),
    *map(scenario_config, SCENARIOS),
)


def test_every_whole_number_has_an_upper_end():
    """Also one among several, and one that may be None."""
    checked = set()
    for command in COMMANDS:
        for name, field, _, _ in settings(command):
            values = {int: 2**63 - 1, tuple: (2**63 - 1,)}
            kinds = {get_origin(kind) or kind for kind in alternatives(field.type)}
            texts = tuple[str, ...] in alternatives(field.type)
            for kind in kinds & values.keys() if not texts else ():
                refused = [not each.allows(values[kind]) for each in field.bounds]
                assert any(refused), name
                checked.add(name)
    assert {"seeds", "networks.hidden", "world.num_obs", "launch.gpus"} <= checked
    assert len(checked) > 30


def test_a_name_that_is_registered_later_is_allowed_from_then_on():
    registry = {"adama": 1}
    bound = OneOf(registry)
    assert not bound.allows("mine")
    registry["mine"] = 2
    assert bound.allows("mine")
    assert bound.words == "one of adama, mine"


@pytest.mark.parametrize("value", [0.1, 1e-37, 3e38, 1e39, -1e39, 1e-50, 0.0, 1 - 1e-9])
def test_single_precision_is_that_of_a_program(value):
    with np.errstate(over="ignore", under="ignore"):
        # Where numbers are so small that they have no full precision XLA takes 0 for them.
        expected = float(jnp.asarray(value, jnp.float32) * 1)
    assert in_single_precision(value) == expected


BEYOND = [
    (Above(0), 1e39, "above 0 and finite in single precision, where it is inf"),
    (Above(0), 1e-50, "above 0 and finite in single precision, where it is 0"),
    (Above(0), 1e-40, "above 0 and finite in single precision, where it is 0"),
    (Between(0, 1), 1e-50, "0 or at least 1.18e-38"),
    (Between(0, 1, open_top=True), 1 - 1e-9, "below 1 in single precision, where it"),
    (Between(0, 0.5, open_top=True), 0.5 - 1e-9, "precision, where it is 0.5"),
]


@pytest.mark.parametrize(("bound", "value", "message"), BEYOND)
def test_a_number_is_within_its_bound_in_single_precision_too(bound, value, message):
    assert bound.allows(value)
    with pytest.raises(SettingError, match=message):
        check_value("clip", Declared("clip", float, 0.1, (bound,)), value)


def test_every_preset_is_the_same_in_a_program():
    for scenario in SCENARIOS:
        for each in settings(scenario_config(scenario)):
            if each.declared.bounds:
                check_value(each.name, each.declared, each.value)
