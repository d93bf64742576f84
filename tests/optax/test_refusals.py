"""What would train wrongly in silence is refused, with what is wanted."""

import jax
import jax.numpy as jnp
import optax
import pytest

from adama_jax import optax as ours
from adama_jax.rates import probe
from adama_jax.rates.rules import RateHyper, adama, steer
from adama_jax.training.optimizers import from_optax

N = 2
PARAMS = {"actors": jnp.ones((N, 3)), "critic": jnp.ones(4)}
BY_NAME = {"left": jnp.ones((4, 3)), "right": jnp.ones((4, 3))}


def updated(tx, params=PARAMS, **extra):
    return tx.update(params, tx.init(params), params, **extra)


def test_an_optimizer_with_a_rate_of_its_own():
    tx = ours.adama(optax.adam(1e-3), N)
    with pytest.raises(ValueError, match=r"first step .* is 0\.001: build it at .* 1"):
        tx.init(PARAMS)
    with pytest.raises(ValueError, match="check_rate=False"):
        from_optax(optax.sgd(0.01))
    for_the_critic = ours.adama(ours.Groups(optax.adam(1.0), optax.sgd(1e-3)), N)
    with pytest.raises(ValueError, match="first step"):
        jax.jit(for_the_critic.init)(PARAMS)  # while it is traced, too
    ours.adama(optax.lars(1.0), N, check_rate=False).init(PARAMS)
    from_optax(optax.sgd(0.01), check_rate=False)


def test_an_optimizer_that_climbs():
    """`optax.scale_by_adam()` is the natural reading of "which way to step", and goes uphill."""
    for climbing in (
        optax.scale_by_adam(),
        optax.chain(optax.sgd(1.0), optax.scale(-1.0)),
    ):
        with pytest.raises(ValueError, match=r"first step .* is \+1, uphill"):
            ours.adama(climbing, N).init(PARAMS)
        ours.adama(climbing, N, check_rate=False).init(PARAMS)
    turned = optax.chain(optax.scale_by_adam(), optax.scale(-1.0))
    ours.adama(turned, N).init(PARAMS)


@pytest.mark.parametrize("optimizer", [optax.adam, 1e-3, {"actors": optax.sgd(1.0)}])
def test_an_optimizer_that_is_none(optimizer):
    with pytest.raises(TypeError, match="optimizer: must be an optax transformation"):
        ours.adama(optimizer, N)
    with pytest.raises(TypeError, match="optimizer: must be an optax transformation"):
        ours.fixed(ours.Groups(optax.sgd(1.0), optimizer), N)


def test_the_state_of_another_transformation():
    tx = ours.fixed(optax.sgd(1.0), N)
    with pytest.raises(TypeError, match=r"state: must be what .* not a tuple"):
        tx.update(PARAMS, optax.adam(1.0).init(PARAMS), PARAMS)


def test_gradients_that_are_not_of_the_parameters_shapes():
    """They would be broadcast in silence, and the parameters would grow."""
    tx = ours.fixed(optax.sgd(1.0), N)
    state = tx.init(PARAMS)
    each_transition = {"actors": jnp.ones((N, 8, 3)), "critic": jnp.ones(4)}
    wanted = r"gradient of actors is of shape \(2, 8, 3\): must be the .* \(2, 3\)"
    with pytest.raises(ValueError, match=wanted):
        tx.update(each_transition, state, PARAMS)
    without_an_axis = {**PARAMS, "critic": jnp.ones(())}
    with pytest.raises(ValueError, match=r"gradient of critic is of shape \(\)"):
        tx.update(without_an_axis, state, PARAMS)


def test_an_optimizer_that_cannot_be_tried_is_taken():
    masked = optax.masked(optax.sgd(1.0), {"w": True, "b": False})
    from_optax(masked)

    def init(rate):
        return ours.fixed(optax.sgd(rate), N).init(PARAMS).rule.rates.critic

    jax.vmap(init)(jnp.array([1.0, 1.0]))


def test_a_mapping_of_agents_without_their_names():
    params = {"actors": BY_NAME, "critic": jnp.ones(4)}
    wanted = r"actors\['left'\] is of shape \(4, 3\): must be \(2, \.\.\.\).*agents=\("
    with pytest.raises(ValueError, match=wanted):
        ours.adama(optax.sgd(1.0), 2).init(params)
    with pytest.raises(ValueError, match=r"actor_gradients\['left'\] is of shape"):
        probe.contributions(BY_NAME, BY_NAME, agents=2)


