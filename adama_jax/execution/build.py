"""From a configuration to the functions of a run: the one place where the four bundles meet."""

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any, TypeVar

import jax
import numpy as np

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.check import check_algorithm
from adama_jax.algorithms.exploring import with_gaussian_noise
from adama_jax.algorithms.settings import ALGORITHMS, CRITICS
from adama_jax.config.methods import METHODS
from adama_jax.config.names import setting, traced_settings
from adama_jax.config.scenarios import SCENARIOS, factory_path
from adama_jax.config.schema import Config, scenario_config
from adama_jax.envs.env import Env
from adama_jax.envs.outside import env_of
from adama_jax.envs.worlds import World
from adama_jax.errors import SettingError
from adama_jax.execution.devices import count_microbatches
from adama_jax.execution.steps import make_optimizer, make_rule
from adama_jax.fields import declared, unlike_default, values_by_name
from adama_jax.plugins.loading import speaking_of
from adama_jax.rates.rules import RateHyper
from adama_jax.training.learner import Learner, LearnerHyper, learner
from adama_jax.training.population import MINIBATCH
from adama_jax.training.replay import Replay, on_policy_replay, ring_replay
from adama_jax.training.trainer import Exploration, Trainer, TrainHyper, trainer

Bundle = TypeVar("Bundle", RateHyper, LearnerHyper, Exploration)

# Options that are an algorithm's to follow, each a keyword of its factory.
OPTIONS = (
    "networks.layer_norm",
    "learning.others_actions",
    "learning.pre_tanh_penalty",
)


def make_env(config: Config) -> Env:
    """The world of a configuration."""
    env = _env_in(config, config.world)
    if not world_numbers(config):
        return env

    def with_numbers(numbers: Mapping[str, jax.Array]) -> Env:
        world = dataclasses.replace(config.world, **numbers)
        return _env_in(config, world)

    return env._replace(with_numbers=with_numbers)


def _env_in(config: Config, world: World) -> Env:
    """The configuration's world with these options of it."""
    name = config.scenario
    factory = resolve_name(factory_path(SCENARIOS[name]))
    if not SCENARIOS.is_outside(name):
        return factory(world, config.horizon, name)
    with speaking_of("scenario", name):
        return env_of(factory, world, config.horizon, name)


def make_algorithm(config: Config, env: Env) -> Algorithm:
    """The configuration's algorithm, sized for the world, with the noise that it explores by.

    Raises:
        SettingError: an option of the learner is on which the algorithm does not know.
    """
    networks = config.networks
    spec = env.spec
    factory = resolve_name(ALGORITHMS[config.algorithm].path)
    options = vars(config.own) | _options_on(config, factory)
    with _speaking_of_learned(config) as outside:
        algorithm = factory(
            num_agents=spec.num_agents,
            obs_size=spec.obs_size,
            action_size=spec.action_size,
            hidden=networks.hidden,
            actor_activation=networks.actor_activation,
            critic_activation=networks.critic_activation,
            critic=networks.critic,
            action_sizes=spec.action_sizes,
            horizon=spec.horizon,
            **options,
        )
        if outside:
            check_algorithm(algorithm, spec.action_sizes, spec.obs_size, spec.horizon)
    _check_actions(config, algorithm, env)
    ignored = ALGORITHMS[config.algorithm].ignores
    if config.exploration.noise == "gaussian" and "exploration.noise" not in ignored:
        algorithm = with_gaussian_noise(algorithm, spec.action_sizes)
    return algorithm


def _check_actions(config: Config, algorithm: Algorithm, env: Env) -> None:
    """What is from outside says only now which actions it is for."""
    of_world = "discrete" if env.spec.discrete else "continuous"
    if algorithm.actions != of_world:
        raise SettingError(
            f"algorithm={config.algorithm}: must be one for {of_world} actions, which "
            f"{config.scenario} takes"
        )


def _options_on(
    config: Config,
    factory: Callable[..., Algorithm],
) -> dict[str, Any]:
    """The options in `OPTIONS` that are on, as keywords of an algorithm's factory.

    What is off is not among them, so that a factory need not know of it.
    """
    found = {}
    ignored = ALGORITHMS[config.algorithm].ignores
    preset = values_by_name(scenario_config(config.scenario))
    for name, field, value, _ in unlike_default(config):
        if name not in OPTIONS:
            continue
        # The preset's is for its own algorithm, and nobody asked for it.
        if name in ignored and value == preset[name]:
            continue
        known = inspect.signature(factory).parameters.values()
        takes_any = any(each.kind is each.VAR_KEYWORD for each in known)
        taken = takes_any or field.name in [each.name for each in known]
        if name in ignored or not taken:
            raise SettingError(
                f"{name}={value}: must be left out: "
                f"algorithm={config.algorithm} does not read it"
            )
        found[field.name] = value
    return found


@contextmanager
def _speaking_of_learned(config: Config) -> Iterator[bool]:
    """What fails in this block is the algorithm from outside, or else the critic from there.

    Gives whether one of them is from outside.
    """
    if ALGORITHMS.is_outside(config.algorithm):
        with speaking_of("algorithm", config.algorithm):
            yield True
    elif CRITICS.is_outside(config.networks.critic):
        with speaking_of("critic", config.networks.critic):
            yield True
    else:
        yield False


