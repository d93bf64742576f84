"""What a scenario is, and one with today's learner. `scenarios` has all of them."""

from dataclasses import dataclass, replace

from adama_jax.algorithms.settings import DEFAULT_ALGORITHM, Networks, OwnSettings
from adama_jax.envs.worlds import World
from adama_jax.rates.settings import RateOptions
from adama_jax.training.settings import Evaluation, ExplorationOptions, Learning


@dataclass(frozen=True)
class Scenario:
    """A world and its published settings; what is left out has the default of its field.

    `critic_scale`, `critic_rate` and `actor_budget` (the best of the authors' grid) are those of
    Tables 1 and 2; episodes, side and step are this project's, since the paper gives none.
    """

    module: str  # with `make(world, horizon, name) -> Env`; or the import path of such a function
    summary: str
    source: str
    world: World = World()
    horizon: int = 20
    episodes: int = 50_000
    min_agents: int = 1
    max_agents: int | None = None
    algorithm: str = DEFAULT_ALGORITHM
    own: OwnSettings = OwnSettings()
    """The algorithm's own settings."""
    optimizer: str | None = None
    networks: Networks = Networks()
    learning: Learning = Learning()
    rates: RateOptions = RateOptions()
    exploration: ExplorationOptions = ExplorationOptions()
    evaluation: Evaluation = Evaluation()
    learner: str | None = None
    """What legends call its base learner, where `adama experiment` draws it beside the paper's."""
    modern: str | None = None
    """The scenario of the same world with today's learner, which `adama experiment` trains too."""


def todays_learner(
    scenario: Scenario,
    critic_rate: float = 2e-3,
    actor_budget: float = 1e-3,
    episodes: int = 4_000,
) -> Scenario:
    """A scenario with Adam, and targets that stay for 200 updates.

    AdaMa keeps the paper's l, and measures its m.
    """
    learning = replace(scenario.learning, target_period=200)
    # It has fallen by the middle: half of a run is left to learn from what it then meets.
    exploration = replace(scenario.exploration, episodes=episodes // 2)
    rates = replace(
        scenario.rates,
        critic_scale="auto",
        critic_rate=critic_rate,
        actor_budget=actor_budget,
    )
    return replace(
        scenario,
        episodes=episodes,
        optimizer="adam",
        learning=learning,
        rates=rates,
        exploration=exploration,
    )
