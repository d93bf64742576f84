"""Settings of learning, exploration and evaluation: plain data, importable without JAX."""

from dataclasses import dataclass
from typing import Annotated, Literal

from adama_jax.bounds import (
    SEED,
    SHARE,
    SHARE_BELOW_1,
    UP_TO_BILLION,
    UP_TO_MILLION,
    Between,
)
from adama_jax.fields import TRACED, Elsewhere, HashedUnlikeScenario, ReadWith, Symbol


@dataclass(frozen=True)
class Learning:
    """The base learner (section 3.1). The defaults are Table 1's for predator-prey."""

    discount: Annotated[
        float, TRACED, Symbol("gamma"), SHARE_BELOW_1, Elsewhere(("discount_factor",))
    ] = 0.97
    """gamma."""
    batch_size: Annotated[int, UP_TO_BILLION] = 1024
    """Transitions in a minibatch."""
    capacity: Annotated[
        int, UP_TO_BILLION, Elsewhere(("buffer_size", "replay_size", "memory_size"))
    ] = 1_000_000
    """Transitions that the replay buffer holds."""
    updates_per_episode: Annotated[int, UP_TO_MILLION] = 1
    """Gradient updates for each episode."""
    envs_per_run: Annotated[
        int, UP_TO_MILLION, Elsewhere(("num_envs", "n_envs", "envs"))
    ] = 1
    """Worlds that a member plays at the same time, an episode each, before the updates for all."""
    targets: Literal["hard", "soft"] = "hard"
    """Copy the target networks now and then, or move them a little at each update."""
    target_period: Annotated[
        int,
        UP_TO_BILLION,
        ReadWith("targets", "hard"),
        Elsewhere(("target_update_interval", "target_update_freq")),
    ] = 20
    """Episodes between two copies (hard)."""
    target_step: Annotated[
        float,
        TRACED,
        Between(0, 1, open_bottom=True),
        ReadWith("targets", "soft"),
        Elsewhere(("tau", "polyak")),
    ] = 0.02
    """Step towards the online networks at each update (soft)."""


@dataclass(frozen=True)
class ExplorationOptions:
    """Share of uniform noise in the actions (section 4.6)."""

    start: Annotated[float, TRACED, SHARE] = 1.0
    """Share of uniform noise in the actions, in the first episode."""
    end: Annotated[float, TRACED, SHARE] = 0.1
    """Share from `episodes` on."""
    episodes: Annotated[int, TRACED, UP_TO_BILLION] = 10_000
    """Episodes of the linear fall."""


@dataclass(frozen=True)
class Evaluation:
    """Greedy evaluation, on starts that are the same for every run."""

    every: Annotated[
        int | None,
        UP_TO_BILLION,
        Elsewhere(("eval_every", "eval_freq", "eval_interval")),
    ] = None
    """Training episodes between evaluations, also the points of the curves; None: 200 points, or as
    many as `points_apart` allows."""
    points_apart: Annotated[
        int, UP_TO_BILLION, HashedUnlikeScenario(), ReadWith("every", None)
    ] = 100
    """Least number of episodes between two points, with every=None."""
    episodes: Annotated[
        int, UP_TO_MILLION, Elsewhere(("eval_episodes", "n_eval_episodes"))
    ] = 100
    """Episodes of an evaluation."""
    seed: Annotated[int, SEED] = 0
    """Seed of their starts. The member of the same seed splits its own keys from those of the first
    two starts (so the published runs were made); no number is drawn twice from one key, and another
    seed here sets them apart."""
