"""Code of a user's own, in a folder of its own."""

import sys

import pytest

from adama_jax.algorithms.settings import ALGORITHMS, CRITICS
from adama_jax.config.methods import METHODS
from adama_jax.config.options import OBSERVERS
from adama_jax.config.scenarios import SCENARIOS
from adama_jax.config.schema import OPTIMIZERS
from adama_jax.plugins import names

REGISTRIES = (SCENARIOS, METHODS, ALGORITHMS, CRITICS, OPTIMIZERS, OBSERVERS)

MINE = '''
"""Everything that a user can bring."""

from dataclasses import dataclass
from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from adama_jax.algorithms.critics.joint import JointCritic
from adama_jax.algorithms.maddpg import maddpg
from adama_jax.bounds import POSITIVE, Between
from adama_jax.config.methods import CONSTANT, Method, Own
from adama_jax.config.scenario import Scenario
from adama_jax.envs.env import Env, EnvSpec, Transition
from adama_jax.envs.worlds import World
from adama_jax.rates.rules import RateHyper, fixed
from adama_jax.training.settings import Learning


@dataclass(frozen=True)
class Corridor(World):
    """A corridor's options."""

    length: Annotated[float, POSITIVE] = 2.0
    """Where agents start."""
    agents: int = 2
    """Agents that learn."""


def make(world: Corridor = Corridor(), horizon: int = 5) -> Env:
    """Agents meet in a corridor."""
    n = world.agents
    spec = EnvSpec("corridor", n, n, 1, (1,) * n, n, horizon, False, ())

    def reset(key):
        return world.length * jax.random.uniform(key, (n,), minval=-1.0)

    def step(key, state, action):
        new = state + 0.1 * action[:, 0]
        return new, Transition(jnp.min(new) - jnp.max(new), jnp.asarray(False))

    def observe(snapshot):
        return snapshot[None] - snapshot[:, None]

    def positions(snapshot):
        return jnp.zeros((0, 2))

    return Env(spec, reset, step, lambda state: state, observe, positions)


def plain():
    return make(horizon=7)


SHORT = Scenario(
    module="mine:plain",
    summary="as before, more patient",
    source="a test",
    horizon=6,
    episodes=12,
    learning=Learning(discount=0.5),
)


class Mine(JointCritic):
    """A critic."""


def rule(hyper=RateHyper()):
    """Constant rates."""
    return fixed(hyper)


WARM = Method(
    optimizer="sgd",
    rule="mine:rule",
    rate_options=CONSTANT,
    own=(Own("warmth", 0.5, Between(0, 1), symbol="w", help="How warm."),),
    summary="constant, and warm",
    source="a test",
)


def masac(**sizes):
    return maddpg(**sizes)


def slow(learning_rate):
    return optax.sgd(learning_rate)


def adam():
    return optax.adam(1.0)


heard = []


def observer(job):
    return lambda event: heard.append(type(event).__name__)


def needs_more(size, horizon):
    return make()


def no_env():
    return 3


def wrong_shape():
    env = make()
    return env._replace(spec=env.spec._replace(obs_size=9))


def fails(horizon=5):
    return {}["no such key"]


NUMBER = 3
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with `mine.py`, which is the current one; afterwards nothing of it is left."""
    folder = tmp_path / "mine_is_here"
    folder.mkdir()
    (folder / "mine.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    registered = {kind: dict(paths) for kind, paths in names._registered.items()}
    known = [
        (registry, dict(registry), dict(registry._outside)) for registry in REGISTRIES
    ]
    yield folder
    for registry, entries, outside in known:
        registry.clear()
        registry.update(entries)
        registry._outside.clear()
        registry._outside.update(outside)
    for kind, paths in registered.items():
        names._registered[kind].clear()
        names._registered[kind].update(paths)
    for module in ("mine", "broken", "script"):
        sys.modules.pop(module, None)
