"""What is refused before anything is compiled, each in one line; and what is just allowed."""

import pytest

from adama_jax.config.checks import validate
from adama_jax.config.methods import METHODS
from adama_jax.config.names import with_settings
from adama_jax.config.reading import read_values
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import scenario_config
from adama_jax.errors import SettingError

# 8 agents, 10 steps, a replay of 1,000,000 transitions.
BASE = scenario_config("clustering")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_preset_is_allowed_with_every_method(scenario):
    base = scenario_config(scenario)
    replayed = base.learning.others_actions == "replayed"
    for method, entry in METHODS.items():
        # Beside replayed actions there is no curvature between two agents.
        if replayed and entry.second_order:
            continue
        # It counts from the copies of targets.
        if method == "adam_rel" and base.learning.targets == "soft":
            continue
        validate(with_settings(base, {"method": method}))


ALLOWED = [
    {"learning.capacity": 1024, "learning.batch_size": 1020},
    {"learning.capacity": 10, "learning.batch_size": 10},
    {"learning.envs_per_run": 4, "episodes": 8, "evaluation.every": 4},
    {"networks.critic": "attention", "networks.hidden": (8, 3)},
    {"networks.critic": "joint", "networks.hidden": (7,)},
    {"rates.curvature": "exact"},  # not read by adama
    {
        "method": "adama_2nd",
        "rates.curvature": "exact",
        "networks.critic_activation": "tanh",
    },
    {"method": "adama_2nd", "rates.curvature": "secant"},
    {"rates.direction_floor": 0.35},  # 1 / sqrt(8) is 0.3535
    {"method": "adagrad", "optimizer": "adagrad"},
    {"method": "fixed", "optimizer": "adam"},
    {"world.num_agents": 2},
    {"learning.update_every": 5, "learning.updates_each": 3},
    {"learning.warmup_steps": 10 * 49_999},  # the last episode is for learning
    {"learning.target_unit": "updates", "learning.target_period": 10**9},
    {"learning.others_actions": "replayed", "method": "balance"},
    # Not read by this algorithm: a preset may have it for another.
    {
        "learning.others_actions": "replayed",
        "method": "adama_2nd",
        "algorithm": "masac",
    },
    {"seed": 2**31 - 1, "seeds": 1},
]


@pytest.mark.parametrize("changes", ALLOWED, ids=str)
def test_what_is_just_allowed(changes):
    validate(with_settings(BASE, changes))


