"""Worlds from outside: what their factories may be, and how they are called. Without JAX.

A factory is a function that makes an `Env`. It may have the parameters `world` (its options),
`horizon` and `name`, and is called with those that it has:

    @dataclass(frozen=True)
    class Corridor(World):
        length: Annotated[float, POSITIVE] = 2.0

    def make(world: Corridor = Corridor(), horizon: int = 25) -> Env: ...

Then `world.length` is a setting as any other, and episodes have 25 steps unless told otherwise.
"""

import dataclasses
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args, get_origin

from adama_jax.envs.worlds import World
from adama_jax.errors import promise
from adama_jax.fields import alternatives, declared
from adama_jax.plugins.factories import parameters_of

if TYPE_CHECKING:
    from adama_jax.envs.env import Env

FACTORY_TAKES = ("world", "horizon", "name")
# What a setting can be of: a word of a command line can say it, and JSON keep it.
TYPES_OF_SETTINGS = (int, float, bool, str, type(None))


def world_of(factory: Callable[..., Any]) -> World:
    """The options that a factory's `world` has by default; those of no world if it has none.

    Raises:
        AssertionError: they are none, or cannot be settings.
    """
    parameter = inspect.signature(factory).parameters.get("world")
    if parameter is None:
        return World()
    world = parameter.default
    kind = type(world)
    promise(
        isinstance(world, World) and dataclasses.is_dataclass(kind),
        "its parameter world must have a default: its options, an instance of a frozen dataclass "
        "that is a subclass of adama_jax.envs.worlds.World",
    )
    # A subclass without the decorator would lose the fields that it adds.
    promise(
        "__dataclass_fields__" in vars(kind),
        f"{kind.__name__} must be decorated with @dataclass(frozen=True)",
    )
    for field in declared(kind):
        parts = [_item(part) for part in alternatives(field.type)]
        fits = all(part in TYPES_OF_SETTINGS for part in parts)
        promise(
            fits,
            f"{kind.__name__}.{field.name} must be of int, float, bool, str, Literal[...], a tuple "
            "of one of them, or None",
        )
    return world


def usual_horizon(factory: Callable[..., Any]) -> int | None:
    """The default of a factory's `horizon`; None if it has none."""
    parameter = inspect.signature(factory).parameters.get("horizon")
    default = None if parameter is None else parameter.default
    return default if isinstance(default, int) else None


def env_of(factory: Callable[..., Any], world: World, horizon: int, name: str) -> "Env":
    """Have a factory make its world, and check what can be checked without a step.

    The time limit is kept by whoever plays the episode, so that it is `horizon`, whatever the
    factory made of it.

    Raises:
        AssertionError: a promise of `Env` is broken.
    """
    # Here, for settings are read without JAX.
    from adama_jax.envs.check import check_shapes

    given = {"world": world, "horizon": horizon, "name": name}
    taken = parameters_of(factory, FACTORY_TAKES)
    env = factory(**{key: given[key] for key in FACTORY_TAKES if key in taken})
    check_shapes(env)
    return env._replace(spec=env.spec._replace(horizon=horizon))


def _item(kind: Any) -> Any:
    """The type of a setting's value, or of each of its values."""
    if get_origin(kind) is tuple:
        return get_args(kind)[0]
    if hasattr(kind, "__args__") and get_origin(kind) is not None:
        return type(get_args(kind)[0])
    return kind
