"""The scenarios: a world each, and its settings (Tables 1 and 2). Importable without JAX.

A new scenario is one file in `envs/` with `make(world, horizon, name) -> Env`, and one entry here.
One from outside is a factory or a `Scenario` in somebody's module: `adama train mine.world:make`.
"""

from dataclasses import replace
from typing import Any

from adama_jax.config.presets import (
    coma,
    harl,
    jaxmarl,
    locomotion,
    maac,
    matd3_robot,
    modern_mpe,
    modern_robot,
    paper,
)
from adama_jax.config.scenario import Scenario, todays_learner
from adama_jax.envs.outside import FACTORY_TAKES, usual_horizon, world_of
from adama_jax.envs.worlds import PredatorPreyWorld, VelocityWorld
from adama_jax.errors import promise
from adama_jax.plugins.factories import first_line, parameters_of
from adama_jax.plugins.loading import load
from adama_jax.plugins.registry import Registry

UNTUNED = "multi-agent MuJoCo's partition; settings as for ant_4x2, not from any paper"
CHEETAH = locomotion("halfcheetah", "6x1", critic_scale=50.0, source=UNTUNED)
HOPPER = locomotion("hopper", "3x1", critic_scale=50.0, source=UNTUNED)
PAPER: dict[str, Scenario] = {
    "going_together": paper(
        "going_together",
        "2 agents reach one landmark without leaving each other",
        VelocityWorld(num_agents=2, side=2.0, step=0.3),
        max_agents=2,
        horizon=10,
        discount=0.96,
        capacity=500_000,
        critic_scale=10.0,
        critic_rate=8e-3,
        actor_budget=3e-3,
        episodes=30_000,
    ),
    "cooperative_navigation": paper(
        "cooperative_navigation",
        "4 agents, each with its own landmark; the farthest one sets the reward",
        VelocityWorld(num_agents=4, side=2.0, step=0.4),
        horizon=6,
        discount=0.9,
        capacity=500_000,
        critic_scale=5.0,
        critic_rate=9e-3,
        actor_budget=2e-3,
        episodes=50_000,
    ),
    "predator_prey": paper(
        "predator_prey",
        "4 slower predators learn to touch a faster prey that runs by rule",
        PredatorPreyWorld(num_agents=4, side=2.0, step=0.1),
        min_agents=1,
        horizon=20,
        discount=0.97,
        capacity=1_000_000,
        critic_scale=50.0,
        critic_rate=7e-3,
        actor_budget=2e-3,
        episodes=50_000,
    ),
    "clustering": paper(
        "clustering",
        "8 agents gather at the centre of their own positions",
        VelocityWorld(num_agents=8, side=1.2, step=0.1),
        horizon=10,
        discount=0.95,
        capacity=1_000_000,
        critic_scale=80.0,
        critic_rate=8e-3,
        actor_budget=1e-3,
        episodes=50_000,
    ),
}
SPREAD = jaxmarl("3 agents cover 3 landmarks without bumping")
_OF_THE_PACKAGE = {
    **PAPER,
    "going_together_modern": modern_mpe(
        PAPER["going_together"],
        critic_rate=2e-3,
        actor_budget=1e-3,
    ),
    "cooperative_navigation_modern": modern_mpe(
        PAPER["cooperative_navigation"],
        critic_rate=4e-3,
        actor_budget=1e-3,
    ),
    "predator_prey_modern": modern_mpe(
        PAPER["predator_prey"],
        critic_rate=2e-3,
        actor_budget=1e-3,
    ),
    "clustering_modern": modern_mpe(
        PAPER["clustering"],
        critic_rate=4e-3,
        actor_budget=1e-3,
    ),
    "halfcheetah_2x3": locomotion("halfcheetah", "2x3", critic_scale=100.0),
    "halfcheetah_2x3_dop": locomotion(
        "halfcheetah", "2x3", critic_scale=1000.0, rate=1e-4, critic="dop"
    ),
    "ant_4x2": locomotion("ant", "4x2", critic_scale=50.0),
    "ant_4x2_dop": locomotion(
        "ant", "4x2", critic_scale=100.0, rate=1e-4, critic="dop"
    ),
    "halfcheetah_2x3_modern": modern_robot(
        locomotion("halfcheetah", "2x3", critic_scale=100.0)
    ),
    "ant_4x2_modern": modern_robot(locomotion("ant", "4x2", critic_scale=50.0)),
    "halfcheetah_6x1": CHEETAH,
    "walker2d_2x3": locomotion("walker2d", "2x3", critic_scale=50.0, source=UNTUNED),
    "hopper_3x1": HOPPER,
    "humanoid_9|8": locomotion("humanoid", "9|8", critic_scale=50.0, source=UNTUNED),
    "MPE_simple_v3": jaxmarl("one agent reaches a landmark"),
    "MPE_simple_spread_v3": SPREAD,
    "halfcheetah_6x1_matd3": matd3_robot(CHEETAH),
    "hopper_3x1_matd3": matd3_robot(HOPPER),
    "MPE_simple_spread_v3_harl": harl(SPREAD),
    "MPE_simple_spread_v3_maac": maac(SPREAD),
    "MPE_simple_spread_v3_coma": coma(SPREAD),
    "MPE_simple_tag_v3": jaxmarl(
        "3 adversaries tag an agent that flees by rule (world.prey=learner: is learned)"
    ),
    "MPE_simple_adversary_v3": jaxmarl(
        "2 agents reach a landmark that an adversary seeks; all learn"
    ),
    "MPE_simple_push_v3": jaxmarl(
        "an agent reaches a landmark, an adversary pushes it away; both learn"
    ),
    "MPE_simple_crypto_v3": jaxmarl(
        "a speaker, a listener and an eavesdropper; communication only"
    ),
    "MPE_simple_speaker_listener_v4": jaxmarl(
        "a speaker names the landmark that a listener must reach"
    ),
    "MPE_simple_reference_v3": jaxmarl(
        "2 agents tell each other which landmark to reach"
    ),
    "MPE_simple_world_comm_v3": jaxmarl(
        "adversaries with a leader hunt agents that hide in forests; all learn"
    ),
    "MPE_simple_facmac_v1": jaxmarl("3 adversaries hunt JaxMARL's own scripted prey"),
    "MPE_simple_facmac_3a_v1": jaxmarl(
        "the same, score function 'min', view radius 1.5"
    ),
    "MPE_simple_facmac_6a_v1": jaxmarl("6 adversaries, 2 prey"),
    "MPE_simple_facmac_9a_v1": jaxmarl("9 adversaries, 3 prey"),
}


