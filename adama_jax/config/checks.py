"""Checking a configuration before anything is compiled or written. Importable without JAX."""

from adama_jax.algorithms.settings import ALGORITHMS, CRITICS, SMOOTH
from adama_jax.config.limits import check_bounds
from adama_jax.config.methods import METHODS
from adama_jax.config.names import setting
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import OPTIMIZERS, Config
from adama_jax.errors import SettingError
from adama_jax.fields import as_given

LARGEST_COUNT = 2**31 - 1


def validate(config: Config) -> None:
    """Check every setting, before anything is compiled or written.

    Raises:
        SettingError: one line with the field, its value and what is allowed.

    >>> import dataclasses
    >>> from adama_jax.config.schema import scenario_config
    >>> validate(dataclasses.replace(scenario_config("clustering"), seeds=0))
    Traceback (most recent call last):
    adama_jax.errors.SettingError: seeds=0: must be at least 1
    """
    # What follows looks settings up in registries and divides by them: their bounds come first.
    check_bounds(config)
    config.world.check(config.scenario)
    _check_optimizer(config)
    _check_actions(config)
    _check_networks(config)
    _check_scale(config)
    _check_rounds(config)
    _check_objective(config)
    _check_counters(config)
    _check_replay(config)
    _check_learners(config)


def _check_optimizer(config: Config) -> None:
    own = METHODS[config.method].optimizer
    _check(
        own in OPTIMIZERS,
        "method",
        config.method,
        f"on an optimizer that there is, not {own!r}",
    )
    _check(
        config.optimizer is None or own in ("sgd", config.optimizer),
        "optimizer",
        config.optimizer,
        f"left out (or None): method={config.method} is {own}",
    )
    _check(
        config.optimizer_name != "adam_rel" or config.learning.targets == "hard",
        "learning.targets",
        config.learning.targets,
        "hard: adam_rel counts from the copies of targets",
    )


def _check_actions(config: Config) -> None:
    """An algorithm chooses the actions that a world takes, as far as settings alone say it."""
    of_world = config.world.actions
    of_algorithm = ALGORITHMS[config.algorithm].actions
    fitting = [name for name, each in ALGORITHMS.items() if each.actions == of_world]
    _check(
        of_world is None or of_algorithm in (None, of_world),
        "algorithm",
        config.algorithm,
        f"one for {of_world} actions, which this world takes: {', '.join(fitting)}",
    )


def _check_networks(config: Config) -> None:
    networks = config.networks
    critic = CRITICS[networks.critic]
    algorithm = ALGORITHMS[config.algorithm]
    # An algorithm may have a critic of its own, with a condition of its own.
    for each in (critic, algorithm):
        _check(
            networks.hidden[0] % each.first_width_of == 0,
            "networks.hidden",
            networks.hidden,
            f"led by a multiple of {each.first_width_of}, {each.reason}",
        )
    exact = METHODS[config.method].second_order and config.rates.curvature == "exact"
    _check(
        not exact or algorithm.always_smooth or networks.critic_activation in SMOOTH,
        "rates.curvature",
        "exact",
        f"'secant' or 'lookahead' with networks.critic_activation={networks.critic_activation}, "
        "whose second derivative is zero almost everywhere; 'exact' needs one of "
        f"{', '.join(SMOOTH)}",
    )


def _check_scale(config: Config) -> None:
    """Only a rule that is told to measures it."""
    method = METHODS[config.method]
    measured = "trial_updates" in method.reads
    unread = "critic_scale" not in method.reads
    _check(
        config.rates.critic_scale != "auto" or measured or unread,
        "rates.critic_scale",
        "auto",
        f"a number: method={config.method} does not measure it",
    )


def _check_rounds(config: Config) -> None:
    """Training and its points are whole rounds, not all of random actions."""
    learning = config.learning
    length = learning.envs_per_run
    for name in ("episodes", "evaluation.every"):
        value = setting(config, name)
        if value is not None:
            whole = -(-value // length) * length
            allowed = f"a multiple of learning.envs_per_run={length}, such as {whole}"
            _check(value == whole, name, value, allowed)
    most = config.horizon * (config.episodes - length)
    _check(
        learning.warmup_steps <= most,
        "learning.warmup_steps",
        learning.warmup_steps,
        f"at most {most:,}, which leaves a round of the run's {config.episodes:,} episodes of "
        f"horizon={config.horizon} to learn in",
    )
    every = learning.update_every
    _check(
        every is None or config.horizon % every == 0,
        "learning.update_every",
        every,
        f"a divisor of horizon={config.horizon}, or None",
    )


def _check_objective(config: Config) -> None:
    method = METHODS[config.method]
    name = "learning.others_actions"
    ignored = name in ALGORITHMS[config.algorithm].ignores
    replayed = config.learning.others_actions == "replayed" and not ignored
    _check(
        not (replayed and method.second_order),
        name,
        config.learning.others_actions,
        f"current with method={config.method}: what an actor climbs beside replayed actions has no "
        "curvature between two agents",
    )


def _check_counters(config: Config) -> None:
    """Updates are counted in 32 bits."""
    learning = config.learning
    per_round = config.updates_per_round
    most = LARGEST_COUNT // per_round * learning.envs_per_run
    name = "updates_per_episode" if learning.update_every is None else "updates_each"
    allowed = f"at most {most:,} with learning.{name}={getattr(learning, name)}"
    _check(config.episodes <= most, "episodes", config.episodes, allowed)
    if learning.targets == "hard" and learning.target_unit == "episodes":
        period = learning.target_period
        _check(period <= most, "learning.target_period", period, allowed)


def _check_replay(config: Config) -> None:
    learning = config.learning
    horizon = config.horizon
    least = learning.envs_per_run * horizon
    _check(
        learning.capacity >= least,
        "learning.capacity",
        learning.capacity,
        f"at least {least}, an episode of horizon={horizon} transitions for each of "
        f"learning.envs_per_run={learning.envs_per_run} worlds",
    )
    _check(
        learning.n_step <= horizon,
        "learning.n_step",
        learning.n_step,
        f"at most horizon={horizon}",
    )
    # The buffer holds whole episodes only.
    held = learning.capacity // horizon * horizon
    _check(
        learning.batch_size <= held,
        "learning.batch_size",
        learning.batch_size,
        f"at most {held}, the whole episodes that learning.capacity={learning.capacity} holds",
    )


def _check_learners(config: Config) -> None:
    """The number of agents, where the settings alone say it."""
    learners = config.world.learners
    if learners is None:
        return
    preset = SCENARIOS[config.scenario]
    least = preset.min_agents
    most = preset.max_agents
    _check(
        learners >= least and (most is None or learners <= most),
        "world.num_agents",
        learners,
        f"exactly {least}" if least == most else f"at least {least}",
    )
    # A floor at which all rates are equal would leave the direction nothing to choose.
    equal = learners**-0.5
    _check(
        config.rates.direction_floor < equal or learners == 1,
        "rates.direction_floor",
        config.rates.direction_floor,
        f"below 1/sqrt(N)={equal:.3f} with N={learners} agents, where all rates are equal",
    )


def _check(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        raise SettingError(f"{name}={as_given(value)}: must be {allowed}")
