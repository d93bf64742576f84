"""A critic and a rate rule of one's own, beside the package's, in one run and in a sweep.

In a shell, from the folder of this file:

    adama train going_together critic=own_critic_and_rule:Twin method=own_critic_and_rule:WARM
    adama sweep going_together critic=joint,own_critic_and_rule:Twin seeds=2 episodes=300

and in Python, which is what this file does: `python examples/own_critic_and_rule.py`.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp

import adama_jax
from adama_jax.algorithms.networks import MLP, join_agents
from adama_jax.bounds import Between
from adama_jax.config.methods import CONSTANT, Method, Own
from adama_jax.rates.rules import RateHyper, RateRule, fixed
from adama_jax.testing import check_critic, check_rule


class Twin(nn.Module):
    """The smaller of two joint critics. obs [N, B, O] and action [N, B, A] to [B]."""

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"

    @nn.compact
    def __call__(self, obs, action):
        first = MLP(self.hidden, 1, self.activation)(
            join_agents(obs), join_agents(action)
        )
        second = MLP(self.hidden, 1, self.activation)(
            join_agents(obs), join_agents(action)
        )
        return jnp.minimum(first[0], second[0])


def warm(hyper: RateHyper = RateHyper()) -> RateRule:
    """Constant rates that grow from 0: each update goes on by a share `warmth` of what is left."""
    base = fixed(hyper)

    def init(num_agents, hyper=None):
        state = base.init(num_agents, hyper)
        return state._replace(rates=jax.tree.map(jnp.zeros_like, state.rates))

    def update(signals, state):
        full = base.init(signals.contribution.shape[0], state.hyper).rates
        warmth = state.hyper.own["warmth"]
        rates = jax.tree.map(
            lambda now, end: now + warmth * (end - now), state.rates, full
        )
        return state._replace(rates=rates, updates=state.updates + 1)

    return RateRule(init, update, second_order=False)


# What the command line is told: `method=own_critic_and_rule:WARM warmth=0.05`.
WARM = Method(
    optimizer="sgd",
    rule="own_critic_and_rule:warm",
    rate_options=CONSTANT,  # it reads l_c and l_a, and no other setting of the rates
    own=(
        Own(
            "warmth",
            0.1,
            Between(0, 1, open_bottom=True),
            help="Share of the way to the full rates that an update goes.",
        ),
    ),
    summary="constant rates that grow from 0",
    source="an example",
)


def main() -> None:
    """Check both, train them beside what the package has, print where it led."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=300)
    options = parser.parse_args()

    adama_jax.set_up_jax()
    check_critic(Twin)
    check_rule(warm(), RateHyper(own={"warmth": 0.1}))

    base = adama_jax.scenario_config("going_together")
    base = adama_jax.with_settings(base, {"episodes": options.episodes, "seeds": 2})
    variants = {
        "the package's": {"method": "fixed"},
        "own": {
            "networks.critic": "own_critic_and_rule:Twin",
            "method": "own_critic_and_rule:WARM",
            "rates.warmth": 0.01,
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, settings in variants.items():
            config = adama_jax.with_settings(base, settings)
            adama_jax.validate(config)
            adama_jax.run([config], Path(folder))
            result = adama_jax.find_run(Path(folder), config)
            last = result.metrics["eval_return"][:, -1].mean()
            print(f"{name:13} greedy return {last:.2f}")


if __name__ == "__main__":
    main()
