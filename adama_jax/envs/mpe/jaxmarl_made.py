"""JaxMARL's MPE environments, made with our options of them."""

from typing import Any

import jax

from adama_jax.envs.mpe.jaxmarl_import import whole_jaxmarl
from adama_jax.envs.worlds import JaxMARLWorld, jaxmarl_name

OPTIONS = (
    "num_agents",
    "num_landmarks",
    "num_adversaries",
    "num_good_agents",
    "num_obs",
    "local_ratio",
)
"""Fields of `JaxMARLWorld` that JaxMARL's own constructors take, under the same names."""


def jaxmarl_world(world: JaxMARLWorld, name: str) -> Any:
    """A registered JaxMARL MPE scenario, or a preset's of it, with the options that are given.

    Raises:
        ValueError: JaxMARL has no such scenario.
        TypeError: the scenario does not take one of the options; `config.checks` finds this first.

    >>> jaxmarl_world(JaxMARLWorld(num_agents=4), "MPE_simple_spread_v3").num_agents
    4
    """
    options: dict[str, Any] = {}
    for option in OPTIONS:
        value = getattr(world, option)
        if value is not None:
            options[option] = value
    # That one knows no other than continuous actions, so that it does not take their name.
    if not name.startswith("MPE_simple_facmac"):
        options["action_type"] = world.action_type.capitalize()
    env = whole_jaxmarl().make(jaxmarl_name(name), **options)
    if world.integrator == "semi_implicit_euler":
        _integrate_semi_implicitly(env)
    return env


def _integrate_semi_implicitly(env: Any) -> None:
    """Have the environment move positions by the new velocities, as PettingZoo 1.22 does."""
    explicit = env._integrate_state

    def semi_implicit(
        p_force: jax.Array,
        p_pos: jax.Array,
        p_vel: jax.Array,
        *of_entities: jax.Array,
    ) -> tuple[jax.Array, jax.Array]:
        _, velocities = explicit(p_force, p_pos, p_vel, *of_entities)
        return p_pos + velocities * env.dt, velocities

    # JaxMARL has no option for it; its step looks this method up on the environment.
    env._integrate_state = semi_implicit
