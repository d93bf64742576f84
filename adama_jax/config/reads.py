"""Which settings a configuration reads: what somebody gave is used, or refused.

A setting may mean nothing beside the others: to the method, the algorithm or the scenario, or with
the value that another setting has (`fields.ReadWith`). Importable without JAX.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from adama_jax.algorithms.settings import ALGORITHMS, own_settings_of
from adama_jax.config.methods import METHODS
from adama_jax.config.options import Flat
from adama_jax.config.schema import Config
from adama_jax.errors import SettingError
from adama_jax.fields import as_given, declared, settings


def why_unread(config: Config, name: str) -> str:
    """Why a configuration does not read one of its settings, in words; "" if it does.

    >>> from adama_jax.config.schema import scenario_config
    >>> base = scenario_config("clustering")
    >>> why_unread(base, "rates.critic_rate"), why_unread(base, "rates.critic_scale")
    ('method=adama does not read it', '')
    >>> why_unread(base, "learning.target_step")
    'it is read with targets=soft alone'
    """
    group, _, last = name.rpartition(".")
    if group == "rates" and not _is_of_method(config.method, last):
        return f"method={config.method} does not read it"
    algorithm = ALGORITHMS.get(config.algorithm)
    ignored = algorithm is not None and name in algorithm.ignores
    if ignored or (group == "own" and name not in own_settings([config.algorithm])):
        return f"algorithm={config.algorithm} does not read it"
    if name == "optimizer" and config.brings_optimizer:
        return f"method={config.method} is {config.optimizer_name}"
    of_scenario = config.world.unread_in(config.scenario, last)
    if group == "world" and of_scenario:
        return of_scenario
    options = getattr(config, group) if group else config
    for field in declared(type(options)):
        if field.name == last:
            return field.unread_in(options)
    # Another method's own number: this method has no such field.
    return f"method={config.method} does not read it"


def check_read(values: Mapping[str, object], configs: Sequence[Config]) -> None:
    """Check that each setting that was given is read by one of the configurations.

    Args:
        values: settings by full names; what is no setting of a configuration is passed over.
        configs: at least one.

    Raises:
        SettingError: none of them reads it.
    """
    known = {each.name for each in settings(configs[0])}
    known.update(own_numbers(METHODS), own_settings(ALGORITHMS))
    for name, value in values.items():
        if name not in known:
            continue
        # The first that reads it will do: a sweep has thousands of configurations.
        if any(_reads(config, name, value) for config in configs):
            continue
        reasons = dict.fromkeys(why_unread(config, name) for config in configs)
        why = "; ".join(reasons) + _who_reads(name, {each.method for each in configs})
        raise _must_be_left_out(name, value, why)


def check_options_read(values: Mapping[str, object], command: Any) -> None:
    """Check that each option of a command that was given is read beside the others.

    Args:
        values: options by the names of the command line; for settings of a run see `check_read`.
        command: with these values.

    Raises:
        SettingError: one is not.
    """
    config = getattr(command, "config", None)
    of_a_run = {each.name for each in settings(config)} if config is not None else ()
    for name, field, _, options in settings(command, flat=Flat):
        if name in values and name not in of_a_run:
            reason = field.unread_in(options)
            if reason:
                raise _must_be_left_out(name, values[name], reason)


def own_values(values: Mapping[str, object], method: str) -> dict[str, object]:
    """Those of the values that are numbers of the method's rate rule's own."""
    return {name: values[name] for name in own_numbers([method]) if name in values}


def own_numbers(methods: Iterable[str]) -> list[str]:
    """The full names of the numbers that the methods' rate rules have of their own."""
    known = [METHODS[method] for method in methods if method in METHODS]
    return [f"rates.{each.name}" for method in known for each in method.own]


def own_settings(algorithms: Iterable[str]) -> list[str]:
    """The full names of the settings that the algorithms have of their own."""
    kinds = map(own_settings_of, algorithms)
    return [f"own.{each.name}" for kind in kinds for each in declared(kind)]


def _reads(config: Config, name: str, value: object) -> bool:
    # Of a method with an optimizer of its own the name of that one says nothing wrong.
    if name == "optimizer" and value in (None, config.optimizer_name):
        return True
    return not why_unread(config, name)


def _who_reads(name: str, asked: Collection[str]) -> str:
    """Who reads a setting that those asked do not, in words; "" if that is not why."""
    group, _, last = name.rpartition(".")
    if group == "own":
        having = [each for each in ALGORITHMS if name in own_settings([each])]
        return f" (read by {', '.join(having)})"
    readers = [each for each, method in METHODS.items() if last in method.reads]
    if group != "rates" or set(readers) & set(asked):
        return ""
    return f" (read by {', '.join(readers)})"


def _is_of_method(method: str, name: str) -> bool:
    # That a method is unknown is for its bound to say.
    return method not in METHODS or name in METHODS[method].reads


def _must_be_left_out(name: str, value: object, reason: str) -> SettingError:
    return SettingError(f"{name}={as_given(value)}: must be left out: {reason}")
