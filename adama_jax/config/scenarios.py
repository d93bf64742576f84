"""The scenarios: a world each, and its settings (Tables 1 and 2). Importable without JAX.

A new scenario is one file in `envs/` with `make(world, horizon, name) -> Env`, and one entry here.
One from outside is a factory or a `Scenario` in somebody's module: `adama train mine.world:make`.
"""

from dataclasses import replace
from typing import Any

from adama_jax.algorithms.settings import Networks
from adama_jax.config.scenario import Scenario, todays_learner
from adama_jax.envs.outside import FACTORY_TAKES, usual_horizon, world_of
from adama_jax.envs.worlds import (
    JaxMARLWorld,
    LocomotionWorld,
    PredatorPreyWorld,
    VelocityWorld,
)
from adama_jax.errors import promise
from adama_jax.plugins.factories import first_line, parameters_of
from adama_jax.plugins.loading import load
from adama_jax.plugins.registry import Registry
from adama_jax.rates.settings import RateOptions
from adama_jax.training.settings import Evaluation, ExplorationOptions, Learning


def _paper(
    module: str,
    summary: str,
    world: VelocityWorld,
    *,
    horizon: int,
    episodes: int,
    discount: float,
    capacity: int,
    critic_scale: float,
    critic_rate: float,
    actor_budget: float,
    min_agents: int = 2,
    max_agents: int | None = None,
) -> Scenario:
    """Table 1."""
    return Scenario(
        module=f"adama_jax.envs.mpe.{module}",
        summary=summary,
        source="AdaMa, section 4.1 and Table 1",
        world=world,
        horizon=horizon,
        episodes=episodes,
        min_agents=min_agents,
        max_agents=max_agents,
        learning=Learning(discount=discount, capacity=capacity),
        rates=RateOptions(
            critic_scale=critic_scale,
            critic_rate=critic_rate,
            actor_budget=actor_budget,
        ),
        modern=f"{module}_modern",
    )


def _jaxmarl(summary: str) -> Scenario:
    # All else is predator-prey's, which are the defaults of the fields.
    return Scenario(
        module="adama_jax.envs.mpe.jaxmarl",
        summary=summary,
        source="JaxMARL's own world; settings as for predator_prey, not from any paper",
        world=JaxMARLWorld(),
        horizon=25,
        episodes=50_000,
    )


def _locomotion(
    robot: str,
    split: str,
    critic_scale: float,
    rate: float = 1e-3,
    critic: str = "joint",
    source: str = "AdaMa, section 4.5 and Table 2",
) -> Scenario:
    """Table 2; where it has no such robot, the ant's settings."""
    world = LocomotionWorld(robot=robot, partition=split)
    learner = "deterministic DOP" if critic == "dop" else "MADDPG"
    rates = RateOptions(
        total_rate=rate,
        critic_scale=critic_scale,
        clip=0.05,
        critic_rate=rate,
        # Table 2 gives one actor's own rate; the budget is the norm of all of them.
        actor_budget=rate * world.learners**0.5,
    )
    summary = f"{world.learners} agents share the joints of Brax's {robot}; {learner}"
    return Scenario(
        module="adama_jax.envs.robots.locomotion",
        summary=summary,
        source=source,
        world=world,
        horizon=1000,
        episodes=3_000,
        networks=Networks(critic=critic),
        learning=Learning(discount=0.96, targets="soft"),
        rates=rates,
        exploration=ExplorationOptions(end=0.05, episodes=1_000),
        # An episode has a thousand steps: few of them in an evaluation, and points close together.
        evaluation=Evaluation(episodes=5, points_apart=10),
    )


def _modern(scenario: Scenario) -> Scenario:
    """Off-policy learning as is usual today: Adam, 200 updates an episode (docs/locomotion.md)."""
    return replace(
        scenario,
        summary=f"{scenario.summary}, 200 updates an episode with Adam",
        source="Table 2's rates; the rest by this project's measurements (docs/locomotion.md)",
        episodes=300,
        optimizer="adam",
        learning=replace(scenario.learning, discount=0.99, updates_per_episode=200),
        rates=replace(scenario.rates, critic_scale="auto"),
        exploration=replace(scenario.exploration, episodes=50),
    )


def _modern_mpe(
    scenario: Scenario,
    *,
    critic_rate: float,
    actor_budget: float,
) -> Scenario:
    """The paper's world with today's learner, beside the paper's own.

    The fixed rates, the target period and the exploration were measured on seeds that no result is
    reported for (docs/learner.md).
    """
    learner = todays_learner(scenario, critic_rate, actor_budget)
    return replace(
        learner,
        summary=f"{scenario.summary}; Adam, targets copied every 200 episodes",
        source="Table 1's world; the learner by this project's measurements (docs/learner.md)",
        learner="modern",
        modern=None,
    )


