"""What deterministic actors may climb beside the paper's J: replayed actions, a penalty."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax.algorithms.algorithm import Algorithm
from adama_jax.algorithms.facmac import facmac
from adama_jax.algorithms.haddpg import hatd3
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.algorithms.matd3 import matd3
from adama_jax.algorithms.networks import Actor
from adama_jax.algorithms.settings import ALGORITHMS, AlgorithmEntry
from adama_jax.config.names import with_settings
from adama_jax.config.reads import why_unread
from adama_jax.errors import SettingError
from adama_jax.execution.build import OPTIONS, make_algorithm, make_env
from adama_jax.rates.probe import contributions
from adama_jax.rates.rules import fixed
from adama_jax.training.gradients import (
    CurvatureInputs,
    curvature_product,
    gradients,
)
from adama_jax.training.learner import learner
from adama_jax.training.optimizers import from_optax
from adama_jax.types import Batch
from tests.helpers import small

SIZES = (2, 1)
N, B, O, A = 2, 5, 3, 2
DISCOUNT = jnp.float32(0.9)
KEY = jax.random.key(9)


def made(
    num_agents=N, sizes=SIZES, factory=maddpg, **options
) -> tuple[Algorithm, Batch]:
    algorithm = factory(
        num_agents=num_agents,
        obs_size=O,
        action_size=A,
        hidden=(8,),
        action_sizes=sizes,
        **options,
    )
    k_obs, k_action = jax.random.split(jax.random.key(4))
    obs = jax.random.normal(k_obs, (num_agents, B, O))
    action = jax.random.uniform(k_action, (num_agents, B, A), minval=-1.0, maxval=1.0)
    return algorithm, Batch(obs, action, jnp.zeros(B), obs, jnp.zeros(B))


def objective_of(algorithm, batch):
    """J of actors and critic, and a point."""

    def objective(actors, critic):
        online = params._replace(actors=actors, critic=critic)
        return algorithm.objective(online, params, batch, DISCOUNT, KEY)

    params = algorithm.init(jax.random.key(0))
    return objective, params


def test_an_actor_climbs_beside_the_others_replayed_actions():
    """Each actor's gradient is that of mean Q(o, a_i, a_-i of the minibatch), by hand."""
    algorithm, batch = made(others_actions="replayed")
    objective, params = objective_of(algorithm, batch)
    found = jax.grad(objective)(params.actors, params.critic)
    for agent in range(N):

        def beside(actors, agent=agent):
            own = algorithm.act(actors, batch.obs)[agent]
            action = batch.action.at[agent].set(own)
            return jnp.mean(algorithm.value(params.critic, batch.obs, action))

        by_hand = jax.grad(beside)(params.actors)
        for one, other in zip(
            jax.tree.leaves(found), jax.tree.leaves(by_hand), strict=True
        ):
            np.testing.assert_allclose(one[agent], other[agent], atol=1e-7)
    current, _ = objective_of(*made())
    other = jax.grad(current)(params.actors, params.critic)
    gaps = [
        float(jnp.abs(a - b).max())
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(other), strict=True)
    ]
    assert max(gaps) > 1e-3


def test_of_a_lone_agent_there_are_no_others():
    one, batch = made(1, (2,), others_actions="replayed")
    other, _ = made(1, (2,))
    objective, params = objective_of(one, batch)
    plain, _ = objective_of(other, batch)
    np.testing.assert_allclose(
        objective(params.actors, params.critic),
        plain(params.actors, params.critic),
        rtol=1e-6,
    )


def test_the_penalty_is_the_mean_square_before_the_tanh_without_padding():
    weight = 0.25
    plain, batch = made()
    penalised, _ = made(pre_tanh_penalty=weight)
    without, params = objective_of(plain, batch)
    objective, _ = objective_of(penalised, batch)
    output = jax.vmap(lambda own, obs: Actor(A, (8,)).apply(own, obs, squashed=False))(
        params.actors, batch.obs
    )
    np.testing.assert_allclose(
        jnp.tanh(output[0]), plain.act(params.actors, batch.obs)[0], rtol=1e-6
    )
    squares = jnp.mean(output[0] ** 2) + jnp.mean(output[1, :, :1] ** 2)
    at = (params.actors, params.critic)
    np.testing.assert_allclose(
        objective(*at), without(*at) - weight * squares, rtol=1e-5
    )
    # The head of what agent 1 does not have moves nothing.
    gradient = jax.grad(objective)(*at)
    head = gradient["params"]["MLP_0"]["Dense_1"]
    assert not head["kernel"][1, :, 1].any() and not head["bias"][1, 1]
    assert head["kernel"][1, :, 0].any()