REFUSED = [
    (
        {"learning.capacity": 1029, "learning.batch_size": 1021},
        "learning.batch_size=1021: must be at most 1020, the whole episodes that",
    ),
    (
        {"learning.capacity": 9, "learning.batch_size": 1},
        "learning.capacity=9: must be at least 10, an episode of horizon=10",
    ),
    (
        {"learning.envs_per_run": 4, "learning.capacity": 39, "learning.batch_size": 1},
        "learning.capacity=39: must be at least 40",
    ),
    (
        {"learning.envs_per_run": 4, "episodes": 9},
        "episodes=9: must be a multiple of learning.envs_per_run=4, such as 12",
    ),
    (
        {"learning.envs_per_run": 4, "episodes": 8, "evaluation.every": 2},
        "evaluation.every=2: must be a multiple of learning.envs_per_run=4, such as 4",
    ),
    (
        {"networks.critic": "attention", "networks.hidden": (6, 8)},
        "networks.hidden=6,8: must be led by a multiple of 4, MAAC's heads",
    ),
    (
        {"method": "adama_2nd", "rates.curvature": "exact"},
        "rates.curvature=exact: must be 'secant' or 'lookahead' with "
        "networks.critic_activation=relu",
    ),
    (
        {"method": "direction_2nd", "rates.curvature": "exact"},
        "rates.curvature=exact: must be 'secant' or 'lookahead'",
    ),
    (
        {"rates.direction_floor": 0.36},
        "rates.direction_floor=0.36: must be below 1/sqrt(N)=0.354 with N=8 agents",
    ),
    (
        {"world.num_agents": 4, "rates.direction_floor": 0.5},
        "rates.direction_floor=0.5: must be below 1/sqrt(N)=0.500",
    ),
    (
        {"method": "adagrad", "optimizer": "adam"},
        "optimizer=adam: must be left out (or None): method=adagrad is adagrad",
    ),
    (
        {"optimizer": "adamm"},
        "optimizer=adamm: did you mean adam? It must be one of sgd, ",
    ),
    (
        {"method": "adamma"},
        "method=adamma: did you mean adama? It must be one of adama, ",
    ),
    ({"algorithm": "ppo"}, "algorithm=ppo: must be one of maddpg"),
    (
        {"networks.critic": "joined"},
        "networks.critic=joined: did you mean joint? It must be one of joint, dop",
    ),
    ({"world.num_agents": 1}, "world.num_agents=1: must be at least 2"),
    ({"horizon": 0}, "horizon=0: must be at least 1"),
    (
        {"learning.updates_per_episode": 10, "learning.target_period": 10**9},
        "learning.target_period=1000000000: must be at most 214,748,364 with learning",
    ),
    (
        {"learning.updates_per_episode": 10, "episodes": 10**9},
        "episodes=1000000000: must be at most 214,748,364 with learning.updates_per",
    ),
    (
        {"learning.update_every": 4},
        "learning.update_every=4: must be a divisor of horizon=10, or None",
    ),
    (
        {"learning.update_every": 20},
        "learning.update_every=20: must be a divisor of horizon=10",
    ),
    (
        {"learning.update_every": 1, "learning.updates_each": 10**6},
        "episodes=50000: must be at most 214 with learning.updates_each=1000000",
    ),
    (
        {"learning.warmup_steps": 499_991},
        "learning.warmup_steps=499991: must be at most 499,990, which leaves a round",
    ),
    (
        {"learning.others_actions": "replayed", "method": "adama_2nd"},
        "learning.others_actions=replayed: must be current with method=adama_2nd",
    ),
    ({"learning.n_step": 11}, "learning.n_step=11: must be at most horizon=10"),
    ({"learning.max_grad_norm": 0.0}, "learning.max_grad_norm=0.0: must be above 0"),
    ({"networks.hidden": (8,) * 101}, "networks.hidden=8,8,8"),
    (
        {"rates.critic_scale": 0.0},
        "rates.critic_scale=0.0: must be above 0 and finite, or 'auto'",
    ),
    ({"rates.smoothing": 1.0}, "rates.smoothing=1.0: must be at least 0 and below 1"),
    (
        {"learning.target_step": 0.0},
        "learning.target_step=0.0: must be above 0 and at most 1",
    ),
    ({"networks.hidden": ()}, "networks.hidden=: must be one or more"),
]


@pytest.mark.parametrize(
    ("changes", "message"), REFUSED, ids=[words for _, words in REFUSED]
)
def test_what_is_refused_in_one_line(changes, message):
    with pytest.raises(SettingError) as error:
        validate(with_settings(BASE, changes))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_scenario_of_two_agents_has_two():
    base = scenario_config("going_together")
    with pytest.raises(SettingError, match=r"^world\.num_agents=3: must be exactly 2$"):
        validate(with_settings(base, {"world.num_agents": 3}))


def test_one_agent_alone_has_nothing_to_steer():
    """All of one rate is 1, above any floor: nothing is checked."""
    base = scenario_config("predator_prey")
    validate(with_settings(base, {"world.num_agents": 1, "rates.direction_floor": 1.0}))


def test_a_replay_of_a_robot_holds_whole_episodes():
    """1,000 steps each: 1,500 transitions hold one."""
    base = with_settings(scenario_config("ant_4x2"), {"learning.capacity": 1500})
    validate(with_settings(base, {"learning.batch_size": 1000}))
    with pytest.raises(SettingError, match="must be at most 1000"):
        validate(with_settings(base, {"learning.batch_size": 1001}))


