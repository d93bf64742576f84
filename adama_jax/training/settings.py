"""Settings of learning, exploration and evaluation: plain data, importable without JAX."""

from dataclasses import dataclass
from typing import Annotated, Literal

from adama_jax.bounds import (
    POSITIVE,
    SEED,
    SHARE,
    SHARE_BELOW_1,
    UP_TO_BILLION,
    UP_TO_MILLION,
    UP_TO_THOUSAND,
    AtLeast,
    Between,
    Whole,
)
from adama_jax.fields import (
    TRACED,
    Elsewhere,
    HashedUnlikeScenario,
    ReadUnless,
    ReadWith,
    Symbol,
)


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
    updates_per_episode: Annotated[
        int, UP_TO_MILLION, ReadWith("update_every", None)
    ] = 1
    """Gradient updates for each episode, after it."""
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
    """Episodes (or updates, with target_unit) between two copies (hard)."""
    target_unit: Annotated[
        Literal["episodes", "updates"], ReadWith("targets", "hard")
    ] = "episodes"
    """What target_period counts."""
    target_step: Annotated[
        float,
        TRACED,
        Between(0, 1, open_bottom=True),
        ReadWith("targets", "soft"),
        Elsewhere(("tau", "polyak")),
    ] = 0.02
    """Step towards the online networks at each update (soft)."""
    warmup_steps: Annotated[
        int,
        Whole(0, 1_000_000_000),
        Elsewhere(
            ("learning_starts", "start_steps", "start_timesteps", "random_steps")
        ),
    ] = 0
    """Steps of a member's worlds, in whole rounds of episodes, with uniform random actions and
    without updates, at first."""
    update_every: Annotated[
        int | None,
        UP_TO_MILLION,
        Elsewhere(("train_freq", "train_frequency", "train_interval")),
    ] = None
    """Steps of each world after which updates are made, within its episode, which this divides;
    None: after the episode."""
    updates_each: Annotated[
        int,
        UP_TO_MILLION,
        ReadUnless("update_every", None),
        Elsewhere(("gradient_steps", "update_per_train")),
    ] = 1
    """Updates after every update_every steps, in all: not for each of envs_per_run."""
    n_step: Annotated[
        int, UP_TO_THOUSAND, Elsewhere(("n_steps", "nstep", "multi_step"))
    ] = 1
    """Rewards in a target before it looks at the critic; fewer where the episode ends before."""
    others_actions: Literal["current", "replayed"] = "current"
    """In what an actor climbs, the other agents' actions: of their current actors (the paper's J),
    or those of the minibatch (as in Lowe et al. 2017)."""
    pre_tanh_penalty: Annotated[
        float, AtLeast(0, finite=True), Elsewhere(("actor_reg", "policy_reg"))
    ] = 0.0
    """Weight of the mean square of the actors' outputs before the tanh, taken from J."""
    max_grad_norm: Annotated[
        float | None,
        POSITIVE,
        Elsewhere(("clip_grad_norm", "grad_norm_clip", "gradient_clip")),
    ] = None
    """Largest norm of each actor's gradient and of the critic's, which are scaled down to it; None:
    as they are."""
    reward_scale: Annotated[
        float, POSITIVE, Elsewhere(("reward_scaling", "scale_reward"))
    ] = 1.0
    """What rewards are multiplied by where they are learned from; returns are reported without."""
    normalize_obs: Annotated[
        bool,
        Elsewhere(("norm_obs", "normalize_observations", "obs_norm", "normalise_obs")),
    ] = False
    """Whether networks see observations less their running mean, over their running deviation."""


@dataclass(frozen=True)
class ExplorationOptions:
    """Noise in the actions (section 4.6)."""

    noise: Annotated[
        Literal["uniform", "gaussian"],
        Elsewhere(("action_noise", "noise_type")),
    ] = "uniform"
    """uniform: a share of uniform noise takes the place of as much of the action; gaussian: normal
    noise is added to it."""
    start: Annotated[
        float,
        TRACED,
        SHARE,
        Elsewhere(("exploration_noise", "expl_noise", "noise_std", "sigma")),
    ] = 1.0
    """Share of uniform noise in the actions (COMA: in the policies), or standard deviation of
    normal noise, in the first episode."""
    end: Annotated[float, TRACED, SHARE] = 0.1
    """The same from `episodes` on."""
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
