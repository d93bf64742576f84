"""In a loop of one's own it is the package's train step: the same rates over 100 updates."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from adama_jax import optax as ours
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.rates import probe, rules
from adama_jax.rates.rules import RateHyper
from adama_jax.training.learner import LearnerHyper, learner
from adama_jax.training.optimizers import from_optax
from adama_jax.types import Batch, Params

N, B, OBS, ACTION, UPDATES = 3, 16, 4, 2, 100
NAMES = ("scout", "guard", "runner")
GAMMA = 0.9
ALGORITHM = maddpg(N, OBS, ACTION, (8, 8), critic_activation="tanh")
HYPER = RateHyper(total_rate=0.03, smoothing=0.9)


def minibatches():
    keys = jax.random.split(jax.random.key(5), 4)
    return Batch(
        obs=jax.random.normal(keys[0], (UPDATES, N, B, OBS)),
        action=jax.random.uniform(keys[1], (UPDATES, N, B, ACTION), minval=-1),
        reward=jax.random.normal(keys[2], (UPDATES, B)),
        next_obs=jax.random.normal(keys[3], (UPDATES, N, B, OBS)),
        terminated=jnp.zeros((UPDATES, B)),
    )


def over_the_minibatches(one, start):
    # It runs once, so that optimizing it does not pay.
    fast = {"xla_backend_optimization_level": 0}
    loop = jax.jit(partial(jax.lax.scan, one), compiler_options=fast)
    return loop(start, minibatches())


def of_the_learner(optimizer, second_order):
    rule = rules.adama(HYPER, second_order=second_order, auto_scale=True)
    learn = learner(
        ALGORITHM, from_optax(optimizer), rule, N, "exact", target_period=None
    )

    def one(state, batch):
        state, metrics = learn.update(state, batch, jax.random.key(0))
        return state, metrics.rates

    start = learn.init(jax.random.key(1), LearnerHyper(discount=GAMMA))
    return start.params, over_the_minibatches(one, start)


def of_a_loop(optimizer, second_order, start, split, joined, agents):
    """A plain loop; `split` and `joined` turn stacked actors into the user's, and back."""
    tx = ours.adama(
        optimizer,
        agents,
        total_rate=HYPER.total_rate,
        smoothing=HYPER.smoothing,
        second_order=second_order,
    )

    def one(carry, batch):
        params, targets, state = carry

        def critic_loss(critic):
            online = Params(joined(params["actors"]), critic)
            frozen = Params(joined(targets["actors"]), targets["critic"])
            return ALGORITHM.critic_loss(online, frozen, batch, GAMMA, None)

        def actors_loss(actors, critic):
            action = ALGORITHM.act(joined(actors), batch.obs)
            return -jnp.mean(ALGORITHM.value(critic, batch.obs, action))

        def curvature(directions, rates):
            along = probe.Along(
                policy=lambda actors: ALGORITHM.act(joined(actors), batch.obs),
                value=lambda action: ALGORITHM.value(
                    params["critic"], batch.obs, action
                ),
                actors=params["actors"],
                directions=directions,
            )
            return probe.exact(along, rates)

        by_actors, by_critic = jax.grad(actors_loss, argnums=(0, 1))(
            params["actors"], params["critic"]
        )
        losses = {
            "actors": by_actors,
            "critic": jax.grad(critic_loss)(params["critic"]),
        }
        more = {"curvature": curvature} if second_order else {}
        updates, state = tx.update(
            losses, state, params, value_by_critic=by_critic, **more
        )
        params = optax.apply_updates(params, updates)
        targets = optax.incremental_update(params, targets, LearnerHyper().target_step)
        return (params, targets, state), state.rule.rates

    params = {"actors": split(start.actors), "critic": start.critic}
    return over_the_minibatches(one, (params, params, tx.init(params)))


def by_name(actors):
    rows = [jax.tree.map(lambda leaf, row=row: leaf[row], actors) for row in range(N)]
    return dict(zip(NAMES, rows, strict=True))


def stacked(actors):
    rows = [actors[name] for name in NAMES]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows)


def same(tree):
    return tree


@pytest.mark.parametrize("second_order", [False, True])
@pytest.mark.parametrize(
    ("split", "joined", "agents"),
    [(same, same, N), (by_name, stacked, NAMES)],
    ids=["stacked", "by name"],
)
def test_the_same_rates_and_the_same_parameters(split, joined, agents, second_order):
    optimizer = optax.chain(optax.clip_by_global_norm(5.0), optax.adam(1.0))
    start, (end, expected) = of_the_learner(optimizer, second_order)
    (params, _, _), found = of_a_loop(
        optimizer, second_order, start, split, joined, agents
    )
    assert float(jnp.ptp(expected.actors[-1])) > 1e-4  # they have turned
    np.testing.assert_allclose(found.actors, expected.actors, atol=1e-5)
    np.testing.assert_allclose(found.critic, expected.critic, atol=1e-5)
    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, atol=1e-3),
        joined(params["actors"]),
        end.params.actors,
    )