JAXMARL = [
    ("MPE_simple_v3", "num_agents", None),
    ("MPE_simple_spread_v3", "local_ratio", None),
    ("MPE_simple_tag_v3", "num_good_agents", None),
    (
        "MPE_simple_tag_v3",
        "num_agents",
        "num_adversaries, num_good_agents, num_obs, prey, action_type, integrator",
    ),
    (
        "MPE_simple_v3",
        "local_ratio",
        "num_agents, num_landmarks, action_type, integrator",
    ),
    ("MPE_simple_crypto_v3", "num_agents", "action_type, integrator"),
    ("MPE_simple_facmac_6a_v1", "num_adversaries", "integrator"),
]


@pytest.mark.parametrize(("scenario", "name", "taken"), JAXMARL)
def test_jaxmarl_takes_other_options_in_each_scenario(scenario, name, taken):
    config = with_settings(scenario_config(scenario), {f"world.{name}": 1})
    if taken is None:
        validate(config)
        return
    words = rf"^world\.{name}=1: must be left out: {scenario} takes {taken}$"
    with pytest.raises(SettingError, match=words):
        validate(config)


def test_a_partition_covers_the_robot_s_joints():
    base = scenario_config("ant_4x2")
    validate(with_settings(base, {"world.partition": "8x1"}))
    for wrong in ("3x2", "4x3", "9|8", "0x8", "8|0", "two", ""):
        with pytest.raises(
            SettingError, match=r"^world\.partition=.*the 8 joints of ant$"
        ):
            validate(with_settings(base, {"world.partition": wrong}))
    with pytest.raises(SettingError, match=r"^world\.robot=dog: must be one of ant, "):
        validate(with_settings(base, {"world.robot": "dog"}))


def test_an_algorithm_is_for_the_actions_of_its_world():
    base = scenario_config("MPE_simple_spread_v3")
    discrete = with_settings(base, {"world.action_type": "discrete"})
    validate(with_settings(discrete, {"algorithm": "maac"}))
    validate(with_settings(base, {"algorithm": "masac"}))
    words = (
        r"^algorithm=maac: must be one for continuous actions, .*: maddpg, .*, masac"
    )
    with pytest.raises(SettingError, match=words):
        validate(with_settings(base, {"algorithm": "maac"}))
    words = r"^algorithm=maddpg: must be one for discrete actions, .*: maac, coma"
    with pytest.raises(SettingError, match=words):
        validate(discrete)
    # The worlds of the paper, and robots, take continuous ones alone.
    for scenario in ("clustering", "ant_4x2"):
        config = with_settings(scenario_config(scenario), {"algorithm": "coma"})
        with pytest.raises(SettingError, match="algorithm=coma: must be one for conti"):
            validate(config)


def test_scores_are_smooth_whatever_the_critic_is():
    """So the curvature of discrete policies is exact also with ReLU."""
    base = scenario_config("MPE_simple_spread_v3")
    exact = {"method": "adama_2nd", "rates.curvature": "exact"}
    with pytest.raises(SettingError, match=r"^rates\.curvature=exact: must be"):
        validate(with_settings(base, {**exact, "algorithm": "masac"}))
    discrete = with_settings(base, {**exact, "world.action_type": "discrete"})
    for algorithm in ("coma", "maac"):
        validate(with_settings(discrete, {"algorithm": algorithm}))


def test_maac_has_heads_of_its_own():
    base = scenario_config("MPE_simple_spread_v3")
    changes = {"world.action_type": "discrete", "algorithm": "maac"}
    config = with_settings(base, {**changes, "networks.hidden": (30, 64)})
    with pytest.raises(SettingError, match="led by a multiple of 4, MAAC's heads"):
        validate(config)


def test_jaxmarl_s_spelling_of_an_action_type_is_read():
    base = scenario_config("MPE_simple_spread_v3")
    for word in ("discrete", "Discrete"):
        values = read_values(base, {"action_type": word})
        assert values == {"world.action_type": "discrete"}
    facmac = scenario_config("MPE_simple_facmac_v1")
    validate(facmac)
    config = with_settings(facmac, {"world.action_type": "discrete"})
    with pytest.raises(SettingError, match="action_type=discrete: must be left out"):
        validate(config)
