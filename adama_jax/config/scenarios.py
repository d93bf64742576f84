"""The scenarios: a world each, and the settings that Tables 1 and 2 give for it. Plain data, importable without JAX.

A new scenario is one file in `envs/` with `make(world, horizon, name) -> Env`, and one entry here.
"""

from dataclasses import dataclass, replace
from typing import Literal

from adama_jax.envs.robots.joints import partition
from adama_jax.envs.worlds import (
    JaxMARLWorld,
    LocomotionWorld,
    PredatorPreyWorld,
    VelocityWorld,
    World,
)


@dataclass(frozen=True)
class Scenario:
    """A world and its published settings; what has a default is Table 1's for every MPE scenario.

    `m`, `critic_rate` and `actor_budget` (the best of the authors' grid) are Table 1's or Table 2's; episodes, side and
    step are decided by this project, since the paper does not give them.
    """

    module: str  # with `make(world, horizon, name) -> Env`
    summary: str
    source: str
    world: World
    min_agents: int
    max_agents: int | None
    horizon: int
    discount: float
    capacity: int
    m: float | Literal["auto"]
    critic_rate: float
    actor_budget: float
    episodes: int
    critic: str = "joint"
    total_rate: float = 1e-2
    clip: float = 0.1
    targets: str = "hard"
    exploration_end: float = 0.1
    exploration_episodes: int = 10_000
    evaluation_episodes: int = 100
    points_apart: int = 100  # episodes, at least
    updates_per_episode: int = 1
    direction: str | None = None


def _paper(module: str, summary: str, world: VelocityWorld, **settings: float) -> Scenario:
    limits = {"min_agents": 2, "max_agents": None} | settings
    return Scenario(
        f"adama_jax.envs.mpe.{module}", summary, "AdaMa, section 4.1 and Table 1", world, **limits
    )  # pyright: ignore[reportArgumentType]


def _jaxmarl(summary: str) -> Scenario:
    return Scenario(
        module="adama_jax.envs.mpe.jaxmarl",
        summary=summary,
        source="JaxMARL's own world; settings as for predator_prey, not from any paper",
        world=JaxMARLWorld(),
        min_agents=1,
        max_agents=None,
        horizon=25,
        discount=0.97,
        capacity=1_000_000,
        m=50.0,
        critic_rate=7e-3,
        actor_budget=2e-3,
        episodes=50_000,
    )


def _locomotion(
    robot: str, split: str, m: float, rate: float = 1e-3, critic: str = "joint", source: str = ""
) -> Scenario:
    """Table 2, which gives an actor's own rate; where it has no such robot, the ant's settings."""
    agents = len(partition(robot, split))
    learner = "deterministic DOP" if critic == "dop" else "MADDPG"
    return Scenario(
        module="adama_jax.envs.robots.locomotion",
        summary=f"{agents} agents share the joints of Brax's {robot}; {learner}",
        source=source or "AdaMa, section 4.5 and Table 2",
        world=LocomotionWorld(robot=robot, partition=split),
        min_agents=1,
        max_agents=None,
        horizon=1000,
        discount=0.96,
        capacity=1_000_000,
        m=m,
        critic_rate=rate,
        actor_budget=rate * agents**0.5,
        episodes=3_000,
        critic=critic,
        total_rate=rate,
        clip=0.05,
        targets="soft",
        exploration_end=0.05,
        exploration_episodes=1_000,
        evaluation_episodes=5,
        points_apart=10,
    )


def _modern(scenario: Scenario) -> Scenario:
    """Off-policy learning as it is usual today: Adam, and an update for every five steps (docs/locomotion.md)."""
    return replace(
        scenario,
        summary=f"{scenario.summary}, 200 updates an episode with Adam",
        source="Table 2's rates; the rest by this project's measurements (docs/locomotion.md)",
        updates_per_episode=200,
        direction="adam",
        m="auto",
        discount=0.99,
        episodes=300,
        exploration_episodes=50,
    )


