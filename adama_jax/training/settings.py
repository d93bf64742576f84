"""Settings of learning, exploration and evaluation: plain data, importable without JAX."""

from dataclasses import dataclass
from typing import Annotated, Literal

from adama_jax.bounds import AtLeast, Between, Seed
from adama_jax.fields import HashedUnlikeScenario, Symbol, Traced


@dataclass(frozen=True)
class Learning:
    """The base learner (section 3.1). The defaults are Table 1's for predator-prey."""

    discount: Annotated[float, Traced(), Symbol("gamma"), Between(0, 1, open_top=True)] = 0.97
    """gamma."""
    batch_size: Annotated[int, AtLeast(1)] = 1024
    """Transitions in a minibatch."""
    capacity: int = 1_000_000
    """Transitions that the replay buffer holds."""
    updates_per_episode: Annotated[int, AtLeast(1)] = 1
    """Gradient updates for each episode."""
    envs_per_run: Annotated[int, AtLeast(1)] = 1
    """Worlds that a member plays at once, an episode each, before the updates for all of them."""
    targets: Literal["hard", "soft"] = "hard"
    """Copy the target networks now and then, or move them a little at each update."""
    target_period: Annotated[int, AtLeast(1)] = 20
    """Episodes between two copies (hard)."""
    target_step: Annotated[float, Traced(), Between(0, 1, open_bottom=True)] = 0.02
    """Step towards the online networks at each update (soft)."""


@dataclass(frozen=True)
class ExplorationOptions:
    """Share of uniform noise in the actions (section 4.6)."""

    start: Annotated[float, Traced(), Between(0, 1)] = 1.0
    """Share in the first episode."""
    end: Annotated[float, Traced(), Between(0, 1)] = 0.1
    """Share from `episodes` on."""
    episodes: Annotated[int, Traced(), AtLeast(1)] = 10_000
    """Episodes of the linear fall."""


@dataclass(frozen=True)
class Evaluation:
    """Greedy evaluation, on starts that are the same for every run."""

    every: Annotated[int | None, AtLeast(1)] = None
    """Training episodes between evaluations, also the points of the curves; None: 200 points, or as
    many as `points_apart` allows."""
    points_apart: Annotated[int, AtLeast(1), HashedUnlikeScenario()] = 100
    """Least number of episodes between two points, with every=None."""
    episodes: Annotated[int, AtLeast(1)] = 100
    """Episodes of an evaluation."""
    seed: Annotated[int, Seed()] = 0
    """Seed of their starts."""