@pytest.mark.parametrize(
    "factory",
    [
        maddpg,
        matd3,
        pytest.param(hatd3, marks=pytest.mark.slow),
        pytest.param(facmac, marks=pytest.mark.slow),
    ],
)
def test_what_a_penalty_takes_from_j_is_logged_apart(factory):
    """At every update, where the actors move at some alone."""
    algorithm, batch = made(factory=factory, pre_tanh_penalty=0.5)
    sgd = from_optax(optax.sgd(1.0))
    learn = learner(algorithm, sgd, fixed(), N, agent_major=True)
    state = learn.init(jax.random.key(0))
    found = []
    for step in range(3):
        state, metrics = jax.jit(learn.update)(state, batch, jax.random.key(step))
        assert set(metrics.parts) == set(algorithm.part_names) == {"value", "penalty"}
        assert metrics.parts["penalty"] < 0
        np.testing.assert_allclose(
            sum(metrics.parts.values()), metrics.value, rtol=1e-5
        )
        found.append(float(metrics.value))
    # Between two of the actors' updates nothing is measured anew.
    assert (found[0] == found[1]) == (algorithm.actors_every > 1)


def test_facmac_has_its_penalty_beside_that_of_the_outputs():
    both, batch = made(factory=facmac, pre_tanh_penalty=0.5, penalty=0.25)
    own, _ = made(factory=facmac, penalty=0.25)
    outputs, _ = made(factory=facmac, pre_tanh_penalty=0.5, penalty=0.0)
    params = both.init(jax.random.key(0))
    given = (params, params, batch, jnp.float32(0.9), jax.random.key(1))
    penalties = [each.parts(*given)["penalty"] for each in (both, own, outputs)]
    np.testing.assert_allclose(penalties[0], penalties[1] + penalties[2], rtol=1e-6)
    values = [each.parts(*given)["value"] for each in (both, own, outputs)]
    assert values[0] == values[1] == values[2]


ON = {
    "networks.layer_norm": True,
    "learning.others_actions": "replayed",
    "learning.pre_tanh_penalty": 0.1,
}


def test_each_option_is_tried_below():
    assert set(ON) == set(OPTIONS)


def plain(
    num_agents,
    obs_size,
    action_size,
    hidden,
    actor_activation,
    critic_activation,
    critic,
    action_sizes,
    horizon,
):
    """A factory that knows of no option."""
    return maddpg(num_agents, obs_size, action_size, hidden, action_sizes=action_sizes)


def test_options_that_are_off_ask_nothing_of_a_factory(monkeypatch):
    """And whoever turns one on is told where an algorithm does not know it."""
    monkeypatch.setitem(ALGORITHMS, "plain", AlgorithmEntry(f"{__name__}:plain"))
    config = small(algorithm="plain")
    env = make_env(config)
    make_algorithm(config, env)
    for name, value in ON.items():
        on = with_settings(config, {name: value})
        with pytest.raises(SettingError, match=f"^{name}={value}: must be left out: "):
            make_algorithm(on, env)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_follows_an_option_or_ignores_it(name):
    config = small(algorithm=name)
    env = make_env(config)
    discrete = ALGORITHMS[name].actions == "discrete"
    env = env._replace(spec=env.spec._replace(discrete=discrete))
    for option, value in ON.items():
        on = with_settings(config, {option: value})
        if option in ALGORITHMS[name].ignores:
            assert why_unread(on, option)
        else:
            algorithm = make_algorithm(on, env)
            jax.eval_shape(algorithm.init, jax.random.key(0))


@pytest.mark.parametrize("factory", [maddpg, matd3])
def test_a_lookahead_sees_the_value_without_the_penalty(factory):
    """The contributions at hand are those of J, penalty and all: it must measure its own."""
    _, batch = made()
    products, directions = [], None
    for penalty in (0.0, 5.0):
        algorithm = factory(
            num_agents=N,
            obs_size=O,
            action_size=A,
            hidden=(8,),
            action_sizes=SIZES,
            pre_tanh_penalty=penalty,
        )
        params = algorithm.init(jax.random.key(0))
        found = gradients(algorithm, (params, params, DISCOUNT), batch, KEY)
        # The same for both, or the products would differ for that alone.
        directions = directions or found.value_by_actors
        of_j = contributions(found.value_by_actors, directions, N)
        inputs = CurvatureInputs(params, directions, jnp.array([0.3, 0.2]), of_j, 0.1)
        products.append(curvature_product(algorithm, "lookahead", inputs, batch, KEY))
    np.testing.assert_allclose(*products, rtol=1e-3, atol=1e-7)


def test_the_penalty_is_logged_apart():
    algorithm, batch = made(pre_tanh_penalty=0.5)
    params = algorithm.init(jax.random.key(0))
    found = gradients(algorithm, (params, params, DISCOUNT), batch, KEY)
    assert set(found.parts) == {"value", "penalty"} and found.parts["penalty"] < 0
    np.testing.assert_allclose(sum(found.parts.values()), found.value, rtol=1e-6)
    assert made()[0].parts is None