UNTUNED = "multi-agent MuJoCo's partition; settings as for ant_4x2, not from any paper"
SCENARIOS: dict[str, Scenario] = {
    "going_together": _paper(
        "going_together", "2 agents reach one landmark without leaving each other",
        VelocityWorld(num_agents=2, side=2.0, step=0.3), max_agents=2,
        horizon=10, discount=0.96, capacity=500_000, m=10.0, critic_rate=8e-3, actor_budget=3e-3, episodes=30_000,
    ),
    "cooperative_navigation": _paper(
        "cooperative_navigation", "4 agents, each with its own landmark; the farthest one sets the reward",
        VelocityWorld(num_agents=4, side=2.0, step=0.4),
        horizon=6, discount=0.9, capacity=500_000, m=5.0, critic_rate=9e-3, actor_budget=2e-3, episodes=50_000,
    ),
    "predator_prey": _paper(
        "predator_prey", "4 slower predators learn to touch a faster prey that runs by rule",
        PredatorPreyWorld(num_agents=4, side=2.0, step=0.1), min_agents=1,
        horizon=20, discount=0.97, capacity=1_000_000, m=50.0, critic_rate=7e-3, actor_budget=2e-3, episodes=50_000,
    ),
    "clustering": _paper(
        "clustering", "8 agents gather at the centre of their own positions",
        VelocityWorld(num_agents=8, side=1.2, step=0.1),
        horizon=10, discount=0.95, capacity=1_000_000, m=80.0, critic_rate=8e-3, actor_budget=1e-3, episodes=50_000,
    ),
    "halfcheetah_2x3": _locomotion("halfcheetah", "2x3", m=100.0),
    "halfcheetah_2x3_dop": _locomotion("halfcheetah", "2x3", m=1000.0, rate=1e-4, critic="dop"),
    "ant_4x2": _locomotion("ant", "4x2", m=50.0),
    "ant_4x2_dop": _locomotion("ant", "4x2", m=100.0, rate=1e-4, critic="dop"),
    "halfcheetah_2x3_modern": _modern(_locomotion("halfcheetah", "2x3", m=100.0)),
    "ant_4x2_modern": _modern(_locomotion("ant", "4x2", m=50.0)),
    "halfcheetah_6x1": _locomotion("halfcheetah", "6x1", m=50.0, source=UNTUNED),
    "walker2d_2x3": _locomotion("walker2d", "2x3", m=50.0, source=UNTUNED),
    "hopper_3x1": _locomotion("hopper", "3x1", m=50.0, source=UNTUNED),
    "humanoid_9|8": _locomotion("humanoid", "9|8", m=50.0, source=UNTUNED),
    "MPE_simple_v3": _jaxmarl("one agent reaches a landmark"),
    "MPE_simple_spread_v3": _jaxmarl("3 agents cover 3 landmarks without bumping"),
    "MPE_simple_tag_v3": _jaxmarl("3 adversaries tag an agent that flees by rule (world.prey=learner: is learned)"),
    "MPE_simple_adversary_v3": _jaxmarl("2 agents reach a landmark that an adversary seeks; all learn"),
    "MPE_simple_push_v3": _jaxmarl("an agent reaches a landmark, an adversary pushes it away; both learn"),
    "MPE_simple_crypto_v3": _jaxmarl("a speaker, a listener and an eavesdropper; communication only"),
    "MPE_simple_speaker_listener_v4": _jaxmarl("a speaker names the landmark that a listener must reach"),
    "MPE_simple_reference_v3": _jaxmarl("2 agents tell each other which landmark to reach"),
    "MPE_simple_world_comm_v3": _jaxmarl("adversaries with a leader hunt agents that hide in forests; all learn"),
    "MPE_simple_facmac_v1": _jaxmarl("3 adversaries hunt JaxMARL's own scripted prey"),
    "MPE_simple_facmac_3a_v1": _jaxmarl("the same, score function 'min', view radius 1.5"),
    "MPE_simple_facmac_6a_v1": _jaxmarl("6 adversaries, 2 prey"),
    "MPE_simple_facmac_9a_v1": _jaxmarl("9 adversaries, 3 prey"),
}  # fmt: skip
