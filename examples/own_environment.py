"""An environment of one's own, trained by the trainer of adama-jax.

In a shell, from the folder of this file, with every setting that the package's own worlds have:

    adama train own_environment:make agents=4 episodes=2000 seeds=5

and in Python, which is what this file does: `python examples/own_environment.py --episodes 300`.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp

import adama_jax
from adama_jax.bounds import POSITIVE, Whole
from adama_jax.envs.env import Entity, Env, EnvSpec, Transition
from adama_jax.envs.worlds import World
from adama_jax.testing import check_env


@dataclass(frozen=True)
class Convoy(World):
    """The options of the world: settings `world.agents`, `world.gap` and `world.step`."""

    agents: Annotated[int, Whole(2, 100)] = 3
    """Vehicles."""
    gap: Annotated[float, POSITIVE] = 0.5
    """Wanted distance to the vehicle in front."""
    step: Annotated[float, POSITIVE] = 0.2
    """Distance that an action of 1 moves a vehicle."""


def make(world: Convoy = Convoy(), horizon: int = 15) -> Env:
    """A convoy on a plane: the first vehicle seeks the origin, each other one the gap behind."""
    n = world.agents
    spec = EnvSpec(
        name="convoy",
        num_agents=n,
        obs_size=4,  # the own place, and the way to the vehicle in front
        action_size=2,
        action_sizes=(2,) * n,
        snapshot_size=2 * n,
        horizon=horizon,  # 15 steps, unless the setting `horizon` says otherwise
        terminates=False,
        entities=tuple(Entity("agent", f"vehicle {i}", 0.1, i) for i in range(n)),
    )

    def reset(key):
        return jax.random.uniform(key, (n, 2), minval=-1.0)

    def step(key, places, action):
        moved = places + world.step * action
        off_origin = jnp.linalg.norm(moved[0])
        gaps = jnp.linalg.norm(moved[1:] - moved[:-1], axis=1)
        reward = -off_origin - jnp.sum(jnp.abs(gaps - world.gap))
        return moved, Transition(reward, terminated=jnp.asarray(False))

    def snapshot(places):
        return places.ravel()

    def observe(snapshot):
        places = snapshot.reshape(n, 2)
        ahead = (
            jnp.roll(places, 1, axis=0).at[0].set(0.0)
        )  # the first looks at the origin
        return jnp.concatenate([places, ahead - places], axis=1)

    return Env(
        spec=spec,
        reset=reset,
        step=step,
        snapshot=snapshot,
        observe=observe,
        positions=lambda snapshot: snapshot.reshape(n, 2),
    )


def main() -> None:
    """Check the environment, train two seeds on it, say what they have learned."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=300)
    options = parser.parse_args()

    adama_jax.set_up_jax()
    check_env(make())

    config = adama_jax.scenario_config("own_environment:make")
    settings = {
        "episodes": options.episodes,
        "seeds": 2,
        "world.gap": 0.4,
        # The noise in the actions has fallen by the middle.
        "exploration.episodes": max(1, options.episodes // 2),
    }
    config = adama_jax.with_settings(config, settings)
    adama_jax.validate(config)
    with tempfile.TemporaryDirectory() as folder:
        adama_jax.run([config], Path(folder))
        result = adama_jax.find_run(Path(folder), config)
        curve = result.metrics["eval_return"].mean(axis=0)
    print(f"greedy return at episode {result.metrics['episode'][0]}: {curve[0]:.2f}")
    print(f"greedy return at episode {result.metrics['episode'][-1]}: {curve[-1]:.2f}")


if __name__ == "__main__":
    main()