@pytest.mark.parametrize(
    ("actors", "message"),
    [
        (jnp.ones((2, 3)), "actors is a .*: must be a mapping .*agents=2"),
        ({"left": jnp.ones(3)}, "actors has the keys left: must be .* left, right"),
        (BY_NAME | {"third": jnp.ones(3)}, "keys left, right, third: must be"),
        ({"left": jnp.ones(3), "right": {}}, r"actors\['right'\]: must hold arrays"),
    ],
)
def test_names_that_are_not_the_actors(actors, message):
    tx = ours.adama(optax.sgd(1.0), ("left", "right"))
    with pytest.raises(ValueError, match=message):
        tx.init({"actors": actors, "critic": jnp.ones(4)})


@pytest.mark.parametrize(
    ("agents", "kind"),
    [(0, ValueError), ((), ValueError), (("a", "a"), ValueError), ("ab", TypeError),
     (True, TypeError), (1.5, TypeError), (None, TypeError)],
)  # fmt: skip
def test_agents_that_are_none(agents, kind):
    with pytest.raises(kind, match="agents="):
        ours.adama(optax.sgd(1.0), agents)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"actor": jnp.ones((2, 3)), "critic": 1.0}, "the groups actor, critic: must"),
        (jnp.ones(3), "parameters of type .*: must be {"),
        (PARAMS | {"temperature": jnp.ones(())}, "'temperature' a transformation of"),
    ],
)
def test_parameters_that_are_not_actors_and_critic(params, message):
    with pytest.raises(ValueError, match=message):
        ours.adama(optax.sgd(1.0), N).init(params)


def test_a_critic_term_that_is_missing_or_wrong():
    tx = ours.adama(optax.sgd(1.0), N)
    with pytest.raises(ValueError, match="value_by_critic is missing"):
        updated(tx)
    with pytest.raises(ValueError, match="give one of the two"):
        updated(tx, value_by_critic=jnp.ones(4), critic_term=1.0)
    with pytest.raises(ValueError, match=r"critic_term is of shape \(2,\)"):
        updated(tx, critic_term=jnp.ones(2))
    with pytest.raises(ValueError, match=r"value_by_critic has .*\(3,\).*\(4,\)"):
        updated(tx, value_by_critic=jnp.ones(3))
    twins = {**PARAMS, "critic": {"q1": jnp.ones(4), "q2": jnp.ones(4)}}
    one = {"q1": jnp.ones(4)}
    with pytest.raises(
        ValueError, match=r"structure: it lacks params\['critic'\]\['q2'\]$"
    ):
        updated(tx, twins, value_by_critic=one)
    three = twins["critic"] | {"q3": jnp.ones(4)}
    with pytest.raises(ValueError, match=r"it has \['q3'\], which .* has not"):
        updated(tx, twins, value_by_critic=three)
    empty = {**PARAMS, "critic": {}}
    with pytest.raises(ValueError, match="critic: must hold arrays"):
        updated(tx, empty, value_by_critic={})


def test_a_critic_term_as_a_number():
    tx = ours.adama(optax.sgd(1.0), N, critic_scale=4.0, smoothing=0.0, total_rate=1.0)
    _, state = updated(tx, critic_term=1.0)
    assert float(state.rule.rates.critic) == 0.25


def test_a_curvature_that_is_missing_wrong_or_unread():
    second = ours.from_rule(steer(second_order=True), optax.sgd(1.0), N)
    with pytest.raises(ValueError, match="curvature is missing"):
        updated(second)
    with pytest.raises(ValueError, match=r"curvature is of shape \(\): must be \(2,\)"):
        updated(second, curvature=jnp.ones(()))
    with pytest.raises(ValueError, match="given to a first-order rule"):
        updated(ours.fixed(optax.sgd(1.0), N), curvature=jnp.ones(N))


def test_a_scale_in_words():
    with pytest.raises(ValueError, match="critic_scale='large': must be a number, or"):
        ours.adama(optax.sgd(1.0), N, critic_scale="large")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ({"total_rate": -1.0}, "total_rate=-1.0: must be above 0 and finite"),
        ({"critic_scale": 0.0}, "critic_scale=0.0: must be above 0"),
        ({"smoothing": 1.0}, "smoothing=1.0: must be at least 0 and below 1"),
        ({"clip": 0.5}, "clip=0.5: must be at least 0 and below 0.5"),
        ({"direction_floor": 2}, "direction_floor=2: must be at least 0 and at most 1"),
        ({"trial_updates": 0}, "trial_updates=0: must be at least 1"),
    ],
)
def test_numbers_out_of_bounds(number, message):
    with pytest.raises(ValueError, match=message):
        ours.adama(optax.sgd(1.0), N, **number)
    if not number.keys() & {"trial_updates"}:
        with pytest.raises(ValueError, match=message):
            adama(RateHyper(**number))