def _adopt(path: str, found: Any) -> Scenario:
    """Of what an import path names: a scenario, or the factory of a world.

    A factory's world has the options and the horizon that its parameters have for defaults; all
    else is as for predator_prey_modern: no paper has settings for it.
    """
    if isinstance(found, Scenario):
        found = replace(found, module=factory_path(found))
        _check_factory(load("scenario", found.module))
        return found
    _check_factory(found)
    summary = first_line(found, "a world from outside")
    world = world_of(found)
    horizon = usual_horizon(found)
    scenario = Scenario(path, summary, source=path, world=world)
    if horizon is not None:
        scenario = replace(scenario, horizon=horizon)
    return todays_learner(scenario)


def _check_factory(found: Any) -> None:
    promise(callable(found), "must be a factory of an Env, or a Scenario")
    parameters_of(found, FACTORY_TAKES)


def factory_path(scenario: Scenario) -> str:
    """The import path of what makes a scenario's world."""
    module = scenario.module
    return module if ":" in module else f"{module}:make"


SCENARIOS = Registry(
    "scenario",
    _OF_THE_PACKAGE,
    adopt=_adopt,
    paths=lambda scenario: (factory_path(scenario),),
)
"""By name or import path; a path names the factory of an `Env`, or a `Scenario`."""
