"""What the scenarios' presets are made of: settings of papers, of public code, and measured ones.

A preset of one world and another learner is a scenario of its own (`scenarios` has all of them).
"""

from dataclasses import replace
from typing import Any

from adama_jax.algorithms.settings import Networks
from adama_jax.config.scenario import Scenario, todays_learner
from adama_jax.envs.worlds import JaxMARLWorld, LocomotionWorld, VelocityWorld
from adama_jax.rates.settings import RateOptions
from adama_jax.training.settings import Evaluation, ExplorationOptions, Learning

# Many episodes, for a return is to be compared with published ones; and starts that no member of a
# usual seed shares keys with.
MANY_EPISODES = Evaluation(episodes=1000, seed=10_000)
# Of off-policy learning as it is published today.
USUAL_LEARNING = Learning(discount=0.99, targets="soft", target_step=0.005)


def paper(
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


def jaxmarl(summary: str) -> Scenario:
    """One of JaxMARL's own: all else is predator-prey's, which are the defaults of the fields."""
    return Scenario(
        module="adama_jax.envs.mpe.jaxmarl",
        summary=summary,
        source="JaxMARL's own world; settings as for predator_prey, not from any paper",
        world=JaxMARLWorld(),
        horizon=25,
        episodes=50_000,
    )


def locomotion(
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


def modern_robot(scenario: Scenario) -> Scenario:
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


def modern_mpe(
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


def harl(scenario: Scenario) -> Scenario:
    """HARL's published setting for MADDPG in MPE (tuned_configs/pettingzoo_mpe), for 3 agents.

    Zhong et al., Heterogeneous-Agent Reinforcement Learning (JMLR 2024). Rewards are summed over
    agents there, of which the mean is a third.
    """
    learning = replace(
        USUAL_LEARNING,
        batch_size=1000,
        envs_per_run=20,
        update_every=1,
        warmup_steps=10_000,
        others_actions="replayed",
        reward_scale=3.0,
    )
    exploration = ExplorationOptions(noise="gaussian", start=0.1, end=0.1, episodes=1)
    return replace(
        scenario,
        summary=f"{scenario.summary}; HARL's setting: Adam, an update every 20 steps",
        source="JaxMARL's own world; the learner is HARL's (docs/results/baselines)",
        episodes=200_000,
        optimizer="adam",
        networks=Networks(hidden=(128, 128)),
        learning=learning,
        rates=adam_rates(critic=1e-3, actor=5e-4, num_agents=3),
        exploration=exploration,
        evaluation=MANY_EPISODES,
        learner="harl",
    )


def adam_rates(critic: float, actor: float, num_agents: int) -> RateOptions:
    """Of the critic and of each actor; the l of methods that balance is the sum, m is measured."""
    budget = actor * num_agents**0.5
    return RateOptions(
        total_rate=critic + budget,
        critic_scale="auto",
        critic_rate=critic,
        actor_budget=budget,
    )


def matd3_robot(scenario: Scenario) -> Scenario:
    """MATD3 with Adam on a robot of Brax's positional backend.

    Tried on seed 100, of which no result is reported (docs/results/baselines).
    """
    assert isinstance(scenario.world, LocomotionWorld)
    learning = replace(
        USUAL_LEARNING,
        envs_per_run=10,
        # An update for 10 steps, as in HARL.
        update_every=1,
        warmup_steps=10_000,
        n_step=5,
        normalize_obs=True,
    )
    exploration = ExplorationOptions(noise="gaussian", start=0.1, end=0.1, episodes=1)
    world = replace(scenario.world, backend="positional")
    agents = world.learners
    evaluation = replace(scenario.evaluation, episodes=10, seed=10_000)
    summary = f"{agents} agents share the joints of Brax's {world.robot}, positional; MATD3, Adam"
    return replace(
        scenario,
        summary=summary,
        source="JaxMARL's split; settings by this project's measurements",
        world=world,
        algorithm="matd3",
        episodes=1_000,
        optimizer="adam",
        networks=Networks(hidden=(128, 128)),
        learning=learning,
        rates=adam_rates(critic=3e-4, actor=3e-4, num_agents=agents),
        exploration=exploration,
        evaluation=evaluation,
        learner="matd3",
        modern=None,
    )


def maac(scenario: Scenario) -> Scenario:
    """MAAC with Adam on discrete actions, for 3 agents.

    Tried on seeds 100 and 101, of which no result is reported (docs/results/baselines).
    """
    learning = replace(
        USUAL_LEARNING,
        envs_per_run=10,
        # An update for 50 steps. In MAAC's public code there are 4 for 100.
        update_every=5,
        reward_scale=3.0,
    )
    rates = adam_rates(critic=1e-3, actor=1e-3, num_agents=3)
    return _discrete(scenario, "maac", learning=learning, rates=rates)


def coma(scenario: Scenario) -> Scenario:
    """COMA with Adam on discrete actions, for 3 agents; tried as `maac` was."""
    learning = replace(USUAL_LEARNING, envs_per_run=16)
    rates = adam_rates(critic=1e-3, actor=5e-4, num_agents=3)
    exploring = ExplorationOptions(start=0.5, end=0.02, episodes=60_000)
    discrete = _discrete(scenario, "coma", learning=learning, rates=rates)
    wider = Networks(hidden=(128, 128))
    return replace(discrete, networks=wider, exploration=exploring)


def _discrete(scenario: Scenario, algorithm: str, **options: Any) -> Scenario:
    return replace(
        scenario,
        summary=f"{scenario.summary}: {algorithm.upper()} on discrete actions, Adam",
        source="JaxMARL's own world; settings by this project's measurements",
        world=JaxMARLWorld(action_type="discrete"),
        algorithm=algorithm,
        episodes=120_000,
        optimizer="adam",
        evaluation=MANY_EPISODES,
        **options,
    )