def _harl(scenario: Scenario) -> Scenario:
    """HARL's published setting for MADDPG in MPE (tuned_configs/pettingzoo_mpe).

    Zhong et al., Heterogeneous-Agent Reinforcement Learning (JMLR 2024). Rewards are summed over
    agents there, of which the mean is a third.
    """
    actor_rate, critic_rate = 5e-4, 1e-3
    actor_budget = actor_rate * 3**0.5
    return replace(
        scenario,
        summary=f"{scenario.summary}; HARL's setting: Adam, an update every 20 steps",
        source="JaxMARL's own world; the learner is HARL's for MADDPG, see docs/baselines.md",
        episodes=200_000,
        optimizer="adam",
        networks=Networks(hidden=(128, 128)),
        learning=Learning(
            discount=0.99,
            batch_size=1000,
            targets="soft",
            target_step=0.005,
            envs_per_run=20,
            update_every=1,
            warmup_steps=10_000,
            others_actions="replayed",
            reward_scale=3.0,
        ),
        # AdaMa's l is the sum of the two; its m is measured.
        rates=RateOptions(
            total_rate=critic_rate + actor_budget,
            critic_scale="auto",
            critic_rate=critic_rate,
            actor_budget=actor_budget,
        ),
        exploration=ExplorationOptions(
            noise="gaussian", start=0.1, end=0.1, episodes=1
        ),
        # Many episodes, for a return is to be compared with published ones; and starts that no
        # member of a usual seed shares keys with.
        evaluation=Evaluation(episodes=1000, seed=10_000),
        learner="harl",
    )


UNTUNED = "multi-agent MuJoCo's partition; settings as for ant_4x2, not from any paper"
PAPER: dict[str, Scenario] = {
    "going_together": _paper(
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
    "cooperative_navigation": _paper(
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
    "predator_prey": _paper(
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
    "clustering": _paper(
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
_OF_THE_PACKAGE = {
    **PAPER,
    "going_together_modern": _modern_mpe(
        PAPER["going_together"],
        critic_rate=2e-3,
        actor_budget=1e-3,
    ),
    "cooperative_navigation_modern": _modern_mpe(
        PAPER["cooperative_navigation"],
        critic_rate=4e-3,
        actor_budget=1e-3,
    ),
    "predator_prey_modern": _modern_mpe(
        PAPER["predator_prey"],
        critic_rate=2e-3,
        actor_budget=1e-3,
    ),
    "clustering_modern": _modern_mpe(
        PAPER["clustering"],
        critic_rate=4e-3,
        actor_budget=1e-3,
    ),
    "halfcheetah_2x3": _locomotion("halfcheetah", "2x3", critic_scale=100.0),
    "halfcheetah_2x3_dop": _locomotion(
        "halfcheetah", "2x3", critic_scale=1000.0, rate=1e-4, critic="dop"
    ),
    "ant_4x2": _locomotion("ant", "4x2", critic_scale=50.0),
    "ant_4x2_dop": _locomotion(
        "ant", "4x2", critic_scale=100.0, rate=1e-4, critic="dop"
    ),
    "halfcheetah_2x3_modern": _modern(
        _locomotion("halfcheetah", "2x3", critic_scale=100.0)
    ),
    "ant_4x2_modern": _modern(_locomotion("ant", "4x2", critic_scale=50.0)),
    "halfcheetah_6x1": _locomotion(
        "halfcheetah", "6x1", critic_scale=50.0, source=UNTUNED
    ),
    "walker2d_2x3": _locomotion("walker2d", "2x3", critic_scale=50.0, source=UNTUNED),
    "hopper_3x1": _locomotion("hopper", "3x1", critic_scale=50.0, source=UNTUNED),
    "humanoid_9|8": _locomotion("humanoid", "9|8", critic_scale=50.0, source=UNTUNED),
    "MPE_simple_v3": _jaxmarl("one agent reaches a landmark"),
    "MPE_simple_spread_v3": _jaxmarl("3 agents cover 3 landmarks without bumping"),
    "MPE_simple_spread_v3_harl": _harl(
        _jaxmarl("3 agents cover 3 landmarks without bumping")
    ),
    "MPE_simple_tag_v3": _jaxmarl(
        "3 adversaries tag an agent that flees by rule (world.prey=learner: is learned)"
    ),
    "MPE_simple_adversary_v3": _jaxmarl(
        "2 agents reach a landmark that an adversary seeks; all learn"
    ),
    "MPE_simple_push_v3": _jaxmarl(
        "an agent reaches a landmark, an adversary pushes it away; both learn"
    ),
    "MPE_simple_crypto_v3": _jaxmarl(
        "a speaker, a listener and an eavesdropper; communication only"
    ),
    "MPE_simple_speaker_listener_v4": _jaxmarl(
        "a speaker names the landmark that a listener must reach"
    ),
    "MPE_simple_reference_v3": _jaxmarl(
        "2 agents tell each other which landmark to reach"
    ),
    "MPE_simple_world_comm_v3": _jaxmarl(
        "adversaries with a leader hunt agents that hide in forests; all learn"
    ),
    "MPE_simple_facmac_v1": _jaxmarl("3 adversaries hunt JaxMARL's own scripted prey"),
    "MPE_simple_facmac_3a_v1": _jaxmarl(
        "the same, score function 'min', view radius 1.5"
    ),
    "MPE_simple_facmac_6a_v1": _jaxmarl("6 adversaries, 2 prey"),
    "MPE_simple_facmac_9a_v1": _jaxmarl("9 adversaries, 3 prey"),
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