def make_learner(
    config: Config,
    algorithm: Algorithm,
    num_agents: int,
    microbatches: int | None = None,
    sharing: int = 1,
) -> Learner:
    """The train step; `microbatches` as `learner` has them.

    With `sharing` devices for a minibatch it works in a `shard_map` with the axis `MINIBATCH`.
    """
    hard = config.learning.targets == "hard"
    optimizer = make_optimizer(config, algorithm.actors_every)
    if algorithm.in_turn and optimizer.couples_agents:
        raise SettingError(
            f"optimizer={config.optimizer_name}: must be one that works on every agent by itself: "
            f"with algorithm={config.algorithm} an agent's step is anticipated by the next"
        )
    return learner(
        algorithm,
        optimizer,
        make_rule(config, algorithm.actors_every),
        num_agents,
        curvature=config.rates.curvature,
        target_period=config.target_updates if hard else None,
        microbatches=microbatches,
        axis_name=MINIBATCH if sharing > 1 else None,
        # The replay's are.
        agent_major=True,
    )


def make_replay(config: Config, env: Env, algorithm: Algorithm) -> Replay:
    """The buffer that the algorithm asks for, of whole episodes."""
    learning = config.learning
    snapshot_size = env.spec.snapshot_size
    if algorithm.replay == "on_policy":
        return on_policy_replay(learning.envs_per_run, snapshot_size)
    room = learning.capacity // config.horizon
    # A run that plays fewer episodes than there is room for needs no memory for the others.
    return ring_replay(
        min(room, config.episodes), learning.batch_size, snapshot_size, learning.n_step
    )


def make_train(
    config: Config, unroll: int = 1, sharing: int = 1, platform: str | None = None
) -> Trainer:
    """A member's training as pure functions that vmap over keys and hyperparameters.

    Args:
        config: of its run.
        unroll: as `trainer` has it: 1 is as fast as any on a CPU (docs/performance.md).
        sharing: as `population` has it: with more than one device `chunk` works in a population
            only.
        platform: of the devices it is for; None: JAX's default.

    Raises:
        ValueError: so many devices cannot share a minibatch.

    >>> import dataclasses, jax
    >>> from adama_jax.config.schema import scenario_config
    >>> config = dataclasses.replace(scenario_config("going_together"), episodes=3)
    >>> train = make_train(config)
    >>> state = train.init(jax.random.key(0), make_hyper(config))
    >>> state, metrics = jax.jit(train.chunk, static_argnums=1)(state, 3)
    >>> int(state.episode), metrics.actor_rates.shape
    (3, (2,))
    """
    env = make_env(config)
    algorithm = make_algorithm(config, env)
    replay = make_replay(config, env, algorithm)
    batch_size = config.learning.batch_size
    microbatches = None
    if not replay.on_policy:
        microbatches = count_microbatches(
            batch_size, platform or jax.default_backend(), sharing
        )
    if (microbatches or 1) % sharing:
        raise ValueError(
            f"sharing={sharing}: so many devices cannot share a minibatch of {batch_size}"
        )
    return trainer(
        env,
        algorithm,
        make_learner(config, algorithm, env.spec.num_agents, microbatches, sharing),
        replay,
        eval_episodes=config.evaluation.episodes,
        eval_seed=config.evaluation.seed,
        unroll=unroll,
        **_rounds(config),
    )


def world_numbers(config: Config) -> dict[str, float]:
    """The options of the configuration's world that are arrays in the compiled program.

    >>> from adama_jax.config.schema import scenario_config
    >>> world_numbers(scenario_config("clustering"))["side"]
    1.2
    """
    traced = [field.name for field in declared(type(config.world)) if field.traced]
    return {name: getattr(config.world, name) for name in traced}


def _rounds(config: Config) -> dict[str, Any]:
    """How a member plays and learns in a round, in the words of `trainer`."""
    learning = config.learning
    return {
        "updates_per_episode": learning.updates_per_episode,
        "envs_per_run": learning.envs_per_run,
        "update_every": learning.update_every,
        "updates_each": learning.updates_each,
        "warmup_rounds": config.warmup_rounds,
        "reward_scale": learning.reward_scale,
        "normalize_obs": learning.normalize_obs,
    }


def stacked_hypers(configs: Sequence[Config]) -> TrainHyper:
    """The float hyperparameters of several configurations, for a `population`.

    Returns:
        Every leaf [len(configs)].

    >>> from adama_jax.config.schema import scenario_config
    >>> from adama_jax.config.names import with_settings
    >>> base = scenario_config("clustering")
    >>> configs = [base, with_settings(base, {"rates.critic_scale": 50.0})]
    >>> stacked_hypers(configs).rates.critic_scale.tolist()
    [80.0, 50.0]
    """
    each = [make_hyper(config) for config in configs]
    return jax.tree.map(lambda *values: np.array(values, np.float32), *each)


def make_hyper(config: Config) -> TrainHyper:
    """The float hyperparameters of a configuration; a grid may put an array for each."""
    # A traced setting and its hyperparameter have one name, whatever group the setting is in.
    values = {
        name.rpartition(".")[2]: setting(config, name)
        for name in traced_settings(config)
    }
    if values["critic_scale"] == "auto":
        values["critic_scale"] = 0.0  # measured: the rule does not read it
    names = [each.name for each in METHODS[config.method].own]
    if config.rates.schedule != "constant":
        names += ["schedule_end", "warmup_share"]
    own = {name: values[name] for name in names}
    return TrainHyper(
        rates=_bundle(RateHyper, values)._replace(own=own),
        learner=_bundle(LearnerHyper, values),
        exploration=_bundle(Exploration, values),
        world=world_numbers(config),
    )


def _bundle(kind: type[Bundle], values: Mapping[str, Any]) -> Bundle:
    """Those of the values that the bundle has a field for."""
    own = {}
    for name in kind._fields:
        if name in values:
            own[name] = values[name]
    return kind(**own)
