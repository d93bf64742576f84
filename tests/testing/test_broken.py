"""Each check of `adama_jax.testing` fails on an example that breaks the promise it is about."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
import pytest

from adama_jax.algorithms.maddpg import maddpg
from adama_jax.envs.mpe.clustering import make
from adama_jax.envs.worlds import VelocityWorld
from adama_jax.rates.rules import fixed, steer
from adama_jax.testing import (
    check_algorithm,
    check_critic,
    check_env,
    check_optimizer,
    check_rule,
)
from adama_jax.testing.rules import check_shapes
from adama_jax.training.optimizers import Optimizer

STEER = steer()


def with_rates(change):
    """A rule that steers, and then does something to the actors' rates: `(rates, signals)`."""

    def update(signals, state):
        new = STEER.update(signals, state)
        actors = change(new.rates.actors, signals)
        return new._replace(rates=new.rates._replace(actors=actors))

    return STEER._replace(update=update)


def of_numbers(num_agents, hyper=None):
    return STEER.init(num_agents, hyper._replace(smoothing=float(hyper.smoothing)))


BROKEN_RULES = {
    "stay finite": with_rates(lambda rates, signals: rates / signals.contribution),
    "no rate may be negative": with_rates(lambda rates, signals: -rates),
    "in another order": with_rates(lambda rates, signals: rates * jnp.arange(4.0)),
    "10,000 times as large": with_rates(
        lambda rates, signals: rates + signals.contribution
    ),
    "must not read the curvature": with_rates(
        lambda rates, signals: rates + (signals.curvature > 0)
    ),
    "must read the curvature": STEER._replace(second_order=True),
    "must stay arrays": STEER._replace(init=of_numbers),
}


