"""The scenarios: a world each, and the settings that Table 1 gives for it. Plain data, importable without JAX.

A new scenario is one file in `envs/` with `make(world, horizon, name) -> Env`, and one entry here.
"""

from dataclasses import dataclass

from adama_jax.envs.options import JaxMARLWorld, PredatorPreyWorld, VelocityWorld, World


@dataclass(frozen=True)
class Scenario:
    """A world and its published settings.

    `m`, `critic_rate` and `actor_budget` (the best of the authors' grid) are Table 1's; episodes, side and step are
    decided by this project, since the paper does not give them.
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
    m: float
    critic_rate: float
    actor_budget: float
    episodes: int


def _paper(module: str, summary: str, world: VelocityWorld, **settings: float) -> Scenario:
    limits = {"min_agents": 2, "max_agents": None} | settings
    return Scenario(f"adama_jax.envs.{module}", summary, "AdaMa, section 4.1 and Table 1", world, **limits)  # pyright: ignore[reportArgumentType]


def _jaxmarl(summary: str) -> Scenario:
    return Scenario(
        module="adama_jax.envs.jaxmarl_mpe",
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