@pytest.mark.parametrize("sentence", BROKEN_RULES)
def test_a_broken_rule(sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_rule(BROKEN_RULES[sentence])


def test_a_rule_whose_shapes_are_wrong():
    scalar = with_rates(lambda rates, signals: jnp.sum(rates))
    with pytest.raises(AssertionError, match="update's state must have the structure"):
        check_shapes(scalar)
    with pytest.raises(AssertionError, match="made a function, and must make a Rate"):
        check_shapes(fixed)


WORLD = make(VelocityWorld(num_agents=3, side=1.2, step=0.1), 5, "clustering")


def with_transition(change):
    def step(key, state, action):
        new, transition = WORLD.step(key, state, action)
        return new, change(transition)

    return WORLD._replace(step=step)


def forgetful(key, state, action):
    """The state without what it had beside the positions."""
    new, transition = WORLD.step(key, state, action)
    return new.p_pos, transition


def forgets_where_it_is(key, state, action):
    new, transition = WORLD.step(key, state, action)
    return new.replace(p_vel=new.p_vel * jnp.nan), transition


BROKEN_WORLDS = {
    "spec.num_agents is 0": WORLD._replace(spec=WORLD.spec._replace(num_agents=0)),
    "spec.action_sizes is": WORLD._replace(
        spec=WORLD.spec._replace(action_sizes=(2, 2))
    ),
    r"snapshot gives \(6,\), and must give \(Z,\) = \(7,\)": WORLD._replace(
        spec=WORLD.spec._replace(snapshot_size=7)
    ),
    r"observe gives \(4,\)": WORLD._replace(observe=lambda z: WORLD.observe(z)[0]),
    "positions gives": WORLD._replace(positions=lambda z: jnp.zeros((0, 2))),
    r"reward gives \(3,\), and must give \(\)": with_transition(
        lambda one: one._replace(reward=jnp.zeros(3))
    ),
    "terminated is of float32": with_transition(
        lambda one: one._replace(terminated=jnp.zeros(()))
    ),
    "must give a Transition": with_transition(lambda one: one.reward),
    "leaves keep shape and type": WORLD._replace(step=forgetful),
    "rewards must be finite": with_transition(
        lambda one: one._replace(reward=one.reward * jnp.nan)
    ),
    "a state without NaN": WORLD._replace(step=forgets_where_it_is),
    "spec.terminates=False": with_transition(
        lambda one: one._replace(terminated=jnp.asarray(True))
    ),
    "beyond an agent's action_sizes": WORLD._replace(
        spec=WORLD.spec._replace(action_sizes=(2, 2, 1))
    ),
}


@pytest.mark.parametrize("sentence", BROKEN_WORLDS)
def test_a_broken_world(sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_env(BROKEN_WORLDS[sentence])


def test_a_world_that_remembers():
    calls = []

    def reset(key):
        calls.append(key)
        return WORLD.reset(jax.random.key(len(calls)))

    with pytest.raises(AssertionError, match="one key must give one start"):
        check_env(WORLD._replace(reset=reset))


def changed_maddpg(change):
    """A factory of MADDPG with some of its functions replaced."""

    def factory(**sizes):
        algorithm = maddpg(**sizes)
        return algorithm._replace(**change(algorithm))

    return factory


def nearest(critic):
    """A loss that does not look at the critic."""
    return lambda params, targets, batch, discount, key: jnp.mean(batch.reward)


def others_seen(act):
    return lambda actors, obs: act(actors, obs + jnp.mean(obs, axis=0, keepdims=True))


BROKEN_ALGORITHMS = {
    r"act gives \(2, 8\)": lambda a: {"act": lambda p, o: a.act(p, o)[..., 0]},
    r"value gives \(2, 8\)": lambda a: {"value": lambda c, o, u: u[..., 0]},
    r"critic_loss gives \(8,\)": lambda a: {
        "critic_loss": lambda p, t, b, d, k: b.reward
    },
    "other actions for other entries": lambda a: {
        "sample": lambda p, o, noise, share: a.act(p, o)
    },
    r"act must give actions in \[-1, 1\]": lambda a: {
        "act": lambda p, o: 3 * a.act(p, o)
    },
    "beyond an agent's own action_sizes": lambda a: {
        "act": lambda p, o: 0.5 + 0.5 * a.act(p, o)
    },
    "others' observations": lambda a: {"act": others_seen(a.act)},
    r"the part value of J gives \(8,\)": lambda a: {
        "parts": lambda p, t, b, d, k: {"value": b.reward},
        "part_names": ("value",),
    },
    "part_names must be those of parts: value": lambda a: {
        "parts": lambda p, t, b, d, k: {"value": b.reward[0]},
        "part_names": ("worth",),
    },
    "move the critic": lambda a: {"critic_loss": nearest(a)},
    "depend on every agent's actor": lambda a: {"objective": nearest(a)},
}


@pytest.mark.parametrize("sentence", BROKEN_ALGORITHMS)
def test_a_broken_algorithm(sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_algorithm(changed_maddpg(BROKEN_ALGORITHMS[sentence]))


@pytest.mark.slow
def test_parts_that_are_not_what_the_objective_is_the_sum_of():
    def twice(algorithm):
        return {"parts": lambda *given: {"value": 2 * algorithm.objective(*given)}}

    with pytest.raises(AssertionError, match="parts must add up to the objective"):
        check_algorithm(changed_maddpg(twice))


def ratio(gradient):
    """Of a gradient to its size: of 0 it is not a number."""
    return gradient / jnp.abs(gradient)


class Blind(nn.Module):
    """Does not look at the last agent's action."""

    hidden: tuple[int, ...]
    activation: str

    def __call__(self, obs, action):
        return jnp.sum(action[0], axis=-1) + jnp.sum(obs, axis=(0, 2))


class Mixing(Blind):
    """Subtracts the minibatch's mean."""

    def __call__(self, obs, action):
        value = jnp.sum(action, axis=(0, 2))
        return value - jnp.mean(value)


class OfAgents(Blind):
    """A value for each agent."""

    def __call__(self, obs, action):
        return jnp.sum(action, axis=2)


@pytest.mark.parametrize(
    ("critic", "sentence"),
    [
        (Blind, "that of agent 1 changes nothing"),
        (Mixing, "value each transition by itself"),
        (OfAgents, r"gives \(2, 8\), and must give \(B,\)"),
    ],
)
def test_a_broken_critic(critic, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_critic(critic)


SIGNS = optax.stateless(lambda gradients, _: jax.tree.map(ratio, gradients))
COUPLED = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0))


@pytest.mark.parametrize(
    ("optimizer", "sentence"),
    [
        (optax.rprop, "proportional to its learning rate"),
        (optax.adam(1e-3), "build it at learning rate 1"),
        (Optimizer(COUPLED, COUPLED), "depend on the others' gradients"),
        (lambda: SIGNS, "finite"),
    ],
)
def test_a_broken_optimizer(optimizer, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_optimizer(optimizer)
